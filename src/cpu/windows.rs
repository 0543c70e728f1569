//! The search of a cell in each window: the loop of pooling, and of the gradient of unpooling.
//!
//! ```text
//! for each pooled row:
//!     for each window of the row:
//!         best = start
//!         for each tap of the window whose cell is in the input, in order:
//!             if the cell takes over from best:
//!                 best = (cell, tap)
//!         values[window], taps[window] = best
//! ```
//!
//! 1. Adjacent elements are searched as vectors: `nhwc` `max_pool` 2.9 ms → 0.8 (Xeon, two
//!    threads).
//! 2. The best cells stay in registers for all taps of a window, where its taps inside the input follow each other:
//!    `nhwc` `max_pool` 3.0 → 1.8 (EPYC with AVX2).
//! 3. One table has the offsets of the cells of all windows: `nhwc_3x3s2` `max_pool` 1.0 → 0.69 (Xeon).
//! 4. Where the cells at one tap of adjacent windows are not adjacent, because channels come first, rows are
//!    rearranged: `nchw` `max_pool` 6.4 → 1.3 (Xeon). See `interleave`.
//! 5. Rows of 8 to 15 windows are vectors of 8: 3×3 with a stride of 2 on `nchw` planes of 27×27, `max_pool` 1.40 ms →
//!    0.54, with u8 1.40 → 0.69 (EPYC, one thread).
//! 6. Tiles of single elements are searched as they lie, without rearranging: see `tiles`.
//! 7. Cells of one or two bytes are searched in twice as many lanes: `nhwc` `max_unpool_backward` of two images
//!    90 µs → 64 with f16, 121 → 80 with u8. Pooling of cells of one byte is faster in 16 lanes: `nhwc_3x3s2`
//!    `max_pool` of two images 360 → 260 with u8 (EPYC, one thread).

mod tiles;

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};
use fearless_simd::Level;

use super::interleave::Deinterleave;
use super::row::{Row, rows_between};
use super::search::Search;
use super::simd::{LANES, by, level};
use super::tap::Tap;
use super::threads::{Chunk, Chunks};
use super::tiles::Tiles;
use crate::cell::Cell;
use crate::geometry::{Axis, Geometry};

/// Rows of a window that are rearranged at a time.
const ROWS: usize = 8;

/// The windows of a pooled row, or of a part of one.
pub(super) struct Windows<'a> {
    geometry: &'a Geometry,
    level: Level,
    pub(super) columns: Range<u32>,
    /// The x axis, as if there were these windows only.
    x: Axis,
    /// The cells of the windows in a row of the input, in elements.
    cells: Range<usize>,
    tiles: Option<Tiles>,
    rearranged: Deinterleave,
    runs: Vec<Run>,
    /// Element offset of each tap, relative to the start of the row of windows, `Run::ahead` and the number
    /// of the pooled element.
    offsets: Vec<i64>,
    /// Pooled elements that are adjacent, as their cells are at each tap.
    block: usize,
    /// Elements between the cells of one block and the cells of the next.
    skip: usize,
}

/// Windows of a row that have the same taps inside the input.
struct Run {
    pooled: Range<usize>,
    taps: Range<usize>,
    /// Elements by which the stride puts the cells of the first window ahead of its pooled elements.
    ahead: usize,
}

/// Some rows of cells of a row of windows.
struct CellRows<'a, T> {
    cells: &'a [T],
    /// Where the windows' first row starts in `cells`, or would start.
    start: i64,
    /// The numbers of these rows in the windows.
    rows: Range<usize>,
    /// Whether the search begins with them.
    first: bool,
}

/// The chunks of pooled rows.
pub(super) fn chunks(geometry: &Geometry) -> Chunks {
    Chunks::new(geometry.axes[2].windows, geometry.inner, geometry.window_cells())
}

