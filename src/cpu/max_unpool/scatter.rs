//! Unpooling by the values.
//!
//! ```text
//! for each block of the output:
//!     clear the accumulators of its cells, and of all other cells of the windows that reach into it
//!     for each pooled value of these windows, in raster order:
//!         accumulator[start of the window + offset of the tap] = value, or += value
//!     make the cells of their accumulators
//! ```
//!
//! 1. Windows lie inside of the accumulators, so that a tap is not compared with the edges of the output, and its value
//!    takes few instructions. One thread of an EPYC, compared with cells found by a table and tests, f32 / f16 / u8:
//!    `nchw_3x3s1` `max_unpool` 0.47 / 0.43 / 0.42 times as long, `max_pool_backward` 0.50 / 0.61 / 0.63; `nchw_3x3s2`
//!    0.81 / 0.65 / 0.55 and 0.71 / 0.76 / 0.96.
//! 2. The accumulators stay in the cache, and the output is stored once, in order: f32 `nchw_3x3s2` `max_pool_backward`
//!    of two images 1.7 ms → 1.05 (EPYC, one thread).

use std::ops::Range;

use super::rule::{Rule, cells_of};
use crate::cell::Cell;
use crate::cpu::row::{Row, tap_offsets};
use crate::cpu::simd::{LANES, by, level};
use crate::cpu::tap::TapWord;
use crate::cpu::threads::{Chunk, Chunks, all_chunks};
use crate::geometry::{Axis, Geometry};

/// Elements up to which a volume, the z, y and x axes of one image or channel, is not cut.
const VOLUME: usize = 64 * 1024;

/// Unpools every row of the output. Returns `true` only if every sum fits, and there are not far more accumulators than
/// cells.
pub(super) fn unpool<T: Cell, U: TapWord, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    output: &mut [T],
) -> bool {
    if is_sparse(geometry) {
        return false;
    }
    let level = level();
    let scatter = Scatter { geometry, values, taps };
    all_chunks(output, &chunks(geometry), Scratch::default, |scratch, chunk, output| {
        U::vectorized(
            level,
            #[inline(always)]
            || scatter.unpool_chunk::<R>(&chunk, output, scratch),
        )
    })
}

/// Whether windows reach so far past the input that most accumulators of a volume would be of no cell.
fn is_sparse(geometry: &Geometry) -> bool {
    let volume = |len: fn(&Axis) -> i64| {
        let inner = geometry.inner as u128;
        geometry.axes.iter().fold(inner, |volume, axis| volume.saturating_mul(len(axis) as u128))
    };
    let cells = volume(|axis| axis.input.into());
    let accumulators = volume(|axis| Span::new(axis, 0..axis.input).len);
    accumulators > cells.saturating_mul(4).max(VOLUME as u128 / 4)
}

/// Chunks so large that few windows reach into two of them: whole volumes, planes, rows, or columns of a row.
fn chunks(geometry: &Geometry) -> Chunks {
    let [z, y, x] = &geometry.axes;
    let chunks = Chunks::new(x.input, geometry.inner, 4);
    let (plane, volume) = (y.input as usize, y.input as usize * z.input as usize);
    let reach = (z.extent() as usize - 1).saturating_mul(plane);
    let reach = reach.saturating_add(y.extent() as usize - 1);
    if reach == 0 && chunks.row() > VOLUME {
        return chunks.of_columns((x.extent() as usize).saturating_mul(4));
    }
    let few = (VOLUME / 4).div_ceil(chunks.row());
    if volume * chunks.row() <= VOLUME {
        return chunks.of_rows(few.next_multiple_of(volume));
    }
    let rows = few.max(reach.saturating_mul(4)).min(volume);
    chunks.of_rows(if rows < plane { rows } else { rows / plane * plane })
}

struct Scatter<'a, T, U> {
    geometry: &'a Geometry,
    values: &'a [T],
    taps: &'a [U],
}

/// Memory of a thread.
#[derive(Default)]
struct Scratch<A> {
    accumulators: Vec<A>,
    offsets: Offsets,
}

/// For each tap, the accumulators from that of the window's first cell to that of the tap's.
#[derive(Default)]
struct Offsets {
    of_tap: Vec<usize>,
    /// Accumulators of a plane and of a row.
    of_axes: [usize; 2],
}

impl Offsets {
    fn set(&mut self, geometry: &Geometry, plane: usize, row: usize) {
        if self.of_axes == [plane, row] {
            return;
        }
        self.of_axes = [plane, row];
        self.of_tap.clear();
        self.of_tap.extend(tap_offsets(geometry, plane, row));
    }
}

/// Some cells on an axis, and the windows that reach them.
struct Span<'a> {
    axis: &'a Axis,
    cells: Range<u32>,
    windows: Range<u32>,
    /// The first cell that has an accumulator, which may lie before the input.
    first: i64,
    /// The accumulators: of these cells, and of all others of the windows.
    len: i64,
}

impl<'a> Span<'a> {
    fn new(axis: &'a Axis, cells: Range<u32>) -> Self {
        let windows = axis.windows_over(&cells);
        let (mut first, mut end) = (cells.start.into(), cells.end.into());
        if let Some(last) = windows.clone().last() {
            first = axis.start(windows.start).min(first);
            end = (axis.start(last) + i64::from(axis.extent())).max(end);
        }
        Self { axis, cells, windows, first, len: end - first }
    }

