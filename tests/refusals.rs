//! The errors of a geometry, with their numbers and messages.

use unpool::{
    Geometry, GeometryError, IndexSpace, IndicesIn, Padding, Scatter, Shape, Window, cpu,
};

use crate::support::cases::parse;

fn refused(name: &str) -> GeometryError {
    parse(name).geometry().expect_err(name)
}

/// An error must be this one, and say this.
pub(crate) fn says(error: &GeometryError, expected: &GeometryError, message: &str) {
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_window_of_no_axis_or_of_four_is_refused() {
    for (rank, message) in [
        (0, "kernel has 0 axes; 1, 2 or 3 spatial axes are allowed"),
        (4, "kernel has 4 axes; 1, 2 or 3 spatial axes are allowed"),
    ] {
        let shape = Shape::channels_last(vec![1; rank + 2]);
        let error = Geometry::new(&Window::new(vec![1; rank]), shape).unwrap_err();
        says(&error, &GeometryError::Rank { found: rank }, message);
    }
}

#[test]
fn stride_dilation_and_padding_must_have_the_axes_of_the_kernel() {
    let window = || Window::new([2, 2]);
    let pads = Padding::from([1]);
    for (window, argument, found, message) in [
        (window().with_stride([1]), "stride", 1, "stride has 1 number"),
        (window().with_dilation([1; 3]), "dilation", 3, "dilation has 3 numbers"),
        (window().with_padding(pads), "padding", 1, "padding has 1 number"),
    ] {
        let error = Geometry::new(&window, Shape::channels_last([1, 4, 4, 1])).unwrap_err();
        let message =
            format!("{message}, but there are 2 spatial axes: give one number for each axis");
        says(&error, &GeometryError::AxisCount { argument, found, allowed: 2 }, &message);
    }
    let pooled = Shape::channels_last([1, 4, 4, 1]);
    let error = Geometry::for_pooled(&window(), pooled, Some(&[8])).unwrap_err();
    let expected = GeometryError::AxisCount { argument: "output_size", found: 1, allowed: 2 };
    let message =
        "output_size has 1 number, but there are 2 spatial axes: give one number for each axis";
    says(&error, &expected, message);
}

#[test]
fn a_shape_must_have_batch_channels_and_the_axes_of_the_window() {
    for dims in [vec![], vec![1], vec![4, 4], vec![4, 4, 1], vec![1, 4, 4, 4, 1]] {
        let found = dims.len();
        let shape = Shape::channels_first(dims);
        let name = shape.to_string();
        let error = Geometry::new(&Window::new([2, 2]), shape).unwrap_err();
        let s = if found == 1 { "" } else { "s" };
        let message = format!(
            "shape {name} has {found} dimension{s}; this window takes 4: batch, channels and its \
             spatial axes"
        );
        says(&error, &GeometryError::ShapeRank { shape: name, found, allowed: 4 }, &message);
    }
}

#[test]
fn a_zero_is_refused_with_its_argument_and_axis() {
    let shape = || Shape::channels_last([1, 4, 4, 1]);
    for (window, shape, argument, axis) in [
        (Window::new([2, 0]).with_stride([1, 1]), shape(), "kernel", 1),
        (Window::new([2, 2]).with_stride([0, 1]), shape(), "stride", 0),
        (Window::new([2, 2]).with_dilation([1, 0]), shape(), "dilation", 1),
        (Window::new([2, 2]), Shape::channels_last([1, 0, 4, 1]), "spatial size", 0),
        (Window::new([2, 2]), Shape::channels_last([0, 4, 0, 1]), "spatial size", 1),
    ] {
        let error = Geometry::new(&window, shape).unwrap_err();
        let message = format!("{argument} is 0 on axis {axis}; it must be at least 1");
        says(&error, &GeometryError::Zero { argument, axis }, &message);
    }
}

#[test]
fn a_shape_without_channels_is_refused() {
    let error = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 4, 4, 0]));
    let message = "the shape has 0 channels; it must have at least 1";
    says(&error.unwrap_err(), &GeometryError::NoChannels, message);
}

#[test]
fn a_window_of_more_than_65535_cells_is_refused() {
    let error = refused("n1c1h256w256_k256_last");
    let expected = GeometryError::WindowTooLarge { found: 65_536, allowed: 65_535 };
    says(&error, &expected, "the window has 65536 cells; at most 65535 are allowed");
    assert!(parse("n1c1h255w257_k255x257_last").geometry().is_ok());
}

#[test]
fn a_window_that_does_not_fit_is_refused() {
    let error = refused("n1c1h9w4_k3x5_last");
    let expected = GeometryError::EmptyOutput { axis: 1, extent: 5, padded: 4 };
    let message = "no window fits on axis 1: it spans 5 cells and the padded input has 4";
    says(&error, &expected, message);
    // Rounding up helps only while a window starts inside the input or the padding before it.
    let error = refused("n1c1w2_k9s2p1-2_ceil_last");
    says(
        &error,
        &GeometryError::EmptyOutput { axis: 0, extent: 9, padded: 5 },
        "no window fits on axis 0: it spans 9 cells and the padded input has 5",
    );
}

fn empty_window(
    (axis, window): (usize, usize),
    start: i64,
    (kernel, dilation): (usize, usize),
    input: usize,
) -> GeometryError {
    GeometryError::EmptyWindow { axis, window, start, kernel, dilation, input }
}

