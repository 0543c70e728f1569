//! Rows of windows, in each of which one cell is searched for.

mod narrow;

use std::ops::Range;

use fearless_simd::Level;

use super::phases::Phases;
use super::search::Search;
use super::slabs::Size;
use super::{
    LANES, Place, Rows, Tiles, by_lanes, elements, level, of_whole_loads, places, row_after,
    start_of_windows, vectorized,
};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Rows of a window that are rearranged at a time, if rows are at all.
const ROWS: usize = 8;

/// Rows of windows, and which elements of a pooled row belong to which of a row of cells.
pub(super) struct Windows<'a> {
    level: Level,
    rows: Rows<'a>,
    runs: Vec<Run>,
    /// For each tap of a window, how far its cell lies, in elements, from where `Under::start`,
    /// `Run::ahead` and the number of the pooled element lead.
    held: Vec<i64>,
    /// Pooled elements that are adjacent, as their cells are at each tap, and how much further the
    /// cells of the next ones lie.
    block: usize,
    skip: usize,
}

/// Windows of a row that have the same taps inside.
struct Run {
    pooled: Range<usize>,
    taps: Range<u32>,
    /// How much further their cells lie, in elements.
    ahead: usize,
}

/// Rows of cells under a row of windows.
struct Under<'a, T> {
    cells: &'a [T],
    /// Where the windows' first row starts in `cells`, or would.
    start: i64,
    /// The numbers of the rows that are compared, in the windows.
    rows: Range<usize>,
    /// Whether nothing is found yet.
    first: bool,
}

/// Taps whose cells are searched together.
#[derive(Clone, Copy)]
struct Looks<'a> {
    first_tap: u32,
    /// How far the cell of each lies.
    held: &'a [i64],
    /// Whether nothing is found yet.
    first: bool,
}

impl<'a> Windows<'a> {
    /// The pooled rows, for [`each_slab`](super::slabs::each_slab).
    pub(super) fn size(geometry: &Geometry) -> Size {
        let (columns, looks) = (geometry.axes[2].pooled, geometry.window_cells());
        Size { columns, inner: geometry.inner, looks }
    }

    /// For a slab of pooled rows.
    pub(super) fn new(geometry: &'a Geometry, windows: Range<u32>) -> Self {
        let rows = Rows::of_windows(geometry, windows);
        let y = &rows.geometry.axes[1];
        let (x, inner) = (&rows.x, rows.geometry.inner as usize);
        let step = if rows.adjacent { i64::from(x.stride) } else { 1 };
        let row = |row: u32| {
            if rows.phases.are_several() {
                return (row as usize % ROWS * rows.phases.elements()) as i64;
            }
            row_after(rows.geometry, row / y.kernel, row % y.kernel)
        };
        let column = |tx: u32| {
            let cell = i64::from(tx * x.dilation) - i64::from(x.before);
            let start = cell.rem_euclid(step) * rows.phases.len() as i64;
            (start + cell.div_euclid(step)) * inner as i64
        };
        let held = (0..rows.geometry.window_cells() as u32)
            .map(|tap| row(tap / x.kernel) + column(tap % x.kernel))
            .collect();
        let (block, skip) = if rows.adjacent {
            (rows.pooled.len(), 0)
        } else {
            (inner, (x.stride as usize - 1) * inner)
        };
        let whole = x.whole_windows();
        let mut runs = Vec::with_capacity(x.pooled as usize - whole.len().saturating_sub(1));
        let mut q = 0;
        while q < x.pooled {
            let windows = if whole.contains(&q) { whole.clone() } else { q..q + 1 };
            q = windows.end;
            runs.push(Run {
                taps: x.taps_inside(windows.start),
                ahead: windows.start as usize * skip,
                pooled: elements(windows, inner),
            });
        }
        Self { level: level(), rows, runs, held, block, skip }
    }

    /// The slab's elements in the pooled rows from number `first` on, which are so many elements.
    pub(super) fn pooled(&self, first: usize, len: usize) -> Range<usize> {
        let start = first * self.rows.geometry.pooled_row() + self.rows.pooled.start;
        start..start + len
    }

