//! Sizes and padding under every rule, for pooling and for unpooling to a size that is given.

use unpool::{Geometry, GeometryError, Layout, Padding, PerAxis, Shape, Window, cpu};

use crate::refusals::says;
use crate::support::cases::{Case, Pads, parse};
use crate::support::oracle::Plan;

/// Pooled sizes and pads of a case that must be one.
fn resolved(name: &str) -> (Vec<usize>, Vec<(usize, usize)>) {
    let geometry = parse(name).geometry().unwrap_or_else(|error| panic!("{name}: {error}"));
    (geometry.pooled_shape().spatial().to_vec(), geometry.pads().as_slice().to_vec())
}

// ---- sizes ----------------------------------------------------------------------------------

#[test]
fn valid_windows_lie_inside_the_input() {
    assert_eq!(resolved("n1c1w7_k3s2_first"), (vec![3], vec![(0, 0)]));
    assert_eq!(resolved("n1c1w8_k3s2_first"), (vec![3], vec![(0, 0)]));
    assert_eq!(resolved("n1c1w5_k5s1_first"), (vec![1], vec![(0, 0)]));
    assert_eq!(resolved("n1c1w9_k3s2d2_first"), (vec![3], vec![(0, 0)]));
    assert_eq!(resolved("n1c1w10_k2s4_first"), (vec![3], vec![(0, 0)]));
}

#[test]
fn same_gives_a_window_to_every_stride_and_the_odd_cell_after() {
    // TensorFlow: need = (out − 1)·s + k − n, half of it before, the rest after.
    assert_eq!(resolved("n1c1h112w111_k3s2psame_last"), (vec![56, 56], vec![(0, 1), (1, 1)]));
    assert_eq!(resolved("n1c1h4w5_k2psame_last"), (vec![2, 3], vec![(0, 0), (0, 1)]));
    assert_eq!(resolved("n1c1w5_k4s1psame_last"), (vec![5], vec![(1, 2)]));
    assert_eq!(resolved("n1c1w6_k3s1d2psame_last"), (vec![6], vec![(2, 2)]));
    // A stride past the window needs nothing: the need is cut off at 0.
    assert_eq!(resolved("n1c1h4w4_k1s3psame_last"), (vec![2, 2], vec![(0, 0), (0, 0)]));
    assert_eq!(resolved("n1c1h4w4_k2s4psame_last"), (vec![1, 1], vec![(0, 0), (0, 0)]));
    assert_eq!(resolved("n1c1h4w4_k2s3psame_last"), (vec![2, 2], vec![(0, 1), (0, 1)]));
}

#[test]
fn same_lower_puts_the_odd_cell_before() {
    assert_eq!(resolved("n1c1h4w5_k2plower_last"), (vec![2, 3], vec![(0, 0), (1, 0)]));
    assert_eq!(resolved("n1c1w5_k4s1plower_last"), (vec![5], vec![(2, 1)]));
    assert_eq!(resolved("n1c1w6_k3s1d2plower_last"), (vec![6], vec![(2, 2)]));
}

/// What TensorFlow's `max_pool_with_argmax` answers for a 4×4 image of ascending numbers.
#[test]
fn same_windows_start_where_tensorflow_starts_them() {
    let image: Vec<f32> = (0..16u8).map(f32::from).collect();
    for (name, expected) in [
        ("n1c1h4w4_k1s3psame_last", vec![0, 3, 12, 15]),
        ("n1c1h4w4_k2s3psame_last", vec![5, 7, 13, 15]),
        ("n1c1h4w4_k2s4psame_last", vec![5]),
        ("n1c1h4w4_k1s2psame_last", vec![0, 2, 8, 10]),
    ] {
        let geometry = parse(name).geometry().unwrap();
        let taps = cpu::max_pool(&geometry, &image).unwrap().taps;
        let indices: Vec<i64> = taps.to_indices(&geometry, unpool::IndexSpace::Image).unwrap();
        assert_eq!(indices, expected, "{name}");
    }
}

