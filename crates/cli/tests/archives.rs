//! `pool` and `unpool` on archives of `numpy.savez`.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use crate::support::npy::{f32s, i64s, npy, parsed};
use crate::support::{Scratch, assert_refused, status, text, unpool};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive of some members.
fn archive(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).expect("it is written to memory");
        archive.write_all(bytes).expect("it is written to memory");
    }
    archive.finish().expect("it is written to memory").into_inner()
}

/// One that NumPy wrote.
fn of_numpy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arrays").join(name)
}

#[test]
fn an_array_of_an_archive_that_numpy_wrote_is_pooled() {
    let scratch = Scratch::new("archives");
    let [v, a] = ["v.npy", "a.npy"].map(|name| scratch.0.join(name));
    // `numpy.savez(n)`, and `savez_compressed(image=n, mask=n > 15, planes=n[0])`, where n has the
    // numbers i·7 mod 31 in two planes of 5×4.
    for (name, options) in [
        ("one.npz", &[][..]),
        ("one.npz", &["--array", "arr_0"]),
        ("several.npz", &["--array", "image"]),
        ("several.npz", &["--array", "image.npy"]),
        ("several.npz", &["--array", "planes", "--layout", "chw"]),
    ] {
        let input = of_numpy(name);
        let files = ["pool", text(&input), "--values", text(&v), "--argmax", text(&a)];
        let window = ["--kernel", "5x4", "--index-space", "plane", "--device", "cpu"];
        let output = unpool(&[&files[..], &window, options].concat());
        assert_eq!(status(&output), 0, "{name} {options:?}: {output:?}");
        let (_, indices) = parsed::<i64>(&fs::read(&a).expect("the command wrote it"));
        assert_eq!(indices, [13, 2], "{name} {options:?}");
    }
}

#[test]
fn values_argmax_and_shape_come_from_one_archive() {
    let scratch = Scratch::new("one-archive");
    let members = [
        ("v.npy", f32s(&[1, 1, 2, 2], &[5.0, 6.0, 7.0, 8.0])),
        ("a.npy", npy("'<i8'", false, "(1, 1, 2, 2)", &i64s(&[6, 8, 16, 18]))),
        ("x.npy", f32s(&[1, 1, 5, 5], &[0.0; 25])),
    ];
    let out = scratch.out();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let all = scratch.file("all.npz", archive(&members, method));
        let files = ["unpool", text(&all), text(&all), "--like", text(&all), "--out", text(&out)];
        let names = ["--array", "v", "--argmax-array", "a", "--like-array", "x"];
        let window = ["--kernel", "2", "--index-space", "plane", "--device", "cpu"];
        let output = unpool(&[&files[..], &names, &window].concat());
        assert_eq!(status(&output), 0, "{output:?}");
        let (_, output) = parsed::<f32>(&fs::read(&out).expect("the command wrote it"));
        assert_eq!([6, 8, 16, 18].map(|place| output[place]), [5.0, 6.0, 7.0, 8.0]);
        assert_eq!(output.iter().sum::<f32>(), 26.0);
    }
}

#[test]
fn archives_that_do_not_say_one_array_are_refused() {
    let scratch = Scratch::new("refused-archives");
    let good = f32s(&[1, 1, 4, 4], &[1.0; 16]);
    let stored = |members: &[(&str, Vec<u8>)]| archive(members, CompressionMethod::Stored);
    let one = stored(&[("x.npy", good.clone())]);
    let two = [("x.npy", good.clone()), ("y.npy", good.clone())];
    let mut damaged = one.clone();
    damaged[100] ^= 1;
    let large = npy("'<f4'", false, "(1, 1, 65535, 65535)", &[0; 64]);
    let (none, named) = (&[][..], &["--array", "z"][..]);
    for (file, options, what) in [
        (
            of_numpy("several.npz"),
            none,
            "holds 3 arrays; --array chooses one of image, mask, planes",
        ),
        (
            of_numpy("several.npz"),
            named,
            "several.npz: --array z: its arrays are image, mask, planes",
        ),
        (of_numpy("several.npz"), &["--array", "mask"], "array mask: holds bool"),
        (of_numpy("float32.npy"), named, "--array: is no archive (.npz)"),
        (scratch.file("none", stored(&[])), none, "an archive without an array"),
        (
            scratch.file("text", stored(&[("x.txt", good.clone())])),
            none,
            "an archive without an array",
        ),
        (scratch.file("two", stored(&two)), none, "holds 2 arrays"),
        (scratch.file("cut", &one[..one.len() - 4]), none, "cut: is a broken archive"),
        (scratch.file("damaged", damaged), none, "damaged: array x"),
        (scratch.file("large", stored(&[("x.npy", large)])), none, "64 of"),
        (scratch.file("short", stored(&[("x.npy", good[..60].to_vec())])), none, "cut short"),
    ] {
        let out = scratch.out();
        let files = ["pool", text(&file), "--values", text(&out), "--argmax", "/dev/null"];
        let window = ["--kernel", "2", "--device", "cpu"];
        assert_refused(&[&files[..], &window, options].concat(), what, &scratch);
    }
}
