//! `pool` and `unpool` on files and options that are not what they say: exit status 2, one line, and
//! nothing written.

use crate::support::npy::{f32s, i64s, npy, raw};
use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};

#[test]
fn hostile_arrays_are_refused_in_one_line_and_leave_nothing() {
    let scratch = Scratch::new("hostile");
    let good = f32s(&[1, 1, 4, 4], &[1.0; 16]);
    let bytes = [0; 64];
    let shaped = |shape: &str| npy("'<f4'", false, shape, &bytes);
    let deep = format!("{}{}", "(".repeat(9_000), ")".repeat(900));
    let long = [b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".as_slice(), &bytes].concat();
    let v = scratch.0.join("v.npy");
    let a = scratch.0.join("a.npy");
    for (file, what) in [
        (Vec::new(), "not a file of NumPy"),
        (b"PK\x03\x04 something else".to_vec(), "in.npy: is a broken archive"),
        (good[..9].to_vec(), "in.npy"),
        (good[..60].to_vec(), "cut short inside its header"),
        (good[..good.len() - 1].to_vec(), "63 of 64 bytes"),
        (long, "4294967295 bytes"),
        (b"\x93NUMPY\x09\x00\x10\x00".to_vec(), "version 9"),
        (shaped("(1, 1, 1000000000000000000, 1)"), "more than 4294967295 elements"),
        (shaped("(4294967296, 4294967296, 4294967296, 1)"), "more than 4294967295 elements"),
        (shaped("(0, 18446744073709551615, 2, 2)"), "more than 4294967295 elements"),
        (shaped("(1, 1, 65535, 65535)"), "64 of"),
        (shaped("(1, 1, -4, -4)"), "negative"),
        (shaped("(1, 1, nan, 4)"), "plain numbers"),
        (shaped("(1, 1, 4.5, 4)"), "plain numbers"),
        (shaped(&deep), "plain numbers"),
        (shaped("''' '''(((((((((' '"), "plain numbers"),
        (shaped("(16,)"), "an array of 1 axis; --layout nchw takes 3 to 5"),
        (shaped("(4, 4)"), "--layout hw takes one of 2 axes"),
        (shaped("(1, 1, 0, 4)"), "0 on axis 0"),
        (shaped("7"), "shape"),
        (npy("'<f8'", false, "(1, 1, 2, 4)", &bytes), "holds float64 ('<f8'); float32"),
        (npy("'|O'", false, "(1, 1, 2, 4)", &bytes), "holds '|O'"),
        (npy("'<c8'", false, "(1, 1, 2, 4)", &bytes), "holds complex64"),
        (npy("'|b1'", false, "(1, 1, 8, 8)", &bytes), "as x.astype('uint8') makes it"),
        (npy("'<i8'", false, "(1, 1, 2, 4)", &bytes), "holds int64 ('<i8'); float32"),
        (npy("'<i8'", false, "(1, 1, 2, 4)", &bytes), "as x.astype('int32') makes it where"),
        (npy("'<u2'", false, "(1, 1, 4, 8)", &bytes), "as x.astype('uint32') makes it where"),
        (npy("[('a', '<f4')]", false, "(16,)", &bytes), "structured"),
        (raw("{'descr': '<f4', 'shape': (1, 1, 4, 4)}", &bytes), "fortran_order"),
        (raw("(1, 2)", &bytes), "in.npy"),
        (raw("", &bytes), "in.npy"),
    ] {
        let input = scratch.file("in.npy", file);
        let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
        let kernel = ["--kernel", "2x2", "--device", "cpu"];
        assert_refused(&[&["pool"], &files[..], &kernel].concat(), what, &scratch);
    }
    let input = scratch.file("in.npy", good);
    for (options, what) in [
        (&["--kernel", "NaN"][..], "NaN"),
        (&["--kernel", "2x-2"], "2x-2"),
        (&["--kernel", "2x2x"], "2x2x"),
        (&["--kernel", "99999999999999999999x2"], "is larger than"),
        (&["--kernel", "0x2"], "kernel is 0"),
        (&["--kernel", "-1x2"], "-1 is negative; at least 1 is allowed"),
        (&["--kernel", "2x2x2x2"], "4 numbers; 2 spatial axes take 2, such as 2x2, or 1"),
        (&["--kernel", "18446744073709551615x2"], "in.npy"),
        (&["--kernel", "2x2", "--stride", "2x2x2"], "--stride has 3 numbers; 2 spatial axes"),
        (&["--kernel", "2x2", "--stride", "-2"], "-2 is negative; at least 1 is allowed"),
        (&["--kernel", "2x2", "--dilation", "1x1x1"], "such as 1x1, or 1"),
        (&["--kernel", "2x2", "--padding", "1,1,1"], "such as 1,1, or 1"),
        (&["--kernel", "2x2", "--padding", "-1,0"], "-1 is negative; at least 0 is allowed"),
        (&["--kernel", "2x2", "--padding", "full"], "same_lower"),
        (&["--kernel", "2x2", "--padding", "1:,0"], "same_lower"),
        (&["--kernel", "2x2", "--padding", "9,9"], "no cell"),
        (&["--kernel", "2x2", "--layout", "chw"], "an array of 4 axes; --layout chw has 3"),
        (&["--kernel", "2x2", "--layout", "whc"], "nchw or nhwc is wanted"),
        (&["--kernel", "2x2", "--index-space", "row"], "plane"),
        (&["--kernel", "9x9"], "no window fits"),
        (&[], "--kernel"),
    ] {
        let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
        assert_refused(
            &[&["pool", "--device", "cpu"], &files[..], options].concat(),
            what,
            &scratch,
        );
    }
    let again = scratch.0.join("./v.npy");
    let twice = scratch.0.join("../").join(scratch.0.file_name().expect("a name")).join("in.npy");
    for (values, argmax, what) in [
        (&v, &v, "--values and --argmax name the same file"),
        (&v, &again, "--values and --argmax name the same file"),
        (&input, &v, "--values"),
        (&v, &twice, "--argmax"),
    ] {
        let files = [text(&input), "--values", text(values), "--argmax", text(argmax)];
        let kernel = ["--kernel", "2x2", "--device", "cpu"];
        assert_refused(&[&["pool"], &files[..], &kernel].concat(), what, &scratch);
    }
    let inside = input.join("deep/v.npy");
    let files = [text(&input), "--values", text(&v), "--argmax", text(&inside), "--kernel", "2x2"];
    let (cpu, what) = (["--device", "cpu"], "in.npy is a file; a directory is needed");
    assert_refused(&[&["pool"], &files[..], &cpu].concat(), what, &scratch);
    let new = ["new/v.npy", "new/deep/../v.npy"].map(|name| scratch.0.join(name));
    let files = [text(&input), "--values", text(&new[0]), "--argmax", text(&new[1])];
    let (kernel, what) = (["--kernel", "2x2", "--device", "cpu"], "name the same file");
    assert_refused(&[&["pool"], &files[..], &kernel].concat(), what, &scratch);
}

#[test]
fn indices_that_name_no_cell_are_refused_in_one_line() {
    let scratch = Scratch::new("indices");
    let x = scratch.out();
    let v = scratch.file("v.npy", f32s(&[1, 1, 2, 2], &[5.0, 6.0, 7.0, 8.0]));
    let like = scratch.file("in.npy", f32s(&[1, 1, 4, 4], &[0.0; 16]));
    let (plane, taps) = ("plane", "taps");
    let shape = "(1, 1, 2, 2)";
    let indices = |numbers: [i64; 4]| npy("'<i8'", false, shape, &i64s(&numbers));
    let to = |shape| ["--kernel", "2x2", "--output-shape", shape];
    let like_in = ["--kernel", "2x2", "--like", text(&like)];
    let scatter = ["--scatter", "--output-shape", "1,1,4,4"];
    for (argmax, space, options, what) in [
        (indices([0, 2, 8, -1]), plane, &like_in[..], "index -1 at element 3"),
        (indices([0, 2, 7, 10]), plane, &like_in, "index 7 at element 2"),
        (indices([0, i64::MAX, 8, 10]), plane, &like_in, "index 9223372036854775807 at element 1"),
        (indices([0, 2, 8, -1]), plane, &scatter, "index -1 at element 3"),
        (indices([0, 2, 8, 16]), plane, &scatter, "a.npy: index 16 at element 3"),
        (indices([0, 2, 8, i64::MIN]), plane, &scatter, "index -9223372036854775808"),
        (indices([0; 4]), taps, &scatter, "indices only"),
        (indices([0; 4]), taps, &like_in, "taps of this window are uint8"),
        (
            npy("'<u8'", false, shape, &i64s(&[0; 4])),
            plane,
            &like_in,
            "uint64 ('<u8'); indices are",
        ),
        (npy("'|u1'", false, shape, &[0, 1, 4, 2]), taps, &like_in, "tap 4 at element 2"),
        (npy("'<f4'", false, shape, &[0; 16]), plane, &like_in, "holds float32"),
        (npy("'<i8'", false, "(1, 4)", &i64s(&[0; 4])), plane, &like_in, "1×4"),
        (indices([0; 4]), plane, &to("1,1,9,9"), "output size 9"),
        (indices([0; 4]), plane, &to("2,1,4,4"), "2×1×4×4"),
        (indices([0; 4]), plane, &to("1,1,4"), "--output-shape: 1×1×4 has 3 axes"),
        (indices([0; 4]), plane, &to("1,1,-4,4"), "-4 is negative; at least 1 is allowed"),
        (indices([0; 4]), plane, &to("1,1,NaN,4"), "whole numbers"),
        (indices([0; 4]), plane, &to("1,1,99999999999999999999,4"), "is larger than"),
        (indices([0; 4]), plane, &["--kernel", "2x2", "--padding", "3"], "default size"),
        (indices([0; 4]), plane, &["--scatter"], "--like, --output-shape or --kernel is needed"),
        (indices([0; 4]), plane, &["--output-shape", "1,1,4,4"], "--kernel"),
        (indices([0; 4]), plane, &["--scatter", "--output-shape", "1,1,70000,70000"], "elements"),
        (indices([0; 4]), plane, &["--scatter", "--output-shape", "1,1,0,4"], "is 0"),
        (
            indices([0; 4]),
            plane,
            &["--scatter", "--output-shape", "1,1,4,4", "--indices-in", "inferred"],
            "--kernel",
        ),
    ] {
        let argmax = scratch.file("a.npy", argmax);
        let files = [text(&v), text(&argmax), "--index-space", space, "--out", text(&x)];
        let arguments = [&["unpool", "--device", "cpu"], &files[..], options].concat();
        assert_refused(&arguments, what, &scratch);
    }
    let argmax = scratch.file("a.npy", indices([0, 2, 8, 10]));
    let window = ["--index-space", plane, "--kernel", "2x2", "--device", "cpu"];
    for read in [&v, &argmax, &like] {
        let files = [text(&v), text(&argmax), "--like", text(&like), "--out", text(read)];
        let what = "is read by this command and would be overwritten";
        assert_refused(&[&["unpool"], &files[..], &window].concat(), what, &scratch);
    }
    // A file that claims what it does not have is no shape to unpool to.
    let claimed = scratch.file("huge.npy", npy("'<f4'", false, "(1, 1, 65535, 65535)", &[]));
    let argmax = scratch.file("a.npy", indices([0; 4]));
    let files = [text(&v), text(&argmax), "--index-space", plane, "--out", text(&x)];
    let arguments = [&["unpool"], &files[..], &["--scatter", "--like", text(&claimed)]].concat();
    assert_refused(&arguments, "huge.npy: is cut short", &scratch);
    // One whose numbers are so large that their bytes are counted past the last integer.
    let vast = npy("'|V4611686018427387904'", false, "(1, 1, 4, 4)", &[]);
    let vast = scratch.file("vast.npy", vast);
    let arguments = [&["unpool"], &files[..], &["--scatter", "--like", text(&vast)]].concat();
    assert_refused(&arguments, "vast.npy: holds", &scratch);
}

#[test]
fn a_damaged_file_never_ends_the_command_otherwise_than_with_a_status() {
    let scratch = Scratch::new("damaged");
    let [v, a] = ["v.npy", "a.npy"].map(|name| scratch.0.join(name));
    let good = f32s(&[1, 1, 4, 4], &[1.0; 16]);
    let mut seed = 1u32;
    let mut random = |below: usize| {
        // Numerical Recipes' generator: any will do here.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for _ in 0..300 {
        let mut file = good.clone();
        for _ in 0..=random(3) {
            let at = random(100);
            file[at] = b"0123456789(){}[],.:'\"<>|fiuVTrue\\\n\x00\xff"[random(36)];
        }
        let input = scratch.file("in.npy", &file);
        let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
        let output =
            unpool(&[&["pool", "--device", "cpu", "--kernel", "2x2"], &files[..]].concat());
        let lines = String::from_utf8_lossy(&output.stderr).lines().count();
        let answer = (status(&output), stdout(&output).is_empty(), lines);
        assert!(matches!(answer, (0, false, 0) | (2, true, 1)), "{file:?}: {output:?}");
    }
}
