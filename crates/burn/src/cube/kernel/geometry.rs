//! The numbers that the kernels know of a geometry, in the order of one buffer of words, and what they
//! make of them.

use cubecl::prelude::*;
use unpool::{Geometry, Layout};

/// Words before those of the axes: values, elements, channels inside a pixel.
const AXES: usize = 3;

/// Words of an axis: input, pooled, kernel, stride, dilation, padding before.
const AXIS: usize = 6;

/// The words of a geometry. Axes are z, y, x; those that a tensor lacks have one cell.
pub(super) fn words(geometry: &Geometry) -> Vec<u32> {
    let input = geometry.input_shape();
    let inner = match input.layout() {
        Layout::ChannelsLast => input.channels(),
        _ => 1,
    };
    let mut words = vec![geometry.pooled_len() as u32, geometry.input_len() as u32, inner as u32];
    let (window, pads) = (geometry.window(), geometry.pads());
    let spatial = input.spatial().len();
    for axis in 0..3 {
        words.extend(match (axis + spatial).checked_sub(3) {
            None => [1, 1, 1, 1, 1, 0],
            Some(i) => [
                input.spatial()[i],
                geometry.pooled_shape().spatial()[i],
                window.kernel()[i],
                window.stride()[i],
                window.dilation()[i],
                pads[i].0,
            ]
            .map(|n| n as u32),
        });
    }
    words
}

#[cube]
pub(super) fn pooled_len(words: &[u32]) -> u32 {
    words[0]
}

#[cube]
pub(super) fn input_len(words: &[u32]) -> u32 {
    words[1]
}

#[cube]
pub(super) fn inner(words: &[u32]) -> u32 {
    words[2]
}

#[cube]
pub(super) fn input(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis)]
}

#[cube]
pub(super) fn pooled(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis + 1)]
}

#[cube]
pub(super) fn kernel(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis + 2)]
}

#[cube]
fn stride(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis + 3)]
}

#[cube]
fn dilation(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis + 4)]
}

#[cube]
fn before(words: &[u32], #[comptime] axis: usize) -> u32 {
    words[comptime!(AXES + AXIS * axis + 5)]
}

/// The coordinate of a cell of a window, or the size of the axis if it lies in the padding.
#[cube]
pub(super) fn coordinate(words: &[u32], #[comptime] axis: usize, window: u32, cell: u32) -> u32 {
    let padded = window * stride(words, axis) + cell * dilation(words, axis);
    let pad = before(words, axis);
    let size = input(words, axis);
    let mut at = size;
    if padded >= pad && padded - pad < size {
        at = padded - pad;
    }
    at
}

/// The first window that reaches a coordinate.
#[cube]
pub(super) fn first_window(words: &[u32], #[comptime] axis: usize, at: u32) -> u32 {
    let padded = at + before(words, axis);
    let reach = (kernel(words, axis) - 1) * dilation(words, axis);
    let step = stride(words, axis);
    let mut first = 0u32;
    if padded > reach {
        first = (padded - reach + step - 1) / step;
    }
    first
}

/// One more than the last window that reaches a coordinate.
#[cube]
pub(super) fn end_window(words: &[u32], #[comptime] axis: usize, at: u32) -> u32 {
    let padded = at + before(words, axis);
    let mut end = padded / stride(words, axis) + 1;
    if end > pooled(words, axis) {
        end = pooled(words, axis);
    }
    end
}

/// The number of the cell at a coordinate in a window that reaches it, or the size of the kernel if the
/// coordinate lies between two cells.
#[cube]
pub(super) fn cell_of(words: &[u32], #[comptime] axis: usize, at: u32, window: u32) -> u32 {
    let distance = at + before(words, axis) - window * stride(words, axis);
    let gap = dilation(words, axis);
    let mut cell = kernel(words, axis);
    if distance % gap == 0 {
        cell = distance / gap;
    }
    cell
}
