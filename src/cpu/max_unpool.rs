//! Unpooling, in one of three ways: by the one window that each cell is in, by the windows that read each
//! cell, or by the values.

mod gather;
mod readers;
mod rule;
mod scatter;
mod tiles;

use crate::cell::Cell;
use crate::cpu::tap::TapWord;
use crate::cpu::windows::tiles::Tiles;
use crate::geometry::Geometry;

use rule::Rule;
pub(super) use rule::{Last, Sum};

/// Unpools every row of the output, whichever way is fastest. Returns the first element whose sum does not
/// fit, if there is one.
pub(super) fn max_unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    match Tiles::of(geometry).filter(|_| !geometry.windows_overlap()) {
        Some(tiles) => {
            tiles::unpool::<T, U, R>(geometry, tiles, values, taps, output);
            None
        }
        None if gather::is_faster(geometry) => {
            gather::unpool::<T, U, R>(geometry, values, taps, output)
        }
        None => scatter::unpool::<T, U, R>(geometry, values, taps, output),
    }
}