#[test]
fn a_window_without_a_cell_of_the_input_is_refused() {
    // In the padding before: the first window.
    let error = refused("n1c1h9w5_k2s2p0x3_last");
    let expected = empty_window((1, 0), -3, (2, 1), 5);
    says(
        &error,
        &expected,
        "window 0 on axis 1 holds no cell of the input: it reads cells -3 and -2, and the input has \
         cells 0 to 4",
    );
    // In the padding after: the last one.
    let error = refused("n1c1w5_k2s2p0-3_last");
    let expected = empty_window((0, 3), 6, (2, 1), 5);
    assert_eq!(error, expected);
    // Its holes over the input: cells −1 and 2 of an input of 2 (PyTorch reads out of bounds).
    let error = refused("n1c1w2_k2s1d3p1_first");
    let expected = empty_window((0, 0), -1, (2, 3), 2);
    let cells = "it reads cells -1 and 2, and the input has cells 0 to 1";
    says(&error, &expected, &format!("window 0 on axis 0 holds no cell of the input: {cells}"));
    // Cells −5 and 5 of an input of 1.
    let error = refused("n1c1w1_k2s1d10psame_first");
    let expected = empty_window((0, 0), -5, (2, 10), 1);
    assert_eq!(error, expected);
    // All cells of three, of four adjacent ones, of five with holes; the only one.
    for (name, cells) in [
        ("n1c1w2_k3s9d4p2-9_first", "cells -2, 2 and 6"),
        ("n1c1w5_k4p5_first", "cells -5 to -2"),
        ("n1c1w3_k5s99d9p6-99_first", "cells -6 to 30 in steps of 9"),
        ("n1c1w3_k1p1_first", "cell -1"),
    ] {
        let message = refused(name).to_string();
        assert!(message.contains(&format!(": it reads {cells}, and the input has")), "{message}");
    }
}

#[test]
fn coordinates_past_an_i32_are_refused() {
    let window = Window::new([1]).with_stride([1 << 20]);
    let axis = |n| Geometry::new(&window, Shape::channels_last([1, n, 1]));
    assert!(axis(i32::MAX as usize).is_ok());
    let error = axis(1 << 31).unwrap_err();
    let allowed = i32::MAX as u64;
    says(
        &error,
        &GeometryError::AxisTooLong { axis: 0, found: 1 << 31, allowed },
        "axis 0 reaches coordinate 2147483648 with its padding; at most 2147483647 is allowed",
    );
    // A stride as well, though one window never takes it.
    let window = Window::new([2]).with_stride([1 << 31]);
    let error = Geometry::new(&window, Shape::channels_last([1, 4, 1])).unwrap_err();
    assert_eq!(error, GeometryError::AxisTooLong { axis: 0, found: 1 << 31, allowed });
}

#[test]
fn the_dilation_of_a_window_of_one_cell_does_not_matter() {
    let window = Window::new([1]).with_stride([2]).with_dilation([usize::MAX]);
    let geometry = Geometry::new(&window, Shape::channels_last([1, 5, 1])).unwrap();
    assert_eq!(geometry.pooled_len(), 3);
    assert!(!geometry.windows_overlap());
    let pooled = cpu::max_pool(&geometry, &[1f32, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert_eq!(pooled.values, [1.0, 3.0, 5.0]);
}

#[test]
fn more_elements_than_a_u32_counts_are_refused() {
    let shape = Shape::channels_last([1, 65_536, 65_536, 1]);
    let error = Geometry::new(&Window::new([2, 2]), shape).unwrap_err();
    let allowed = u64::from(u32::MAX);
    says(
        &error,
        &GeometryError::TooManyElements { tensor: "input", found: 1 << 32, allowed },
        "the input tensor has 4294967296 elements; at most 4294967295 are allowed",
    );
    // An empty batch does not excuse the other extents.
    let shape = Shape::channels_first([0, 1 << 20, 1 << 20]);
    let error = Geometry::new(&Window::new([2]), shape).unwrap_err();
    assert_eq!(error, GeometryError::TooManyElements { tensor: "input", found: 1 << 40, allowed });
    // The pooled tensor can be the larger of the two.
    let window = Window::new([3, 3]).with_stride([1, 1]).with_padding([2, 2]);
    let shape = Shape::channels_last([1, 65_535, 65_535, 1]);
    let error = Geometry::new(&window, shape).unwrap_err();
    let found = 65_537 * 65_537;
    assert_eq!(error, GeometryError::TooManyElements { tensor: "pooled", found, allowed });
}

#[test]
fn a_scatter_names_the_shape_that_is_wrong() {
    let four = || Shape::channels_last([1, 2, 2, 1]);
    for (pooled, output, message) in [
        (
            Shape::channels_last([2, 1]),
            four(),
            "pooled shape 2×1 has 2 dimensions; 3 to 5 are allowed: batch, channels and 1 to 3 spatial \
             axes",
        ),
        (
            four(),
            Shape::channels_last([1, 65_536, 65_536, 1]),
            "the output tensor has 4294967296 elements; at most 4294967295 are allowed",
        ),
    ] {
        let error = Scatter::new(pooled, output, IndexSpace::Plane).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn an_inferred_shape_is_asked_for_only_where_indices_count_in_it() {
    // One window of one cell, all in the padding: no shape is inferred from that.
    let window = Window::new([1, 1]).with_padding([1, 1]);
    let one = || Shape::channels_first([1, 1, 1, 1]);
    assert!(Scatter::onnx(&window, one(), one(), IndicesIn::Inferred).is_err());
    assert!(Scatter::onnx(&window, one(), one(), IndicesIn::Given).is_ok());
}
