//! Max pooling.

use std::ops::Range;

use fearless_simd::Level;

use super::slabs::each_slab;
use super::{LANES, Place, Rows, by_lanes, elements, places, vectorized};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Rows of a window that are compared at a time: what is found so far stays in registers for these.
const ROWS: usize = 8;

/// Max pooling: every pooled row.
pub(crate) fn pool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let (level, pooled) = (Level::new(), geometry.axes.map(|axis| axis.pooled));
    let prepare = |columns| Windows::new(Rows::of_windows(geometry, columns));
    let slices = (values, taps);
    each_slab(slices, pooled[2], geometry.inner, prepare, |windows, first, (values, taps)| {
        // Two functions: what the compiler makes of loops depends on what stands beside them.
        if windows.rows.tiled {
            vectorized(
                level,
                #[inline(always)]
                || windows.pool::<T, U, true>(input, (pooled, first), values, taps),
            );
        } else {
            vectorized(
                level,
                #[inline(always)]
                || windows.pool::<T, U, false>(input, (pooled, first), values, taps),
            );
        }
    });
}

/// Rows of windows, and which elements of a pooled row belong to which of a row of cells.
struct Windows<'a> {
    rows: Rows<'a>,
    runs: Vec<Run>,
    /// For each tap on x, how far its cell lies after the pooled element, in elements.
    ahead: Vec<isize>,
}

/// Pooled elements of a row that are adjacent, and so are their cells at each tap.
struct Run {
    pooled: Range<usize>,
    /// The taps that lie inside.
    taps: Range<u32>,
    /// How much further their cells lie after them than `Windows::ahead` says.
    ahead: isize,
}

/// Rows of cells under a row of windows: the first tap of each, and where it starts.
struct Under<'a, T> {
    cells: &'a [T],
    rows: &'a [(u32, usize)],
    /// Whether they are the first of their windows, so that nothing is found yet.
    first: bool,
}

impl<'a> Windows<'a> {
    fn new(rows: Rows<'a>) -> Self {
        let (x, inner) = (&rows.x, rows.geometry.inner as usize);
        let step = if rows.adjacent { i64::from(x.stride) } else { 1 };
        let ahead = (0..x.kernel).map(|tap| {
            let cell = i64::from(tap * x.dilation) - i64::from(x.before);
            let start = cell.rem_euclid(step) * rows.phases.len() as i64;
            (start + cell.div_euclid(step)) as isize * inner as isize
        });
        let ahead = ahead.collect();
        // From one window to the next, cells are further apart than pooled elements by this.
        let skip = if rows.adjacent { 0 } else { (x.stride as usize - 1) * inner };
        let merged = if rows.adjacent || rows.tiled { x.whole_windows() } else { 0..0 };
        let mut runs = Vec::with_capacity(x.pooled as usize - merged.len().saturating_sub(1));
        let mut q = 0;
        while q < x.pooled {
            let windows = if merged.contains(&q) { merged.clone() } else { q..q + 1 };
            q = windows.end;
            runs.push(Run {
                taps: x.taps_inside(windows.start),
                ahead: (windows.start as usize * skip) as isize,
                pooled: elements(windows, inner),
            });
        }
        Self { rows, runs, ahead }
    }

    /// The cell, in a row of cells, that pooled element `at` of a run has at tap `tx`.
    #[inline(always)]
    fn cell_of(&self, run: &Run, at: usize, tx: u32) -> usize {
        (at as isize + run.ahead + self.ahead[tx as usize]) as usize
    }

    /// Rows of cells that are compared at a time.
    fn most_rows(&self) -> usize {
        let [z, y, _] = &self.rows.geometry.axes;
        (z.kernel as usize * y.kernel as usize).min(ROWS)
    }

    /// Pools the rows of a slab, which has those from number `first` on.
    #[inline(always)]
    fn pool<T: Cell, U: TapWord, const TILED: bool>(
        &self,
        input: &[T],
        (pooled, first): ([u32; 3], usize),
        values: &mut [T],
        taps: &mut [U],
    ) {
        let mut scratch = vec![T::default(); self.rows.phases.scratch() * self.most_rows()];
        let len = self.rows.pooled.len();
        let slices = values.chunks_exact_mut(len).zip(taps.chunks_exact_mut(len));
        for (place, (values, taps)) in places(pooled, first).zip(slices) {
            self.pool_row::<T, U, TILED>(input, place, &mut scratch, values, taps);
        }
    }

