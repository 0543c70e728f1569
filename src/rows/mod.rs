//! The loops of the CPU path.
//!
//! A tensor is rows: `[outer, z, y]` of `[x, inner]`. Threads own slabs of what they write, pooled
//! or unpooled, so nothing is shared and the order of every sum is fixed. Inside a row the cells of
//! a window are the outer loop and adjacent elements the inner one, which the compiler turns into
//! vector instructions, of the processor that is found at run time. Rows whose elements lie apart,
//! channels first, are taken apart by [`Phases`] for that, but for the smallest windows.

mod gather;
mod phases;
mod pool;
mod slabs;
mod unpool;

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch};

use crate::axis::Axis;
use crate::geometry::Geometry;
pub(crate) use gather::gather;
use phases::{LANES, Phases};
pub(crate) use pool::pool;
pub(crate) use unpool::unpool;

/// A row of the pooled tensor or of the input: `(outer, z, y)`.
type Place = (usize, u32, u32);

/// The rows of a slab, seen as if the slab's columns were all there are, and which elements of a
/// pooled row belong to which of a row of cells.
struct Rows<'a> {
    geometry: &'a Geometry,
    /// The columns.
    x: Axis,
    /// Where they are in a row of the input and in a pooled row, in elements.
    cells: Range<usize>,
    pooled: Range<usize>,
    phases: Phases,
    /// Whether the windows are tiles, which need no phases.
    tiled: bool,
    runs: Vec<Run>,
    /// For each tap on x, how far its cell lies after the pooled element, in elements.
    ahead: Vec<isize>,
}

/// Pooled elements of a row that are adjacent, and so are their cells at each tap.
struct Run {
    pooled: Range<usize>,
    /// The taps that lie inside.
    taps: Range<u32>,
    /// How much further their cells lie after them than `Rows::ahead` says.
    ahead: isize,
}

/// Whether the windows of a row are small tiles: side by side, each of a few cells of one element.
fn are_tiles(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    geometry.inner == 1 && x.kernel == x.stride && x.dilation == 1 && (2..=4).contains(&x.stride)
}

impl<'a> Rows<'a> {
    /// For a slab of pooled rows.
    fn of_windows(geometry: &'a Geometry, windows: Range<u32>) -> Self {
        let (x, cells) = geometry.axes[2].of_windows(windows.clone());
        Self::new(geometry, x, cells, windows)
    }

    /// For a slab of rows of cells.
    fn of_cells(geometry: &'a Geometry, cells: Range<u32>) -> Self {
        let (x, windows) = geometry.axes[2].of_cells(cells.clone());
        Self::new(geometry, x, cells, windows)
    }

    fn new(geometry: &'a Geometry, x: Axis, cells: Range<u32>, windows: Range<u32>) -> Self {
        let (stride, inner) = (x.stride as usize, geometry.inner as usize);
        let tiled = are_tiles(geometry);
        let split = !tiled && inner < LANES && stride > 1;
        let phases = Phases::new(x.input as usize, if split { stride } else { 1 }, inner);
        let ahead = (0..x.kernel).map(|tap| {
            let cell = i64::from(tap * x.dilation) - i64::from(x.before);
            let stride = if split { i64::from(x.stride) } else { 1 };
            let start = cell.rem_euclid(stride) * phases.len() as i64;
            (start + cell.div_euclid(stride)) as isize * inner as isize
        });
        // From one window to the next, cells are further apart than pooled elements by this.
        let skip = if split { 0 } else { (stride - 1) * inner };
        let merged = if skip == 0 || tiled { x.whole_windows() } else { 0..0 };
        Self {
            runs: runs(&x, merged, inner, skip),
            ahead: ahead.collect(),
            cells: elements(cells, inner),
            pooled: elements(windows, inner),
            geometry,
            x,
            phases,
            tiled,
        }
    }

    /// The elements of a row of the input that are the slab's.
    #[inline(always)]
    fn input_row(&self, place: Place) -> Range<usize> {
        let start = row(self.geometry.axes.map(|axis| axis.input), place);
        let start = start * self.geometry.input_row();
        start + self.cells.start..start + self.cells.end
    }

    /// The elements of a pooled row that are the slab's.
    #[inline(always)]
    fn pooled_row(&self, place: Place) -> Range<usize> {
        let start = row(self.geometry.axes.map(|axis| axis.pooled), place);
        let start = start * self.geometry.pooled_row();
        start + self.pooled.start..start + self.pooled.end
    }

    /// The cell, in a row of cells, that pooled element `at` of a run has at tap `tx`.
    #[inline(always)]
    fn cell_of(&self, run: &Run, at: usize, tx: u32) -> usize {
        (at as isize + run.ahead + self.ahead[tx as usize]) as usize
    }

    /// The tap of the first cell of a row of a window.
    #[inline(always)]
    fn first_tap(&self, tz: u32, ty: u32) -> u32 {
        (tz * self.geometry.axes[1].kernel + ty) * self.x.kernel
    }
}

/// The elements of some columns in a row.
fn elements(columns: Range<u32>, inner: usize) -> Range<usize> {
    columns.start as usize * inner..columns.end as usize * inner
}

/// The runs of a pooled row: `merged` windows are one, each other window is one of its own.
fn runs(x: &Axis, merged: Range<u32>, inner: usize, skip: usize) -> Vec<Run> {
    let mut runs = Vec::with_capacity(x.pooled as usize - merged.len().saturating_sub(1));
    let mut q = 0;
    while q < x.pooled {
        let windows = if merged.contains(&q) { merged.clone() } else { q..q + 1 };
        q = windows.end;
        runs.push(Run {
            taps: x.taps_inside(windows.start),
            ahead: (windows.start as usize * skip) as isize,
            pooled: elements(windows, inner),
        });
    }
    runs
}

/// The number of a row.
#[inline(always)]
fn row([z, y, _]: [u32; 3], (outer, cz, cy): Place) -> usize {
    (outer * z as usize + cz as usize) * y as usize + cy as usize
}

/// The rows from number `first` on.
#[inline(always)]
fn places([z, y, _]: [u32; 3], first: usize) -> impl Iterator<Item = Place> {
    let (plane, row) = (first / y as usize, (first % y as usize) as u32);
    let first = (plane / z as usize, (plane % z as usize) as u32, row);
    std::iter::successors(Some(first), move |&(outer, cz, cy)| {
        Some(if cy + 1 < y {
            (outer, cz, cy + 1)
        } else if cz + 1 < z {
            (outer, cz + 1, 0)
        } else {
            (outer + 1, 0, 0)
        })
    })
}

/// Runs `work`, compiled for the processor at hand.
#[inline(always)]
fn vectorized<R>(level: Level, work: impl FnOnce() -> R) -> R {
    dispatch!(level, simd => simd.vectorize(work))
}
