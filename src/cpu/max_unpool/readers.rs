//! The windows that read the cells of a row.

use std::ops::Range;

use super::run::{RowOfWindows, Source};
use crate::cpu::row::Row;
use crate::cpu::tap::TapWord;
use crate::geometry::{Axis, Geometry, Reader};

/// The windows that read a cell, on each axis.
pub(super) struct Readers<'a> {
    geometry: &'a Geometry,
    /// For each class of cells: on the z, y and x axis.
    z: Vec<Vec<Reader>>,
    y: Vec<Vec<Reader>>,
    x: Vec<Vec<Reader>>,
    /// The stride blocks on the x axis whose cells have all their windows.
    whole: Range<u32>,
}

/// The windows that read the cells of a row.
pub(super) struct Sources<U> {
    rows: Vec<RowOfWindows>,
    /// For each class of cells on the x axis, in raster order.
    sources: Vec<Source<U>>,
    ends: Vec<usize>,
}

impl<U> Default for Sources<U> {
    fn default() -> Self {
        Self { rows: Vec::new(), sources: Vec::new(), ends: Vec::new() }
    }
}

impl<U> Sources<U> {
    /// The windows that read the cells of a class.
    #[inline(always)]
    pub(super) fn of_class(&self, class: usize) -> &[Source<U>] {
        &self.sources[self.ends[class]..self.ends[class + 1]]
    }
}

impl<'a> Readers<'a> {
    pub(super) fn new(geometry: &'a Geometry) -> Self {
        let axis = &geometry.axes[2];
        let [z, y, x] = geometry.axes.each_ref().map(Axis::readers);
        let shifts = Axis::shifts(&x);
        let first = (-shifts.start()).max(0);
        let end = i64::from(axis.windows) - shifts.end();
        let end = end.min(i64::from(axis.input / axis.stride)).max(first);
        Self { geometry, z, y, x, whole: first as u32..end as u32 }
    }

    /// Finds the windows that read the cells of a row.
    #[inline(always)]
    pub(super) fn find<U: TapWord>(&self, row: Row, found: &mut Sources<U>) {
        let Sources { rows, sources, ends } = found;
        let [z, y, x] = &self.geometry.axes;
        let pooled = self.geometry.axes.map(|axis| axis.windows);
        let (block_z, block_y) = (row.z / z.stride, row.y / y.stride);
        rows.clear();
        for of_z in &self.z[(row.z % z.stride) as usize] {
            let Some(qz) = z.window(block_z, of_z) else { continue };
            for of_y in &self.y[(row.y % y.stride) as usize] {
                let Some(qy) = y.window(block_y, of_y) else { continue };
                let row = Row { outer: row.outer, z: qz, y: qy };
                rows.push(RowOfWindows {
                    first_tap: (of_z.tap * y.kernel + of_y.tap) * x.kernel,
                    start: row.number(pooled) * self.geometry.pooled_row(),
                });
            }
        }
        sources.clear();
        ends.clear();
        ends.push(0);
        for class in &self.x {
            Source::find(rows, class, self.geometry.inner, U::new, sources);
            ends.push(sources.len());
        }
    }

    /// Of the windows of a row, those that read a cell, and the cell's stride block.
    #[inline(always)]
    pub(super) fn of_cell<U: Copy>(
        &self,
        cell: u32,
        row: &Sources<U>,
        found: &mut Vec<Source<U>>,
    ) -> usize {
        let x = &self.geometry.axes[2];
        let (block, class) = (cell / x.stride, (cell % x.stride) as usize);
        found.clear();
        found.extend(row.of_class(class).iter().filter(|source| {
            (0..i64::from(x.windows)).contains(&(i64::from(block) + source.shift))
        }));
        block as usize
    }

    /// The columns of whole stride blocks whose cells have all their windows, of some columns.
    pub(super) fn whole(&self, columns: &Range<u32>) -> Range<u32> {
        let stride = self.geometry.axes[2].stride;
        let start = self.whole.start.max(columns.start.div_ceil(stride));
        let end = self.whole.end.min(columns.end / stride);
        if start < end { start * stride..end * stride } else { columns.start..columns.start }
    }
}
