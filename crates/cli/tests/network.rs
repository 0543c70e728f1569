//! `layers`, `visualize` and `segment` as a user meets them, on the models of `crates/cnn`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

/// A directory of one test, gone when the test is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let dir = env::temp_dir().join(format!("unpool-network-{test}-{}", process::id()));
        fs::create_dir_all(&dir).expect("the temporary directory is writable");
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a name in UTF-8").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left over in the system's own is no failure of the test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cnn/tests/data").join(name);
    path.to_str().expect("a name in UTF-8").to_owned()
}

pub(crate) fn unpool(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unpool"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env("XDG_RUNTIME_DIR", env::temp_dir())
        .output()
        .expect("the command starts")
}

pub(crate) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn layers_are_listed_within_eighty_columns() {
    let text = said(&unpool(&["layers", &data("digits.onnx")]));
    for what in ["conv2", "GlobalAveragePool", "24×16×16", "5,208", "22×22", "9,502 parameters"]
    {
        assert!(text.contains(what), "{what} is not in:\n{text}");
    }
    let table = text.lines().take_while(|line| !line.is_empty());
    assert_eq!(table.filter(|line| line.chars().count() > 80).count(), 0, "{text}");
}

#[test]
fn a_model_and_an_image_alone_make_a_sheet_and_an_event_file() {
    let scratch = Scratch::new("sheet");
    let (out, log) = (scratch.path("out"), scratch.path("log"));
    let (model, image) = (data("digits.onnx"), data("digit-3.png"));
    let arguments =
        ["visualize", &model, &image, "--device", "cpu", "--out", &out, "--logdir", &log];
    let text = said(&unpool(&arguments));
    assert!(
        text.contains("as asked")
            && text.contains("best classes 3: ")
            && text.contains("of weights"),
        "{text}"
    );
    let sheet = image::open(Path::new(&out).join("digit-3.png")).expect("a PNG").into_rgb8();
    assert!(sheet.width() > 1000 && sheet.height() > 1000, "{:?}", sheet.dimensions());
    assert_eq!(fs::read_dir(log).expect("it was made").count(), 1);
}

#[test]
fn a_scene_is_labelled() {
    let scratch = Scratch::new("segment");
    let (out, model, image) = (scratch.path("map.png"), data("segnet.onnx"), data("scene.png"));
    let text = said(&unpool(&["segment", &model, &image, "--device", "cpu", "--out", &out]));
    assert!(text.contains("class   0, black"), "{text}");
    let map = image::open(&out).expect("a PNG").into_rgb8();
    assert_eq!(map.dimensions(), (45, 37));
    // The middle of the square, and that of the circle.
    assert_eq!(map.get_pixel(24, 24).0, [86, 180, 233]);
    assert_eq!(map.get_pixel(6, 10).0, [230, 159, 0]);
}

