//! Geometry, the CPU operations, taps, indices and scatters on any numbers: nothing panics, and each function
//! accepts the result of the one before.
//!
//! `cargo fuzz run cpu` (with a nightly toolchain, or `RUSTC_BOOTSTRAP=1`).

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use unpool::{
    Geometry, IndexSpace, Layout, Overlap, Padding, Scatter, Shape, Taps, Window, cpu,
};

#[derive(Arbitrary, Debug)]
enum Pads {
    Valid,
    Same,
    SameLower,
    Explicit(Vec<(u8, u8)>),
    Huge(usize, usize),
}

#[derive(Arbitrary, Debug)]
struct Input {
    kernel: Vec<u8>,
    stride: Vec<u8>,
    dilation: Vec<u8>,
    /// Now and then one number of any size.
    extreme: Option<(u8, usize)>,
    pads: Pads,
    ceil: bool,
    dims: Vec<u8>,
    last: bool,
    output_size: Option<Vec<u8>>,
    space: u8,
    taps: Vec<u8>,
    indices: Vec<i64>,
    cells: Vec<u8>,
}

/// The most elements that are worth a run.
const MOST: usize = 1 << 14;

fn wide(numbers: &[u8]) -> Vec<usize> {
    numbers.iter().take(5).map(|&n| usize::from(n)).collect()
}

/// Elements of a list, again and again from its start.
fn repeat<T: Copy>(of: &[T], len: usize, none: T) -> Vec<T> {
    (0..len).map(|i| if of.is_empty() { none } else { of[i % of.len()] }).collect()
}

fn on_a_geometry(geometry: &Geometry, input: &Input, space: IndexSpace) {
    let _ = (geometry.windows_overlap(), geometry.pads(), geometry.taps_bytes());
    if geometry.input_len() > MOST || geometry.pooled_len() > MOST {
        return;
    }
    if geometry.window_cells().saturating_mul(geometry.pooled_len()) > MOST * 64 {
        return;
    }
    let cells = repeat(&input.cells, geometry.input_len(), 0);
    let pooled = cpu::max_pool(geometry, &cells).expect("the input has the right length");
    let indices: Vec<i64> = pooled.taps.to_indices(geometry, space).expect("an i64 holds it");
    let back = Taps::from_indices(geometry, space, &indices).expect("they are its own");
    assert_eq!(back, pooled.taps);

    let bytes = repeat(&input.taps, geometry.pooled_len() * geometry.tap_width(), 255);
    let taps = Taps::from_bytes(geometry, &bytes).expect("there are enough");
    assert_eq!(taps.as_bytes(), bytes);
    for overlap in [Overlap::Last, Overlap::Sum] {
        let _ = cpu::max_unpool(geometry, &pooled.values, &taps, overlap);
    }
    let read = cpu::max_unpool_backward(geometry, &cells, &taps).expect("lengths are right");
    assert_eq!(read.len(), geometry.pooled_len());
    let _ = taps.to_indices::<u32>(geometry, space);
    let _ = Taps::from_indices(geometry, space, &input.indices);
    let any = repeat(&input.indices, geometry.pooled_len(), -1);
    let _ = Taps::from_indices(geometry, space, &any);

    let (small, large) = (geometry.pooled_shape().clone(), geometry.input_shape().clone());
    if let Ok(scatter) = Scatter::new(small, large, space) {
        for overlap in [Overlap::Last, Overlap::Sum] {
            let _ = cpu::scatter(&scatter, &pooled.values, &any, overlap);
            let its_own = cpu::scatter(&scatter, &pooled.values, &indices, overlap);
            if overlap == Overlap::Last {
                let ours = cpu::max_unpool(geometry, &pooled.values, &pooled.taps, overlap);
                assert_eq!(its_own, ours);
            }
        }
    }
}

fuzz_target!(|input: Input| {
    let mut numbers = [&input.kernel, &input.stride, &input.dilation, &input.dims].map(|n| wide(n));
    if let Some((at, extreme)) = input.extreme {
        let list = &mut numbers[usize::from(at) % 4];
        if let Some(number) = list.first_mut() {
            *number = extreme;
        }
    }
    let [kernel, stride, dilation, dims] = numbers;
    let axes = kernel.len();
    let padding = match &input.pads {
        Pads::Valid => Padding::Valid,
        Pads::Same => Padding::Same,
        Pads::SameLower => Padding::SameLower,
        Pads::Explicit(pads) => {
            let pad = |&(before, after): &(u8, u8)| (usize::from(before), usize::from(after));
            Padding::Explicit(pads.iter().take(5).map(pad).collect())
        }
        Pads::Huge(before, after) => Padding::from(vec![(*before, *after); axes]),
    };
    let window = Window::new(kernel)
        .with_stride(stride)
        .with_dilation(dilation)
        .with_padding(padding)
        .with_ceil_mode(input.ceil);
    let layout = if input.last { Layout::ChannelsLast } else { Layout::ChannelsFirst };
    let shape = Shape::new(layout, dims);
    let space = IndexSpace::ALL[usize::from(input.space) % 5];
    let size = input.output_size.as_deref().map(wide);
    for geometry in [
        Geometry::new(&window, shape),
        Geometry::for_pooled(&window, shape, size.as_deref()),
    ] {
        match geometry {
            Ok(geometry) => on_a_geometry(&geometry, &input, space),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
