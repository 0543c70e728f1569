//! What a network sees: classes by every method, units, and images that excite them.

use std::fs;
use std::path::Path;

use crate::network::{Scratch, array, data, said, unpool};

#[test]
fn the_strongest_units_of_a_folder_make_a_sheet_for_each_layer() {
    let scratch = Scratch::new("top");
    let folder = scratch.path("folder");
    fs::create_dir(&folder).expect("the temporary directory is writable");
    for name in ["digit-0.png", "digit-3.png", "digit-6.png"] {
        fs::copy(data(name), Path::new(&folder).join(name)).expect("it is there");
    }
    let (out, model) = (scratch.path("out"), data("digits.onnx"));
    let arguments = ["visualize", &model, &folder, "--device", "cpu", "--out", &out];
    let more = ["--top", "9", "--layer", "relu3", "--layer", "relu4", "--channel", "5"];
    said(&unpool(&[&arguments[..], &more].concat()));
    for name in ["top-relu3.png", "top-relu4.png"] {
        assert!(Path::new(&out).join(name).exists(), "{name}");
    }
}

#[test]
fn a_network_without_classes_has_its_units_shown() {
    let scratch = Scratch::new("without-classes");
    let (out, maps) = (scratch.path("out"), scratch.path("maps"));
    let (model, image) = (data("segnet.onnx"), data("scene.png"));
    let arguments = ["visualize", &model, &image, "--device", "cpu", "--out", &out];
    said(&unpool(&[&arguments[..], &["--maps", &maps]].concat()));
    assert!(Path::new(&out).join("scene.png").exists());
    // Every layer by the same methods, none of which looks for a class.
    let names: Vec<_> = arrays(&maps).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name.contains("deconvnet")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("grad-cam")), "{names:?}");
}

