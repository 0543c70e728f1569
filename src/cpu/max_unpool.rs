//! Unpooling, in one of four ways: by the one window that each cell is in, by the windows that read each
//! cell, with many or few elements in a cell, or by the values.

mod gather;
mod lines;
mod readers;
mod rule;
mod run;
mod scatter;
mod tiles;

use crate::cell::Cell;
use crate::cpu::simd::LANES;
use crate::cpu::tap::TapWord;
use crate::cpu::windows::tiles::Tiles;
use crate::geometry::Geometry;

use rule::Rule;
pub(super) use rule::{Last, Sum};
use run::{WINDOWS, existing_windows_per_cell};

/// Unpools every row of the output, whichever way is fastest. Returns `true` only if every
/// sum fits.
pub(super) fn max_unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    if let Some(tiles) = Tiles::of(geometry).filter(|_| !geometry.windows_overlap()) {
        tiles::unpool::<T, U, R>(geometry, tiles, values, taps, output);
        return true;
    }
    if existing_windows_per_cell(geometry) <= WINDOWS {
        let x = &geometry.axes[2];
        if geometry.inner as usize >= LANES && x.stride <= 2 * x.extent() {
            return gather::unpool::<T, U, R>(geometry, values, taps, output);
        }
        if let Some(taps) = U::bytes(taps).filter(|_| lines::is_faster(geometry)) {
            return lines::unpool::<T, R>(geometry, values, taps, output);
        }
    }
    scatter::unpool::<T, U, R>(geometry, values, taps, output)
}
