//! Max pooling.

use std::ops::Range;

use fearless_simd::Level;

use super::slabs::each_slab;
use super::{LANES, Place, Rows, Run, places, vectorized};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Max pooling: every pooled row.
pub(crate) fn pool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let (level, pooled) = (Level::new(), geometry.axes.map(|axis| axis.pooled));
    each_slab((values, taps), pooled[2], geometry.inner, |slab, (values, taps)| {
        let rows = Rows::of_windows(geometry, slab.x);
        let mut scratch = vec![T::default(); rows.phases.scratch()];
        vectorized(
            level,
            #[inline(always)]
            || {
                let len = rows.pooled.len();
                let slices = values.chunks_exact_mut(len).zip(taps.chunks_exact_mut(len));
                for (place, (values, taps)) in places(pooled, slab.first).zip(slices) {
                    rows.pool(input, place, &mut scratch, values, taps);
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
        let [z, y, _] = &self.geometry.axes;
        let mut first = true;
        for tz in z.taps_inside(qz) {
            for ty in y.taps_inside(qy) {
                let first_tap = self.first_tap(tz, ty);
                let mut cells = &input[self.input_row((outer, z.cell(qz, tz), y.cell(qy, ty)))];
                if self.phases.are_several() {
                    self.phases.split(cells, scratch);
                    cells = scratch;
                }
                for run in &self.runs {
                    self.pool_run(cells, run, (first, first_tap), values, taps);
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
            let cells = &cells[self.cell_of(run, start, 0)..];
            let (values, taps) = (&mut values[start..end], &mut taps[start..end]);
            match self.x.stride {
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
            let from = self.cell_of(run, at, tx);
            let cells = &cells[from..from + L];
            let tap = U::new(first_tap + tx);
            for i in 0..L {
                let take = first | cells[i].beats(best[i]);
                best[i] = if take { cells[i] } else { best[i] };
                found[i] = if take { tap } else { found[i] };
            }
            first = false;
        }
        for i in 0..L {
            (values[i], taps[i]) = (best[i], found[i]);
        }
    }
}