    /// The number of the accumulator of a cell.
    #[inline(always)]
    fn number(&self, cell: u32) -> usize {
        (i64::from(cell) - self.first) as usize
    }

    /// The number of the accumulator of the first cell of a window.
    #[inline(always)]
    fn start(&self, window: u32) -> usize {
        (self.axis.start(window) - self.first) as usize
    }
}

impl<T: Cell, U: TapWord> Scatter<'_, T, U> {
    /// Unpools a chunk. Returns `true` only if every sum fits.
    #[inline(always)]
    fn unpool_chunk<R: Rule<T>>(
        &self,
        chunk: &Chunk,
        mut output: &mut [T],
        scratch: &mut Scratch<R::Accumulator>,
    ) -> bool {
        let [z, y, x] = &self.geometry.axes;
        let width = chunk.columns.len() * self.geometry.inner as usize;
        let of_x = Span::new(x, chunk.columns.clone());
        let extents = self.geometry.axes.map(|axis| axis.input);
        let (mut row, mut fits) = (Row::new(extents, chunk.row), true);
        while !output.is_empty() {
            // Whole planes, or rows of one.
            let left = output.len() / width;
            let planes = if row.y == 0 { left / y.input as usize } else { 1 };
            let planes = planes.clamp(1, (z.input - row.z) as usize);
            let rows = left.min((y.input - row.y) as usize);
            let cells = output.split_off_mut(..planes * rows * width).unwrap_or_default();
            let of_z = Span::new(z, row.z..row.z + planes as u32);
            let of_y = Span::new(y, row.y..row.y + rows as u32);
            fits &= self.unpool_block::<R>(row.outer, [&of_z, &of_y, &of_x], cells, scratch);
            row = Row { z: of_z.cells.end - 1, y: of_y.cells.end - 1, ..row }.next(extents);
        }
        fits
    }

    /// Unpools a block. Returns `true` only if every sum fits.
    #[inline(always)]
    fn unpool_block<R: Rule<T>>(
        &self,
        outer: u32,
        [z, y, x]: [&Span<'_>; 3],
        cells: &mut [T],
        Scratch { accumulators, offsets }: &mut Scratch<R::Accumulator>,
    ) -> bool {
        let inner = self.geometry.inner as usize;
        let row = x.len as usize * inner;
        let plane = y.len as usize * row;
        offsets.set(self.geometry, plane, row);
        accumulators.clear();
        accumulators.resize(z.len as usize * plane, R::Accumulator::default());
        let pooled = self.geometry.axes.map(|axis| axis.windows);
        // With single channels or a stride of 1 all windows of a row are one run.
        let stride = x.axis.stride as usize;
        let (run, step) = match (inner, stride) {
            (1, _) | (_, 1) => ((x.windows.len() * inner).max(1), stride),
            _ => (inner, 1),
        };
        for qz in z.windows.clone() {
            for qy in y.windows.clone() {
                let at = Row { outer, z: qz, y: qy }.number(pooled) * self.geometry.pooled_row();
                let at = at + x.windows.start as usize * inner..at + x.windows.end as usize * inner;
                let pooled = self.values[at.clone()].chunks_exact(run);
                let pooled = pooled.zip(self.taps[at].chunks_exact(run));
                let start = z.start(qz) * plane + y.start(qy) * row;
                for (qx, (values, taps)) in x.windows.clone().zip(pooled) {
                    let accumulators = &mut accumulators[start + x.start(qx) * inner..];
                    put::<T, U, R>(values, taps, &offsets.of_tap, step, accumulators);
                }
            }
        }
        let mut rows = cells.chunks_exact_mut(x.cells.len() * inner);
        let mut fits = true;
        for cell_z in z.cells.clone() {
            for (cell_y, cells) in y.cells.clone().zip(&mut rows) {
                let at = z.number(cell_z) * plane + y.number(cell_y) * row;
                let at = at + x.number(x.cells.start) * inner;
                fits &= finish::<T, R>(&accumulators[at..at + cells.len()], cells);
            }
        }
        fits
    }
}

/// Puts a run of values where their taps say. The window of each starts `step` accumulators after that of the one before.
/// Not inlined, so that the variables of the loop stay in registers.
#[inline(never)]
fn put<T: Cell, U: TapWord, R: Rule<T>>(
    values: &[T],
    taps: &[U],
    offsets: &[usize],
    step: usize,
    accumulators: &mut [R::Accumulator],
) {
    let mut start = 0;
    for (&value, &tap) in values.iter().zip(taps) {
        let offset = offsets.get(tap.into() as usize);
        if let Some(cell) = offset.and_then(|offset| accumulators.get_mut(start + offset)) {
            *cell = R::add(*cell, true, value);
        }
        start += step;
    }
}

/// Makes a row of cells of their accumulators. Returns `true` only if every sum fits.
#[inline(always)]
fn finish<T: Cell, R: Rule<T>>(accumulators: &[R::Accumulator], cells: &mut [T]) -> bool {
    let (len, mut fits) = (cells.len(), true);
    if len < LANES {
        for i in 0..len {
            fits &= cells_of::<T, R, 1>(&accumulators[i..], &mut cells[i..]);
        }
    } else {
        for at in by::<LANES>(0..len) {
            fits &= cells_of::<T, R, LANES>(&accumulators[at..], &mut cells[at..]);
        }
    }
    fits
}