#[test]
fn a_scene_is_shown_with_its_classes_and_their_names() {
    let scratch = Scratch::new("overlay");
    let (out, overlay) = (scratch.path("map.png"), scratch.path("overlay.png"));
    let labels = scratch.path("shapes.json");
    fs::write(&labels, r#"["nothing", "circle", "square", "triangle"]"#).expect("writable");
    let arguments = ["segment", &data("segnet.onnx"), &data("scene.png"), "--device", "cpu"];
    let more = ["--out", &out, "--overlay", &overlay, "--labels", &labels];
    let text = said(&unpool(&[&arguments[..], &more].concat()));
    assert!(text.contains("class   2 square, sky blue: "), "{text}");
    let shown = image::open(&overlay).expect("a PNG").into_rgb8();
    assert!(shown.width() > 400 && shown.height() > 200, "{:?}", shown.dimensions());
    // The legend has the colours themselves.
    for colour in [[86, 180, 233], [230, 159, 0]] {
        assert!(shown.pixels().filter(|pixel| pixel.0 == colour).count() >= 18 * 18);
    }
}

/// A model with more metadata: protobuf adds up what is appended to a message.
fn with_metadata(model: &str, entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = fs::read(data(model)).expect("it is there");
    for (key, value) in entries {
        let field = |tag: u8, text: &str| [&[tag, text.len() as u8][..], text.as_bytes()].concat();
        let entry = [field(0x0a, key), field(0x12, value)].concat();
        bytes.extend([0x72, entry.len() as u8]);
        bytes.extend(entry);
    }
    bytes
}

#[test]
fn what_a_model_says_of_itself_is_used_and_said() {
    let scratch = Scratch::new("metadata");
    let image = data("digit-3.png");
    let model = scratch.path("model.onnx");
    let run = |entries: &[(&str, &str)], rest: &[&str]| {
        fs::write(&model, with_metadata("digits.onnx", entries)).expect("it is writable");
        said(&unpool(&[&["run", &model, &image, "--device", "cpu"], rest].concat()))
    };
    let names = ("labels", "zero, one, two, three, four, five, six, seven, eight, nine");
    let text = run(&[names], &[]);
    assert!(text.contains("best    3 three: 68."), "{text}");
    let range = ("Image.NominalPixelRange", "NominalRange_0_255");
    let text = run(&[range], &[]);
    assert!(text.contains("values  preset byte, as the model's metadata say"), "{text}");
    let text = run(&[range, ("preprocessing", "keras")], &[]);
    assert!(text.contains("values  preset keras, as the model's metadata say"), "{text}");
    let text = run(&[range], &["--preset", "unit"]);
    assert!(text.contains("values  preset unit, as asked"), "{text}");
    // A file that is wrong about itself is not believed.
    let text = run(&[("labels", "yes,no")], &[]);
    assert!(text.contains("best    3: 68."), "{text}");
}

/// The floats of an array that the command wrote, and the text of its header.
pub(crate) fn array(file: &str) -> (String, Vec<f32>) {
    let bytes = fs::read(file).expect("it was written");
    let header = 10 + usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    let floats = bytes[header..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
    (String::from_utf8_lossy(&bytes[..header]).into_owned(), floats.collect())
}

#[test]
fn a_network_runs_on_an_image_and_on_the_array_that_it_is() {
    let scratch = Scratch::new("run");
    let (model, image) = (data("digits.onnx"), data("digit-3.png"));
    let (out, several) = (scratch.path("scores.npy"), scratch.path("all.npy"));
    let run = |rest: &[&str]| said(&unpool(&[&["run", &model, "--device", "cpu"], rest].concat()));
    let text = run(&[&image, "--out", &out]);
    assert!(text.contains("best    3: ") && text.contains("1×10"), "{text}");
    let (header, scores) = array(&out);
    assert!(header.contains("(1, 10, )") && scores.len() == 10, "{header}");
    run(&[&image, "--out", &several, "--layer", "relu1", "--layer", "pool1"]);
    let (header, relu) = array(&scratch.path("all.relu1.npy"));
    assert!(header.contains("(1, 12, 32, 32, )"), "{header}");
    assert!(relu.iter().all(|&x| x >= 0.0));
    let (header, _) = array(&scratch.path("all.pool1.npy"));
    assert!(header.contains("(1, 12, 16, 16, )"), "{header}");
    // The same image as an array of 0 to 1.
    let grey = image::open(&image).expect("a PNG").into_luma8();
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 32, 32), }";
    let header = format!("{header:<117}\n");
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    npy.extend(grey.pixels().flat_map(|p| (f32::from(p.0[0]) / 255.0).to_le_bytes()));
    let input = scratch.path("digit.npy");
    fs::write(&input, npy).expect("the temporary directory is writable");
    run(&[&input, "--out", &out]);
    assert_eq!(array(&out).1, scores);
    let json = run(&[&image, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!(json["classes"][0][0]["class"], 3);
    assert_eq!(json["layers"][0]["shape"], serde_json::json!([1, 10]));
    // A layer that is named twice is written once, and no layer's file is written over the input.
    run(&[&image, "--out", &several, "--layer", "relu1", "--layer", "relu1"]);
    let taken = scratch.path("taken.relu1.npy");
    fs::copy(&input, &taken).expect("it is there");
    let out = scratch.path("taken.npy");
    let over = ["run", &model, &taken, "--out", &out, "--layer", "relu1", "--layer", "relu2"];
    let error = String::from_utf8_lossy(&unpool(&over).stderr).into_owned();
    assert!(error.contains("would be overwritten"), "{error}");
    assert!(fs::read(&taken).expect("it is there") == fs::read(&input).expect("and this"));
    let wrong = unpool(&["run", &model, &input, "--preset", "imagenet"]);
    let error = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!((wrong.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    assert!(error.contains("are for images"), "{error}");
}

#[test]
fn a_bad_question_is_refused_in_one_line_and_writes_nothing() {
    let scratch = Scratch::new("refused");
    let (out, log) = (scratch.path("out"), scratch.path("log"));
    let broken = scratch.path("broken.onnx");
    fs::write(&broken, b"not a model").expect("the temporary directory is writable");
    let (model, image) = (data("digits.onnx"), data("digit-3.png"));
    let net = data("segnet.onnx");
    let missing = scratch.path("missing.onnx");
    let map = scratch.path("out/map.png");
    for (arguments, what) in [
        (&["layers", &missing][..], "missing.onnx"),
        (&["layers", &broken], "not an ONNX model"),
        (&["layers", &model, "--size", "8x8"], "allows 32"),
        (&["visualize", &model, &broken, "--out", &out], "broken.onnx"),
        (&["visualize", &model, &image, "--out", &out, "--layer", "no-such"], "layers are conv1"),
        (
            &["visualize", &model, &image, "--out", &out, "--logdir", &log, "--class", "10"],
            "0 to 9",
        ),
        (
            &["visualize", &model, &image, "--out", &out, "--layer", "relu1", "--channel", "12"],
            "0 to 11",
        ),
        (
            &["visualize", &model, &image, "--out", &out, "--mean", "0,0"],
            "the model reads 1 channel",
        ),
        (&["visualize", &model, &image, "--out", &out, "--mean", "nan"], "a number is needed"),
        (&["visualize", &model, &image, "--out", &out, "--scale", "0"], "other than 0"),
        (&["visualize", &model, &image, "--out", &out, "--scale", "1e38"], "not finite"),
        (
            &["visualize", &model, &image, "--out", &out, "--class", "3", "--layer", "fc"],
            "which are no maps",
        ),
        (&["visualize", &model, &image, "--out", &out, "--class", "three"], "a number is needed"),
        (
            &[
                "visualize",
                &model,
                &image,
                "--out",
                &out,
                "--layer",
                "relu1",
                "--method",
                "grad-cam",
            ],
            "relu1 has none before it",
        ),
        (&["visualize", &model, &image, "--out", &out, "--labels", "voc"], "21 names"),
        (&["visualize", &model, &image, "--out", &out, "--maps", &broken], "a directory is needed"),
        (
            &["segment", &net, &image, "--out", &map, "--overlay", "o.jpg"],
            "--overlay o.jpg: a .png",
        ),
        (&["segment", &net, &image, "--out", &map, "--overlay", &map], "name the same file"),
        (&["segment", &net, &image, "--out", "map.jpg"], "a .png is needed"),
        (&["segment", &model, &image, "--out", &map], "score for each class and pixel"),
        (&["segment", &net, &missing, "--out", &map], "missing.onnx"),
        (&["segment", &net, &image, "--out", &map, "--size", "-1x2"], "-1 is negative"),
        (
            &["segment", &net, &image, "--out", &map, "--size", "16384"],
            "are allowed; --size HxW makes its input smaller",
        ),
        (&["visualize", &model, &image, "--out", &out, "--class", "-1"], "-1 is negative"),
        (&["visualize", &model, &image, "--out", &broken], "is a file; a directory is needed"),
        (&["segment", &net, &image, "--out", &map, "--logdir", &broken], "a directory is needed"),
        (&["visualize", &model, &image, "--out", "-"], "standard output is none"),
    ] {
        // `layers` runs nothing, so it takes no device.
        let device: &[&str] = if arguments[0] == "layers" { &[] } else { &["--device", "cpu"] };
        let output = unpool(&[arguments, device].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        assert!(error.contains(what), "{arguments:?}: {error}");
        assert!(!Path::new(&out).exists() && !Path::new(&log).exists(), "{arguments:?}");
    }
}

#[test]
fn a_model_that_is_not_there_is_named_once() {
    let output = unpool(&["layers", "nope"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with("unpool: nope: ") && error.matches("nope").count() == 1, "{error}");
}

#[test]
fn an_image_is_not_overwritten_by_what_was_seen_in_it() {
    let scratch = Scratch::new("overwritten");
    let (picture, map) = (scratch.path("digit-3.png"), scratch.path("scene.png"));
    fs::copy(data("digit-3.png"), &picture).expect("it is there");
    fs::copy(data("scene.png"), &map).expect("it is there");
    let dir = scratch.path(".");
    for arguments in [
        &["visualize", &data("digits.onnx"), &picture, "--device", "cpu", "--out", &dir][..],
        &["segment", &data("segnet.onnx"), &map, "--device", "cpu", "--out", &map],
    ] {
        let output = unpool(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains("would be overwritten"), "{arguments:?}: {error}");
    }
    for (file, name) in [(&picture, "digit-3.png"), (&map, "scene.png")] {
        assert!(fs::read(file).expect("it is there") == fs::read(data(name)).expect("and this"));
    }
}

#[test]
fn images_of_one_name_get_a_sheet_each() {
    let scratch = Scratch::new("namesakes");
    let mut images = Vec::new();
    for name in ["a/d.png", "b/d.png", "c/d-2.png"] {
        let file = scratch.path(name);
        fs::create_dir(Path::new(&file).parent().expect("a directory")).expect("it can be made");
        fs::copy(data("digit-3.png"), &file).expect("it is there");
        images.push(file);
    }
    let (out, model) = (scratch.path("out"), data("digits.onnx"));
    let images = images.iter().map(String::as_str).collect::<Vec<_>>();
    let options = ["--device", "cpu", "--method", "gradient", "--layer", "relu4", "--out", &out];
    said(&unpool(&[&["visualize", &model], &images[..], &options].concat()));
    assert_eq!(fs::read_dir(out).expect("it was made").count(), 3);
}
