//! Unpooling, in one of three ways.
//!
//! ```text
//! if windows do not overlap and are tiles, see `Tiles::of`:
//!     each cell by the window that it is in (`tiles`)
//! else if at most 16 windows read a cell, and it has at least 16 channels that come last:
//!     each cell by the windows that read it (`gather`), unless strides leave large gaps
//! else, unless windows reach so far past the input that the definition is left to do it:
//!     each value to the cell that its tap names (`scatter`)
//! ```

mod gather;
mod rule;
mod run;
mod scatter;
mod tiles;

use crate::cell::Cell;
use crate::cpu::simd::LANES;
use crate::cpu::tap::TapWord;
use crate::cpu::tiles::Tiles;
use crate::geometry::Geometry;

use rule::Rule;
pub(super) use rule::{Last, Sum};

/// Windows that read a cell up to which gathering is faster than scattering.
const WINDOWS: usize = 16;

/// Unpools every row of the output, whichever way is fastest. Returns `false` if a sum does not fit, or nothing was
/// unpooled.
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
    let x = &geometry.axes[2];
    let lies_in_vectors = geometry.inner as usize >= LANES;
    let has_small_gaps = x.stride <= 2 * x.extent();
    if lies_in_vectors && has_small_gaps && gather::windows_per_cell(geometry) <= WINDOWS {
        return gather::unpool::<T, U, R>(geometry, values, taps, output);
    }
    scatter::unpool::<T, U, R>(geometry, values, taps, output)
}
