//! `pool` and `unpool` on files of NumPy: the numbers of other frameworks, in every type and order.

use std::fs;
use std::path::Path;

use crate::support::npy::{f32s, i64s, npy, parsed, tuple};
use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};
use half::{bf16, f16};
use unpool::{IndexSpace, Layout, Padding};
use unpool_vectors::{Case, Rule};

/// Header and array of a file that the command wrote, as numbers of `T`.
fn read<T: bytemuck::Pod>(path: &Path) -> (String, Vec<T>) {
    parsed(&fs::read(path).expect("the command wrote it"))
}

fn succeeds(arguments: &[&str]) -> String {
    let output = unpool(arguments);
    assert_eq!(status(&output), 0, "{arguments:?}: {output:?}");
    let said = stdout(&output);
    let too_wide = said.lines().find(|l| l.chars().count() > 80 && !l.contains(".npy"));
    assert_eq!(too_wide, None);
    said
}

/// The window of a case in the words of the command.
fn window(case: &Case) -> Vec<String> {
    let sizes = |n: &[usize]| n.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let padding = match &case.padding {
        Padding::Valid => "valid".into(),
        Padding::Same => "same".into(),
        Padding::SameLower => "same_lower".into(),
        Padding::Explicit(pads) => {
            pads.as_slice().iter().map(|(b, a)| format!("{b}:{a}")).collect::<Vec<_>>().join(",")
        }
        other => panic!("no option for {other:?}"),
    };
    let layout = if case.layout == Layout::ChannelsLast { "nhwc" } else { "nchw" };
    let mut words: Vec<String> = [
        ("--kernel", sizes(&case.kernel)),
        ("--stride", sizes(&case.stride)),
        ("--dilation", sizes(&case.dilation)),
        ("--padding", padding),
        ("--layout", layout.into()),
        ("--index-space", case.index_space.name().into()),
        ("--device", "cpu".into()),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.into(), value])
    .collect();
    words.extend(case.ceil.then(|| "--ceil".into()));
    words
}

fn same_bits(found: &[f32], expected: &[f32]) -> bool {
    // The files say that a number is NaN, not which.
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    found.len() == expected.len() && found.iter().zip(expected).all(same)
}

#[test]
fn the_command_gives_the_numbers_of_every_framework() {
    let scratch = Scratch::new("frameworks");
    let [v, a, x] = ["v.npy", "a.npy", "x.npy"].map(|name| scratch.0.join(name));
    for case in unpool_vectors::builtin() {
        let input = scratch.file("in.npy", f32s(&case.input_shape, &case.input));
        let window = window(&case);
        let window: Vec<&str> = window.iter().map(String::as_str).collect();
        let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
        succeeds(&[&["pool"], &files[..], &window].concat());
        let (header, values) = read::<f32>(&v);
        assert!(header.contains(&tuple(&case.pooled_shape).replace(",)", "")), "{header}");
        assert!(same_bits(&values, &case.values), "{}", case.name);
        let (header, indices) = read::<i64>(&a);
        assert!(header.contains("'<i8'"), "{header}");
        assert_eq!(indices, case.indices, "{}", case.name);

        let Some(unpooled) = &case.unpool else { continue };
        let updates = scratch.file("u.npy", f32s(&case.pooled_shape, &unpooled.updates));
        let overlap = if unpooled.rule == Rule::Sum { "sum" } else { "last" };
        let shape = case.input_shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let files = [text(&updates), text(&a), "--overlap", overlap, "--out", text(&x)];
        let files = [&["unpool"], &files[..], &window].concat();
        for size in [
            &["--like", text(&input)][..],
            &["--scatter", "--like", text(&input)],
            &["--scatter", "--output-shape", &shape],
        ] {
            // Scattered indices of a batch without its number are read with the value's own.
            succeeds(&[&files[..], size].concat());
            assert!(same_bits(&read::<f32>(&x).1, &unpooled.output), "{} {size:?}", case.name);
        }
    }
}

