//! The loops of the CPU path.
//!
//! A tensor is rows: `[outer, z, y]` of `[x, inner]`. Threads own whole rows of what they write,
//! pooled or unpooled, so nothing is shared and the order of every sum is fixed. Inside a row the
//! cells of a window are the outer loop and adjacent elements the inner one, which the compiler
//! turns into vector instructions, of the processor that is found at run time. Rows whose elements
//! lie apart, channels first, are taken apart by [`Phases`] for that, but for the smallest windows.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use fearless_simd::{Level, Simd, dispatch};

use crate::argmax::{Overlap, TapWord};
use crate::axis::Axis;
use crate::element::Cell;
use crate::geometry::Geometry;
use crate::phases::{LANES, Phases};
use crate::slabs::{each_slab, each_slab_of_two};

/// A row of the pooled tensor or of the input: `(outer, z, y)`.
type Place = (usize, u32, u32);

/// Which elements of a pooled row belong to which of a row of cells.
struct Rows<'a> {
    geometry: &'a Geometry,
    phases: Phases,
    /// Whether the windows are tiles, which need no phases.
    tiled: bool,
    /// The windows of a row that lie inside it, which are one run where `merged`.
    whole: Range<u32>,
    merged: bool,
    /// From one window to the next cells are further apart than pooled elements by this.
    skip: usize,
    /// For each tap on x, how far its cell lies after the pooled element, in elements.
    ahead: Vec<isize>,
}

/// Pooled elements of a row that are adjacent, and so are their cells at each tap.
struct Run {
    pooled: Range<usize>,
    /// The taps that lie inside.
    taps: Range<u32>,
    /// How much further their cells lie after them than `Rows::ahead` says.
    ahead: isize,
}

/// Whether the elements of a row that windows hold at one tap lie apart.
fn lie_apart(geometry: &Geometry) -> bool {
    (geometry.inner as usize) < LANES && geometry.axes[2].stride > 1
}

/// Whether the windows of a row are small tiles: side by side, each of a few cells of one element.
fn are_tiles(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    geometry.inner == 1 && x.kernel == x.stride && x.dilation == 1 && (2..=4).contains(&x.stride)
}

impl<'a> Rows<'a> {
    fn new(geometry: &'a Geometry) -> Self {
        let x = &geometry.axes[2];
        let tiled = are_tiles(geometry);
        let split = !tiled && lie_apart(geometry);
        let (stride, inner) = (x.stride as usize, geometry.inner as usize);
        let phases = Phases::new(x.input as usize, if split { stride } else { 1 }, inner);
        let skip = if split { 0 } else { (stride - 1) * inner };
        let whole = x.whole_windows();
        let merged = !whole.is_empty() && (skip == 0 || tiled);
        let ahead = (0..x.kernel).map(|tap| {
            let cell = i64::from(tap * x.dilation) - i64::from(x.before);
            let stride = if split { i64::from(x.stride) } else { 1 };
            let start = cell.rem_euclid(stride) * phases.len() as i64;
            (start + cell.div_euclid(stride)) as isize * inner as isize
        });
        let ahead = ahead.collect();
        Self { geometry, phases, tiled, whole, merged, skip, ahead }
    }

    /// Number of runs of a row, which go by the numbers below it.
    #[inline(always)]
    fn runs(&self) -> u32 {
        let merged = if self.merged { self.whole.end - self.whole.start - 1 } else { 0 };
        self.geometry.axes[2].pooled - merged
    }

    /// Run number `i` of a row.
    #[inline(always)]
    fn run(&self, i: u32) -> Run {
        let (x, whole) = (&self.geometry.axes[2], &self.whole);
        let windows = if !self.merged || i < whole.start {
            i..i + 1
        } else if i == whole.start {
            whole.clone()
        } else {
            let q = i + (whole.end - whole.start - 1);
            q..q + 1
        };
        let is_whole = whole.contains(&windows.start);
        let taps = if is_whole { 0..x.kernel } else { x.taps_inside(windows.start) };
        let (start, end) = (windows.start as usize, windows.end as usize);
        let inner = self.geometry.inner as usize;
        Run { pooled: start * inner..end * inner, taps, ahead: (start * self.skip) as isize }
    }

    /// Elements to rearrange a row in.
    fn scratch(&self) -> usize {
        if self.phases.are_several() { self.phases.elements() } else { 0 }
    }
}

