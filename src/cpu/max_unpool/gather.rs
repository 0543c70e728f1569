//! Unpooling by the cells, with vectors.
//!
//! ```text
//! for each cell of the output:
//!     accumulator = 0
//!     for each window that reads the cell, in raster order:
//!         if taps[window] == tap of the cell in the window:
//!             accumulator = values[window], or += values[window]
//!     cell = accumulator
//! ```
//!
//! 1. Twice as many lanes, where their accumulators fit the registers: `nhwc_3x3s2` `max_pool_backward` of eight images
//!    1.22 ms → 1.10, `max_unpool` 1.14 → 1.05, with u8 0.71 → 0.53; `nhwc_3x3s1` `max_unpool` with f16 2.4 → 1.7.
//!    Sums of 64 bits would take 1.7 times as long (EPYC, two threads).

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::readers::{Readers, Source, Sources};
use super::rule::Rule;
use super::tiles;
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::simd::{LANES, by, level};
use crate::cpu::tap::TapWord;
use crate::cpu::threads::{Chunk, Chunks, each_chunk};
use crate::geometry::Geometry;

/// Windows that read a cell up to which gathering is faster than scattering.
const WINDOWS: usize = 16;

/// Windows that read a cell: the product over the axes.
fn windows(geometry: &Geometry) -> usize {
    let windows = geometry.axes.map(|axis| axis.windows_per_cell().min(axis.pooled) as usize);
    windows.into_iter().product()
}

/// Whether gathering is faster than scattering.
pub(super) fn is_faster(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    geometry.inner as usize >= LANES && x.stride <= 2 * x.extent() && windows(geometry) <= WINDOWS
}

/// Unpools every row of the output; the first element whose sum does not fit, if there is one.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> Option<usize> {
    let (level, overflow) = (level(), AtomicUsize::new(usize::MAX));
    let gather = Gather { geometry, readers: Readers::new(geometry), pooled: (values, taps) };
    let chunks = Chunks::new(geometry.axes[2].input, geometry.inner, windows(geometry));
    each_chunk(output, &chunks, Sources::default, |sources, chunk, output| {
        U::vectorized(
            level,
            #[inline(always)]
            || gather.unpool_chunk::<R>(chunk, output, sources, &overflow),
        );
    });
    Some(overflow.into_inner()).filter(|&element| element != usize::MAX)
}

struct Gather<'a, T, U> {
    geometry: &'a Geometry,
    readers: Readers<'a>,
    pooled: (&'a [T], &'a [U]),
}

