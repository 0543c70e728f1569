//! Max pooling: the greatest cell of each window.
//!
//! ```text
//! for each pooled row:
//!     for each window of the row:
//!         values[window], taps[window] = the greatest of its cells in the input, and its tap
//! ```
//!
//! 1. Rows are divided between threads: see `threads`.
//! 2. The windows of a row are searched in vectors: see `windows`, whose loop also serves the gradient of
//!    unpooling.

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
