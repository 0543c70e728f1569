//! Max pooling: the search of the greatest cell in each window.

use super::search::Greatest;
use super::tap::Tap;
use super::threads::each_chunk;
use super::windows::{Windows, chunks};
use crate::cell::Cell;
use crate::geometry::Geometry;

/// Pools every row, with taps or, if these are `()`, without.
pub(super) fn max_pool<T: Cell, U: Tap>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let start = || None;
    each_chunk((values, taps), &chunks(geometry), start, |windows, chunk, (values, taps)| {
        let windows = Windows::of_chunk(windows, geometry, &chunk);
        windows.search::<T, U, Greatest>(input, chunk.row, values, taps);
    });
}