/// Every array of a directory, by name.
fn arrays(dir: &str) -> Vec<(String, Vec<f32>)> {
    let files = fs::read_dir(dir).expect("it was made").map(|file| file.expect("a file").path());
    let mut all: Vec<_> = files
        .map(|path| {
            let path = path.to_str().expect("UTF-8").to_owned();
            (path.rsplit('/').next().expect("a name").to_owned(), array(&path).1)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn a_folder_of_images_is_explained_as_each_image_by_itself() {
    let scratch = Scratch::new("batches");
    let folder = scratch.path("folder");
    fs::create_dir(&folder).expect("the temporary directory is writable");
    // More than a batch has, so that the second one is not full.
    for i in 0..17 {
        let from = data(["digit-0.png", "digit-3.png", "digit-6.png"][i % 3]);
        fs::copy(from, Path::new(&folder).join(format!("{i:02}.png"))).expect("it is there");
    }
    let (out, model) = (scratch.path("out"), data("digits.onnx"));
    let methods = "grad-cam,gradient,guided,integrated-gradients,occlusion,guided-grad-cam,\
                   lrp-gamma";
    for (name, asked) in [
        ("best", &["--method", methods][..]),
        ("asked", &["--class", "3", "--class", "5", "--method", "grad-cam++,gradient"]),
        ("units", &["--layer", "relu3", "--layer", "fc", "--of", "strongest"]),
    ] {
        let run = |images: &str, maps: &str| {
            let arguments = ["visualize", &model, images, "--device", "cpu", "--out", &out];
            said(&unpool(&[&arguments[..], asked, &["--maps", maps]].concat()));
            arrays(maps)
        };
        let together = run(&folder, &scratch.path(name));
        let mut compared = 0;
        for i in [0, 1, 2, 8, 9, 16] {
            let image = format!("{folder}/{i:02}.png");
            let alone = run(&image, &scratch.path(&format!("{name}-{i}")));
            for (file, expected) in alone {
                let found = together.iter().find(|(name, _)| *name == file);
                let (_, found) = found.unwrap_or_else(|| panic!("{file} of the folder"));
                let largest = expected.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
                let same = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * largest;
                assert!(found.len() == expected.len(), "{file}");
                assert!(found.iter().zip(&expected).all(same), "{file}");
                compared += 1;
            }
        }
        assert_eq!(together.len() * 6, compared * 17, "{name}");
    }
}

#[test]
fn classes_are_explained_by_every_method_and_the_maps_are_arrays() {
    let scratch = Scratch::new("methods");
    let (out, maps) = (scratch.path("out"), scratch.path("maps"));
    let (model, image) = (data("digits.onnx"), data("digit-3.png"));
    let labels = scratch.path("digits.txt");
    fs::write(&labels, "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n")
        .expect("the temporary directory is writable");
    let methods = "grad-cam,gradient,deconvnet,guided,input-times-gradient,integrated-gradients,\
                   smoothgrad,occlusion,grad-cam++,guided-grad-cam,lrp-epsilon,lrp-gamma";
    let arguments = ["visualize", &model, &image, "--device", "cpu", "--out", &out];
    let asked = ["--class", "three", "--class", "5", "--labels", &labels, "--layer", "relu3"];
    let more = ["--maps", &maps, "--method", methods];
    let text = said(&unpool(&[&arguments[..], &asked, &more].concat()));
    assert!(text.contains("best classes 3 three: 68.") && text.contains("24 arrays"), "{text}");
    for method in methods.split(',') {
        for class in ["3_three", "5_five"] {
            let is_at = if method.contains("grad-cam") { "_relu3" } else { "" };
            let file = format!("{maps}/digit-3.class-{class}{is_at}.{method}.npy");
            let (header, map) = array(&file);
            let is_cam = method.starts_with("grad-cam");
            let shape = if is_cam { "(1, 1, 16, 16, )" } else { "(1, 1, 32, 32, )" };
            assert!(header.contains(shape), "{method}: {header}");
            assert!(map.iter().any(|&x| x != 0.0) && map.iter().all(|x| x.is_finite()), "{method}");
        }
    }
    assert_eq!(fs::read_dir(&maps).expect("it was made").count(), 24);
    let sheet = image::open(Path::new(&out).join("digit-3.png")).expect("a PNG").into_rgb8();
    assert!(sheet.height() > 1500, "{:?}", sheet.dimensions());
}

#[test]
fn flowers_in_photographs_are_told_apart_and_explained() {
    let scratch = Scratch::new("flowers");
    let out = scratch.path("out");
    let photographs = ["dandelion.jpg", "sunflowers.jpg", "tulips.jpg"].map(data);
    let [dandelion, sunflowers, tulips] = &photographs;
    let model = data("flowers.onnx");
    let arguments = ["visualize", &model, dandelion, sunflowers, tulips, "--device", "cpu"];
    let text = said(&unpool(&[&arguments[..], &["--out", &out]].concat()));
    for best in ["classes 1 dandelion: 9", "classes 3 sunflowers: 8", "classes 4 tulips: 8"] {
        assert!(text.contains(best), "{text}");
    }
    assert!(text.contains("values  preset imagenet, as the model's metadata say"), "{text}");
    assert!(text.contains("256×320 (height×width), its middle resized to 128×128"), "{text}");
    assert_eq!(fs::read_dir(&out).expect("it was made").count(), 3);
}

#[test]
fn images_that_excite_a_class_or_a_channel_make_a_sheet() {
    let scratch = Scratch::new("maximize");
    let (out, model) = (scratch.path("out"), data("digits.onnx"));
    let arguments = ["maximize", &model, "--device", "cpu", "--out", &out, "--steps", "8"];
    said(&unpool(&[&arguments[..], &["--class", "0", "--class", "7"]].concat()));
    said(&unpool(&[&arguments[..], &["--layer", "relu3"]].concat()));
    for (name, rows) in [("maximize-fc.png", 1), ("maximize-relu3.png", 2)] {
        let sheet = image::open(Path::new(&out).join(name)).expect("a PNG").into_rgb8();
        assert!(sheet.height() > 250 * rows, "{:?}", sheet.dimensions());
    }
    let more = [&["--layer", "relu3", "--channel", "24"][..], &["--class", "10"]];
    for (more, what) in more.into_iter().zip(["0 to 23", "0 to 9"]) {
        let output = unpool(&[&arguments[..], more].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(what), "{output:?}");
    }
}
