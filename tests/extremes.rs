//! Numbers so extreme that only arithmetic which cannot overflow survives them, and windows so many
//! that looking at each takes too long.

use proptest::prelude::*;
use unpool::{Geometry, GeometryError, Layout, Padding, Shape, Window};

/// Runs a check that must come back: one that walks an axis of two billion cells, here and in the
/// thousands of cases below, would outlast any patience.
fn comes_back<A>(check: impl FnOnce() -> A) -> A {
    check()
}

#[test]
fn the_largest_numbers_everywhere_are_refused_and_nothing_panics() {
    const MAX: usize = usize::MAX;
    for padding in [
        Padding::Valid,
        Padding::Same,
        Padding::SameLower,
        Padding::symmetric([MAX; 3]),
        Padding::Explicit(vec![(MAX, 0); 3]),
        Padding::Explicit(vec![(0, MAX); 3]),
    ] {
        for bits in 0..1u32 << 6 {
            let number = |i: u32| if bits >> i & 1 == 1 { MAX } else { 1 };
            for ceil in [false, true] {
                let window = Window::new([number(0); 3])
                    .stride([number(1); 3])
                    .dilation([number(2); 3])
                    .padding(padding.clone())
                    .ceil_mode(ceil);
                let (n, s, c) = (number(3), number(4), number(5));
                for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
                    let dims = match layout {
                        Layout::ChannelsLast => [n, s, s, s, c],
                        Layout::ChannelsFirst => [n, c, s, s, s],
                    };
                    let shape = Shape::new(layout, dims);
                    let _ = comes_back(|| Geometry::new(&window, shape.clone()));
                    for size in [None, Some([1; 3]), Some([MAX; 3])] {
                        let size = size.as_ref().map(|s| &s[..]);
                        let _ = comes_back(|| Geometry::for_pooled(&window, shape.clone(), size));
                    }
                }
            }
        }
    }
}

/// 2²⁹ windows start in the padding and step over nothing: looking at each takes seconds.
#[test]
fn checking_half_a_billion_windows_does_not_look_at_each() {
    let long = 1usize << 29;
    let window =
        Window::new([2]).stride([1]).dilation([long]).padding(Padding::Explicit(vec![(long, 0)]));
    let shape = Shape::channels_last([1, long - 1, 1]);
    let geometry = comes_back(|| Geometry::new(&window, shape.clone())).unwrap();
    assert_eq!(geometry.pooled_len(), long - 1);
    // One more window, and it starts in the hole.
    let window = window.padding(Padding::Explicit(vec![(long, 1)]));
    let error = comes_back(|| Geometry::new(&window, shape)).unwrap_err();
    assert!(
        matches!(error, GeometryError::EmptyWindow { window, .. } if window == long - 1),
        "{error}"
    );
}

/// Numbers around every bound there is.
fn extreme() -> impl Strategy<Value = usize> {
    const BOUNDS: [usize; 8] = [0, 1 << 8, 1 << 16, 1 << 30, 1 << 31, 1 << 32, 1 << 63, usize::MAX];
    prop_oneof![
        6 => 1usize..=5,
        1 => Just(0usize),
        4 => (prop::sample::select(&BOUNDS[..]), -3i64..=3)
            .prop_map(|(bound, by)| bound.wrapping_add_signed(by as isize)),
        1 => any::<usize>(),
        1 => (0u32..64).prop_flat_map(|bits| 0..=(usize::MAX >> bits)),
    ]
}

fn extreme_window() -> impl Strategy<Value = (usize, Window)> {
    (1usize..=3).prop_flat_map(|rank| {
        let axes = || prop::collection::vec(extreme(), rank);
        let padding = prop_oneof![
            Just(Padding::Valid),
            Just(Padding::Same),
            Just(Padding::SameLower),
            prop::collection::vec((extreme(), extreme()), rank).prop_map(Padding::Explicit),
        ];
        (axes(), axes(), axes(), padding, any::<bool>()).prop_map(
            move |(kernel, stride, dilation, padding, ceil)| {
                let window = Window::new(kernel)
                    .stride(stride)
                    .dilation(dilation)
                    .padding(padding)
                    .ceil_mode(ceil);
                (rank, window)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn extreme_numbers_never_panic_and_are_checked_quickly(
        (window, dims, size) in extreme_window().prop_flat_map(|(rank, window)| (
            Just(window),
            prop::collection::vec(extreme(), rank + 2),
            prop::option::of(prop::collection::vec(extreme(), rank)),
        )),
        last in any::<bool>(),
    ) {
        let layout = if last { Layout::ChannelsLast } else { Layout::ChannelsFirst };
        let shape = Shape::new(layout, dims);
        let checked = [
            comes_back(|| Geometry::new(&window, shape.clone())),
            comes_back(|| Geometry::for_pooled(&window, shape.clone(), size.as_deref())),
        ];
        for found in checked {
            match found {
                Ok(geometry) => {
                    prop_assert_eq!(Some(geometry.input_len()), geometry.input_shape().len());
                    prop_assert_eq!(Some(geometry.pooled_len()), geometry.pooled_shape().len());
                    prop_assert!(geometry.window_cells() <= 65_535);
                    prop_assert!(geometry.taps_bytes() % 4 == 0);
                    geometry.windows_overlap();
                }
                // A message is written without a panic too.
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
