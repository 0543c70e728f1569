//! The search in tiles of single elements: windows of two to four cells of one element in a row, each adjacent
//! to the next.
//!
//! ```text
//! for each pooled row, for two rows of cells at a time:
//!     for each tile of the row:
//!         for each cell of the tile in the two rows, in order:
//!             if the cell takes over from best:
//!                 best = (cell, tap)
//! ```
//!
//! 1. The cells of a tile are compared as they lie: `nchw` `max_pool` 1.3 ms → 0.93 (Xeon, two threads).
//! 2. Two rows at a time: `nchw_2x2_f16` `max_pool` 1.1 → 0.70 (Xeon).
//! 3. Cells of one and two bytes in blocks of 32 tiles, the last of which overlap: `nchw_2x2_f16` `max_pool`
//!    of one image 52 µs → 37 (Xeon).

use super::{CellRows, Run, Windows};
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::search::Search;
use crate::cpu::simd::by;
use crate::cpu::tap::Tap;

/// Tiles of cells of one or two bytes that one call searches.
const BLOCK: usize = 32;

impl Windows<'_> {
    /// [`Self::search`] of tiles of single elements. A function of its own: loops in one function are compiled to slower
    /// code (38 µs → 32 for `nchw` `max_pool` of one image on a Xeon).
    pub(super) fn search_tiles<'b, T: Cell, U: Tap + 'b, S: Search<T, U>>(
        &self,
        input: &[T],
        rows: impl Iterator<Item = (Row, (&'b mut [T], &'b mut [U]))>,
    ) {
        U::vectorized(
            self.level,
            #[inline(always)]
            || match self.x.stride {
                2 => self.search_rows_of_tiles::<T, U, S, 2>(input, rows),
                3 => self.search_rows_of_tiles::<T, U, S, 3>(input, rows),
                _ => self.search_rows_of_tiles::<T, U, S, 4>(input, rows),
            },
        );
    }

    /// Searches tiles of `N` cells.
    #[inline(always)]
    fn search_rows_of_tiles<'b, T: Cell, U: Tap + 'b, S: Search<T, U>, const N: usize>(
        &self,
        input: &[T],
        rows: impl Iterator<Item = (Row, (&'b mut [T], &'b mut [U]))>,
    ) {
        let [z, y, _] = &self.geometry.axes;
        for (row, (values, taps)) in rows {
            let start = row.windows_start(self.geometry) + self.cells.start as i64;
            let (in_z, in_y) = (z.taps_inside(row.z), y.taps_inside(row.y));
            let mut first = true;
            for tz in in_z {
                let number = |ty: u32| (tz * y.kernel + ty) as usize;
                for ty in in_y.clone().step_by(2) {
                    let rows = number(ty)..number((ty + 2).min(in_y.end));
                    let under = CellRows { cells: input, start, rows, first };
                    for run in &self.runs {
                        // A window that is cut is a run of its own.
                        if run.pooled.len() == 1 {
                            self.search_run::<T, U, S, false>(&under, run, values, taps);
                        } else {
                            self.search_run_of_tiles::<T, U, S, N>(&under, run, values, taps);
                        }
                    }
                    first = false;
                }
            }
        }
    }

    /// Searches the tiles of a run in one or two rows of cells.
    #[inline(always)]
    fn search_run_of_tiles<T: Cell, U: Tap, S: Search<T, U>, const N: usize>(
        &self,
        under: &CellRows<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let (values, taps) = (&mut values[run.pooled.clone()], &mut taps[run.pooled.clone()]);
        let cells = |row: usize| {
            let ahead = (run.pooled.start + run.ahead) as i64;
            let from = under.start + self.offsets[row * N] + ahead;
            under.cells[from as usize..].as_chunks::<N>().0
        };
        let (row, last) = (under.rows.start, under.rows.end - 1);
        let first_tap = (row * N) as u32;
        // Each is compiled for its own.
        match (row < last, under.first) {
            (true, true) => {
                search::<T, U, S, 2, N>([cells(row), cells(last)], true, first_tap, values, taps)
            }
            (true, false) => {
                search::<T, U, S, 2, N>([cells(row), cells(last)], false, first_tap, values, taps)
            }
            (false, true) => search::<T, U, S, 1, N>([cells(row)], true, first_tap, values, taps),
            (false, false) => search::<T, U, S, 1, N>([cells(row)], false, first_tap, values, taps),
        }
    }
}

/// Searches adjacent tiles in `R` rows; unless they are the `first` ones, after others.
#[inline(always)]
fn search<T: Cell, U: Tap, S: Search<T, U>, const R: usize, const N: usize>(
    rows: [&[[T; N]]; R],
    first: bool,
    first_tap: u32,
    values: &mut [T],
    taps: &mut [U],
) {
    let len = values.len();
    if size_of::<T>() >= 4 || len < BLOCK {
        return search_block::<T, U, S, R, N>(rows, first, first_tap, values, taps);
    }
    // Tiles that are searched twice give the same.
    for at in by::<BLOCK>(0..len) {
        let block = at..at + BLOCK;
        let (values, taps) = (&mut values[block.clone()], &mut taps[block.clone()]);
        let rows = rows.map(|row| &row[block.clone()]);
        search_block::<T, U, S, R, N>(rows, first, first_tap, values, taps);
    }
}

/// [`search`] of one block.
#[inline(always)]
fn search_block<T: Cell, U: Tap, S: Search<T, U>, const R: usize, const N: usize>(
    rows: [&[[T; N]]; R],
    first: bool,
    first_tap: u32,
    values: &mut [T],
    taps: &mut [U],
) {
    const { assert!(R * N < u8::MAX as usize, "the number of no cell") };
    let tap: [[U; N]; R] = std::array::from_fn(|ty| {
        std::array::from_fn(|tx| U::new(first_tap + (ty * N + tx) as u32))
    });
    let len = values.len();
    let (taps, rows) = (&mut taps[..len], rows.map(|row| &row[..len]));
    for i in 0..len {
        let mut state = S::begin(first, values[i], taps[i]);
        for ty in 0..R {
            for tx in 0..N {
                state = S::next(state, rows[ty][i][tx], (ty * N + tx) as u8, tap[ty][tx]);
            }
        }
        (values[i], taps[i]) = S::end(state, taps[i], first_tap);
    }
}
