//! Unpooling.

use std::sync::atomic::{AtomicUsize, Ordering};

use fearless_simd::Level;

use super::slabs::each_slab;
use super::{Place, Rows, places, vectorized};
use crate::argmax::{Overlap, TapWord};
use crate::axis::Axis;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Unpooling: every row of the output; the first element whose sum does not fit, if there is one.
pub(crate) fn unpool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    overlap: Overlap,
    output: &mut [T],
) -> Option<usize> {
    match (geometry.windows_overlap(), overlap) {
        (true, Overlap::Sum) => return add(geometry, values, taps, output),
        (true, Overlap::Last) => put(
            geometry,
            values,
            taps,
            output,
            #[inline(always)]
            |cell, yes, value: T| value.over(cell, yes),
        ),
        (false, Overlap::Sum) => put(
            geometry,
            values,
            taps,
            output,
            #[inline(always)]
            |_, yes, value: T| value.alone().over(T::default(), yes),
        ),
        (false, Overlap::Last) => put(
            geometry,
            values,
            taps,
            output,
            #[inline(always)]
            |_, yes, value: T| value.over(T::default(), yes),
        ),
    }
    None
}

/// Sums of the values that go to a cell.
fn add<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    let (level, size) = (Level::new(), geometry.axes.map(|axis| axis.input));
    let overflow = AtomicUsize::new(usize::MAX);
    each_slab(output, size[2], geometry.inner, |slab, output| {
        let rows = Rows::of_cells(geometry, slab.x);
        let mut sums = vec![T::Sum::default(); rows.phases.elements()];
        vectorized(
            level,
            #[inline(always)]
            || {
                let slices = output.chunks_exact_mut(rows.cells.len());
                for (place, output) in places(size, slab.first).zip(slices) {
                    sums.fill(T::Sum::default());
                    rows.unpool(
                        values,
                        taps,
                        place,
                        &mut sums,
                        #[inline(always)]
                        |sum, yes, value: T| {
                            if yes { value.add_to(sum) } else { sum }
                        },
                    );
                    rows.phases.join(&sums, output, |x, sum| {
                        T::total(sum).unwrap_or_else(|| {
                            let element = rows.input_row(place).start + x;
                            overflow.fetch_min(element, Ordering::Relaxed);
                            T::default()
                        })
                    });
                }
            },
        );
    });
    Some(overflow.into_inner()).filter(|&element| element != usize::MAX)
}

/// What `put` makes of a cell, whether a value goes there, and the value; of zero in cells that no
/// value may go to. Where windows overlap a cell is what became of it before.
fn put<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
    put: impl Fn(T, bool, T) -> T + Copy + Send + Sync,
) {
    let (level, size) = (Level::new(), geometry.axes.map(|axis| axis.input));
    each_slab(output, size[2], geometry.inner, |slab, output| {
        let rows = Rows::of_cells(geometry, slab.x);
        let mut scratch = vec![T::default(); rows.phases.scratch()];
        vectorized(
            level,
            #[inline(always)]
            || {
                let slices = output.chunks_exact_mut(rows.cells.len());
                for (place, output) in places(size, slab.first).zip(slices) {
                    let several = rows.phases.are_several();
                    let cells = if several { &mut scratch[..] } else { &mut output[..] };
                    if geometry.windows_overlap() || !rows.cover(place) {
                        cells.fill(T::default());
                    }
                    rows.unpool(values, taps, place, cells, put);
                    if several {
                        rows.phases.join(&scratch, output, |_, cell| cell);
                    }
                }
            },
        );
    });
}

impl Rows<'_> {
    /// Whether every cell of a row lies in some window.
    #[inline(always)]
    fn cover(&self, (_, z, y): Place) -> bool {
        let [az, ay, _] = &self.geometry.axes;
        let is_held =
            |axis: &Axis, cell| axis.dilation == 1 && !axis.windows_around(cell).is_empty();
        self.x.covers() && is_held(az, z) && is_held(ay, y)
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
        put: impl Fn(A, bool, T) -> A + Copy,
    ) {
        let [z, y, _] = &self.geometry.axes;
        for qz in z.windows_around(cz) {
            let Some(tz) = z.tap_of(cz, qz) else { continue };
            for qy in y.windows_around(cy) {
                let Some(ty) = y.tap_of(cy, qy) else { continue };
                let row = self.pooled_row((outer, qz, qy));
                let row = (&values[row.clone()], &taps[row]);
                self.unpool_row(row, self.first_tap(tz, ty), cells, put);
            }
        }
    }

    /// [`Self::unpool`] for the windows of one pooled row, whose cells in the row have `first_tap`
    /// and what follows.
    #[inline(always)]
    fn unpool_row<T: Cell, U: TapWord, A: Copy>(
        &self,
        (values, taps): (&[T], &[U]),
        first_tap: u32,
        cells: &mut [A],
        put: impl Fn(A, bool, T) -> A + Copy,
    ) {
        /// Tiles of `S` cells.
        #[inline(always)]
        fn tiles<T: Cell, U: TapWord, A: Copy, const S: usize>(
            cells: &mut [A],
            values: &[T],
            taps: &[U],
            first_tap: u32,
            put: impl Fn(A, bool, T) -> A + Copy,
        ) {
            let tap: [U; S] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
            let (tiles, _) = cells.as_chunks_mut::<S>();
            for ((tile, &value), &found) in tiles.iter_mut().zip(values).zip(taps) {
                for tx in 0..S {
                    tile[tx] = put(tile[tx], found == tap[tx], value);
                }
            }
        }
        for run in &self.runs {
            let (values, taps) = (&values[run.pooled.clone()], &taps[run.pooled.clone()]);
            let start = run.pooled.start;
            if self.tiled && values.len() > 1 {
                let cells = &mut cells[self.cell_of(run, start, 0)..];
                match self.x.stride {
                    2 => tiles::<T, U, A, 2>(cells, values, taps, first_tap, put),
                    3 => tiles::<T, U, A, 3>(cells, values, taps, first_tap, put),
                    _ => tiles::<T, U, A, 4>(cells, values, taps, first_tap, put),
                }
                continue;
            }
            // The first window that holds a cell holds it at its last tap.
            for tx in run.taps.clone().rev() {
                let tap = U::new(first_tap + tx);
                let cells = &mut cells[self.cell_of(run, start, tx)..];
                for ((cell, &value), &found) in cells.iter_mut().zip(values).zip(taps) {
                    *cell = put(*cell, found == tap, value);
                }
            }
        }
    }
}
