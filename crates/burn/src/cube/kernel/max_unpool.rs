//! Unpooling applies Sᵀ, its gradient applies S. Nothing is scattered: a unit gathers what goes into a word
//! of the result.

use cubecl::prelude::*;

use super::bits::{load, round_to_element, widen};
use super::geometry::{
    cell_of, end_window, first_window, inner, input, input_len, kernel, pooled, pooled_len,
};
use super::taps::{load_tap, locate, names_cell};

/// Elements of a word.
#[cube]
fn per_word(#[comptime] element: u32) -> comptime_type!(u32) {
    if element == 0 { 1u32 } else { 2u32 }
}

/// Each cell gets the last of the values whose taps name it, or their sum from +0 in raster order.
#[cube(launch)]
pub(super) fn max_unpool_kernel(
    values: &[u32],
    taps: &[u32],
    output: &mut [u32],
    geometry: &[u32],
    #[comptime] element: u32,
    #[comptime] tap_bytes: u32,
    #[comptime] sums: bool,
) {
    let lanes = per_word(element);
    let end = input_len(geometry);
    let first = ABSOLUTE_POS as u32 * lanes;
    if first < end {
        let mut word = 0u32;
        for lane in 0..lanes {
            if first + lane < end {
                let bits = unpooled(values, taps, geometry, first + lane, element, tap_bytes, sums);
                word |= bits << (16 * lane);
            }
        }
        output[ABSOLUTE_POS] = word;
    }
}

/// The bits of a cell.
#[cube]
fn unpooled(
    values: &[u32],
    taps: &[u32],
    geometry: &[u32],
    at: u32,
    #[comptime] element: u32,
    #[comptime] tap_bytes: u32,
    #[comptime] sums: bool,
) -> u32 {
    let c = at % inner(geometry);
    let at = at / inner(geometry);
    let x = at % input(geometry, 2usize);
    let at = at / input(geometry, 2usize);
    let y = at % input(geometry, 1usize);
    let at = at / input(geometry, 1usize);
    let z = at % input(geometry, 0usize);
    let outer = at / input(geometry, 0usize);

    let mut bits = 0u32;
    let mut sum = 0.0f32;
    for window_z in first_window(geometry, 0usize, z)..end_window(geometry, 0usize, z) {
        let cell_z = cell_of(geometry, 0usize, z, window_z);
        for window_y in first_window(geometry, 1usize, y)..end_window(geometry, 1usize, y) {
            let cell_y = cell_of(geometry, 1usize, y, window_y);
            for window_x in first_window(geometry, 2usize, x)..end_window(geometry, 2usize, x) {
                let cell_x = cell_of(geometry, 2usize, x, window_x);
                if cell_z < kernel(geometry, 0usize)
                    && cell_y < kernel(geometry, 1usize)
                    && cell_x < kernel(geometry, 2usize)
                {
                    let row =
                        (outer * pooled(geometry, 0usize) + window_z) * pooled(geometry, 1usize);
                    let pixel = (row + window_y) * pooled(geometry, 2usize) + window_x;
                    let from = pixel * inner(geometry) + c;
                    let tap = (cell_z * kernel(geometry, 1usize) + cell_y)
                        * kernel(geometry, 2usize)
                        + cell_x;
                    if load_tap(taps, from, tap_bytes) == tap {
                        let value = load(values, from, element);
                        if sums {
                            sum += widen(value, element);
                        } else {
                            bits = value;
                        }
                    }
                }
            }
        }
    }
    if sums {
        bits = round_to_element(sum, element);
    }
    bits
}

/// Each value gets the cell that its tap names, or zero.
#[cube(launch)]
pub(super) fn gather_kernel(
    cells: &[u32],
    taps: &[u32],
    values: &mut [u32],
    geometry: &[u32],
    #[comptime] element: u32,
    #[comptime] tap_bytes: u32,
) {
    let lanes = per_word(element);
    let end = pooled_len(geometry);
    let first = ABSOLUTE_POS as u32 * lanes;
    if first < end {
        let mut word = 0u32;
        for lane in 0..lanes {
            let at = first + lane;
            if at < end {
                let tap = load_tap(taps, at, tap_bytes);
                let (outer, z, y, x, c) = locate(geometry, at, tap);
                if names_cell(geometry, z, y, x) {
                    let row = (outer * input(geometry, 0usize) + z) * input(geometry, 1usize) + y;
                    let pixel = row * input(geometry, 2usize) + x;
                    let bits = load(cells, pixel * inner(geometry) + c, element);
                    word |= bits << (16 * lane);
                }
            }
        }
        values[ABSOLUTE_POS] = word;
    }
}