#[test]
fn every_type_and_order_is_read_and_written_to_the_bit() {
    let scratch = Scratch::new("types");
    let [v, a, x] = ["v.npy", "a.npy", "x.npy"].map(|name| scratch.0.join(name));
    let numbers: Vec<i32> = (0..24).map(|i| i * 7 % 31).collect();
    let of = |number: fn(i32) -> Vec<u8>| numbers.iter().map(|&n| number(n)).collect::<Vec<_>>();
    for (code, cells) in [
        ("f4", of(|n| (n as f32).to_le_bytes().to_vec())),
        ("f2", of(|n| f16::from_f32(n as f32).to_le_bytes().to_vec())),
        ("V2", of(|n| bf16::from_f32(n as f32).to_le_bytes().to_vec())),
        ("i4", of(|n| n.to_le_bytes().to_vec())),
        ("u4", of(|n| n.to_le_bytes().to_vec())),
        ("i1", of(|n| vec![n as u8])),
        ("u1", of(|n| vec![n as u8])),
    ] {
        let orders: &[char] = if cells[0].len() == 1 { &['|'] } else { &['<', '>'] };
        for (order, fortran) in orders.iter().flat_map(|&o| [(o, false), (o, true)]) {
            // 1×2×3×4; in Fortran's order the first axis runs fastest.
            let place = |i: usize| if fortran { i % 2 * 12 + i / 2 % 3 * 4 + i / 6 } else { i };
            let mut bytes = Vec::new();
            for cell in (0..24).map(|i| cells[place(i)].clone()) {
                bytes.extend(if order == '>' { cell.into_iter().rev().collect() } else { cell });
            }
            let descr = format!("'{order}{code}'");
            let input = scratch.file("in.npy", npy(&descr, fortran, "(1, 2, 3, 4)", &bytes));
            let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
            succeeds(&[&["pool"], &files[..], &["--kernel", "3x2", "--device", "cpu"]].concat());
            let (header, values) = read::<u8>(&v);
            let own = if orders.len() == 1 { '|' } else { '<' };
            let expected = format!("'descr': '{own}{code}', 'fortran_order': False");
            assert!(header.contains(&expected), "{header}");
            let winners = winners(&numbers).into_iter().flat_map(|at| cells[at].clone());
            let winners: Vec<u8> = winners.collect();
            assert_eq!(values, winners, "{descr} fortran {fortran}");
            let (header, taps) = read::<u8>(&a);
            assert!(header.contains("'|u1'") && taps.len() == 4, "{header}");
            let files = [text(&v), text(&a), "--like", text(&input), "--out", text(&x)];
            let window = ["--kernel", "3x2", "--index-space", "taps", "--device", "cpu"];
            succeeds(&[&["unpool"], &files[..], &window].concat());
            let (_, restored) = read::<u8>(&x);
            let width = cells[0].len();
            for (i, cell) in restored.chunks(width).enumerate() {
                let kept = winners.chunks(width).any(|w| w == cells[i]);
                assert!(cell == if kept { &cells[i][..] } else { &[0; 4][..width] }, "{descr} {i}");
            }
        }
    }
}

/// The cells that win in windows of 3×2 over two planes of 3×4.
fn winners(numbers: &[i32]) -> Vec<usize> {
    let windows = [0, 1].into_iter().flat_map(|plane| [(plane, 0), (plane, 2)]);
    windows
        .map(|(plane, left)| {
            let cells = (0..3).flat_map(|y| [left, left + 1].map(|x| plane * 12 + y * 4 + x));
            cells.max_by_key(|&cell| numbers[cell]).expect("six cells")
        })
        .collect()
}

#[test]
fn files_that_numpy_wrote_are_read() {
    let scratch = Scratch::new("numpy");
    let [v, a] = ["v.npy", "a.npy"].map(|name| scratch.0.join(name));
    let arrays = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arrays");
    for name in ["float32", "float16_fortran", "bfloat16", "int32_fortran_big_endian"] {
        let input = arrays.join(format!("{name}.npy"));
        let files = [text(&input), "--values", text(&v), "--argmax", text(&a)];
        let window = ["--kernel", "5x4", "--index-space", "plane", "--device", "cpu"];
        succeeds(&[&["pool"], &files[..], &window].concat());
        // The numbers i·7 mod 31 in two planes of 5×4: 29 at i = 13, and 30 at i = 20 + 2.
        assert_eq!(read::<i64>(&a).1, [13, 2], "{name}");
    }
    let out = scratch.out();
    for (name, what) in
        [("float64", "as x.astype('float32') makes it"), ("structured", "structured")]
    {
        let input = arrays.join(format!("{name}.npy"));
        let files = [text(&input), "--values", text(&out), "--argmax", text(&a)];
        assert_refused(&[&["pool"], &files[..], &["--kernel", "2x2"]].concat(), what, &scratch);
    }
}

#[test]
fn onnx_output_shape_is_read_either_way() {
    // onnx/backend/test/case/node/maxunpool.py: the reference counts in 4×4, ONNX Runtime in 5×5.
    let scratch = Scratch::new("onnx");
    let v = scratch.file("v.npy", f32s(&[1, 1, 2, 2], &[5.0, 6.0, 7.0, 8.0]));
    let a = scratch.file("a.npy", npy("'<i8'", false, "(1, 1, 2, 2)", &i64s(&[5, 7, 13, 15])));
    let x = scratch.0.join("x.npy");
    for (extra, places) in [
        (&["--indices-in", "inferred"][..], [6, 8, 16, 18]),
        (&["--indices-in", "inferred", "--scatter"], [6, 8, 16, 18]),
        (&["--scatter"], [5, 7, 13, 15]),
    ] {
        let files = [text(&v), text(&a), "--output-shape", "1,1,5,5", "--out", text(&x)];
        let window = ["--kernel", "2x2", "--index-space", "tensor", "--device", "cpu"];
        succeeds(&[&["unpool"], &files[..], &window, extra].concat());
        let mut expected = [0.0; 25];
        for (place, value) in places.into_iter().zip([5.0, 6.0, 7.0, 8.0]) {
            expected[place] = value;
        }
        assert_eq!(read::<f32>(&x).1, expected, "{extra:?}");
    }
}

