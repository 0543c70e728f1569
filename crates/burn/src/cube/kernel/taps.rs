//! Taps in 32-bit words, and the indices of other frameworks.

use cubecl::prelude::*;

use super::geometry::{coordinate, inner, input, kernel, pooled, pooled_len};

/// A tap of one byte, or of two.
#[cube]
pub(super) fn load_tap(words: &[u32], at: u32, #[comptime] bytes: u32) -> u32 {
    if comptime!(bytes == 1) {
        (words[(at / 4) as usize] >> (8 * (at % 4))) & 0xffu32
    } else {
        (words[(at / 2) as usize] >> (16 * (at % 2))) & 0xffffu32
    }
}

/// Where a tap points: image or plane, and coordinates, and channel inside the pixel. A coordinate is the
/// size of its axis if the tap names no cell.
#[cube]
pub(super) fn locate(geometry: &[u32], at: u32, tap: u32) -> (u32, u32, u32, u32, u32) {
    let c = at % inner(geometry);
    let at = at / inner(geometry);
    let x = at % pooled(geometry, 2usize);
    let at = at / pooled(geometry, 2usize);
    let y = at % pooled(geometry, 1usize);
    let at = at / pooled(geometry, 1usize);
    let z = at % pooled(geometry, 0usize);
    let outer = at / pooled(geometry, 0usize);
    let cell_x = tap % kernel(geometry, 2usize);
    let tap = tap / kernel(geometry, 2usize);
    let cell_y = tap % kernel(geometry, 1usize);
    let cell_z = tap / kernel(geometry, 1usize);
    let mut at_z = input(geometry, 0usize);
    if cell_z < kernel(geometry, 0usize) {
        at_z = coordinate(geometry, 0usize, z, cell_z);
    }
    let at_y = coordinate(geometry, 1usize, y, cell_y);
    let at_x = coordinate(geometry, 2usize, x, cell_x);
    (outer, at_z, at_y, at_x, c)
}

/// Whether a located tap names a cell.
#[cube]
pub(super) fn names_cell(geometry: &[u32], z: u32, y: u32, x: u32) -> bool {
    z < input(geometry, 0usize) && y < input(geometry, 1usize) && x < input(geometry, 2usize)
}

/// Each tap as an index. Strides are those of z, y, x, image and channel, and then the number of planes in
/// an image.
#[cube(launch)]
pub(super) fn taps_to_indices_kernel(
    taps: &[u32],
    indices: &mut [u32],
    geometry: &[u32],
    strides: &[u32],
    #[comptime] tap_bytes: u32,
) {
    let at = ABSOLUTE_POS as u32;
    if at < pooled_len(geometry) {
        let tap = load_tap(taps, at, tap_bytes);
        let (outer, z, y, x, c) = locate(geometry, at, tap);
        let mut index = 0xffff_ffffu32;
        if names_cell(geometry, z, y, x) {
            let image = outer / strides[5];
            let channel = outer % strides[5] + c;
            index = z * strides[0] + y * strides[1] + x * strides[2];
            index += image * strides[3] + channel * strides[4];
        }
        indices[at as usize] = index;
    }
}
