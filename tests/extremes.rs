//! Numbers near the limits of their types, where careless arithmetic overflows, and so many windows that a loop
//! over all of them takes too long.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use proptest::prelude::*;
use unpool::{Element, Geometry, GeometryError, Kernel, Layout, Padding, Shape, Window};

use crate::shaders;
use crate::support::bench::pipeline;
use crate::support::compare::Report;
use crate::support::devices::gpus;
use crate::support::random_cases::draw;

/// How long a check may take that takes microseconds: one that walks an axis of two billion cells,
/// here and in the thousands of cases below, takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a check finds, which must come back.
fn comes_back<A: Send + 'static>(
    of: &dyn fmt::Debug,
    check: impl FnOnce() -> A + Send + 'static,
) -> A {
    comes_back_within(PATIENCE, of, check)
}

fn comes_back_within<A: Send + 'static>(
    patience: Duration,
    of: &dyn fmt::Debug,
    check: impl FnOnce() -> A + Send + 'static,
) -> A {
    let (done, found) = channel();
    // Not one of a scope, which would wait for it.
    let thread = std::thread::spawn(move || {
        let _ = done.send(check());
    });
    match found.recv_timeout(patience) {
        Ok(found) => found,
        Err(RecvTimeoutError::Timeout) => panic!("no answer within {patience:?}: {of:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => panic!("no answer: {of:?}"),
        },
    }
}

#[test]
fn a_check_that_does_not_come_back_fails_with_its_numbers() {
    let (end, ended) = channel::<()>();
    let window = Window::new([3, 7]);
    let waits = std::panic::catch_unwind(move || {
        comes_back_within(Duration::from_millis(20), &window, move || ended.recv().is_ok())
    });
    drop(end);
    let message = waits.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("no answer") && message.contains("[3, 7]"), "{message}");
    // What comes back does so, and a panic is passed on.
    assert_eq!(comes_back(&"two", || 1 + 1), 2);
    let panics = std::panic::catch_unwind(|| comes_back(&"a panic", || panic!("on purpose")));
    assert_eq!(*panics.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
}

/// What checking says of a shape that is pooled, and of one that is unpooled to some size.
fn checked(
    window: &Window,
    shape: &Shape,
    sizes: Vec<Option<Vec<usize>>>,
) -> Vec<Result<Geometry, GeometryError>> {
    let numbers = (*window, *shape, sizes.clone());
    let (window, shape) = (*window, *shape);
    comes_back(&numbers, move || {
        let pooled = sizes.iter().map(|size| {
            let size = size.as_deref();
            Geometry::for_pooled(&window, shape, size)
        });
        [Geometry::new(&window, shape)].into_iter().chain(pooled).collect()
    })
}

/// The kernels of a geometry for elements of each width, all of them valid for every backend.
fn kernels(geometry: &Geometry) -> Vec<Kernel> {
    let of = *geometry;
    let kernels = comes_back(geometry, move || {
        [Element::F32, Element::F16, Element::U8].map(|element| Kernel::all(&of, element)).concat()
    });
    shaders::check(&kernels);
    kernels
}

