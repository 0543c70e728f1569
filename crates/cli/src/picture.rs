//! An image in a file and as a tensor: 8-bit RGB, and f32 from 0 to 1 with channels
//! last.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, bail};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::levels::CHANNELS;
use crate::source::Source;

/// The formats that are read, and the endings of their files.
const FORMATS: [(ImageFormat, &[&str]); 5] = [
    (ImageFormat::Png, &["png"]),
    (ImageFormat::Jpeg, &["jpg", "jpeg"]),
    (ImageFormat::WebP, &["webp"]),
    (ImageFormat::Gif, &["gif"]),
    (ImageFormat::Bmp, &["bmp"]),
];

/// As messages name them.
pub(crate) const NAMES: &str = "PNG, JPEG, WebP, GIF or BMP";

/// Bytes that identify the format.
const START: u64 = 64;

/// The image of a file, whose format is detected from its contents. The orientation of the EXIF data
/// is applied; a GIF gives its first image; transparency is dropped.
pub(crate) fn open(source: &Source) -> Result<RgbImage> {
    read(source).with_context(|| source.to_string())
}

fn read(source: &Source) -> Result<RgbImage> {
    let mut file = source.open()?;
    let mut bytes = Vec::new();
    file.by_ref().take(START).read_to_end(&mut bytes)?;
    let format = image::guess_format(&bytes).ok();
    let Some(format) = format.filter(|found| FORMATS.iter().any(|(format, _)| format == found))
    else {
        bail!("is neither {}", NAMES.replace(" or ", " nor "));
    };
    file.read_to_end(&mut bytes)?;
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
    // As `ImageReader::decode` does; `into_decoder` leaves the image itself out.
    Limits::default().reserve(decoder.total_bytes())?;
    // A picture whose EXIF data is damaged is a picture all the same.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    if image.width() == 0 || image.height() == 0 {
        bail!("has {}×{} pixels; at least 1×1 is needed", image.width(), image.height());
    }
    Ok(image)
}

/// Whether a file's ending is that of an image.
pub(crate) fn has_ending(ending: &str) -> bool {
    FORMATS.iter().any(|(_, endings)| endings.iter().any(|e| e.eq_ignore_ascii_case(ending)))
}

/// The tensor of an image.
pub(crate) fn to_cells(image: &RgbImage) -> Vec<f32> {
    image.as_raw().iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// The image of a tensor of `[height, width]`.
pub(crate) fn from_cells(cells: &[f32], [height, width]: [usize; 2]) -> RgbImage {
    let mut image = RgbImage::new(width as u32, height as u32);
    for (pixel, cells) in image.pixels_mut().zip(cells.chunks_exact(CHANNELS)) {
        // Truncates nothing: 0 to 1 goes to 0 to 255, and `as` saturates.
        pixel.0 = std::array::from_fn(|c| (cells[c] * 255.0).round() as u8);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_to_a_cell_and_back() {
        let image = RgbImage::from_fn(16, 16, |x, y| {
            let byte = (y * 16 + x) as u8;
            image::Rgb([byte, !byte, byte / 2])
        });
        assert_eq!(from_cells(&to_cells(&image), [16, 16]), image);
    }
}
