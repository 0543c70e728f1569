//! The gradient of unpooling: for each pooled value, the cell that its tap names.
//!
//! ```text
//! for each pooled value:
//!     grad_input = grad_output[start of the window + offset of the tap], or 0 where the tap names no cell
//! ```
//!
//! 1. In small windows the cell is found by the vectors of the search that pools, unless rows had to be rearranged
//!    for it: 1.4 to 5 times as fast for 2×2 windows, and 1.2 to 2 times for 3×3 ones with
//!    channels last (Xeon).
//! 2. Whether the cell is in the input is tested only in windows that lie partly outside: `nhwc`
//!    `max_unpool_backward` 2.9 ms → 2.0, with f16 2.9 → 1.7 (EPYC with AVX2).

use std::ops::Range;

use super::row::{Row, tap_offsets, tap_on_axes};
use super::search::Named;
use super::simd::LANES;
use super::tap::TapWord;
use super::threads::{Chunks, each_chunk};
use super::tiles::Tiles;
use super::windows::{Windows, chunks};
use crate::cell::Cell;
use crate::geometry::Geometry;

/// Cells of a window up to which all of them are read, in vectors. With sixteen that gains little, with 25
/// it loses.
const CELLS: usize = 9;

/// Gathers every pooled row from the cells that its taps name.
pub(super) fn max_unpool_backward<T: Cell, U: TapWord>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &[U],
    grad_input: &mut [T],
) {
    let x = &geometry.axes[2];
    let lies_in_vectors = geometry.inner as usize >= LANES || Tiles::of(geometry).is_some();
    if !lies_in_vectors || geometry.window_cells() > CELLS || x.stride > 2 * x.extent() {
        return gather(geometry, grad_output, taps, grad_input);
    }
    let start = || (None, Vec::new());
    each_chunk(grad_input, &chunks(geometry), start, |(windows, named), chunk, grad_input| {
        let windows = Windows::of_chunk(windows, geometry, &chunk);
        named.clear();
        named.extend_from_slice(&taps[chunk.first..chunk.first + grad_input.len()]);
        windows.search::<T, U, Named>(grad_output, chunk.row, grad_input, named);
    });
}

/// [`max_unpool_backward`], each value from its cell.
fn gather<T: Cell, U: TapWord>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &[U],
    grad_input: &mut [T],
) {
    let (x, inner) = (&geometry.axes[2], geometry.inner as usize);
    let pooled = geometry.axes.map(|axis| axis.windows);
    let gather = Gather::new(geometry, grad_output);
    // Reading a cell anywhere takes as long as reading a few that are adjacent.
    let chunks = Chunks::new(x.windows, geometry.inner, 4);
    each_chunk(grad_input, &chunks, Default::default, |(), chunk, grad_input| {
        let row = chunk.columns.len() * inner;
        let taps = taps[chunk.first..chunk.first + grad_input.len()].chunks_exact(row);
        let rows = Row::new(pooled, chunk.row).and_next(pooled);
        for (row, (taps, grad_input)) in rows.zip(taps.zip(grad_input.chunks_exact_mut(row))) {
            gather.row(row, chunk.columns.clone(), taps, grad_input);
        }
    });
}

struct Gather<'a, T> {
    geometry: &'a Geometry,
    grad_output: &'a [T],
    /// For each tap, the elements from the start of a window to the tap's cell.
    offsets: Vec<usize>,
    /// The tap on each axis: z, y, x.
    taps: Vec<[u32; 3]>,
    /// The windows on the x axis that lie inside the input.
    whole: Range<u32>,
}

impl<'a, T: Cell> Gather<'a, T> {
    fn new(geometry: &'a Geometry, grad_output: &'a [T]) -> Self {
        let [_, y, x] = &geometry.axes;
        let taps = 0..geometry.window_cells() as u32;
        let taps = taps.map(|tap| tap_on_axes(geometry, tap)).collect();
        let row = geometry.input_row();
        let offsets = tap_offsets(geometry, y.input as usize * row, row).collect();
        Self { geometry, grad_output, offsets, taps, whole: x.whole_windows() }
    }

    /// The windows `columns` of a pooled row.
    fn row<U: TapWord>(&self, row: Row, columns: Range<u32>, taps: &[U], grad_input: &mut [T]) {
        let [z, y, x] = &self.geometry.axes;
        let inner = self.geometry.inner as usize;
        let start = row.windows_start(self.geometry);
        let (in_z, in_y) = (z.taps_inside(row.z), y.taps_inside(row.y));
        let whole = if in_z.len() + in_y.len() == (z.kernel + y.kernel) as usize {
            self.whole.start.max(columns.start)..self.whole.end.min(columns.end)
        } else {
            0..0
        };
        let mut q = columns.start;
        while q < columns.end {
            let is_whole = whole.contains(&q);
            // All whole windows of single elements are one run.
            let (windows, step) =
                if is_whole && inner == 1 { (whole.end - q, x.stride) } else { (1, 1) };
            let at = (q - columns.start) as usize * inner;
            let at = at..at + windows as usize * inner;
            let (taps, grad_input) = (&taps[at.clone()], &mut grad_input[at]);
            let start = start + x.start(q) * inner as i64;
            if is_whole {
                self.run(taps, start as usize, step as usize, grad_input);
            } else {
                let in_window = [in_z.clone(), in_y.clone(), x.taps_inside(q)];
                self.cut_window(taps, start as usize, in_window, grad_input);
            }
            q += windows;
        }
    }

    /// Windows inside the input, the first at `start` and each a `step` after the last. Not inlined, so that the
    /// variables of the loop stay in registers.
    #[inline(never)]
    fn run<U: TapWord>(&self, taps: &[U], mut start: usize, step: usize, grad_input: &mut [T]) {
        let (cells, offsets) = (self.grad_output, &self.offsets[..]);
        for (&tap, to) in taps.iter().zip(grad_input) {
            let cell = offsets.get(tap.into() as usize);
            let cell = cell.and_then(|offset| cells.get(start + offset));
            *to = cell.copied().unwrap_or_default();
            start += step;
        }
    }

    /// A window that lies partly outside the input, where a tap may name the padding.
    #[inline(never)]
    fn cut_window<U: TapWord>(
        &self,
        taps: &[U],
        start: usize,
        [in_z, in_y, in_x]: [Range<u32>; 3],
        grad_input: &mut [T],
    ) {
        for (i, (&tap, to)) in taps.iter().zip(grad_input).enumerate() {
            let tap = tap.into() as usize;
            let inside = self.taps.get(tap).is_some_and(|[tz, ty, tx]| {
                in_z.contains(tz) && in_y.contains(ty) && in_x.contains(tx)
            });
            *to = if inside {
                self.grad_output[start.wrapping_add(i).wrapping_add(self.offsets[tap])]
            } else {
                T::default()
            };
        }
    }
}