#[test]
fn explicit_padding_adds_to_the_input_on_its_own_side() {
    assert_eq!(resolved("n1c1h112w112_k3s2p1_first"), (vec![56, 56], vec![(1, 1), (1, 1)]));
    assert_eq!(resolved("n1c1w6_k3s2p0-1_first"), (vec![3], vec![(0, 1)]));
    assert_eq!(resolved("n1c1w6_k3s2p2-0_first"), (vec![3], vec![(2, 0)]));
    assert_eq!(resolved("n1c1h6w9_k3s1p1-0x0-2_first"), (vec![5, 9], vec![(1, 0), (0, 2)]));
}

#[test]
fn ceil_mode_counts_a_partial_window() {
    assert_eq!(resolved("n1c1w6_k3s2_first").0, [2]);
    assert_eq!(resolved("n1c1w6_k3s2_ceil_first").0, [3]);
    assert_eq!(resolved("n1c1w7_k3s2_ceil_first").0, [3]);
    // Of a window longer than the padded input too, as long as it starts `stride` early enough.
    assert_eq!(resolved("n1c1w2_k3s2_ceil_first").0, [1]);
    assert_eq!(resolved("n1c1w3_k4_ceil_first").0, [1]);
}

#[test]
fn ceil_mode_drops_a_last_window_that_starts_past_the_input_and_the_padding_before_it() {
    // ONNX's test `maxpool_2d_ceil_output_size_reduce_by_one`.
    assert_eq!(resolved("n1c1h2w2_k1s2_ceil_first").0, [1, 1]);
    // Starts at 4 = 3 + 1 of the padded input: dropped.
    assert_eq!(resolved("n1c1w3_k2s2p1_ceil_first").0, [2]);
    // Starts at 4 < 4 + 1: the last cell is in it.
    assert_eq!(resolved("n1c1w4_k2s2p1_ceil_first").0, [3]);
    // Caffe, which does not drop a window without padding, would say 3 here.
    assert_eq!(resolved("n1c1w4_k1s3_ceil_first").0, [2]);
    assert_eq!(resolved("n1c1w3_k1s3_ceil_first").0, [1]);
}

#[test]
fn ceil_mode_changes_nothing_under_same() {
    for name in ["n1c1h7w5_k3s2psame_last", "n1c1h7w5_k2s3plower_last"] {
        let ceil = name.replace("_last", "_ceil_last");
        assert_eq!(resolved(name), resolved(&ceil), "{name}");
    }
}

#[test]
fn layouts_have_the_same_sizes() {
    let window = Window::new([3, 2]).with_stride([2, 1]);
    let last = Geometry::new(&window, Shape::channels_last([2, 9, 8, 5])).unwrap();
    let first = Geometry::new(&window, Shape::channels_first([2, 5, 9, 8])).unwrap();
    assert_eq!(last.pooled_shape().dims(), [2, 4, 7, 5]);
    assert_eq!(first.pooled_shape().dims(), [2, 5, 4, 7]);
    assert_eq!(last.pooled_shape().layout(), Layout::ChannelsLast);
    assert_eq!((last.input_len(), last.pooled_len()), (720, 280));
    assert_eq!((first.input_len(), first.pooled_len()), (720, 280));
    assert_eq!(last.window_cells(), 6);
}

#[test]
fn a_window_strides_by_its_kernel_unless_told() {
    let window = Window::new([2, 3]);
    assert_eq!(window.stride(), [2, 3]);
    assert_eq!(window.dilation(), PerAxis::from(1));
    assert_eq!(window.padding(), Padding::Valid);
    assert!(!window.ceil_mode());
}

#[test]
fn windows_overlap_when_a_span_passes_the_stride_and_there_are_two() {
    let overlap = |name: &str| parse(name).geometry().unwrap().windows_overlap();
    assert!(!overlap("n1c1h4w4_k2_last"));
    assert!(overlap("n1c1h5w5_k3s2_last"));
    assert!(!overlap("n1c1h3w3_k3s2_last"), "there is one window");
    assert!(overlap("n1c1w9_k2s2d2_last"), "they interleave");
    assert!(!overlap("n1c1w9_k2s3d2_last"));
}

