//! Unpooling where the windows of a row are tiles.
//!
//! ```text
//! for each row of the output:
//!     for each window over the row, for each of its cells:
//!         cell = values[window] where taps[window] == tap of the cell, else 0
//! ```
//!
//! 1. A loop of its own, compiled for each number of cells, which finds a row of windows once for all rows of cells
//!    under it: `nchw` `max_unpool` 0.79 ms → 0.65, with f16 0.63 → 0.38 (Zen 4, an EPYC with AVX-512).

use std::ops::Range;

use super::rule::Rule;
use super::run::unpool_cell;
use crate::cell::Cell;
use crate::cpu::row::Row;
use crate::cpu::simd::level;
use crate::cpu::tap::TapWord;
use crate::cpu::threads::{Chunk, Chunks, each_chunk};
use crate::cpu::tiles::Tiles;
use crate::geometry::Geometry;

/// Unpools every row of the output.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    tiles: Tiles,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) {
    let (level, x) = (level(), &geometry.axes[2]);
    let chunks = Chunks::new(x.input, geometry.inner, 1);
    each_chunk(output, &chunks, Default::default, |(), chunk, output| {
        let unpool = Unpool { geometry, values, taps, whole: x.whole_windows() };
        // Functions of their own: loops in one function are compiled to slower code.
        if tiles == Tiles::SingleElements {
            U::vectorized(
                level,
                #[inline(always)]
                || match x.kernel {
                    2 => unpool.chunk::<R, 2>(chunk, output),
                    3 => unpool.chunk::<R, 3>(chunk, output),
                    _ => unpool.chunk::<R, 4>(chunk, output),
                },
            );
        } else {
            U::vectorized(
                level,
                #[inline(always)]
                || unpool.chunk::<R, 1>(chunk, output),
            );
        }
    });
}

struct Unpool<'a, T, U> {
    geometry: &'a Geometry,
    values: &'a [T],
    taps: &'a [U],
    /// The windows on the x axis that lie inside the input.
    whole: Range<u32>,
}

impl<T: Cell, U: TapWord> Unpool<'_, T, U> {
    /// Unpools the rows of a chunk, of tiles of `N` cells of one element, or of channels if `N` is 1.
    #[inline(always)]
    fn chunk<R: Rule<T>, const N: usize>(
        &self,
        Chunk { row, columns, .. }: Chunk,
        output: &mut [T],
    ) {
        let ([z, y, x], inner) = (&self.geometry.axes, self.geometry.inner as usize);
        let (extents, pooled) =
            (self.geometry.axes.map(|a| a.input), self.geometry.axes.map(|a| a.windows));
        let len = columns.len() * inner;
        // The whole windows of the columns, and their cells.
        let first = (columns.start + x.before).div_ceil(x.stride).max(self.whole.start);
        let end = ((columns.end + x.before) / x.stride).min(self.whole.end).max(first);
        let cells = |q: u32| {
            x.start(q).clamp(columns.start.into(), columns.end.into()) as u32 - columns.start
        };
        let tiled = cells(first) as usize * inner..cells(end) as usize * inner;
        let mut row = Row::new(extents, row);
        let mut left = output;
        while !left.is_empty() {
            let window = z.window_of(row.z).zip(y.window_of(row.y));
            // The rows under the same windows.
            let rows = match window {
                Some((_, (_, ty))) if y.dilation == 1 => (y.kernel - ty).min(y.input - row.y),
                _ => 1,
            };
            let (cells, rest) = left.split_at_mut((rows as usize * len).min(left.len()));
            left = rest;
            if let Some(((qz, tz), (qy, ty))) = window {
                let over = Row { outer: row.outer, z: qz, y: qy };
                let over = over.number(pooled) * self.geometry.pooled_row();
                let at = over + first as usize * inner..over + end as usize * inner;
                let (values, taps) = (&self.values[at.clone()], &self.taps[at]);
                let mut tap = (tz * y.kernel + ty) * x.kernel;
                for cells in cells.chunks_exact_mut(len) {
                    if tiled.len() < len {
                        self.cut::<R>(over, tap, columns.start, &mut cells[..tiled.start]);
                        let end = columns.start + (tiled.end / inner) as u32;
                        self.cut::<R>(over, tap, end, &mut cells[tiled.end..]);
                    }
                    let cells = &mut cells[tiled.clone()];
                    if N == 1 {
                        of_channels::<T, U, R>(cells, values, taps, (tap, x.kernel), inner);
                    } else {
                        of_single_elements::<T, U, R, N>(cells, values, taps, tap);
                    }
                    tap += x.kernel;
                }
            } else {
                cells.fill(T::default());
            }
            row = Row { y: row.y + rows - 1, ..row }.next(extents);
        }
    }

    /// Unpools cells of a row that are in no whole window of the chunk.
    #[inline(always)]
    fn cut<R: Rule<T>>(&self, over: usize, first_tap: u32, column: u32, cells: &mut [T]) {
        let (x, inner) = (&self.geometry.axes[2], self.geometry.inner as usize);
        for (column, cell) in (column..).zip(cells.chunks_exact_mut(inner)) {
            let Some((q, tx)) = x.window_of(column) else {
                cell.fill(T::default());
                continue;
            };
            let at = over + q as usize * inner;
            let (values, taps) = (&self.values[at..at + inner], &self.taps[at..at + inner]);
            let tap = U::new(first_tap + tx);
            for ((cell, &value), &named) in cell.iter_mut().zip(values).zip(taps) {
                *cell = R::cell_of_one(named == tap, value);
            }
        }
    }
}

/// Unpools tiles of `N` cells of one element.
#[inline(always)]
fn of_single_elements<T: Cell, U: TapWord, R: Rule<T>, const N: usize>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    first_tap: u32,
) {
    let tap: [U; N] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
    let (tiles, _) = cells.as_chunks_mut::<N>();
    for ((tile, &value), &named) in tiles.iter_mut().zip(values).zip(taps) {
        for tx in 0..N {
            tile[tx] = R::cell_of_one(named == tap[tx], value);
        }
    }
}

/// Unpools tiles of `kernel` cells of `inner` elements.
#[inline(always)]
fn of_channels<T: Cell, U: TapWord, R: Rule<T>>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    (first_tap, kernel): (u32, u32),
    inner: usize,
) {
    let windows = values.chunks_exact(inner).zip(taps.chunks_exact(inner));
    let tiles = cells.chunks_exact_mut(kernel as usize * inner);
    for (tile, (values, taps)) in tiles.zip(windows) {
        for (tap, cell) in (first_tap..).zip(tile.chunks_exact_mut(inner)) {
            unpool_cell::<T, U, R>(cell, values, taps, U::new(tap));
        }
    }
}
