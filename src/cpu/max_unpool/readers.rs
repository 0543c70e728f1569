//! The windows that read the cells of a row.

use std::ops::Range;

use crate::cpu::row::Row;
use crate::cpu::tap::TapWord;
use crate::geometry::Geometry;
use crate::geometry::{Axis, Reader};

/// The windows that read a cell, on each axis.
pub(super) struct Readers<'a> {
    geometry: &'a Geometry,
    /// For each class of cells: on the z, y and x axis.
    z: Vec<Vec<Reader>>,
    y: Vec<Vec<Reader>>,
    x: Vec<Vec<Reader>>,
    /// The stride blocks on the x axis whose cells have all their windows.
    pub(super) whole: Range<u32>,
}

/// The windows that read the cells of a row.
#[derive(Default)]
pub(super) struct Sources<U> {
    /// The rows of windows: the first tap, and the first pooled element.
    rows: Vec<(u32, usize)>,
    /// For each class of cells, in raster order.
    sources: Vec<Source<U>>,
    ends: Vec<usize>,
}

/// A window that reads the cells of a class.
#[derive(Clone, Copy)]
pub(super) struct Source<U> {
    pub(super) tap: U,
    /// The pooled element that the cell of block 0 reads, or would.
    pub(super) start: usize,
    shift: i64,
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
        let shifts = || x.iter().flatten().map(|reader| reader.shift);
        let first = shifts().map(|shift| -shift).max().unwrap_or(0).max(0);
        let end = i64::from(axis.pooled) - shifts().max().unwrap_or(0);
        let end = end.min(i64::from(axis.input / axis.stride)).max(first);
        let whole = first as u32..end as u32;
        Self { geometry, z, y, x, whole }
    }

    /// Finds the windows that read the cells of a row.
    #[inline(always)]
    pub(super) fn find<U: TapWord>(&self, row: Row, found: &mut Sources<U>) {
        let Sources { rows, sources, ends } = found;
        let [z, y, x] = &self.geometry.axes;
        let (pooled, len) =
            (self.geometry.axes.map(|axis| axis.pooled), self.geometry.pooled_row());
        rows.clear();
        for of_z in &self.z[(row.z % z.stride) as usize] {
            let Some(qz) = z.window(row.z / z.stride, of_z) else { continue };
            for of_y in &self.y[(row.y % y.stride) as usize] {
                if let Some(qy) = y.window(row.y / y.stride, of_y) {
                    let start = Row { outer: row.outer, z: qz, y: qy }.number(pooled) * len;
                    rows.push(((of_z.tap * y.kernel + of_y.tap) * x.kernel, start));
                }
            }
        }
        sources.clear();
        ends.clear();
        ends.push(0);
        for class in &self.x {
            for &(first_tap, start) in &*rows {
                sources.extend(
                    class.iter().map(|reader| Source {
                        tap: U::new(first_tap + reader.tap),
                        start: start
                            .wrapping_add((reader.shift * i64::from(self.geometry.inner)) as usize),
                        shift: reader.shift,
                    }),
                );
            }
            ends.push(sources.len());
        }
    }

    /// The windows that read a cell, and its block.
    #[inline(always)]
    pub(super) fn of_cell<U: Copy>(
        &self,
        cell: u32,
        sources: &Sources<U>,
        found: &mut Vec<Source<U>>,
    ) -> u32 {
        let x = &self.geometry.axes[2];
        let (block, class) = (cell / x.stride, (cell % x.stride) as usize);
        found.clear();
        found.extend(sources.of_class(class).iter().filter(|source| {
            (0..i64::from(x.pooled)).contains(&(i64::from(block) + source.shift))
        }));
        block
    }
}