impl<'a> Windows<'a> {
    pub(super) fn new(geometry: &'a Geometry, columns: Range<u32>) -> Self {
        let (x, cells) = geometry.axes[2].of_windows(columns.clone());
        let (tiles, inner) = (Tiles::of(geometry), geometry.inner as usize);
        let is_adjacent = x.stride == 1 || (tiles.is_none() && inner < LANES);
        let stride = if is_adjacent { x.stride as usize } else { 1 };
        let rearranged = Deinterleave::new(x.input as usize, stride, inner);
        let [_, y, _] = &geometry.axes;
        let row = |row: u32| match rearranged.is_identity() {
            true => rows_between(geometry, row / y.kernel, row % y.kernel),
            false => (row as usize % ROWS * rearranged.elements()) as i64,
        };
        let column = |tx: u32| {
            let cell = i64::from(tx * x.dilation) - i64::from(x.before);
            let class = cell.rem_euclid(stride as i64) * rearranged.len as i64;
            (class + cell.div_euclid(stride as i64)) * inner as i64
        };
        let offsets = (0..geometry.window_cells() as u32)
            .map(|tap| row(tap / x.kernel) + column(tap % x.kernel))
            .collect();
        let (block, skip) = if is_adjacent {
            (columns.len() * inner, 0)
        } else {
            (inner, (x.stride as usize - 1) * inner)
        };
        let whole = x.whole_windows();
        let mut runs = Vec::with_capacity(x.windows as usize - whole.len().saturating_sub(1));
        let mut q = 0;
        while q < x.windows {
            let windows = if whole.contains(&q) { whole.clone() } else { q..q + 1 };
            q = windows.end;
            let taps = x.taps_inside(windows.start);
            runs.push(Run {
                taps: taps.start as usize..taps.end as usize,
                ahead: windows.start as usize * skip,
                pooled: windows.start as usize * inner..windows.end as usize * inner,
            });
        }
        let cells = cells.start as usize * inner..cells.end as usize * inner;
        let level = level();
        Self { geometry, level, columns, x, cells, tiles, rearranged, runs, offsets, block, skip }
    }

