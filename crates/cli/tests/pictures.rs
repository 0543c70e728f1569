//! Pictures as files have them: formats, orientation, and what is none.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, Frame, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

/// A picture of 12×10 in few colours, no two halves of it alike.
fn picture() -> RgbImage {
    RgbImage::from_fn(12, 10, |x, y| {
        Rgb([(x * 20) as u8, (y * 25) as u8, ((x * y) % 3 * 90) as u8])
    })
}

/// The data of EXIF that says an orientation, and nothing else.
fn exif(orientation: u8) -> Vec<u8> {
    let start = [b"II*\0".as_slice(), &8u32.to_le_bytes(), &1u16.to_le_bytes()].concat();
    let entry = [&0x0112u16.to_le_bytes()[..], &3u16.to_le_bytes(), &1u32.to_le_bytes()].concat();
    [start, entry, vec![orientation, 0, 0, 0], vec![0; 4]].concat()
}

/// As a picture stored in each orientation is to be looked at: where each of its pixels comes from.
fn upright(stored: &RgbImage, orientation: u8) -> RgbImage {
    let (w, h) = stored.dimensions();
    let from = |x: u32, y: u32| match orientation {
        2 => (w - 1 - x, y),
        3 => (w - 1 - x, h - 1 - y),
        4 => (x, h - 1 - y),
        5 => (y, x),
        6 => (y, h - 1 - x),
        7 => (w - 1 - y, h - 1 - x),
        8 => (w - 1 - y, x),
        _ => (x, y),
    };
    let (width, height) = if orientation < 5 { (w, h) } else { (h, w) };
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = from(x, y);
        *stored.get_pixel(x, y)
    })
}

/// The pictures that the demonstration makes of a file, by their bytes.
fn shown(scratch: &Scratch, file: &Path) -> [Vec<u8>; 2] {
    let out = scratch.out();
    let arguments = ["demo", "--image", text(file), "--levels", "1", "--device", "cpu", "--out"];
    let output = unpool(&[&arguments[..], &[text(&out)]].concat());
    assert_eq!(status(&output), 0, "{}: {output:?}", file.display());
    ["restored.png", "pooled-1.png"].map(|name| fs::read(out.join(name)).expect("it was written"))
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png).expect("it is written to memory");
    file.into_inner()
}

#[test]
fn a_picture_that_lies_on_its_side_is_set_upright() {
    let scratch = Scratch::new("orientation");
    let (stored, (w, h)) = (picture(), picture().dimensions());
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode_image(&stored).expect("it is written to memory");
    let stored_jpeg = image::load_from_memory(&jpeg).expect("a JPEG").into_rgb8();
    for orientation in 1..=8 {
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_exif_metadata(exif(orientation)).expect("PNG has EXIF");
        encoder.write_image(&stored, w, h, ExtendedColorType::Rgb8).expect("it is written");
        let file = scratch.file("stored.png", file);
        let expected = scratch.file("upright.png", png(&upright(&stored, orientation)));
        assert!(shown(&scratch, &file) == shown(&scratch, &expected), "PNG {orientation}");

        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new(&mut file);
        encoder.set_exif_metadata(exif(orientation)).expect("JPEG has EXIF");
        encoder.encode_image(&stored).expect("it is written to memory");
        let file = scratch.file("stored.jpg", file);
        let expected = scratch.file("upright.png", png(&upright(&stored_jpeg, orientation)));
        assert!(shown(&scratch, &file) == shown(&scratch, &expected), "JPEG {orientation}");
    }
}

#[test]
fn every_format_is_read_whatever_the_name_of_the_file() {
    let scratch = Scratch::new("formats");
    let expected = scratch.file("picture.png", png(&picture()));
    let expected = shown(&scratch, &expected);
    for format in [ImageFormat::Bmp, ImageFormat::WebP] {
        let mut file = Cursor::new(Vec::new());
        picture().write_to(&mut file, format).expect("it is written to memory");
        let file = scratch.file("picture.png", file.into_inner());
        assert!(shown(&scratch, &file) == expected, "{format:?}");
    }
}

#[test]
fn the_first_frame_of_a_gif_is_its_picture() {
    let scratch = Scratch::new("gif");
    let colour =
        |x: u32, y: u32| if (x / 3 + y / 2).is_multiple_of(2) { [255, 0, 0] } else { [0, 0, 255] };
    let first = RgbImage::from_fn(12, 10, |x, y| Rgb(colour(x, y)));
    let frame = |of: fn([u8; 3]) -> [u8; 3]| {
        Frame::new(RgbaImage::from_fn(12, 10, |x, y| {
            let [r, g, b] = of(colour(x, y));
            Rgba([r, g, b, 255])
        }))
    };
    let mut file = Vec::new();
    let frames = [frame(|c| c), frame(|[r, g, b]| [b, g, r])];
    GifEncoder::new(&mut file).encode_frames(frames).expect("it is written to memory");
    let file = scratch.file("picture.gif", file);
    let expected = scratch.file("picture.png", png(&first));
    assert!(shown(&scratch, &file) == shown(&scratch, &expected));
}

#[test]
fn a_file_that_is_no_picture_is_told_the_formats_that_are_read() {
    let scratch = Scratch::new("no-picture");
    let out = scratch.out();
    // A name is no picture, and neither is a picture in a format that is not read.
    for (name, contents) in [("words.png", &b"not an image"[..]), ("scan.png", b"II*\0 a TIFF")] {
        let file = scratch.file(name, contents);
        let what = format!("{name}: is neither PNG, JPEG, WebP, GIF nor BMP");
        let arguments = ["demo", "--image", text(&file), "--device", "cpu", "--out", text(&out)];
        assert_refused(&arguments, &what, &scratch);
    }
    // A header that claims more than there is memory for.
    let mut vast = png(&picture());
    vast[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let file = scratch.file("vast.png", vast);
    let arguments = ["demo", "--image", text(&file), "--device", "cpu", "--out", text(&out)];
    assert_refused(&arguments, "vast.png", &scratch);
}

#[test]
fn a_folder_of_pictures_is_searched_for_every_format() {
    let scratch = Scratch::new("folder");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cnn/tests/data/digits.onnx");
    let folder = scratch.0.join("folder");
    fs::create_dir(&folder).expect("the temporary directory is writable");
    let out = scratch.out();
    let arguments = ["visualize", text(&model), text(&folder), "--device", "cpu", "--out"];
    let arguments = [&arguments[..], &[text(&out), "--layer", "relu4", "--method", "gradient"]];
    let arguments = arguments.concat();
    assert_refused(&arguments, "folder: holds no PNG, JPEG, WebP, GIF or BMP", &scratch);
    for name in ["a.bmp", "b.WEBP", "c.gif", "notes.txt"] {
        fs::write(folder.join(name), png(&picture())).expect("it is writable");
    }
    let output = unpool(&arguments);
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(stdout(&output).matches("wrote   ").count(), 3, "{output:?}");
}