#[test]
fn taps_take_a_byte_up_to_255_cells_and_two_from_256() {
    let bytes = |name: &str| {
        let geometry = parse(name).geometry().unwrap();
        (geometry.window_cells(), geometry.tap_width(), geometry.taps_bytes())
    };
    assert_eq!(bytes("n1c3h15w17_k15x17_last"), (255, 1, 4));
    assert_eq!(bytes("n1c3h16w16_k16_last"), (256, 2, 8));
    assert_eq!(bytes("n1c1w65535_k65535_last"), (65_535, 2, 4));
    assert_eq!(bytes("n0c1h4w4_k2_last"), (4, 1, 0));
}

#[test]
fn an_empty_batch_is_fine() {
    for name in ["n0c3h5w5_k3s2p1_last", "n0c3h5w5_k3s2p1_first"] {
        let geometry = parse(name).geometry().unwrap();
        assert_eq!((geometry.input_len(), geometry.pooled_len()), (0, 0));
        assert_eq!(geometry.pooled_shape().spatial(), [3, 3]);
        let pooled = cpu::max_pool::<f32>(&geometry, &[]).unwrap();
        assert!(pooled.values.is_empty() && pooled.taps.is_empty());
    }
}

// ---- for_pooled -----------------------------------------------------------------------------

fn for_pooled(
    name: &str,
    pooled: &[usize],
    size: Option<&[usize]>,
) -> Result<Geometry, GeometryError> {
    let case = parse(name);
    Geometry::for_pooled(&case.window(), case.shape(pooled), size)
}

#[test]
fn the_default_size_of_unpooling_is_pytorchs() {
    let size = |name: &str, pooled: &[usize]| {
        let geometry = for_pooled(name, pooled, None).unwrap();
        assert_eq!(geometry.pooled_shape().spatial(), pooled);
        geometry.input_shape().spatial().to_vec()
    };
    // (pooled − 1)·stride + kernel − before − after
    assert_eq!(size("n1c1h1w1_k2_first", &[3, 4]), [6, 8]);
    assert_eq!(size("n1c1h1w1_k3s2p1_first", &[4, 4]), [7, 7]);
    assert_eq!(size("n1c1w1_k3s2p1-0_first", &[4]), [8]);
    // Dilation does not enter.
    assert_eq!(size("n1c1w1_k3s2d2_first", &[4]), [9]);
    // Under `same`, all that pools to this many windows: the most of it.
    assert_eq!(size("n1c1h1w1_k3s2psame_last", &[4, 5]), [8, 10]);
    assert_eq!(size("n1c1h1w1_k2s3plower_last", &[4, 5]), [12, 15]);
}

#[test]
fn a_size_given_to_unpooling_is_within_a_stride_of_the_default() {
    // PyTorch: default − stride < size < default + stride, here 7 ± 1.
    for size in 5..=9 {
        let geometry = for_pooled("n1c1w1_k3s2p1_first", &[4], Some(&[size]));
        if (6..=8).contains(&size) {
            let geometry = geometry.unwrap();
            assert_eq!(geometry.input_shape().spatial(), [size]);
            assert_eq!(geometry.pooled_shape().spatial(), [4]);
            assert_eq!(geometry.pads(), [(1, 1)]);
        } else {
            let expected =
                GeometryError::OutputSize { axis: 0, found: size as i128, lowest: 6, highest: 8 };
            let message = format!("output size {size} on axis 0; 6 to 8 are allowed");
            says(&geometry.unwrap_err(), &expected, &message);
        }
    }
}

#[test]
fn under_same_a_size_must_pool_to_the_given_windows() {
    for name in ["n1c1w1_k3s3psame_last", "n1c1w1_k5s3plower_last"] {
        for size in 1..=20usize {
            let found = for_pooled(name, &[4], Some(&[size]));
            assert_eq!(found.is_ok(), size.div_ceil(3) == 4, "{name} size {size}");
            if let Ok(geometry) = found {
                // It is what pooling an input of that size gives.
                let mut case = parse(name);
                case.spatial = vec![size];
                assert_eq!(geometry, case.geometry().unwrap());
            }
        }
    }
}

