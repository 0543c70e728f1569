//! Unpooling by the values.
//!
//! ```text
//! for each chunk of the output:
//!     clear the cells
//!     for each pooled value, in raster order, whose window reaches into the chunk:
//!         cell[tap of the value] = value, or += value
//! ```
//!
//! 1. Where values are added, the cells are cleared and added to in memory of the thread's own, which stays in
//!    the cache, and copied at the end: f32 `nchw_3x3s2` `max_pool_backward` of two images 1.7 ms → 1.05, with
//!    5×5 windows and stride 3 1.2 → 0.6 (EPYC, one thread). Where nothing is added, the copy takes as long.
//! 2. The copy is vectors' work: f16 `nchw_3x3s2` `max_pool_backward` 9.7 → 4.3 (EPYC with AVX2).

use std::ops::Range;

use super::rule::Rule;
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::simd::level;
use crate::cpu::tap::TapWord;
use crate::cpu::tap_table::TapTable;
use crate::cpu::threads::{Chunk, Chunks, all_chunks};
use crate::geometry::Geometry;

/// Elements up to which a volume, all the rows of the spatial axes, is not cut.
const VOLUME: usize = 64 * 1024;

/// Unpools every row of the output. Returns whether every sum fits.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    let (level, table) = (level(), TapTable::new(geometry));
    let adds = R::ADDS && geometry.windows_overlap();
    all_chunks(output, &chunks(geometry), Vec::new, |accumulators, chunk, output| {
        let scatter = Scatter::new(geometry, &table, chunk, output.len());
        if !adds {
            output.fill(T::default());
            let put = |cell: &mut T, value| *cell = R::cell_of_one(true, value);
            scatter.put(values, taps, output, put);
            return true;
        }
        U::vectorized(
            level,
            #[inline(always)]
            || {
                accumulators.clear();
                accumulators.resize(output.len(), R::Accumulator::default());
                scatter.put(values, taps, accumulators, |cell, value| {
                    *cell = R::add(*cell, true, value);
                });
                finish::<T, R>(accumulators, output)
            },
        )
    })
}

/// Makes the cells of their accumulators; whether every sum fits.
#[inline(always)]
fn finish<T: Cell, R: Rule<T>>(accumulators: &[R::Accumulator], cells: &mut [T]) -> bool {
    let mut fits = true;
    for (cell, &accumulator) in cells.iter_mut().zip(accumulators) {
        let made = R::cell(accumulator);
        fits &= made.is_some();
        *cell = made.unwrap_or_default();
    }
    fits
}

/// Chunks so large that few windows reach into two of them.
fn chunks(geometry: &Geometry) -> Chunks {
    let [z, y, x] = &geometry.axes;
    let chunks = Chunks::new(x.input, geometry.inner, 4);
    let (plane, volume) = (y.input as usize, y.input as usize * z.input as usize);
    let reach = (z.extent() as usize - 1) * plane + y.extent() as usize - 1;
    if reach == 0 && chunks.row() > VOLUME {
        return chunks.of_columns(4 * x.extent() as usize);
    }
    let rows = (VOLUME / 4).div_ceil(chunks.row());
    let rows = if volume * chunks.row() <= VOLUME {
        rows.div_ceil(volume) * volume
    } else {
        rows.max(reach.saturating_mul(4)).min(volume)
    };
    chunks.of_rows(rows)
}

/// The cells of a chunk, and the windows that reach into it.
struct Scatter<'a> {
    geometry: &'a Geometry,
    table: &'a TapTable<'a>,
    /// The first element of the chunk.
    first: usize,
    /// Its first and last row.
    rows: [Row; 2],
    columns: Range<u32>,
}

impl<'a> Scatter<'a> {
    fn new(geometry: &'a Geometry, table: &'a TapTable<'a>, chunk: Chunk, len: usize) -> Self {
        let (extents, row) = (geometry.axes.map(|axis| axis.input), geometry.input_row());
        let first = chunk.row * row + chunk.columns.start as usize * geometry.inner as usize;
        let last = (first + len - 1) / row;
        let rows = [chunk.row, last].map(|number| Row::new(extents, number));
        Self {
            geometry,
            table,
            first,
            rows,
            columns: geometry.axes[2].windows_over(&chunk.columns),
        }
    }

    /// Calls `put` for each value whose tap names a cell of the chunk, in raster order.
    #[inline(always)]
    fn put<T: Copy, U: TapWord, S>(
        &self,
        values: &[T],
        taps: &[U],
        cells: &mut [S],
        put: impl Fn(&mut S, T),
    ) {
        let geometry = self.geometry;
        let ([z, y, _], pooled) = (&geometry.axes, geometry.axes.map(|axis| axis.windows));
        let [first, last] = self.rows;
        for outer in first.outer..=last.outer {
            let start = if outer == first.outer { first.z } else { 0 };
            let end = if outer == last.outer { last.z + 1 } else { z.input };
            let in_y = if first.outer == last.outer && end - start == 1 {
                first.y..last.y + 1
            } else {
                0..y.input
            };
            for qz in z.windows_over(&(start..end)) {
                for qy in y.windows_over(&in_y) {
                    let row = Row { outer, z: qz, y: qy };
                    let at = row.number(pooled) * geometry.pooled_row();
                    let inner = geometry.inner as usize;
                    let at = at + self.columns.start as usize * inner
                        ..at + self.columns.end as usize * inner;
                    let (values, taps) = (&values[at.clone()], &taps[at]);
                    let first = self.first;
                    self.table.each_cell(
                        row,
                        self.columns.clone(),
                        taps,
                        values.iter(),
                        #[inline(always)]
                        |cell, value| {
                            let cell =
                                cell.and_then(|cell| cells.get_mut(cell.wrapping_sub(first)));
                            if let Some(cell) = cell {
                                put(cell, *value);
                            }
                        },
                    );
                }
            }
        }
    }
}
