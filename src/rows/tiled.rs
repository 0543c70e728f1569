//! Unpooling where windows lie side by side in a row, so that one alone lies over each cell.

use std::ops::Range;

use fearless_simd::Level;

use super::rule::Rule;
use super::{LANES, Place, Rows, Tiles, by_lanes, elements, level, place, rows_on, vectorized};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Rows of cells, all in tiles but for some at their ends.
pub(super) struct Tiled<'a> {
    level: Level,
    rows: Rows<'a>,
    /// The tiles that lie inside: their elements in a row of cells, and in a pooled row.
    cells: Range<usize>,
    pooled: Range<usize>,
    rest: Vec<Column>,
}

/// A column of cells in no tile that lies inside.
struct Column {
    cells: Range<usize>,
    /// If a window holds it, its tap there and the first pooled element.
    window: Option<(u32, usize)>,
}

/// Rows of cells side by side over which one row of windows lies.
struct Strip {
    rows: u32,
    /// The tap of the windows' first cells in the first of the rows.
    first_tap: u32,
    /// The first element of the pooled row.
    start: usize,
}

impl<'a> Tiled<'a> {
    pub(super) fn new(geometry: &'a Geometry, columns: Range<u32>) -> Self {
        let rows = Rows::of_cells(geometry, columns);
        let (x, inner) = (&rows.x, geometry.inner as usize);
        let tiles = x.whole_windows();
        let tiled = if tiles.is_empty() { 0..0 } else { x.of_windows(tiles.clone()).1 };
        let column = |column| {
            let window = x.windows_around(column).next();
            let window = window.and_then(|q| Some((x.tap_of(column, q)?, q as usize * inner)));
            Column { cells: elements(column..column + 1, inner), window }
        };
        let rest = (0..tiled.start).chain(tiled.end..x.input).map(column).collect();
        let (cells, pooled) = (elements(tiled, inner), elements(tiles, inner));
        Self { level: level(), rows, cells, pooled, rest }
    }

