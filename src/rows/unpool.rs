//! Unpooling.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::phases::Phases;
use super::rule::{Alone, Last, Rule, Sums};
use super::slabs::{Size, each_slab};
use super::tiled::{Tiled, unpool_alone};
use super::{LANES, Place, Rows, by_lanes, elements, level, places, tiles, vectorized};
use crate::argmax::{Overlap, TapWord};
use crate::element::Cell;
use crate::geometry::Around;
use crate::geometry::Geometry;

/// Unpooling: every row of the output; the first element whose sum does not fit, if there is one.
pub(crate) fn unpool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    overlap: Overlap,
    output: &mut [T],
) -> Option<usize> {
    match (overlap, geometry.windows_overlap()) {
        (Overlap::Sum, true) => unpool_by::<T, U, Sums>(geometry, values, taps, output),
        (Overlap::Last, true) => unpool_by::<T, U, Last>(geometry, values, taps, output),
        (Overlap::Sum, false) => unpool_apart::<T, U, Alone>(geometry, values, taps, output),
        (Overlap::Last, false) => unpool_apart::<T, U, Last>(geometry, values, taps, output),
    }
}

/// [`unpool`], where no windows overlap.
fn unpool_apart<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    if tiles(geometry).is_none() {
        return unpool_by::<T, U, R>(geometry, values, taps, output);
    }
    let prepare = |columns| Tiled::new(geometry, columns);
    each_slab(output, rows(geometry), prepare, |tiled, first, output| {
        tiled.unpool::<T, U, R>(values, taps, first, output);
    });
    None
}

/// The rows of cells, for [`each_slab`].
fn rows(geometry: &Geometry) -> Size {
    let windows = geometry.axes.map(|axis| axis.windows_per_cell().min(axis.pooled) as usize);
    let looks = windows.into_iter().product();
    Size { columns: geometry.axes[2].input, inner: geometry.inner, looks }
}

/// [`unpool`] by one rule, of any windows.
fn unpool_by<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    let (level, size) = (level(), geometry.axes.map(|axis| axis.input));
    let overflow = AtomicUsize::new(usize::MAX);
    let prepare = |columns| Cells::new(Rows::of_cells(geometry, columns));
    each_slab(output, rows(geometry), prepare, |cells, first, output| {
        let phases = &cells.rows.phases;
        let mut scratch = vec![T::default(); phases.scratch()];
        let [z, y, _] = &geometry.axes;
        let mut around = [Around::new(z), Around::new(y)];
        let mut over = Over { values, taps, rows: Vec::new() };
        vectorized(
            level,
            #[inline(always)]
            || {
                let slices = output.chunks_exact_mut(cells.rows.cells.len());
                for (place, output) in places(size, first).zip(slices) {
                    cells.find_rows(place, &mut around, &mut over.rows);
                    let several = phases.are_several();
                    let row = if several { &mut scratch[..] } else { &mut output[..] };
                    if let Some(at) = cells.unpool_row::<T, U, R>(&over, row) {
                        let element = cells.rows.input_row(place).start + at;
                        overflow.fetch_min(element, Ordering::Relaxed);
                    }
                    if several {
                        phases.join(&scratch, output);
                    }
                }
            },
        );
    });
    Some(overflow.into_inner()).filter(|&element| element != usize::MAX)
}

/// Rows of cells, and which windows hold which of them.
struct Cells<'a> {
    rows: Rows<'a>,
    runs: Vec<Run>,
}

/// Cells that are adjacent in a row by phases, and so are the pooled elements of their windows.
struct Run {
    cells: Range<usize>,
    /// The column of the first cell, and the windows around it.
    column: u32,
    windows: Range<u32>,
    /// Where one window alone lies over them: its tap, and the first pooled element.
    alone: Option<(u32, usize)>,
}

/// The rows of windows over a row of cells, in order: their first taps there, and where they start.
struct Over<'a, T, U> {
    values: &'a [T],
    taps: &'a [U],
    rows: Vec<(u32, usize)>,
}