    /// The windows for a chunk: those of the chunk before, where it has the same columns.
    pub(super) fn of_chunk<'b>(
        windows: &'b mut Option<Self>,
        geometry: &'a Geometry,
        chunk: &Chunk,
    ) -> &'b Self {
        let same = windows.take().filter(|windows| windows.columns == chunk.columns);
        windows.insert(same.unwrap_or_else(|| Self::new(geometry, chunk.columns.clone())))
    }

    /// Searches the windows of the rows from number `first` on. `values` and `taps` become those of the
    /// cells that are found.
    pub(super) fn search<T: Cell, U: Tap, S: Search<T, U>>(
        &self,
        input: &[T],
        first: usize,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let pooled = self.geometry.axes.map(|axis| axis.windows);
        let len = self.columns.len() * self.geometry.inner as usize;
        let slices = values.chunks_exact_mut(len).zip(taps.chunks_exact_mut(len));
        let rows = Row::new(pooled, first).and_next(pooled).zip(slices);
        if self.tiles == Some(Tiles::SingleElements) {
            return self.search_tiles::<T, U, S>(input, rows);
        }
        U::vectorized(
            self.level,
            #[inline(always)]
            || {
                let mut scratch = Vec::new();
                if !self.rearranged.is_identity() {
                    let [z, y, _] = &self.geometry.axes;
                    let rows = (z.kernel as usize * y.kernel as usize).min(ROWS);
                    scratch.resize(self.rearranged.elements() * rows, T::default());
                }
                for (row, (values, taps)) in rows {
                    self.search_row::<T, U, S>(input, row, &mut scratch, values, taps);
                }
            },
        );
    }

    #[inline(always)]
    fn search_row<T: Cell, U: Tap, S: Search<T, U>>(
        &self,
        input: &[T],
        row: Row,
        scratch: &mut [T],
        values: &mut [T],
        taps: &mut [U],
    ) {
        let [z, y, _] = &self.geometry.axes;
        let (in_z, in_y) = (z.taps_inside(row.z), y.taps_inside(row.y));
        let start = row.windows_start(self.geometry) + self.cells.start as i64;
        let identity = self.rearranged.is_identity();
        // Planes at a time: all, if the rows inside the input follow each other.
        let all = in_y.len() as u32 == y.kernel && identity;
        let planes = if all { in_z.len() as u32 } else { 1 };
        let mut first = true;
        for tz in in_z.step_by(planes as usize) {
            let end = ((tz + planes - 1) * y.kernel + in_y.end) as usize;
            let mut left = (tz * y.kernel + in_y.start) as usize..end;
            while !left.is_empty() {
                let len = if identity { left.len() } else { left.len().min(ROWS) };
                let rows = left.start..left.start + len;
                left.start = rows.end;
                let under = if identity {
                    CellRows { cells: input, start, rows, first }
                } else {
                    for number in rows.clone() {
                        let ty = number as u32 - tz * y.kernel;
                        let from = (start + rows_between(self.geometry, tz, ty)) as usize;
                        let to = number % ROWS * self.rearranged.elements();
                        let to = &mut scratch[to..to + self.rearranged.elements()];
                        let row = cast_slice::<T, T::Number>(&input[from..from + self.cells.len()]);
                        self.rearranged.row(self.level, row, cast_slice_mut(to));
                    }
                    CellRows { cells: scratch, start: 0, rows, first }
                };
                for run in &self.runs {
                    self.search_run::<T, U, S, true>(&under, run, values, taps);
                }
                first = false;
            }
        }
    }

    /// Searches the windows of a run in some rows of cells, as vectors or one by one.
    #[inline(always)]
    fn search_run<T: Cell, U: Tap, S: Search<T, U>, const VECTORS: bool>(
        &self,
        under: &CellRows<'_, T>,
        run: &Run,
        values: &mut [T],
        taps: &mut [U],
    ) {
        let (kernel, rows) = (self.x.kernel as usize, &under.rows);
        // Rows at a time: all, if the taps inside the input follow each other.
        let at_a_time = if run.taps.len() == kernel { rows.len() } else { 1 };
        for row in rows.clone().step_by(at_a_time) {
            let first_tap = row * kernel + run.taps.start;
            let offsets = &self.offsets[first_tap..(row + at_a_time - 1) * kernel + run.taps.end];
            let search = (first_tap as u32, offsets, under.first && row == rows.start);
            let mut ahead = under.start + run.ahead as i64;
            let mut start = run.pooled.start;
            while start < run.pooled.end {
                let end = (start + self.block).min(run.pooled.end);
                let (under, all) = ((under.cells, ahead), start..end);
                let is_small = (S::LEAST_BYTES..4).contains(&size_of::<T>());
                if VECTORS && is_small && all.len() >= 2 * LANES {
                    search_blocks::<T, U, S, { 2 * LANES }>(under, search, all, values, taps);
                } else if VECTORS && all.len() >= LANES {
                    search_blocks::<T, U, S, LANES>(under, search, all, values, taps);
                } else if VECTORS && all.len() >= LANES / 2 {
                    search_blocks::<T, U, S, { LANES / 2 }>(under, search, all, values, taps);
                } else {
                    search_blocks::<T, U, S, 1>(under, search, all, values, taps);
                }
                (start, ahead) = (end, ahead + self.skip as i64);
            }
        }
    }
}

/// Searches the windows of adjacent values, `L` at a time. The last ones may be searched twice, which gives the same.
#[inline(always)]
fn search_blocks<T: Cell, U: Tap, S: Search<T, U>, const L: usize>(
    (cells, ahead): (&[T], i64),
    search: (u32, &[i64], bool),
    all: Range<usize>,
    values: &mut [T],
    taps: &mut [U],
) {
    for at in by::<L>(all) {
        search_lanes::<T, U, S, L>((cells, at as i64 + ahead), search, at, values, taps);
    }
}

/// Searches the windows of `L` adjacent values from `at` on, whose cells lie at these offsets from `start`.
#[inline(always)]
fn search_lanes<T: Cell, U: Tap, S: Search<T, U>, const L: usize>(
    (cells, start): (&[T], i64),
    (first_tap, offsets, first): (u32, &[i64], bool),
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
    for (tap, &offset) in (first_tap..).zip(offsets) {
        let from = (start + offset) as usize;
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