    #[inline(always)]
    fn pool_row<T: Cell, U: TapWord, const TILED: bool>(
        &self,
        input: &[T],
        (outer, qz, qy): Place,
        scratch: &mut [T],
        values: &mut [T],
        taps: &mut [U],
    ) {
        let [z, y, _] = &self.rows.geometry.axes;
        let mut rows = [(0, 0); ROWS];
        let (mut count, mut first) = (0, true);
        let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
        let mut left = in_z.len() * in_y.len();
        for tz in in_z {
            for ty in in_y.clone() {
                let row = self.rows.input_row((outer, z.cell(qz, tz), y.cell(qy, ty)));
                rows[count] = (self.rows.first_tap(tz, ty), row.start);
                if self.rows.phases.are_several() {
                    let at = count * self.rows.phases.elements();
                    self.rows
                        .phases
                        .split(&input[row], &mut scratch[at..at + self.rows.phases.elements()]);
                    rows[count].1 = at;
                }
                (count, left) = (count + 1, left - 1);
                if count == ROWS || left == 0 {
                    let cells = if self.rows.phases.are_several() { &*scratch } else { input };
                    let under = Under { cells, rows: &rows[..count], first };
                    for run in &self.runs {
                        if TILED {
                            self.pool_tiles(&under, run, values, taps);
                        } else {
                            self.pool_run(&under, run, values, taps);
                        }
                    }
                    (count, first) = (0, false);
                }
            }
        }
    }

    /// [`Self::pool_run`] of windows that are tiles, row by row.
    #[inline(always)]
    fn pool_tiles<T: Cell, U: TapWord>(
        &self,
        under: &Under<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        /// Tiles of `S` cells.
        #[inline(always)]
        fn tiles<T: Cell, U: TapWord, const S: usize>(
            cells: &[T],
            (first, first_tap): (bool, u32),
            values: &mut [T],
            taps: &mut [U],
        ) {
            let tap: [U; S] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
            let (tiles, _) = cells.as_chunks::<S>();
            for ((tile, value), found) in tiles.iter().zip(values).zip(taps) {
                let (mut best, mut at) = (*value, *found);
                for tx in 0..S {
                    let take = (first & (tx == 0)) | tile[tx].beats(best);
                    best = tile[tx].over(best, take);
                    at = if take { tap[tx] } else { at };
                }
                (*value, *found) = (best, at);
            }
        }
        let Range { start, end } = run.pooled;
        if end - start == 1 {
            return self.pool_lanes::<T, U, 1>(under, run, start, values, taps);
        }
        let (values, taps) = (&mut values[start..end], &mut taps[start..end]);
        for (i, &(first_tap, row)) in under.rows.iter().enumerate() {
            let cells = &under.cells[row + self.cell_of(run, start, 0)..];
            let row = (under.first && i == 0, first_tap);
            match self.rows.x.stride {
                2 => tiles::<T, U, 2>(cells, row, values, taps),
                3 => tiles::<T, U, 3>(cells, row, values, taps),
                _ => tiles::<T, U, 4>(cells, row, values, taps),
            }
        }
    }

    /// Compares the values of a run with the cells of their windows in some rows.
    #[inline(always)]
    fn pool_run<T: Cell, U: TapWord>(
        &self,
        under: &Under<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let Range { start, end } = run.pooled;
        if end - start < LANES {
            for at in start..end {
                self.pool_lanes::<T, U, 1>(under, run, at, values, taps);
            }
            return;
        }
        for at in by_lanes(start..end) {
            self.pool_lanes::<T, U, LANES>(under, run, at, values, taps);
        }
    }

    /// [`Self::pool_run`] for `L` adjacent values from `at` on.
    #[inline(always)]
    fn pool_lanes<T: Cell, U: TapWord, const L: usize>(
        &self,
        under: &Under<'_, T>,
        run: &Run,
        at: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let (values, taps) = (&mut values[at..at + L], &mut taps[at..at + L]);
        let mut best = [T::default(); L];
        let mut found = [U::new(0); L];
        let (first_tap, first_row) = under.rows[0];
        let first_tx = run.taps.start;
        if under.first {
            let from = first_row + self.cell_of(run, at, first_tx);
            best.copy_from_slice(&under.cells[from..from + L]);
            found = [U::new(first_tap + first_tx); L];
        } else {
            for i in 0..L {
                (best[i], found[i]) = (values[i], taps[i]);
            }
        }
        for &(first_tap, row) in under.rows {
            for tx in run.taps.clone() {
                let from = row + self.cell_of(run, at, tx);
                let cells = &under.cells[from..from + L];
                let tap = U::new(first_tap + tx);
                for i in 0..L {
                    let take = cells[i].beats(best[i]);
                    best[i] = cells[i].over(best[i], take);
                    found[i] = if take { tap } else { found[i] };
                }
            }
        }
        for i in 0..L {
            (values[i], taps[i]) = (best[i], found[i]);
        }
    }
}
