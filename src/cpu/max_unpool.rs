//! Unpooling, in one of four ways.
//!
//! ```text
//! if windows do not overlap and are tiles, see `Tiles::of`:
//!     each cell by the window that it is in (`tiles`)
//! else if at most 16 windows read a cell, and it has at least 16 channels that come last:
//!     each cell by the windows that read it (`gather`), unless strides leave large gaps
//! else if at most 16 windows read a cell, and `lines::is_faster`:
//!     many cells at a time, by the windows that read them (`lines`)
//! else:
//!     each value to the cell that its tap names (`scatter`)
//! ```

mod gather;
mod lines;
mod rule;
mod run;
mod scatter;
mod tiles;

use bytemuck::cast_slice;

use crate::cell::Cell;
use crate::cpu::simd::LANES;
use crate::cpu::tap::TapWord;
use crate::cpu::tiles::Tiles;
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
        if size_of::<U>() == 1 && lines::is_faster(geometry) {
            return lines::unpool::<T, R>(geometry, values, cast_slice(taps), output);
        }
    }
    scatter::unpool::<T, U, R>(geometry, values, taps, output)
}