/// The rows from number `first` on.
#[inline(always)]
fn places([z, y, _]: [u32; 3], first: usize) -> impl Iterator<Item = Place> {
    let (plane, row) = (first / y as usize, (first % y as usize) as u32);
    let first = (plane / z as usize, (plane % z as usize) as u32, row);
    std::iter::successors(Some(first), move |&(outer, cz, cy)| {
        Some(if cy + 1 < y {
            (outer, cz, cy + 1)
        } else if cz + 1 < z {
            (outer, cz + 1, 0)
        } else {
            (outer + 1, 0, 0)
        })
    })
}

/// The elements of a row of `len`.
#[inline(always)]
fn elements([z, y, _]: [u32; 3], len: usize, (outer, cz, cy): Place) -> Range<usize> {
    let start = ((outer * z as usize + cz as usize) * y as usize + cy as usize) * len;
    start..start + len
}

/// Runs `work`, compiled for the processor at hand.
#[inline(always)]
fn vectorized<R>(level: Level, work: impl FnOnce() -> R) -> R {
    dispatch!(level, simd => simd.vectorize(work))
}

/// Max pooling: every pooled row.
pub(crate) fn pool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let (level, rows) = (Level::new(), Rows::new(geometry));
    let (len, pooled) = (geometry.pooled_row(), geometry.axes.map(|axis| axis.pooled));
    let scratch = || vec![T::default(); rows.scratch()];
    each_slab_of_two((values, taps), len, scratch, |scratch, first, values, taps| {
        vectorized(
            level,
            #[inline(always)]
            || {
                let slab = values.chunks_exact_mut(len).zip(taps.chunks_exact_mut(len));
                for (place, (values, taps)) in places(pooled, first).zip(slab) {
                    rows.pool(input, place, scratch, values, taps);
                }
            },
        );
    });
}

impl Rows<'_> {
    #[inline(always)]
    fn pool<T: Cell, U: TapWord>(
        &self,
        input: &[T],
        (outer, qz, qy): Place,
        scratch: &mut [T],
        values: &mut [T],
        taps: &mut [U],
    ) {
        let [z, y, x] = &self.geometry.axes;
        let (len, size) = (self.geometry.input_row(), self.geometry.axes.map(|axis| axis.input));
        let mut first = true;
        for tz in z.taps_inside(qz) {
            for ty in y.taps_inside(qy) {
                let place = (outer, z.cell(qz, tz), y.cell(qy, ty));
                let first_tap = (tz * y.kernel + ty) * x.kernel;
                let mut cells = &input[elements(size, len, place)];
                if self.phases.are_several() {
                    self.phases.split(cells, scratch);
                    cells = scratch;
                }
                for i in 0..self.runs() {
                    self.pool_run(cells, &self.run(i), (first, first_tap), values, taps);
                }
                first = false;
            }
        }
    }

    /// Compares the values of a run with the cells of their windows in one row, which has `first_tap`
    /// and what follows. In the `first` row of the windows there are no values yet.
    #[inline(always)]
    fn pool_run<T: Cell, U: TapWord>(
        &self,
        cells: &[T],
        run: &Run,
        row: (bool, u32),
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
                    best = if take { tile[tx] } else { best };
                    at = if take { tap[tx] } else { at };
                }
                (*value, *found) = (best, at);
            }
        }
        let Range { start, end } = run.pooled;
        if self.tiled && end - start > 1 {
            let cells = &cells[(start as isize + run.ahead + self.ahead[0]) as usize..];
            let (values, taps) = (&mut values[start..end], &mut taps[start..end]);
            match self.geometry.axes[2].stride {
                2 => tiles::<T, U, 2>(cells, row, values, taps),
                3 => tiles::<T, U, 3>(cells, row, values, taps),
                _ => tiles::<T, U, 4>(cells, row, values, taps),
            }
            return;
        }
        if end - start < LANES {
            for at in start..end {
                self.pool_lanes::<T, U, 1>(cells, run, at, row, values, taps);
            }
            return;
        }
        for at in (start..end).step_by(LANES) {
            // The last may be compared twice, which changes nothing.
            let at = at.min(end - LANES);
            self.pool_lanes::<T, U, LANES>(cells, run, at, row, values, taps);
        }
    }

    /// [`Self::pool_run`] for `L` adjacent values from `at` on.
    #[inline(always)]
    fn pool_lanes<T: Cell, U: TapWord, const L: usize>(
        &self,
        cells: &[T],
        run: &Run,
        at: usize,
        (mut first, first_tap): (bool, u32),
        values: &mut [T],
        taps: &mut [U],
    ) {
        let (values, taps) = (&mut values[at..at + L], &mut taps[at..at + L]);
        let mut best: [T; L] = std::array::from_fn(|i| values[i]);
        let mut found: [U; L] = std::array::from_fn(|i| taps[i]);
        for tx in run.taps.clone() {
            let from = (at as isize + run.ahead + self.ahead[tx as usize]) as usize;
            let cells = &cells[from..from + L];
            let tap = U::new(first_tap + tx);
            for i in 0..L {
                let take = first | cells[i].beats(best[i]);
                best[i] = if take { cells[i] } else { best[i] };
                found[i] = if take { tap } else { found[i] };
            }
            first = false;
        }
        values.copy_from_slice(&best);
        taps.copy_from_slice(&found);
    }
}