    /// The slab's pooled rows from number `first` on: the place, values and taps of each.
    #[inline(always)]
    fn pooled_rows<'b, T: Cell, U: TapWord>(
        &self,
        first: usize,
        values: &'b mut [T],
        taps: &'b mut [U],
    ) -> impl Iterator<Item = (Place, (&'b mut [T], &'b mut [U]))> {
        let (len, size) = (self.rows.pooled.len(), self.rows.geometry.axes.map(|axis| axis.pooled));
        let slices = values.chunks_exact_mut(len).zip(taps.chunks_exact_mut(len));
        places(size, first).zip(slices)
    }

    /// Searches the windows of the slab's rows from number `first` on: `values` and `taps` become
    /// those of the cells that are found.
    pub(super) fn search<T: Cell, U: TapWord, S: Search<T, U>>(
        &self,
        cells: &[T],
        first: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        if self.rows.tiles == Some(Tiles::Narrow) {
            return self.search_narrow::<T, U, S>(cells, first, values, taps);
        }
        vectorized(
            if S::TAKES_FEW { of_whole_loads::<T>(self.level) } else { self.level },
            #[inline(always)]
            || self.search_rows::<T, U, S>(cells, first, values, taps),
        );
    }

    #[inline(always)]
    fn search_rows<T: Cell, U: TapWord, S: Search<T, U>>(
        &self,
        input: &[T],
        first: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let axes = &self.rows.geometry.axes;
        let rows = (axes[0].kernel as usize * axes[1].kernel as usize).min(ROWS);
        let mut scratch = vec![T::default(); self.rows.phases.scratch() * rows];
        for (place, (values, taps)) in self.pooled_rows(first, values, taps) {
            self.search_row::<T, U, S>(input, place, &mut scratch, values, taps);
        }
    }

    #[inline(always)]
    fn search_row<T: Cell, U: TapWord, S: Search<T, U>>(
        &self,
        input: &[T],
        place: Place,
        scratch: &mut [T],
        values: &mut [T],
        taps: &mut [U],
    ) {
        let ([z, y, _], phases) = (&self.rows.geometry.axes, &self.rows.phases);
        let (outer, qz, qy) = place;
        let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
        let start = start_of_windows(self.rows.geometry, place) + self.rows.cells.start as i64;
        let split = phases.are_several();
        let most = if split { ROWS } else { usize::MAX };
        // Planes at a time: all, if no row between two lies outside.
        let planes = if in_y.len() as u32 == y.kernel && !split { in_z.len() as u32 } else { 1 };
        let mut first = true;
        for tz in in_z.step_by(planes as usize) {
            let end = (tz + planes - 1) * y.kernel + in_y.end;
            let mut left = (tz * y.kernel + in_y.start) as usize..end as usize;
            while !left.is_empty() {
                let rows = left.start..left.start + left.len().min(most);
                left.start = rows.end;
                let (cells, start) = if split {
                    for row in rows.clone() {
                        let cy = y.cell(qy, row as u32 - tz * y.kernel);
                        let cells = self.rows.input_row((outer, z.cell(qz, tz), cy));
                        let at = row % ROWS * phases.elements();
                        let to = &mut scratch[at..at + phases.elements()];
                        split_row(self.level, phases, &input[cells], to);
                    }
                    (&*scratch, 0)
                } else {
                    (input, start)
                };
                let under = Under { cells, start, rows, first };
                for run in &self.runs {
                    self.search_run::<T, U, S>(&under, run, values, taps);
                }
                first = false;
            }
        }
    }

    /// Searches the windows of a run in some rows of cells.
    #[inline(always)]
    fn search_run<T: Cell, U: TapWord, S: Search<T, U>>(
        &self,
        under: &Under<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let kernel = self.rows.x.kernel as usize;
        let (in_x, rows) = (run.taps.start as usize..run.taps.end as usize, &under.rows);
        // Rows at a time, of which what is found stays in registers: all, if no tap between two lies
        // outside.
        let at_a_time = if in_x.len() == kernel { rows.len() } else { 1 };
        let mut row = rows.start;
        while row < rows.end {
            let first = under.first && row == rows.start;
            let last = row + at_a_time - 1;
            let first_tap = row * kernel + in_x.start;
            let held = &self.held[first_tap..last * kernel + in_x.end];
            let looks = Looks { first_tap: first_tap as u32, held, first };
            let mut ahead = under.start + run.ahead as i64;
            let mut start = run.pooled.start;
            while start < run.pooled.end {
                let end = (start + self.block).min(run.pooled.end);
                if end - start < LANES {
                    for at in start..end {
                        let cells = (under.cells, at as i64 + ahead);
                        search_lanes::<T, U, S, 1>(cells, looks, at, values, taps);
                    }
                } else {
                    for at in by_lanes(start..end) {
                        let cells = (under.cells, at as i64 + ahead);
                        search_lanes::<T, U, S, LANES>(cells, looks, at, values, taps);
                    }
                }
                (start, ahead) = (end, ahead + self.skip as i64);
            }
            row = last + 1;
        }
    }
}

/// Takes a row apart. Never inlined: as a part of its caller it would be compiled for that one's level.
#[inline(never)]
fn split_row<T: Cell>(level: Level, phases: &Phases, row: &[T], to: &mut [T]) {
    vectorized(
        of_whole_loads::<T>(level),
        #[inline(always)]
        || phases.split(row, to),
    );
}

/// Searches the windows of `L` adjacent values from `at` on, whose cells lie so far from `start`.
#[inline(always)]
fn search_lanes<T: Cell, U: TapWord, S: Search<T, U>, const L: usize>(
    (cells, start): (&[T], i64),
    Looks { first_tap, held, first }: Looks<'_>,
    at: usize,
    values: &mut [T],
    taps: &mut [U],
) {
    let (values, taps) = (&mut values[at..at + L], &mut taps[at..at + L]);
    let (mut best, mut found) = ([T::LOWEST; L], [U::new(first_tap); L]);
    found.copy_from_slice(taps);
    if first {
        for i in 0..L {
            (best[i], found[i]) = S::start(found[i], U::new(first_tap));
        }
    } else {
        best.copy_from_slice(values);
    }
    for (tap, &far) in (first_tap..).zip(held) {
        let from = (start + far) as usize;
        let (cells, tap) = (&cells[from..from + L], U::new(tap));
        for i in 0..L {
            let takes = S::takes(cells[i], tap, best[i], found[i]);
            best[i] = cells[i].over(best[i], takes);
            found[i] = if takes { tap } else { found[i] };
        }
    }
    values.copy_from_slice(&best);
    taps.copy_from_slice(&found);
}
