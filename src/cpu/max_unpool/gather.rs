//! Unpooling by the cells, of channels that come last: see `run`.
//!
//! ```text
//! for each row of the output:
//!     find the windows that read the cells of each class, those whose numbers have one remainder modulo the stride
//!     for each cell whose windows all exist, or with a stride of 1 for all of them at once:
//!         unpool its channels as one run, by the windows of its class
//!     for each other cell of the row:
//!         unpool its channels as one run, by those windows of its class that exist
//! ```

use std::ops::Range;

use super::rule::Rule;
use super::run::{Source, unpool_run};
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::simd::level;
use crate::cpu::tap::TapWord;
use crate::cpu::threads::{Chunk, Chunks, all_chunks};
use crate::geometry::{Axis, Geometry, Reader};

/// Unpools every row of the output. Returns `true` only if every sum fits.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    let level = level();
    let gather = Gather::new(geometry, values, taps);
    let reads = windows_per_cell(geometry);
    let chunks = Chunks::new(geometry.axes[2].input, geometry.inner, reads);
    all_chunks(output, &chunks, Default::default, |found, chunk, output| {
        U::vectorized(
            level,
            #[inline(always)]
            || gather.unpool_chunk::<R>(chunk, output, found),
        )
    })
}

/// The most windows that read one cell: the product over the axes of the windows that can, or of all if these are
/// fewer.
pub(super) fn windows_per_cell(geometry: &Geometry) -> usize {
    let windows = geometry.axes.map(|axis| axis.windows_per_cell().min(axis.windows) as usize);
    windows.into_iter().product()
}

/// The windows that read the cells of each class, in raster order.
#[derive(Default)]
struct Sources<U> {
    /// Class after class.
    sources: Vec<Source<U>>,
    classes: Vec<Range<usize>>,
}

impl<U> Sources<U> {
    #[inline(always)]
    fn of_class(&self, class: usize) -> &[Source<U>] {
        &self.sources[self.classes[class].clone()]
    }
}

struct Gather<'a, T, U> {
    geometry: &'a Geometry,
    /// The windows that read the cells of each class, on the z, y and x axis.
    readers: [Vec<Vec<Reader>>; 3],
    /// The stride blocks on the x axis whose cells have all their windows.
    whole: Range<u32>,
    pooled: (&'a [T], &'a [U]),
}

impl<'a, T: Cell, U: TapWord> Gather<'a, T, U> {
    fn new(geometry: &'a Geometry, values: &'a [T], taps: &'a [U]) -> Self {
        let readers = geometry.axes.each_ref().map(Axis::readers);
        let (x, shifts) = (&geometry.axes[2], Axis::shifts(&readers[2]));
        let first = (-shifts.start()).max(0);
        let end = i64::from(x.windows) - shifts.end();
        let end = end.min(i64::from(x.input / x.stride)).max(first);
        Self { geometry, readers, whole: first as u32..end as u32, pooled: (values, taps) }
    }

    /// Unpools the rows of a chunk. Returns `true` only if every sum fits.
    #[inline(always)]
    fn unpool_chunk<R: Rule<T>>(
        &self,
        Chunk { row, columns, .. }: Chunk,
        output: &mut [T],
        (of_row, of_cell): &mut (Sources<U>, Vec<Source<U>>),
    ) -> bool {
        let (inner, stride) = (self.geometry.inner as usize, self.geometry.axes[2].stride as usize);
        let extents = self.geometry.axes.map(|axis| axis.input);
        let whole = self.whole(&columns);
        // With a stride of 1 all cells have the same windows.
        let run = if stride == 1 { whole.len().max(1) * inner } else { inner };
        let rows = output.chunks_exact_mut(columns.len() * inner);
        let mut fits = true;
        for (row, cells) in Row::new(extents, row).and_next(extents).zip(rows) {
            self.find(row, of_row);
            let (before, rest) = cells.split_at_mut((whole.start - columns.start) as usize * inner);
            let (cells, after) = rest.split_at_mut(whole.len() * inner);
            for (first, cut) in [(columns.start, before), (whole.end, after)] {
                for (column, cell) in (first..).zip(cut.chunks_exact_mut(inner)) {
                    let block = self.of_cell(column, of_row, of_cell);
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

    /// Finds the windows that read the cells of a row.
    #[inline(always)]
    fn find(&self, row: Row, found: &mut Sources<U>) {
        let [z, y, x] = &self.geometry.axes;
        let pooled = self.geometry.axes.map(|axis| axis.windows);
        let (block_z, block_y) = (row.z / z.stride, row.y / y.stride);
        let [of_z, of_y, classes] = &self.readers;
        let of_z = &of_z[(row.z % z.stride) as usize];
        let of_y = &of_y[(row.y % y.stride) as usize];
        found.sources.clear();
        found.classes.clear();
        for of_x in classes {
            let first = found.sources.len();
            for of_z in of_z {
                let Some(qz) = z.window(block_z, of_z.shift) else { continue };
                for of_y in of_y {
                    let Some(qy) = y.window(block_y, of_y.shift) else { continue };
                    let start = Row { outer: row.outer, z: qz, y: qy }.number(pooled);
                    let start = start * self.geometry.pooled_row();
                    let inner = i64::from(self.geometry.inner);
                    let first_tap = (of_z.tap * y.kernel + of_y.tap) * x.kernel;
                    found.sources.extend(of_x.iter().map(|&Reader { tap, shift }| Source {
                        tap: U::new(first_tap + tap),
                        start: start.wrapping_add((shift * inner) as usize),
                        shift,
                    }));
                }
            }
            found.classes.push(first..found.sources.len());
        }
    }

    /// Of the windows of a row, those that read a cell, and the cell's stride block.
    #[inline(always)]
    fn of_cell(&self, cell: u32, row: &Sources<U>, found: &mut Vec<Source<U>>) -> usize {
        let x = &self.geometry.axes[2];
        let (block, class) = (cell / x.stride, (cell % x.stride) as usize);
        found.clear();
        let exists = |source: &&Source<U>| x.window(block, source.shift).is_some();
        found.extend(row.of_class(class).iter().filter(exists));
        block as usize
    }

    /// The columns of whole stride blocks whose cells have all their windows, of some columns.
    fn whole(&self, columns: &Range<u32>) -> Range<u32> {
        let stride = self.geometry.axes[2].stride;
        let start = self.whole.start.max(columns.start.div_ceil(stride));
        let end = self.whole.end.min(columns.end / stride);
        if start < end { start * stride..end * stride } else { columns.start..columns.start }
    }
}
