//! `pool` and `unpool` on arrays without batch or channels, and on windows of one number.

use std::fs;
use std::path::Path;

use crate::support::npy::{f32s, parsed};
use crate::support::{Scratch, status, stdout, text, unpool};

/// Pools an array, unpools it like the input, and gives the three files, each as its extents and
/// its bytes.
fn there_and_back(
    scratch: &Scratch,
    extents: &[usize],
    numbers: &[f32],
    window: &[&str],
) -> [(Vec<usize>, Vec<u8>); 3] {
    let [v, a, x] = ["v.npy", "a.npy", "x.npy"].map(|name| scratch.0.join(name));
    let input = scratch.file("in.npy", f32s(extents, numbers));
    let window = [window, &["--device", "cpu"]].concat();
    let files = ["pool", text(&input), "--values", text(&v), "--argmax", text(&a)];
    let output = unpool(&[&files[..], &window].concat());
    assert_eq!(status(&output), 0, "{window:?}: {output:?}");
    let from = extents.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
    assert!(stdout(&output).contains(&format!("pooled  {from} to ")), "{output:?}");
    let files = ["unpool", text(&v), text(&a), "--like", text(&input), "--out", text(&x)];
    let output = unpool(&[&files[..], &window].concat());
    assert_eq!(status(&output), 0, "{window:?}: {output:?}");
    [v, a, x].map(|path| read(&path))
}

fn read(path: &Path) -> (Vec<usize>, Vec<u8>) {
    let (header, bytes) = parsed(&fs::read(path).expect("the command wrote it"));
    let (_, shape) = header.split_once("'shape': (").expect("every header has a shape");
    let (shape, _) = shape.split_once(')').expect("a tuple");
    (
        shape.split(", ").filter_map(|extent| extent.trim_end_matches(',').parse().ok()).collect(),
        bytes,
    )
}

#[test]
fn an_array_without_an_axis_gives_the_bytes_of_one_that_has_it_as_1() {
    let scratch = Scratch::new("axes");
    let numbers: Vec<f32> = (0..120).map(|i| (i * 37 % 121) as f32).collect();
    for (layout, extents, whole_layout, whole) in [
        ("hw", &[10, 12][..], "nchw", &[1, 1, 10, 12][..]),
        ("HW", &[10, 12], "nchw", &[1, 1, 10, 12]),
        ("chw", &[3, 4, 10], "nchw", &[1, 3, 4, 10]),
        ("hwc", &[4, 10, 3], "nhwc", &[1, 4, 10, 3]),
        ("nhw", &[2, 6, 10], "nchw", &[2, 1, 6, 10]),
        ("ncl", &[2, 3, 20], "nchw", &[2, 3, 20]),
        ("nlc", &[2, 20, 3], "nhwc", &[2, 20, 3]),
        ("cl", &[3, 40], "nchw", &[1, 3, 40]),
        ("lc", &[40, 3], "nhwc", &[1, 40, 3]),
        ("l", &[120], "nchw", &[1, 1, 120]),
        ("w", &[120], "nchw", &[1, 1, 120]),
        ("dhw", &[4, 5, 6], "nchw", &[1, 1, 4, 5, 6]),
        ("cdhw", &[2, 3, 4, 5], "nchw", &[1, 2, 3, 4, 5]),
        ("dhwc", &[3, 4, 5, 2], "nhwc", &[1, 3, 4, 5, 2]),
        ("ncdhw", &[1, 2, 3, 4, 5], "nchw", &[1, 2, 3, 4, 5]),
        ("ndhwc", &[1, 3, 4, 5, 2], "nhwc", &[1, 3, 4, 5, 2]),
    ] {
        for space in ["taps", "plane", "image", "tensor"] {
            let window = ["--kernel", "2", "--index-space", space, "--layout", layout];
            let found = there_and_back(&scratch, extents, &numbers, &window);
            let window = ["--kernel", "2", "--index-space", space, "--layout", whole_layout];
            let expected = there_and_back(&scratch, whole, &numbers, &window);
            for ((shape, bytes), (whole_shape, whole_bytes)) in found.iter().zip(&expected) {
                assert_eq!(bytes, whole_bytes, "{layout} {space}");
                assert_eq!(shape.len(), extents.len(), "{layout} {space}");
                assert_eq!(whole_shape.len(), whole.len(), "{layout} {space}");
            }
            assert_eq!(found[2].0, extents, "{layout} {space}");
        }
    }
}

#[test]
fn an_output_shape_has_the_axes_of_the_layout() {
    let scratch = Scratch::new("output-shape");
    let [v, a, x] = ["v.npy", "a.npy", "x.npy"].map(|name| scratch.0.join(name));
    let input = scratch.file("in.npy", f32s(&[5, 5], &[1.0; 25]));
    let window = ["--kernel", "2", "--layout", "hw", "--index-space", "taps", "--device", "cpu"];
    let files = ["pool", text(&input), "--values", text(&v), "--argmax", text(&a)];
    assert_eq!(status(&unpool(&[&files[..], &window].concat())), 0);
    for (size, shape) in [(&["--output-shape", "5,5"][..], [5, 5]), (&[], [4, 4])] {
        let files = ["unpool", text(&v), text(&a), "--out", text(&x)];
        let output = unpool(&[&files[..], &window, size].concat());
        assert_eq!(status(&output), 0, "{output:?}");
        assert_eq!(read(&x).0, shape);
    }
}

#[test]
fn one_number_is_that_of_every_axis() {
    let scratch = Scratch::new("one-number");
    let numbers: Vec<f32> = (0..169).map(|i| (i * 37 % 170) as f32).collect();
    let window = |[kernel, stride, dilation, padding]: [&'static str; 4]| {
        let options = ["--kernel", kernel, "--stride", stride, "--dilation", dilation];
        [&options[..], &["--padding", padding, "--index-space", "plane"]].concat()
    };
    for (one, each) in [
        (["3", "2", "2", "1"], ["3x3", "2x2", "2x2", "1,1"]),
        (["3", "1", "1", "1:0"], ["3x3", "1x1", "1x1", "1:0,1:0"]),
    ] {
        let extents = [1, 1, 13, 13];
        let found = there_and_back(&scratch, &extents, &numbers, &window(one));
        assert_eq!(found, there_and_back(&scratch, &extents, &numbers, &window(each)));
    }
}

#[test]
fn a_kernel_of_two_axes_on_three_names_the_layouts_that_it_fits() {
    let scratch = Scratch::new("hint");
    let input = scratch.file("in.npy", f32s(&[3, 4, 4], &[1.0; 48]));
    let v = scratch.out();
    let files = ["pool", text(&input), "--values", text(&v), "--argmax", "/dev/null"];
    let what = "1 spatial axis takes 1, such as 2; --layout chw or hwc has 3 axes";
    crate::support::assert_refused(&[&files[..], &["--kernel", "2x2"]].concat(), what, &scratch);
}
