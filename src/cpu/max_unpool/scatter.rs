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

/// Unpools every row of the output. Returns `true` only if every sum fits.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    let (level, table) = (level(), TapTable::new(geometry));
    let adds = R::ADDS && geometry.windows_overlap();
    all_chunks(output, &chunks(geometry), Vec::new, |accumulators, chunk, output| {
        if !adds {
            output.fill(T::default());
            let put = |cell: &mut T, value| *cell = R::cell_of_one(true, value);
            put_each(&table, &chunk, (values, taps), output, put);
            return true;
        }
        U::vectorized(
            level,
            #[inline(always)]
            || {
                accumulators.clear();
                accumulators.resize(output.len(), R::Accumulator::default());
                put_each(&table, &chunk, (values, taps), accumulators, |cell, value| {
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

/// Calls `put` for each value whose tap names a cell of a chunk, in raster order.
#[inline(always)]
fn put_each<T: Copy, U: TapWord, S>(
    table: &TapTable<'_>,
    chunk: &Chunk,
    (values, taps): (&[T], &[U]),
    cells: &mut [S],
    put: impl Fn(&mut S, T),
) {
    let geometry = table.geometry;
    let ([z, y, x], inner) = (&geometry.axes, geometry.inner as usize);
    let extents = geometry.axes.map(|axis| axis.input);
    let pooled = geometry.axes.map(|axis| axis.windows);
    let start = chunk.first;
    let last = (start + cells.len() - 1) / geometry.input_row();
    let [first, last] = [chunk.row, last].map(|number| Row::new(extents, number));
    let columns = x.windows_over(&chunk.columns);
    for outer in first.outer..=last.outer {
        let start_z = if outer == first.outer { first.z } else { 0 };
        let end_z = if outer == last.outer { last.z + 1 } else { z.input };
        let in_y = if first.outer == last.outer && end_z - start_z == 1 {
            first.y..last.y + 1
        } else {
            0..y.input
        };
        for qz in z.windows_over(&(start_z..end_z)) {
            for qy in y.windows_over(&in_y) {
                let row = Row { outer, z: qz, y: qy };
                let at = row.number(pooled) * geometry.pooled_row();
                let at = at + columns.start as usize * inner..at + columns.end as usize * inner;
                let (values, taps) = (&values[at.clone()], &taps[at]);
                table.each_cell(
                    row,
                    columns.clone(),
                    taps,
                    values.iter(),
                    #[inline(always)]
                    |cell, value| {
                        let cell = cell.and_then(|cell| cells.get_mut(cell.wrapping_sub(start)));
                        if let Some(cell) = cell {
                            put(cell, *value);
                        }
                    },
                );
            }
        }
    }
}
