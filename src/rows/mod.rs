//! The loops of the CPU path.
//!
//! A tensor is rows: `[outer, z, y]` of `[x, inner]`. Threads own slabs of what they write, pooled
//! or unpooled, so nothing is shared and the order of every sum is fixed. Inside a row adjacent
//! elements are worked on together: over the cells of their windows, or over the windows of cells,
//! what is known of them stays in registers. The compiler turns that into vector instructions, of the
//! processor that is found at run time. Rows whose elements lie apart, channels first, are taken
//! apart by [`Phases`] for that, but for the smallest windows.

mod gather;
mod level;
mod phases;
mod pool;
mod rule;
mod search;
mod slabs;
mod tiled;
mod unpool;
mod windows;

use std::ops::Range;

use crate::geometry::Axis;
use crate::geometry::Geometry;
pub(crate) use gather::gather;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use level::vectors;
use level::{level, of_whole_loads, vectorized};
use phases::{LANES, Phases};
pub(crate) use pool::pool;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use slabs::threads;
pub(crate) use unpool::unpool;

/// A row of the pooled tensor or of the input: `(outer, z, y)`.
type Place = (usize, u32, u32);

/// The rows of a slab, seen as if the slab's columns were all there are.
struct Rows<'a> {
    geometry: &'a Geometry,
    /// The columns.
    x: Axis,
    /// Where they are in a row of the input and in a pooled row, in elements.
    cells: Range<usize>,
    pooled: Range<usize>,
    phases: Phases,
    /// Which tiles the windows are, if they are; tiles need no phases.
    tiles: Option<Tiles>,
    /// Whether windows side by side have adjacent cells at each tap, in a row by phases.
    adjacent: bool,
}

/// Windows of a row that lie side by side, so that every cell is in one.
#[derive(Clone, Copy, PartialEq)]
enum Tiles {
    /// Two to four cells each, of one element.
    Narrow,
    /// Cells of at least [`LANES`] elements.
    Wide,
}

/// Which tiles the windows of a row are.
fn tiles(geometry: &Geometry) -> Option<Tiles> {
    let x = &geometry.axes[2];
    if x.kernel != x.stride || x.dilation != 1 {
        return None;
    }
    match (geometry.inner as usize, x.kernel) {
        (1, 2..=4) => Some(Tiles::Narrow),
        (LANES.., _) => Some(Tiles::Wide),
        _ => None,
    }
}

impl<'a> Rows<'a> {
    /// For a slab of pooled rows.
    fn of_windows(geometry: &'a Geometry, windows: Range<u32>) -> Self {
        let (x, cells) = geometry.axes[2].of_windows(windows.clone());
        Self::new(geometry, x, cells, windows, tiles(geometry))
    }

    /// For a slab of rows of cells.
    fn of_cells(geometry: &'a Geometry, cells: Range<u32>) -> Self {
        let (x, windows) = geometry.axes[2].of_cells(cells.clone());
        let tiles = tiles(geometry).filter(|_| !geometry.windows_overlap());
        Self::new(geometry, x, cells, windows, tiles)
    }

    fn new(
        geometry: &'a Geometry,
        x: Axis,
        cells: Range<u32>,
        windows: Range<u32>,
        tiles: Option<Tiles>,
    ) -> Self {
        let inner = geometry.inner as usize;
        let adjacent = x.stride == 1 || (tiles.is_none() && inner < LANES);
        let phases =
            Phases::new(x.input as usize, if adjacent { x.stride as usize } else { 1 }, inner);
        let (cells, pooled) = (elements(cells, inner), elements(windows, inner));
        Self { geometry, x, cells, pooled, phases, tiles, adjacent }
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

/// Where to take at least `N` elements by so many; the last ones may be taken twice.
#[inline(always)]
fn blocks<const N: usize>(Range { start, end }: Range<usize>) -> impl Iterator<Item = usize> {
    (start..end).step_by(N).map(move |at| at.min(end - N))
}

/// [`blocks`] of [`LANES`].
#[inline(always)]
fn by_lanes(elements: Range<usize>) -> impl Iterator<Item = usize> {
    blocks::<LANES>(elements)
}

/// The number of a row.
#[inline(always)]
fn row([z, y, _]: [u32; 3], (outer, cz, cy): Place) -> usize {
    (outer * z as usize + cz as usize) * y as usize + cy as usize
}

/// Where a row of windows starts in the input: its first row of cells, which may lie outside, in
/// elements.
#[inline(always)]
fn start_of_windows(geometry: &Geometry, (outer, qz, qy): Place) -> i64 {
    let [z, y, _] = &geometry.axes;
    let plane = outer as i64 * i64::from(z.input) + z.start(qz);
    (plane * i64::from(y.input) + y.start(qy)) * geometry.input_row() as i64
}

/// How far the row of cells at these taps starts after a window's first, in elements.
fn row_after(geometry: &Geometry, tz: u32, ty: u32) -> i64 {
    let [z, y, _] = &geometry.axes;
    let rows = i64::from(tz * z.dilation) * i64::from(y.input) + i64::from(ty * y.dilation);
    rows * geometry.input_row() as i64
}

/// The place of a row by its number.
#[inline(always)]
fn place([z, y, _]: [u32; 3], row: usize) -> Place {
    let (plane, row) = (row / y as usize, (row % y as usize) as u32);
    (plane / z as usize, (plane % z as usize) as u32, row)
}

/// The place that is so many `rows` further, all of them before the last in the same plane.
#[inline(always)]
fn rows_on([z, y, _]: [u32; 3], (outer, cz, cy): Place, rows: u32) -> Place {
    if cy + rows < y {
        (outer, cz, cy + rows)
    } else if cz + 1 < z {
        (outer, cz + 1, 0)
    } else {
        (outer + 1, 0, 0)
    }
}

/// The rows from number `first` on.
#[inline(always)]
fn places(size: [u32; 3], first: usize) -> impl Iterator<Item = Place> {
    std::iter::successors(Some(place(size, first)), move |&at| Some(rows_on(size, at, 1)))
}
