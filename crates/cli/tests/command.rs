//! The command as a user meets it: exit status, standard output and error, and the files it
//! leaves behind.

use std::fs;
use std::process::Command;

use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};

/// One case, right as it stands.
const CASE: &str = r#"{"name":"by_hand_k2x2_1x2x4x1","source":"by hand","layout":"NHWC","input_shape":[1,2,4,1],"kernel":[2,2],"stride":[2,2],"dilation":[1,1],"padding":"valid","ceil":false,"index_space":"image","overlapping":false,"input":[1,9,2,0,3,4,5,8],"pooled_shape":[1,1,2,1],"values":[9,8],"indices":[1,7],"unpool":{"updates":[6,-0.0],"rule":"sum","output":[0,6,0,0,0,0,0,0]}}"#;

#[test]
fn the_demonstration_leaves_every_picture_and_says_what_it_did() {
    let scratch = Scratch::new("demo");
    let out = scratch.out();
    let output = unpool(&["demo", "--device", "cpu", "--levels", "2", "--out", text(&out)]);
    assert_eq!(status(&output), 0, "{output:?}");
    let said = stdout(&output);
    assert!(said.contains("CPU") && said.contains("401×301"), "{said}");
    let too_wide =
        said.lines().filter(|l| !l.starts_with("wrote")).find(|l| l.chars().count() > 80);
    assert_eq!(too_wide, None);
    let mut found: Vec<_> = fs::read_dir(&out)
        .expect("the directory was made")
        .map(|entry| entry.expect("it is readable").file_name().into_string().expect("ASCII"))
        .collect();
    found.sort();
    let expected = ["argmax-1", "argmax-2", "pooled-1", "pooled-2", "restored", "sheet", "tilted"];
    assert_eq!(found, expected.map(|name| format!("{name}.png")));
    let restored = image::open(out.join("restored.png")).expect("a PNG").into_rgb8();
    assert_eq!(restored.dimensions(), (401, 301));
}

#[test]
fn it_says_its_name_and_version() {
    let said = stdout(&unpool(&["--version"]));
    assert_eq!(said.trim_end(), concat!("unpool ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_image_of_any_shape_makes_a_sheet() {
    let scratch = Scratch::new("shapes");
    let out = scratch.out();
    for (width, height) in [(2, 2), (3, 90), (700, 5), (640, 480)] {
        let picture = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 5) as u8, (y * 3) as u8, (x ^ y) as u8])
        });
        let file = scratch.0.join("picture.png");
        picture.save(&file).expect("the temporary directory is writable");
        let arguments = ["--device", "cpu", "--levels", "1", "--out", text(&out)];
        let output = unpool(&[&["demo", "--image", text(&file)], &arguments[..]].concat());
        assert_eq!(status(&output), 0, "{width}×{height}: {output:?}");
    }
}

#[test]
fn a_bad_demonstration_is_refused_in_one_line_and_writes_nothing() {
    let scratch = Scratch::new("refused");
    let (out, broken) = (scratch.out(), scratch.file("broken.png", b"\x89PNG\r\n\x1a\nnot quite"));
    let words = scratch.file("words.txt", "not an image");
    let out = text(&out);
    let missing = scratch.0.join("missing.png");
    let missing = text(&missing);
    for (arguments, what) in [
        (&["demo", "--device", "cpu", "--image", missing, "--out", out][..], "missing.png"),
        (&["demo", "--device", "cpu", "--image", text(&broken), "--out", out], "broken.png"),
        (&["demo", "--device", "cpu", "--image", text(&words), "--out", out], "words.txt"),
        (&["demo", "--device", "cpu", "--levels", "10", "--out", out], "at most 9 fit"),
        (&["demo", "--device", "cpu", "--out", text(&words)], "words.txt"),
        (&["verify", "--device", "cpu", missing], "missing.png"),
        (&["verify", "--device", "cpu", text(&words)], "words.txt, line 1"),
    ] {
        assert_refused(arguments, what, &scratch);
    }
    assert_eq!(fs::read(&words).expect("still there"), b"not an image");
}

