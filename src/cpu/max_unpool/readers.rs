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
pub(super) struct Sources<U> {
    /// The rows of windows: the first tap, and the first pooled element.
    pub(super) rows: Vec<(u32, usize)>,
    planes: Vec<(u32, u32)>,
    block: u32,
    class: u32,
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

impl<U> Default for Sources<U> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            planes: Vec::new(),
            block: 0,
            class: 0,
            sources: Vec::new(),
            ends: vec![0],
        }
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
        let shifts = || x.iter().flatten().map(|reader| reader.shift);
        let first = shifts().map(|shift| -shift).max().unwrap_or(0).max(0);
        let end = i64::from(axis.pooled) - shifts().max().unwrap_or(0);
        let end = end.min(i64::from(axis.input / axis.stride)).max(first);
        let whole = first as u32..end as u32;
        Self { geometry, z, y, x, whole }
    }

    pub(super) fn start<U>(&self, row: Row, sources: &mut Sources<U>) {
        let y = &self.geometry.axes[1];
        (sources.block, sources.class) = (row.y / y.stride, row.y % y.stride);
        self.find_planes(row, sources);
    }

    fn find_planes<U>(&self, row: Row, sources: &mut Sources<U>) {
        let z = &self.geometry.axes[0];
        sources.planes.clear();
        let class = &self.z[(row.z % z.stride) as usize];
        for reader in class {
            if let Some(q) = z.window(row.z / z.stride, reader) {
                sources.planes.push((reader.tap, q));
            }
        }
    }

    /// Finds the rows of windows that read a row: the first one, or the one after the last.
    #[inline(always)]
    pub(super) fn find_rows<U>(&self, row: Row, sources: &mut Sources<U>) {
        let [_, y, x] = &self.geometry.axes;
        let (pooled, len) =
            (self.geometry.axes.map(|axis| axis.pooled), self.geometry.pooled_row());
        if row.y == 0 {
            (sources.block, sources.class) = (0, 0);
            self.find_planes(row, sources);
        }
        sources.rows.clear();
        for &(tz, qz) in &sources.planes {
            for reader in &self.y[sources.class as usize] {
                if let Some(qy) = y.window(sources.block, reader) {
                    let start = Row { outer: row.outer, z: qz, y: qy }.number(pooled) * len;
                    sources.rows.push(((tz * y.kernel + reader.tap) * x.kernel, start));
                }
            }
        }
        sources.class += 1;
        if sources.class == y.stride {
            (sources.class, sources.block) = (0, sources.block + 1);
        }
    }

    /// Finds the windows that read the cells of a row.
    #[inline(always)]
    pub(super) fn find<U: TapWord>(&self, found: &mut Sources<U>) {
        let Sources { rows, sources, ends, .. } = found;
        sources.clear();
        ends.truncate(1);
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
