//! Windows that are tiles of two to four cells of one element in a row: their cells are compared as
//! they lie, two rows at a time.

use super::{Run, Under, Windows};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::rows::search::Search;
use crate::rows::{Place, blocks, start_of_windows, vectorized};

/// Tiles of small cells that are searched together: a vector of them.
const BLOCK: usize = 32;

impl Windows<'_> {
    /// [`Self::search`]. A function of its own: what the compiler makes of loops depends on what
    /// stands beside them.
    pub(super) fn search_narrow<T: Cell, U: TapWord, S: Search<T, U>>(
        &self,
        cells: &[T],
        first: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        vectorized(
            self.level,
            #[inline(always)]
            || match self.rows.x.stride {
                2 => self.search_tiles::<T, U, S, 2>(cells, first, values, taps),
                3 => self.search_tiles::<T, U, S, 3>(cells, first, values, taps),
                _ => self.search_tiles::<T, U, S, 4>(cells, first, values, taps),
            },
        );
    }

    /// Searches tiles of `N` cells.
    #[inline(always)]
    fn search_tiles<T: Cell, U: TapWord, S: Search<T, U>, const N: usize>(
        &self,
        input: &[T],
        first: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        for (place, (values, taps)) in self.pooled_rows(first, values, taps) {
            self.search_row_of_tiles::<T, U, S, N>(input, place, values, taps);
        }
    }

    #[inline(always)]
    fn search_row_of_tiles<T: Cell, U: TapWord, S: Search<T, U>, const N: usize>(
        &self,
        input: &[T],
        place: Place,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let ([z, y, _], (_, qz, qy)) = (&self.rows.geometry.axes, place);
        let start = start_of_windows(self.rows.geometry, place) + self.rows.cells.start as i64;
        let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
        let mut first = true;
        for tz in in_z {
            let row = |ty: u32| (tz * y.kernel + ty) as usize;
            for ty in in_y.clone().step_by(2) {
                let rows = row(ty)..row((ty + 2).min(in_y.end));
                let under = Under { cells: input, start, rows, first };
                for run in &self.runs {
                    // A window that is cut is a run of its own.
                    if run.pooled.len() == 1 {
                        self.search_run::<T, U, S>(&under, run, values, taps);
                    } else {
                        self.search_run_of_tiles::<T, U, S, N>(&under, run, values, taps);
                    }
                }
                first = false;
            }
        }
    }

    /// Searches the tiles of a run in one or two rows of cells.
    #[inline(always)]
    fn search_run_of_tiles<T: Cell, U: TapWord, S: Search<T, U>, const N: usize>(
        &self,
        under: &Under<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let (values, taps) = (&mut values[run.pooled.clone()], &mut taps[run.pooled.clone()]);
        let cells = |row: usize| {
            let ahead = (run.pooled.start + run.ahead) as i64;
            let from = under.start + self.held[row * N] + ahead;
            under.cells[from as usize..].as_chunks::<N>().0
        };
        let (row, last) = (under.rows.start, under.rows.end - 1);
        let first_tap = (row * N) as u32;
        if row < last {
            let rows = [cells(row), cells(last)];
            search_rows::<T, U, S, 2, N>(rows, under.first, first_tap, values, taps);
        } else {
            search_rows::<T, U, S, 1, N>([cells(row)], under.first, first_tap, values, taps);
        }
    }
}

/// Searches adjacent tiles in `R` rows; unless they are the `first` ones, after others.
#[inline(always)]
fn search_rows<T: Cell, U: TapWord, S: Search<T, U>, const R: usize, const N: usize>(
    rows: [&[[T; N]]; R],
    first: bool,
    first_tap: u32,
    values: &mut [T],
    taps: &mut [U],
) {
    // Each is compiled for its own.
    if first {
        search_blocks::<T, U, S, R, N>(rows, true, first_tap, values, taps);
    } else {
        search_blocks::<T, U, S, R, N>(rows, false, first_tap, values, taps);
    }
}

/// [`search_rows`] by blocks.
#[inline(always)]
fn search_blocks<T: Cell, U: TapWord, S: Search<T, U>, const R: usize, const N: usize>(
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
    // What is left of a row after whole vectors of small cells would take as long as they do. Tiles
    // that are searched twice find the same.
    for at in blocks::<BLOCK>(0..len) {
        let block = at..at + BLOCK;
        let (values, taps) = (&mut values[block.clone()], &mut taps[block.clone()]);
        let rows = rows.map(|row| &row[block.clone()]);
        search_block::<T, U, S, R, N>(rows, first, first_tap, values, taps);
    }
}

/// [`search_rows`], of one block.
#[inline(always)]
fn search_block<T: Cell, U: TapWord, S: Search<T, U>, const R: usize, const N: usize>(
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
        let mut seen = S::seen(first, values[i], taps[i]);
        for ty in 0..R {
            for tx in 0..N {
                seen = S::see(seen, rows[ty][i][tx], (ty * N + tx) as u8, tap[ty][tx]);
            }
        }
        (values[i], taps[i]) = S::found(seen, taps[i], first_tap);
    }
}