#[test]
fn an_unknown_device_is_refused() {
    let scratch = Scratch::new("device");
    let out = scratch.out();
    let name = "no-such-device";
    assert_refused(&["demo", "--device", name, "--out", text(&out)], name, &scratch);
    assert_refused(&["verify", "--device", name], name, &scratch);
}

#[test]
fn no_level_at_all_is_a_usage_error() {
    assert_eq!(status(&unpool(&["demo", "--levels", "0"])), 2);
}

/// Mesa takes the version of GL that it claims from the environment. Under 4.3, as NVIDIA's driver says
/// where there is no display, the adapter is listed, and compiles no compute shader.
#[test]
fn an_adapter_that_compiles_no_compute_shader_is_named_with_its_reason() {
    let unpool_on_gl = |old: bool, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unpool"));
        command.args(arguments).env("XDG_RUNTIME_DIR", std::env::temp_dir());
        command.env("WGPU_BACKEND", "gl");
        if old {
            command.env("MESA_GL_VERSION_OVERRIDE", "3.3").env("MESA_GLSL_VERSION_OVERRIDE", "330");
        }
        command.output().expect("the command starts")
    };
    if !stdout(&unpool_on_gl(false, &["devices", "--names"])).contains("gl: llvmpipe") {
        eprintln!("not tested: there is no llvmpipe on GL here");
        return;
    }
    assert_eq!(stdout(&unpool_on_gl(true, &["devices", "--names"])), "");
    let shown = unpool_on_gl(true, &["devices"]);
    assert_eq!(status(&shown), 0);
    let shown = stdout(&shown).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("cannot be used") && shown.contains("COMPUTE_SHADER"), "{shown}");
    assert!(shown.ends_with("because: no adapter can be used"), "{shown}");
    for name in ["gpu", "gl"] {
        let refused = unpool_on_gl(true, &["verify", "--device", name]);
        assert_eq!(status(&refused), 2, "{refused:?}");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(message.contains("llvmpipe") && message.contains("cannot be used"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn the_builtin_cases_hold_on_the_cpu() {
    let output = unpool(&["verify", "--device", "cpu"]);
    assert_eq!(status(&output), 0, "{output:?}");
    // 350 of other frameworks, 14 windows that reach far.
    assert!(stdout(&output).ends_with(": 364 passed, 0 failed\n"), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn one_altered_number_is_found_by_case_and_element() {
    let scratch = Scratch::new("altered");
    for (from, to, what) in [
        ("[9,8]", "[9,7]", "values: element 1, at [0, 0, 1, 0]: found 8.0, expected 7.0"),
        ("[1,7]", "[1,6]", "indices: element 1, at [0, 0, 1, 0]: found 7, expected 6"),
        ("[0,6,0", "[0,6,-0.0", "unpool.output: element 2, at [0, 0, 2, 0]: found 0.0"),
    ] {
        let altered = format!("{CASE}\n{}\n", CASE.replace(from, to).replace("hand_k", "eye_k"));
        let file = scratch.file("altered.jsonl", altered);
        let output = unpool(&["verify", "--device", "cpu", text(&file)]);
        let said = stdout(&output);
        assert_eq!(status(&output), 1, "{said}");
        assert!(said.contains("by_eye_k2x2_1x2x4x1") && said.contains(what), "{said}");
        assert!(!said.contains("by_hand_k2x2_1x2x4x1"), "{said}");
        assert!(said.ends_with(": 1 passed, 1 failed\n"), "{said}");
    }
}

#[test]
fn a_truncated_file_of_cases_is_refused() {
    let scratch = Scratch::new("truncated");
    let file = scratch.file("cut.jsonl", format!("{CASE}\n{}", &CASE[..CASE.len() / 2]));
    assert_refused(&["verify", "--device", "cpu", text(&file)], "cut.jsonl, line 2", &scratch);
}