impl<T: Cell, U: TapWord> Gather<'_, T, U> {
    #[inline(always)]
    fn unpool_chunk<R: Rule<T>>(
        &self,
        chunk: Chunk,
        output: &mut [T],
        sources: &mut Sources<U>,
        overflow: &AtomicUsize,
    ) {
        let (extents, inner) =
            (self.geometry.axes.map(|axis| axis.input), self.geometry.inner as usize);
        let mut row = Row::new(extents, chunk.row);
        let mut start =
            chunk.row * self.geometry.input_row() + chunk.columns.start as usize * inner;
        self.readers.start(row, sources);
        for cells in output.chunks_exact_mut(chunk.columns.len() * inner) {
            self.readers.find_rows(row, sources);
            if !self.unpool_row::<R>(sources, chunk.columns.clone(), cells) {
                let at = self.first_too_large::<R>(sources, chunk.columns.clone());
                overflow.fetch_min(start + at, Ordering::Relaxed);
            }
            start += self.geometry.input_row();
            row = row.next(extents);
        }
    }

    /// Unpools a row; whether every sum fits.
    #[inline(always)]
    fn unpool_row<R: Rule<T>>(
        &self,
        sources: &mut Sources<U>,
        columns: Range<u32>,
        cells: &mut [T],
    ) -> bool {
        let (axis, inner) = (&self.geometry.axes[2], self.geometry.inner as usize);
        // The blocks that have all their windows, and lie in the columns.
        let whole = &self.readers.whole;
        let start = whole.start.max(columns.start.div_ceil(axis.stride));
        let end = whole.end.min(columns.end / axis.stride);
        let whole = if start < end {
            start * axis.stride..end * axis.stride
        } else {
            columns.start..columns.start
        };
        let elements = |columns_: Range<u32>| {
            (columns_.start - columns.start) as usize * inner
                ..(columns_.end - columns.start) as usize * inner
        };
        self.readers.find(sources);
        let mut fits = self.unpool_cut::<R>(
            sources,
            columns.start..whole.start,
            &mut cells[elements(columns.start..whole.start)],
        );
        fits &= self.unpool_cut::<R>(
            sources,
            whole.end..columns.end,
            &mut cells[elements(whole.end..columns.end)],
        );
        let cells = &mut cells[elements(whole.clone())];
        let block_len = axis.stride as usize * inner;
        for (block, cells) in (start as usize..).zip(cells.chunks_exact_mut(block_len)) {
            for (class, cell) in cells.chunks_exact_mut(inner).enumerate() {
                fits &= unpool_run::<T, U, R>(
                    self.pooled,
                    sources.of_class(class),
                    block * inner,
                    cell,
                );
            }
        }
        fits
    }

    /// Unpools cells of blocks that have not all their windows.
    #[inline(always)]
    fn unpool_cut<R: Rule<T>>(
        &self,
        sources: &Sources<U>,
        columns: Range<u32>,
        cells: &mut [T],
    ) -> bool {
        let (mut fits, inner) = (true, self.geometry.inner as usize);
        let mut some = Vec::new();
        for (column, cell) in columns.zip(cells.chunks_exact_mut(inner)) {
            let block = self.readers.of_cell(column, sources, &mut some);
            fits &= unpool_run::<T, U, R>(self.pooled, &some, block as usize * inner, cell);
        }
        fits
    }

    /// The first element of a row whose sum does not fit.
    #[cold]
    fn first_too_large<R: Rule<T>>(&self, sources: &Sources<U>, columns: Range<u32>) -> usize {
        let (inner, mut some) = (self.geometry.inner as usize, Vec::new());
        let too_large = columns.clone().find_map(|column| {
            let block = self.readers.of_cell(column, sources, &mut some);
            let c = (0..inner).find(|c| {
                let mut cell = [T::default()];
                !unpool_run::<T, U, R>(self.pooled, &some, block as usize * inner + c, &mut cell)
            });
            c.map(|c| (column - columns.start) as usize * inner + c)
        });
        too_large.unwrap_or_default()
    }
}

/// Unpools adjacent cells that windows read whose values are adjacent; whether every sum fits.
#[inline(always)]
fn unpool_run<T: Cell, U: TapWord, R: Rule<T>>(
    pooled: (&[T], &[U]),
    sources: &[Source<U>],
    ahead: usize,
    cells: &mut [T],
) -> bool {
    let len = cells.len();
    if let [source] = sources
        && len >= LANES
    {
        let from = source.start.wrapping_add(ahead);
        let (values, taps) = (&pooled.0[from..from + len], &pooled.1[from..from + len]);
        tiles::unpool_cell::<T, U, R>(cells, values, taps, source.tap);
        return true;
    }
    let mut fits = true;
    if len < LANES {
        for at in 0..len {
            fits &= unpool_lanes::<T, U, R, 1>(pooled, sources, ahead, at, cells);
        }
    } else if len >= 2 * LANES && size_of::<R::Accumulator>() <= 4 {
        for at in by::<{ 2 * LANES }>(0..len) {
            fits &= unpool_lanes::<T, U, R, { 2 * LANES }>(pooled, sources, ahead, at, cells);
        }
    } else {
        for at in by::<LANES>(0..len) {
            fits &= unpool_lanes::<T, U, R, LANES>(pooled, sources, ahead, at, cells);
        }
    }
    fits
}

/// Unpools `L` cells of a run, from `at` on.
#[inline(always)]
fn unpool_lanes<T: Cell, U: TapWord, R: Rule<T>, const L: usize>(
    (values, taps): (&[T], &[U]),
    sources: &[Source<U>],
    ahead: usize,
    at: usize,
    cells: &mut [T],
) -> bool {
    let mut accumulators = [R::Accumulator::default(); L];
    for source in sources {
        let from = source.start.wrapping_add(ahead + at);
        let (values, taps) = (&values[from..from + L], &taps[from..from + L]);
        for i in 0..L {
            accumulators[i] = R::add(accumulators[i], taps[i] == source.tap, values[i]);
        }
    }
    let (cells, mut fits) = (&mut cells[at..at + L], true);
    for i in 0..L {
        let cell = R::cell(accumulators[i]);
        fits &= cell.is_some();
        cells[i] = cell.unwrap_or_default();
    }
    fits
}
