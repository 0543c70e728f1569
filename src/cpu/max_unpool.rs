//! Unpooling.

mod gather;
mod readers;
mod rule;
mod scatter;
mod tiles;

use crate::cell::Cell;
use crate::cpu::tap::TapWord;
use crate::cpu::windows::tiles::Tiles;
use crate::geometry::Geometry;

/// How the cells of an output are found, whichever is fastest.
enum Way {
    /// By the one window that each cell is in.
    Tiles(Tiles),
    /// By the windows that read each cell.
    Gather,
    /// By the values.
    Scatter,
}

impl Way {
    fn of(geometry: &Geometry) -> Self {
        match Tiles::of(geometry).filter(|_| !geometry.windows_overlap()) {
            Some(tiles) => Self::Tiles(tiles),
            None if gather::is_faster(geometry) => Self::Gather,
            None => Self::Scatter,
        }
    }
}

/// Unpools with [`Overlap::Last`](crate::Overlap::Last).
pub(super) fn unpool_last<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) {
    match Way::of(geometry) {
        Way::Tiles(tiles) => {
            tiles::unpool::<T, U, rule::Last>(geometry, tiles, values, taps, output)
        }
        Way::Gather => {
            gather::unpool::<T, U, rule::Last>(geometry, values, taps, output);
        }
        Way::Scatter => scatter::unpool_last(geometry, values, taps, output),
    }
}

/// Unpools with [`Overlap::Sum`](crate::Overlap::Sum). Returns the first element whose sum does not fit, if
/// there is one.
pub(super) fn unpool_sum<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    match Way::of(geometry) {
        Way::Tiles(tiles) => {
            tiles::unpool::<T, U, rule::Sum>(geometry, tiles, values, taps, output);
            None
        }
        Way::Gather => gather::unpool::<T, U, rule::Sum>(geometry, values, taps, output),
        Way::Scatter => scatter::unpool_sum(geometry, values, taps, output),
    }
}
