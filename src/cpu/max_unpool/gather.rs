//! Unpooling by the cells, of channels that come last: see `run`.

use super::readers::{Readers, Sources};
use super::rule::Rule;
use super::run::{Source, existing_windows_per_cell, unpool_run};
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::simd::level;
use crate::cpu::tap::TapWord;
use crate::cpu::threads::{Chunk, Chunks, all_chunks};
use crate::geometry::Geometry;

/// Unpools every row of the output; whether every sum fits.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    let level = level();
    let gather = Gather { geometry, readers: Readers::new(geometry), pooled: (values, taps) };
    let reads = existing_windows_per_cell(geometry);
    let chunks = Chunks::new(geometry.axes[2].input, geometry.inner, reads);
    all_chunks(output, &chunks, Default::default, |found, chunk, output| {
        U::vectorized(
            level,
            #[inline(always)]
            || gather.unpool_chunk::<R>(chunk, output, found),
        )
    })
}

struct Gather<'a, T, U> {
    geometry: &'a Geometry,
    readers: Readers<'a>,
    pooled: (&'a [T], &'a [U]),
}

impl<T: Cell, U: TapWord> Gather<'_, T, U> {
    /// Unpools the rows of a chunk; whether every sum fits.
    #[inline(always)]
    fn unpool_chunk<R: Rule<T>>(
        &self,
        Chunk { row, columns }: Chunk,
        output: &mut [T],
        (of_row, of_cell): &mut (Sources<U>, Vec<Source<U>>),
    ) -> bool {
        let (inner, stride) = (self.geometry.inner as usize, self.geometry.axes[2].stride as usize);
        let extents = self.geometry.axes.map(|axis| axis.input);
        let whole = self.readers.whole(&columns);
        // With a stride of 1 all cells have the same windows.
        let run = if stride == 1 { whole.len().max(1) * inner } else { inner };
        let rows = output.chunks_exact_mut(columns.len() * inner);
        let mut fits = true;
        for (row, cells) in Row::new(extents, row).and_next(extents).zip(rows) {
            self.readers.find(row, of_row);
            let (before, rest) = cells.split_at_mut((whole.start - columns.start) as usize * inner);
            let (cells, after) = rest.split_at_mut(whole.len() * inner);
            for (first, cut) in [(columns.start, before), (whole.end, after)] {
                for (column, cell) in (first..).zip(cut.chunks_exact_mut(inner)) {
                    let block = self.readers.of_cell(column, of_row, of_cell);
                    fits &= unpool_run::<T, U, R>(self.pooled, of_cell, block * inner, cell);
                }
            }
            let first = whole.start as usize / stride;
            for (block, cells) in (first..).zip(cells.chunks_exact_mut(stride * run)) {
                for (class, cells) in cells.chunks_exact_mut(run).enumerate() {
                    let sources = of_row.of_class(class);
                    fits &= unpool_run::<T, U, R>(self.pooled, sources, block * inner, cells);
                }
            }
        }
        fits
    }
}