impl<'a> Cells<'a> {
    fn new(rows: Rows<'a>) -> Self {
        let (x, inner) = (&rows.x, rows.geometry.inner as usize);
        let alike = if rows.adjacent { x.cells_held_alike() } else { 0..0 };
        let step = rows.phases.count() as u32;
        let mut runs = Vec::new();
        for phase in 0..step {
            let mut column = phase;
            while column < x.input {
                let columns =
                    if alike.contains(&column) { (alike.end - column).div_ceil(step) } else { 1 };
                let first = phase * rows.phases.len() as u32 + column / step;
                let (cells, windows) =
                    (elements(first..first + columns, inner), x.windows_around(column));
                let alone = (windows.len() == 1)
                    .then(|| x.tap_of(column, windows.start))
                    .flatten()
                    .map(|tx| (tx, windows.start as usize * inner));
                runs.push(Run { cells, column, windows, alone });
                column += columns * step;
            }
        }
        Self { rows, runs }
    }

    /// Finds the rows of windows over a row of cells.
    #[inline(always)]
    fn find_rows(
        &self,
        (outer, cz, cy): Place,
        [around_z, around_y]: &mut [Around<'_>; 2],
        over: &mut Vec<(u32, usize)>,
    ) {
        let [z, y, _] = &self.rows.geometry.axes;
        over.clear();
        let (around_z, around_y) = (around_z.at(cz), around_y.at(cy));
        for qz in around_z {
            let Some(tz) = z.tap_of(cz, qz) else { continue };
            for qy in around_y.clone() {
                let Some(ty) = y.tap_of(cy, qy) else { continue };
                let start = self.rows.pooled_row((outer, qz, qy)).start;
                over.push((self.rows.first_tap(tz, ty), start));
            }
        }
    }

    /// Unpools a row of cells, by phases; the first of its elements whose sum does not fit.
    #[inline(always)]
    fn unpool_row<T: Cell, U: TapWord, R: Rule<T>>(
        &self,
        over: &Over<'_, T, U>,
        cells: &mut [T],
    ) -> Option<usize> {
        let mut too_large = None;
        for run in &self.runs {
            let Range { start, end } = run.cells;
            if end - start < LANES {
                for at in start..end {
                    self.unpool_lanes::<T, U, R, 1>(over, run, at, cells, &mut too_large);
                }
            } else if let (&[(first_tap, row)], Some((tx, start))) = (&over.rows[..], run.alone) {
                let cells = &mut cells[run.cells.clone()];
                let row = row + start..row + start + cells.len();
                let (values, taps) = (&over.values[row.clone()], &over.taps[row]);
                unpool_alone::<T, U, R>(cells, values, taps, U::new(first_tap + tx));
            } else {
                for at in by_lanes(start..end) {
                    self.unpool_lanes::<T, U, R, LANES>(over, run, at, cells, &mut too_large);
                }
            }
        }
        too_large
    }

    /// Unpools `L` adjacent cells of a run, from `at` on.
    #[inline(always)]
    fn unpool_lanes<T: Cell, U: TapWord, R: Rule<T>, const L: usize>(
        &self,
        over: &Over<'_, T, U>,
        run: &Run,
        at: usize,
        cells: &mut [T],
        too_large: &mut Option<usize>,
    ) {
        let (x, inner) = (&self.rows.x, self.rows.geometry.inner as usize);
        let mut known = [R::Known::default(); L];
        for &(first_tap, start) in &over.rows {
            let start = start + at - run.cells.start;
            for q in run.windows.clone() {
                let Some(tx) = x.tap_of(run.column, q) else { continue };
                let from = start + q as usize * inner;
                let (values, taps) = (&over.values[from..from + L], &over.taps[from..from + L]);
                let tap = U::new(first_tap + tx);
                for i in 0..L {
                    known[i] = R::know(known[i], taps[i] == tap, values[i]);
                }
            }
        }
        let cells = &mut cells[at..at + L];
        let mut fit = true;
        for i in 0..L {
            let cell = R::cell(known[i]);
            fit &= cell.is_some();
            cells[i] = cell.unwrap_or_default();
        }
        if !fit {
            let first = first_too_large::<T, R, L>(known, at, &self.rows.phases);
            *too_large = too_large.iter().copied().chain(first).min();
        }
    }
}

/// The first element whose sum does not fit, of `L` from `at` on. They come by value: were they
/// borrowed, they would be in memory and not in registers before.
#[cold]
#[inline(never)]
fn first_too_large<T: Cell, R: Rule<T>, const L: usize>(
    known: [R::Known; L],
    at: usize,
    phases: &Phases,
) -> Option<usize> {
    let too_large = (0..L).filter(|&i| R::cell(known[i]).is_none());
    too_large.map(|i| phases.element(at + i)).min()
}