    /// Unpools the slab's rows from number `first` on.
    pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
        &self,
        values: &[T],
        taps: &[U],
        first: usize,
        output: &mut [T],
    ) {
        // Two functions: what the compiler makes of loops depends on what stands beside them.
        if self.rows.tiles == Some(Tiles::Narrow) {
            vectorized(
                self.level,
                #[inline(always)]
                || match self.rows.x.kernel {
                    2 => self.unpool_of::<T, U, R, 2>(values, taps, first, output),
                    3 => self.unpool_of::<T, U, R, 3>(values, taps, first, output),
                    _ => self.unpool_of::<T, U, R, 4>(values, taps, first, output),
                },
            );
        } else {
            vectorized(
                self.level,
                #[inline(always)]
                || self.unpool_of::<T, U, R, 1>(values, taps, first, output),
            );
        }
    }

    /// Unpools narrow tiles of `N` cells, or wide ones if that is 1.
    #[inline(always)]
    fn unpool_of<T: Cell, U: TapWord, R: Rule<T>, const N: usize>(
        &self,
        values: &[T],
        taps: &[U],
        first: usize,
        output: &mut [T],
    ) {
        let (size, len) = (self.rows.geometry.axes.map(|axis| axis.input), self.rows.cells.len());
        let (kernel, inner) = (self.rows.x.kernel, self.rows.geometry.inner as usize);
        let (mut place, mut left) = (place(size, first), output);
        while !left.is_empty() {
            let strip = self.strip(place);
            let alike = strip.as_ref().map_or(1, |strip| strip.rows);
            let (rows, rest) = left.split_at_mut((alike as usize * len).min(left.len()));
            (place, left) = (rows_on(size, place, alike), rest);
            let Some(Strip { mut first_tap, start, .. }) = strip else {
                rows.fill(T::default());
                continue;
            };
            let row = start..start + self.rows.pooled.len();
            let (values, taps) = (&values[row.clone()], &taps[row]);
            if !self.rest.is_empty() {
                self.unpool_rest::<T, U, R, N>(values, taps, first_tap, rows);
            }
            let (values, taps) = (&values[self.pooled.clone()], &taps[self.pooled.clone()]);
            for row in rows.chunks_exact_mut(len) {
                let cells = &mut row[self.cells.clone()];
                if N == 1 {
                    unpool_wide::<T, U, R>(cells, values, taps, (first_tap, kernel), inner);
                } else {
                    unpool_narrow::<T, U, R, N>(cells, values, taps, first_tap);
                }
                first_tap += kernel;
            }
        }
    }

    /// The rows from one on that are alike; none if no window lies over it.
    #[inline(always)]
    fn strip(&self, (outer, cz, cy): Place) -> Option<Strip> {
        let [z, y, _] = &self.rows.geometry.axes;
        let ((qz, tz), (qy, ty)) = (z.window_of(cz)?, y.window_of(cy)?);
        let rows = if y.dilation == 1 { (y.kernel - ty).min(y.input - cy) } else { 1 };
        let start = self.rows.pooled_row((outer, qz, qy)).start;
        Some(Strip { rows, first_tap: self.rows.first_tap(tz, ty), start })
    }

    /// Unpools the columns that are in no tile.
    #[inline(always)]
    fn unpool_rest<T: Cell, U: TapWord, R: Rule<T>, const N: usize>(
        &self,
        values: &[T],
        taps: &[U],
        mut first_tap: u32,
        rows: &mut [T],
    ) {
        for row in rows.chunks_exact_mut(self.rows.cells.len()) {
            for Column { cells, window } in &self.rest {
                let cells = &mut row[cells.clone()];
                let Some((tx, start)) = *window else {
                    cells.fill(T::default());
                    continue;
                };
                let pooled = start..start + cells.len();
                let (values, taps) = (&values[pooled.clone()], &taps[pooled]);
                let tap = U::new(first_tap + tx);
                if N == 1 {
                    unpool_alone::<T, U, R>(cells, values, taps, tap);
                } else {
                    cells[0] = R::of_one(taps[0] == tap, values[0]);
                }
            }
            first_tap += self.rows.x.kernel;
        }
    }
}

/// Unpools tiles of `N` cells.
#[inline(always)]
fn unpool_narrow<T: Cell, U: TapWord, R: Rule<T>, const N: usize>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    first_tap: u32,
) {
    let tap: [U; N] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
    let (tiles, _) = cells.as_chunks_mut::<N>();
    for ((tile, &value), &found) in tiles.iter_mut().zip(values).zip(taps) {
        for tx in 0..N {
            tile[tx] = R::of_one(found == tap[tx], value);
        }
    }
}

/// Unpools tiles of `kernel` cells of `inner` elements.
#[inline(always)]
fn unpool_wide<T: Cell, U: TapWord, R: Rule<T>>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    (first_tap, kernel): (u32, u32),
    inner: usize,
) {
    let windows = values.chunks_exact(inner).zip(taps.chunks_exact(inner));
    let tiles = cells.chunks_exact_mut(kernel as usize * inner);
    for (tile, (values, taps)) in tiles.zip(windows) {
        for (tap, cells) in (first_tap..).zip(tile.chunks_exact_mut(inner)) {
            unpool_alone::<T, U, R>(cells, values, taps, U::new(tap));
        }
    }
}

/// Unpools cells, at least [`LANES`], over which one window lies that has this tap there.
#[inline(always)]
pub(super) fn unpool_alone<T: Cell, U: TapWord, R: Rule<T>>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    tap: U,
) {
    let len = cells.len();
    let (values, taps) = (&values[..len], &taps[..len]);
    for at in by_lanes(0..len) {
        let (values, taps) = (&values[at..at + LANES], &taps[at..at + LANES]);
        let mut made = [T::default(); LANES];
        for i in 0..LANES {
            made[i] = R::of_one(taps[i] == tap, values[i]);
        }
        cells[at..at + LANES].copy_from_slice(&made);
    }
}