#[test]
fn the_largest_numbers_everywhere_are_refused_and_nothing_panics() {
    const MAX: usize = usize::MAX;
    for padding in [
        Padding::Valid,
        Padding::Same,
        Padding::SameLower,
        Padding::from([MAX; 3]),
        Padding::from(vec![(MAX, 0); 3]),
        Padding::from(vec![(0, MAX); 3]),
    ] {
        for bits in 0..1u32 << 6 {
            let number = |i: u32| if bits >> i & 1 == 1 { MAX } else { 1 };
            for ceil in [false, true] {
                let window = Window::new([number(0); 3])
                    .with_stride([number(1); 3])
                    .with_dilation([number(2); 3])
                    .with_padding(padding)
                    .with_ceil_mode(ceil);
                let (n, s, c) = (number(3), number(4), number(5));
                for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
                    let dims = match layout {
                        Layout::ChannelsLast => [n, s, s, s, c],
                        _ => [n, c, s, s, s],
                    };
                    let shape = Shape::new(layout, dims);
                    checked(&window, &shape, vec![None, Some(vec![1; 3]), Some(vec![MAX; 3])]);
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
        Window::new([2]).with_stride([1]).with_dilation([long]).with_padding(vec![(long, 0)]);
    let shape = Shape::channels_last([1, long - 1, 1]);
    let geometry = checked(&window, &shape, vec![]).remove(0).unwrap();
    assert_eq!(geometry.pooled_len(), long - 1);
    kernels(&geometry);
    // One more window, and it starts in the hole.
    let window = window.with_padding(vec![(long, 1)]);
    let error = checked(&window, &shape, vec![]).remove(0).unwrap_err();
    assert!(
        matches!(error, GeometryError::EmptyWindow { window, .. } if window == long - 1),
        "{error}"
    );
}

/// So many are compiled.
const COMPILED: usize = 12;

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

/// A window, a shape that it pools or unpools, and a size to unpool to.
fn extreme_window() -> impl Strategy<Value = (Window, Shape, Option<Vec<usize>>)> {
    (1usize..=3).prop_flat_map(|rank| {
        let axes = || prop::collection::vec(extreme(), rank);
        let padding = prop_oneof![
            Just(Padding::Valid),
            Just(Padding::Same),
            Just(Padding::SameLower),
            prop::collection::vec((extreme(), extreme()), rank).prop_map(Padding::from),
        ];
        let window = (axes(), axes(), axes(), padding, any::<bool>()).prop_map(
            |(kernel, stride, dilation, padding, ceil)| {
                Window::new(kernel)
                    .with_stride(stride)
                    .with_dilation(dilation)
                    .with_padding(padding)
                    .with_ceil_mode(ceil)
            },
        );
        let dims = prop::collection::vec(extreme(), rank + 2);
        let shape = (any::<bool>(), dims).prop_map(|(last, dims)| {
            let layout = if last { Layout::ChannelsLast } else { Layout::ChannelsFirst };
            Shape::new(layout, dims)
        });
        (window, shape, prop::option::of(axes()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        // A check that does not come back is not to be made smaller for long.
        max_shrink_time: 120_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn extreme_numbers_never_panic_and_are_checked_quickly(
        (window, shape, size) in extreme_window(),
    ) {
        for found in checked(&window, &shape, vec![size]) {
            match found {
                Ok(geometry) => {
                    prop_assert_eq!(Some(geometry.input_len()), geometry.input_shape().len());
                    prop_assert_eq!(Some(geometry.pooled_len()), geometry.pooled_shape().len());
                    prop_assert!(geometry.window_cells() <= 65_535);
                    prop_assert!(geometry.taps_bytes() % 4 == 0);
                    geometry.windows_overlap();
                    kernels(&geometry);
                }
                // A message is written without a panic too.
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}

/// Compiles a kernel as a pipeline of its own.
fn compile(gpu: &unpool::Gpu, kernel: Kernel) -> Result<(), String> {
    let compiled = gpu.scoped(|| pipeline(gpu, &kernel.source(64), kernel.entry_point()));
    compiled.map(drop).map_err(|error| error.to_string())
}

/// The first geometries that are accepted, of numbers that are the same on every machine.
#[test]
fn what_is_accepted_compiles_on_every_adapter() {
    let accepted = (0..).filter_map(|seed| {
        let (window, shape, _) = draw(&extreme_window(), seed);
        checked(&window, &shape, vec![]).remove(0).ok()
    });
    let accepted: Vec<Geometry> = accepted.take(COMPILED).collect();
    Report::of_each(&gpus(), |gpu, report| {
        for geometry in &accepted {
            for kernel in kernels(geometry) {
                let context = || format!("{kernel} of {geometry:?} on {}", gpu.description());
                report.add(compile(gpu, kernel).map_err(|error| format!("{}: {error}", context())));
            }
        }
    });
}