#[test]
fn a_size_of_no_cell_is_refused() {
    // The default is 1 − 1 + 2 − 2 = 0.
    let error = for_pooled("n1c1w1_k2s2p1_first", &[1], None).unwrap_err();
    let expected = GeometryError::OutputSize { axis: 0, found: 0, lowest: 1, highest: 1 };
    assert_eq!(error, expected);
    assert!(for_pooled("n1c1w1_k2s2p1_first", &[1], Some(&[1])).is_ok());
    assert!(for_pooled("n1c1w1_k2s2p1_first", &[1], Some(&[0])).is_err());
}

#[test]
fn a_size_at_which_the_last_window_holds_no_cell_is_refused() {
    // 4 windows of 1 at stride 3: the default is 10, the last window starts at 9.
    assert!(for_pooled("n1c1w1_k1s3_first", &[4], Some(&[10])).is_ok());
    let error = for_pooled("n1c1w1_k1s3_first", &[4], Some(&[9])).unwrap_err();
    let message = "window 3 on axis 0 holds no cell of the input: it reads cell 9, and the input has cells 0 to 8";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_pooled_size_of_zero_is_refused() {
    let error = for_pooled("n1c1h1w1_k2_first", &[3, 0], None).unwrap_err();
    assert_eq!(error, GeometryError::Zero { argument: "spatial size", axis: 1 });
}

/// A size that no `usize` holds is too long, whatever range it is in.
#[test]
fn a_default_size_past_a_usize_is_refused_as_too_long() {
    for name in ["n1c1w1_k2_first", "n1c1w1_k2psame_first"] {
        let error = for_pooled(name, &[usize::MAX], None).unwrap_err();
        assert!(matches!(error, GeometryError::AxisTooLong { axis: 0, .. }), "{name}: {error}");
    }
}

// ---- against the definition ------------------------------------------------------------------

/// The first empty window is found wherever the starts, modulo the dilation, come to a hole.
#[test]
fn windows_that_step_over_a_short_input_are_found() {
    let mut seen = [0; 2];
    for input in 1..=6 {
        for dilation in 1..=9 {
            for stride in 1..=9 {
                for before in 0..=20 {
                    for kernel in 1..=4 {
                        let case = Case {
                            batch: 1,
                            channels: 1,
                            channels_last: true,
                            spatial: vec![input],
                            kernel: vec![kernel],
                            stride: vec![stride],
                            dilation: vec![dilation],
                            pads: Pads::Explicit(vec![(before, 12)]),
                            ceil: false,
                        };
                        let found = case.geometry();
                        assert_eq!(found.is_ok(), Plan::new(&case).is_ok(), "{case}");
                        if let Err(GeometryError::EmptyWindow { window, start, .. }) = found {
                            let first = (window * stride) as i64 - before as i64;
                            let mut cells = (0..kernel).map(|t| first + (t * dilation) as i64);
                            assert_eq!(start, first, "{case}");
                            assert!(!cells.any(|at| at >= 0 && at < input as i64), "{case}");
                        }
                        seen[usize::from(found.is_ok())] += 1;
                    }
                }
            }
        }
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

#[test]
fn a_list_of_more_than_three_values_keeps_its_length() {
    let list = PerAxis::<usize>::from([1, 2, 3, 4]);
    assert_eq!((list.axes(), list.as_slice()), (Some(4), &[1, 2, 3][..]));
    assert_ne!(list, [1, 2, 3]);
    assert_eq!(list.for_axes(3), None);
    assert_eq!((list.to_string(), format!("{list:?}")), ("1×2×3×…".into(), "[1, 2, 3, ..]".into()));
}

#[test]
fn one_value_stands_for_every_number_of_axes_up_to_three() {
    let one = PerAxis::<usize>::from(7);
    assert_eq!(one.for_axes(2), Some(PerAxis::<usize>::from([7, 7])));
    assert_eq!(one.for_axes(0), Some(PerAxis::<usize>::from([])));
    assert_eq!(one.for_axes(4), None);
    assert_eq!((one.to_string(), one[2]), ("7".into(), 7));
    assert_ne!(one, [7]);
}
