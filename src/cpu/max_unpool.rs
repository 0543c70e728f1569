//! Unpooling.
mod gather;
mod readers;
mod rule;
mod scatter;
mod tiles;

use crate::argmax::{Overlap, TapWord};
use crate::cpu::windows::tiles::Tiles;
use crate::element::Cell;
use crate::geometry::Geometry;

pub(super) fn unpool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    overlap: Overlap,
    output: &mut [T],
) -> Option<usize> {
    let tiles = Tiles::of(geometry).filter(|_| !geometry.windows_overlap());
    match (tiles, gather::is_faster(geometry), overlap) {
        (Some(tiles), _, Overlap::Last) => {
            tiles::unpool::<T, U, rule::Last>(geometry, tiles, values, taps, output);
            None
        }
        (Some(tiles), _, Overlap::Sum) => {
            tiles::unpool::<T, U, rule::Sum>(geometry, tiles, values, taps, output);
            None
        }
        (_, true, Overlap::Last) => {
            gather::unpool::<T, U, rule::Last>(geometry, values, taps, output)
        }
        (_, true, Overlap::Sum) => {
            gather::unpool::<T, U, rule::Sum>(geometry, values, taps, output)
        }
        _ => scatter::unpool(geometry, values, taps, overlap, output),
    }
}