/// Unpooling: every row of the output; the first element whose sum does not fit, if there is one.
pub(crate) fn unpool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    overlap: Overlap,
    output: &mut [T],
) -> Option<usize> {
    let (level, rows) = (Level::new(), Rows::new(geometry));
    let (len, size) = (geometry.input_row(), geometry.axes.map(|axis| axis.input));
    if geometry.windows_overlap() && overlap == Overlap::Sum {
        let overflow = AtomicUsize::new(usize::MAX);
        let scratch = || vec![T::Sum::default(); rows.phases.elements()];
        each_slab(output, len, scratch, |sums, first, output| {
            vectorized(
                level,
                #[inline(always)]
                || {
                    let slab = places(size, first).zip(output.chunks_exact_mut(len));
                    for (row, (place, output)) in (first..).zip(slab) {
                        sums.fill(T::Sum::default());
                        rows.unpool(
                            values,
                            taps,
                            place,
                            sums,
                            #[inline(always)]
                            |sum, yes, value: T| {
                                if yes { value.add_to(sum) } else { sum }
                            },
                        );
                        rows.phases.join(sums, output, |x, sum| {
                            T::total(sum).unwrap_or_else(|| {
                                overflow.fetch_min(row * len + x, Ordering::Relaxed);
                                T::default()
                            })
                        });
                    }
                },
            );
        });
        return Some(overflow.into_inner()).filter(|&element| element != usize::MAX);
    }
    let scratch = || vec![T::default(); rows.scratch()];
    each_slab(output, len, scratch, |scratch, first, output| {
        vectorized(
            level,
            #[inline(always)]
            || {
                for (place, output) in places(size, first).zip(output.chunks_exact_mut(len)) {
                    let several = rows.phases.are_several();
                    let cells = if several { &mut scratch[..] } else { &mut output[..] };
                    if geometry.windows_overlap() {
                        cells.fill(T::default());
                        rows.unpool(
                            values,
                            taps,
                            place,
                            cells,
                            #[inline(always)]
                            |cell, yes, value| {
                                if yes { value } else { cell }
                            },
                        );
                    } else {
                        if !rows.cover(place) {
                            cells.fill(T::default());
                        }
                        let sum = overlap == Overlap::Sum;
                        rows.unpool(
                            values,
                            taps,
                            place,
                            cells,
                            #[inline(always)]
                            |_, yes, value: T| {
                                let value = if sum { value.alone() } else { value };
                                if yes { value } else { T::default() }
                            },
                        );
                    }
                    if several {
                        rows.phases.join(scratch, output, |_, cell| cell);
                    }
                }
            },
        );
    });
    None
}

