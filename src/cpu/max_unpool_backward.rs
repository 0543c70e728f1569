//! The gradient of unpooling: for each pooled value, the cell that its tap names.
//!
//! ```text
//! for each pooled value:
//!     grad_input = grad_output[cell of the tap], or 0 where the tap names no cell
//! ```
//!
//! 1. In small windows the cell is found by the vectors of the search that pools, unless rows had to be rearranged
//!    for it: 1.4 to 5 times as fast for 2×2 windows, and 1.2 to 2 times for 3×3 ones with
//!    channels last (Xeon).

use super::row::Row;
use super::search::Named;
use super::simd::LANES;
use super::tap::TapWord;
use super::tap_table::TapTable;
use super::threads::{Chunks, each_chunk};
use super::tiles::Tiles;
use super::windows::{Windows, chunks};
use crate::cell::Cell;
use crate::geometry::Geometry;

/// Cells of a window up to which all of them are read, in vectors. With sixteen that gains little, with 25
/// it loses.
const CELLS: usize = 9;

/// Gathers every pooled row from the cells that its taps name.
pub(super) fn max_unpool_backward<T: Cell, U: TapWord>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &[U],
    grad_input: &mut [T],
) {
    let x = &geometry.axes[2];
    let lies_in_vectors = geometry.inner as usize >= LANES || Tiles::of(geometry).is_some();
    if !lies_in_vectors || geometry.window_cells() > CELLS || x.stride > 2 * x.extent() {
        return gather(geometry, grad_output, taps, grad_input);
    }
    let start = || (None, Vec::new());
    each_chunk(grad_input, &chunks(geometry), start, |(windows, named), chunk, grad_input| {
        let windows = Windows::of_chunk(windows, geometry, &chunk);
        named.clear();
        named.extend_from_slice(&taps[chunk.first..chunk.first + grad_input.len()]);
        windows.search::<T, U, Named>(grad_output, chunk.row, grad_input, named);
    });
}

/// [`max_unpool_backward`], each value from its cell.
fn gather<T: Cell, U: TapWord>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &[U],
    grad_input: &mut [T],
) {
    let (x, inner) = (&geometry.axes[2], geometry.inner as usize);
    let (table, pooled) = (TapTable::new(geometry), geometry.axes.map(|axis| axis.windows));
    // Reading a cell anywhere takes as long as reading a few that are adjacent.
    let chunks = Chunks::new(x.windows, geometry.inner, 4);
    each_chunk(grad_input, &chunks, Default::default, |(), chunk, grad_input| {
        let row = chunk.columns.len() * inner;
        let taps = taps[chunk.first..chunk.first + grad_input.len()].chunks_exact(row);
        let rows = Row::new(pooled, chunk.row).and_next(pooled);
        for (at, (values, taps)) in rows.zip(grad_input.chunks_exact_mut(row).zip(taps)) {
            table.each_cell(
                at,
                chunk.columns.clone(),
                taps,
                values.iter_mut(),
                #[inline(always)]
                |cell, to| *to = cell.map_or(T::default(), |cell| grad_output[cell]),
            );
        }
    });
}
