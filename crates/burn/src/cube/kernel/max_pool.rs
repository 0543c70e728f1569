//! Max pooling: finds S.

use cubecl::prelude::*;

use super::bits::{is_nan, load, order};
use super::geometry::{coordinate, inner, input, kernel, pooled, pooled_len};

/// Values of a unit: those whose taps of one byte fill a word.
pub(super) const VALUES: u32 = 4;

/// The maximum of each window and the number of its cell. The first of equal cells wins, and the last NaN.
#[cube(launch)]
pub(super) fn max_pool_kernel(
    cells: &[u32],
    values: &mut [u32],
    taps: &mut [u32],
    geometry: &[u32],
    #[comptime] element: u32,
    #[comptime] tap_bytes: u32,
) {
    let first = ABSOLUTE_POS as u32 * comptime!(VALUES);
    let end = pooled_len(geometry);
    let mut tap_word = 0u32;
    let mut value_word = 0u32;
    for lane in 0..comptime!(VALUES) {
        let at = first + lane;
        if at < end {
            let (bits, tap) = maximum(cells, geometry, at, element);
            if comptime!(element == 0) {
                values[at as usize] = bits;
            } else {
                value_word |= bits << (16 * (at % 2));
                if at % 2 == 1 || at + 1 == end {
                    values[(at / 2) as usize] = value_word;
                    value_word = 0u32;
                }
            }
            if comptime!(tap_bytes == 1) {
                tap_word |= tap << (8 * (at % 4));
                if at % 4 == 3 || at + 1 == end {
                    taps[(at / 4) as usize] = tap_word;
                }
            } else if comptime!(tap_bytes == 2) {
                tap_word |= tap << (16 * (at % 2));
                if at % 2 == 1 || at + 1 == end {
                    taps[(at / 2) as usize] = tap_word;
                    tap_word = 0u32;
                }
            }
        }
    }
}

/// The bits of the maximum of a window, and the number of its cell.
#[cube]
fn maximum(cells: &[u32], geometry: &[u32], at: u32, #[comptime] element: u32) -> (u32, u32) {
    let c = at % inner(geometry);
    let at = at / inner(geometry);
    let x = at % pooled(geometry, 2usize);
    let at = at / pooled(geometry, 2usize);
    let y = at % pooled(geometry, 1usize);
    let at = at / pooled(geometry, 1usize);
    let z = at % pooled(geometry, 0usize);
    let outer = at / pooled(geometry, 0usize);

    let mut best = 0u32;
    let mut best_order = 0u32;
    let mut best_tap = 0u32;
    let mut tap = 0u32;
    for cell_z in 0..kernel(geometry, 0usize) {
        let at_z = coordinate(geometry, 0usize, z, cell_z);
        for cell_y in 0..kernel(geometry, 1usize) {
            let at_y = coordinate(geometry, 1usize, y, cell_y);
            for cell_x in 0..kernel(geometry, 2usize) {
                let at_x = coordinate(geometry, 2usize, x, cell_x);
                if at_z < input(geometry, 0usize)
                    && at_y < input(geometry, 1usize)
                    && at_x < input(geometry, 2usize)
                {
                    let row = (outer * input(geometry, 0usize) + at_z) * input(geometry, 1usize);
                    let pixel = (row + at_y) * input(geometry, 2usize) + at_x;
                    let bits = load(cells, pixel * inner(geometry) + c, element);
                    // No cell is of order 0, so the first that exists takes over.
                    let key = order(bits, element);
                    if key > best_order || is_nan(key) {
                        best = bits;
                        best_order = key;
                        best_tap = tap;
                    }
                }
                tap += 1u32;
            }
        }
    }
    (best, best_tap)
}