#[test]
fn without_a_shape_the_output_has_the_default_size_of_pytorch_and_onnx() {
    // onnx/backend/test/case/node/maxunpool.py: test_maxunpool_export_without_output_shape.
    let scratch = Scratch::new("default");
    let v = scratch.file("v.npy", f32s(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]));
    let a = scratch.file("a.npy", npy("'<i8'", false, "(1, 1, 2, 2)", &i64s(&[5, 7, 13, 15])));
    let x = scratch.0.join("x.npy");
    let files = [text(&v), text(&a), "--out", text(&x)];
    let mut expected = [0.0; 16];
    for (place, value) in [5, 7, 13, 15].into_iter().zip([1.0, 2.0, 3.0, 4.0]) {
        expected[place] = value;
    }
    let window = ["--kernel", "2x2", "--stride", "2x2", "--index-space", "tensor"];
    for extra in [&[][..], &["--scatter"], &["--indices-in", "inferred"]] {
        let arguments = [&["unpool", "--device", "cpu"], &files[..], &window, extra].concat();
        let said = succeeds(&arguments);
        assert!(said.contains("1×1×2×2 to 1×1×4×4"), "{said}");
        let (header, output) = read::<f32>(&x);
        assert!(header.contains("(1, 1, 4, 4, )"), "{header}");
        assert_eq!(output, expected, "{extra:?}");
    }
    // (2 - 1)·3 + 3 - 2·1 = 4, where stride and padding enter.
    let window = ["--kernel", "3", "--stride", "3", "--padding", "1", "--index-space", "tensor"];
    let arguments = [&["unpool", "--device", "cpu"], &files[..], &window, &["--scatter"]].concat();
    assert!(succeeds(&arguments).contains("1×1×2×2 to 1×1×4×4"));
}

#[test]
fn every_index_space_has_the_name_that_the_command_takes() {
    for space in IndexSpace::ALL {
        assert_eq!(space.name().parse(), Ok(space));
        assert_eq!(space.name().replace('-', "_").parse(), Ok(space));
    }
    let found = "row".parse::<IndexSpace>().expect_err("there is no such space");
    assert!(found.to_string().contains("\"row\""), "{found}");
}

#[test]
fn the_example_of_the_readme_gives_what_it_prints() {
    let name = "torch_2d_permutation_k3x3_s4x4_d1x2_p1x1_1x1x5x8";
    let case = unpool_vectors::builtin().into_iter().find(|case| case.name == name);
    let case = case.expect("it is a built-in case");
    let readme = include_str!("../../../README.md");
    // The numbers of a line, but for NumPy's points after whole ones.
    let numbers = |text: &str| -> Vec<f32> {
        text.split(|c: char| !c.is_ascii_digit() && !"-.".contains(c))
            .filter_map(|word| word.trim_end_matches('.').parse().ok())
            .collect()
    };
    let between = |from: &str, to: &str| {
        let (_, after) = readme.split_once(from).expect("the README has it");
        numbers(after.split_once(to).expect("the README has it").0)
    };
    assert_eq!(between("x = np.array(", "\"float32\""), case.input);
    assert_eq!(between("v.npy\")[0, 0]\narray(", "dtype"), case.values);
    let indices: Vec<f32> = case.indices.iter().map(|&i| i as f32).collect();
    assert_eq!(between("a.npy\")[0, 0]\narray(", ">>>"), indices);

    let scratch = Scratch::new("readme");
    let [v, a, x] = ["v.npy", "a.npy", "restored.npy"].map(|name| scratch.0.join(name));
    let input = scratch.file("x.npy", f32s(&case.input_shape, &case.input));
    let window = ["--kernel", "3x3", "--stride", "4x4", "--dilation", "1x2", "--padding", "1,1"];
    let window = [&window[..], &["--index-space", "plane", "--device", "cpu"]].concat();
    let files = ["pool", text(&input), "--values", text(&v), "--argmax", text(&a)];
    succeeds(&[&files[..], &window].concat());
    assert_eq!((read(&v).1, read(&a).1), (case.values.clone(), case.indices));
    let alone = scratch.0.join("alone.npy");
    let files = ["pool", text(&input), "--values", text(&alone)];
    succeeds(&[&files[..], &window].concat());
    assert_eq!(read::<f32>(&alone).1, case.values, "without --argmax");
    let files = ["unpool", text(&v), text(&a), "--like", text(&input), "--out", text(&x)];
    succeeds(&[&files[..], &window].concat());
    assert_eq!(between("restored.npy\")[0, 0]\narray(", "dtype"), read::<f32>(&x).1);
}