impl Rows<'_> {
    /// Whether every cell of a row lies in some window.
    #[inline(always)]
    fn cover(&self, (_, z, y): Place) -> bool {
        let [az, ay, ax] = &self.geometry.axes;
        let is_held =
            |axis: &Axis, cell| axis.dilation == 1 && !axis.windows_around(cell).is_empty();
        ax.covers() && is_held(az, z) && is_held(ay, y)
    }

    /// Puts into each cell of a row what `put` makes of it, whether a value goes there, and the
    /// value; for each value that may, in raster order of the pooled elements.
    #[inline(always)]
    fn unpool<T: Cell, U: TapWord, A: Copy>(
        &self,
        values: &[T],
        taps: &[U],
        (outer, cz, cy): Place,
        cells: &mut [A],
        put: impl Fn(A, bool, T) -> A,
    ) {
        /// Tiles of `S` cells.
        #[inline(always)]
        fn tiles<T: Cell, U: TapWord, A: Copy, const S: usize>(
            cells: &mut [A],
            values: &[T],
            taps: &[U],
            first_tap: u32,
            put: impl Fn(A, bool, T) -> A,
        ) {
            let tap: [U; S] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
            let (tiles, _) = cells.as_chunks_mut::<S>();
            for ((tile, &value), &found) in tiles.iter_mut().zip(values).zip(taps) {
                for tx in 0..S {
                    tile[tx] = put(tile[tx], found == tap[tx], value);
                }
            }
        }
        let [z, y, x] = &self.geometry.axes;
        let (len, size) = (self.geometry.pooled_row(), self.geometry.axes.map(|axis| axis.pooled));
        for qz in z.windows_around(cz) {
            let Some(tz) = z.tap_of(cz, qz) else { continue };
            for qy in y.windows_around(cy) {
                let Some(ty) = y.tap_of(cy, qy) else { continue };
                let first_tap = (tz * y.kernel + ty) * x.kernel;
                let row = elements(size, len, (outer, qz, qy));
                for i in 0..self.runs() {
                    let run = self.run(i);
                    let (values, taps) = (&values[row.clone()], &taps[row.clone()]);
                    let (values, taps) = (&values[run.pooled.clone()], &taps[run.pooled.clone()]);
                    let start = run.pooled.start as isize + run.ahead;
                    if self.tiled && values.len() > 1 {
                        let cells = &mut cells[(start + self.ahead[0]) as usize..];
                        match x.stride {
                            2 => tiles::<T, U, A, 2>(cells, values, taps, first_tap, &put),
                            3 => tiles::<T, U, A, 3>(cells, values, taps, first_tap, &put),
                            _ => tiles::<T, U, A, 4>(cells, values, taps, first_tap, &put),
                        }
                        continue;
                    }
                    // The first window that holds a cell holds it at its last tap.
                    for tx in run.taps.clone().rev() {
                        let tap = U::new(first_tap + tx);
                        let cells = &mut cells[(start + self.ahead[tx as usize]) as usize..];
                        for ((cell, &value), &found) in cells.iter_mut().zip(values).zip(taps) {
                            *cell = put(*cell, found == tap, value);
                        }
                    }
                }
            }
        }
    }
}

/// The gradient of unpooling: every pooled row, from the cells that its taps name.
pub(crate) fn gather<T: Cell, U: TapWord>(
    geometry: &Geometry,
    cells: &[T],
    taps: &[U],
    gathered: &mut [T],
) {
    let [z, y, x] = &geometry.axes;
    let inner = geometry.inner as usize;
    let (len, pooled) = (geometry.pooled_row(), geometry.axes.map(|axis| axis.pooled));
    let whole = x.whole_windows();
    // Elements from a cell to the next one on each axis.
    let step = [y.input as usize * geometry.input_row(), geometry.input_row(), inner];
    let step = step.map(|elements| elements as i64);
    // The place of each tap in the window, and how far it is from the window's first cell.
    let table: Vec<_> = (0..geometry.window_cells() as u32)
        .map(|tap| {
            let at = [tap / (x.kernel * y.kernel), tap / x.kernel % y.kernel, tap % x.kernel];
            let far = |i: usize| i64::from(at[i] * geometry.axes[i].dilation) * step[i];
            (at, far(0) + far(1) + far(2))
        })
        .collect();
    each_slab(
        gathered,
        len,
        || (),
        |(), first, gathered| {
            let slab = gathered.chunks_exact_mut(len).zip(taps[first * len..].chunks_exact(len));
            for ((outer, qz, qy), (gathered, taps)) in places(pooled, first).zip(slab) {
                let image = outer as i64 * i64::from(z.input) * step[0];
                let row = image + z.start(qz) * step[0] + y.start(qy) * step[1];
                let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
                let windows = gathered.chunks_exact_mut(inner).zip(taps.chunks_exact(inner));
                for (q, (gathered, taps)) in (0..).zip(windows) {
                    let start = row + x.start(q) * step[2];
                    let in_x = if whole.contains(&q) { 0..x.kernel } else { x.taps_inside(q) };
                    for (c, (to, &tap)) in gathered.iter_mut().zip(taps).enumerate() {
                        let tap: u32 = tap.into();
                        *to = match table.get(tap as usize) {
                            Some(([tz, ty, tx], far))
                                if in_z.contains(tz) && in_y.contains(ty) && in_x.contains(tx) =>
                            {
                                cells[(start + far) as usize + c]
                            }
                            _ => T::default(),
                        };
                    }
                }
            }
        },
    );
}
