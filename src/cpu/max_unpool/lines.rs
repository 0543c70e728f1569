//! Unpooling by the cells, of channels that come first, or of fewer than 16 that come last.
//!
//! ```text
//! for each part of a plane of the output:
//!     copy the rows of windows that read it into lines with margins, whose taps name no cell
//!     for each band, some rows of stride blocks:
//!         for each class of cells, those whose numbers have the same remainders modulo the stride:
//!             unpool the cells of the class, line after line, as one run
//!         interleave the classes
//! ```
//!
//! The cells of a class lie in lines, too, one for each row of stride blocks. The cells of the margins between them are
//! computed and not used.
//!
//! 1. In lines with margins every cell of a class has the same windows, and all of them are one long vector: see `run`.
//!    One thread of an EPYC, compared with scattering, f32 / f16 / u8: `nchw_3x3s1` `max_unpool` 0.50 / 0.34 / 0.22 times as
//!    long, `max_pool_backward` 0.44 / 0.76 / 0.47; `nchw_3x3s2` 0.93 / 0.51 / 0.48 and 0.71 / 0.74 / 0.55.
//! 2. The classes of a band are interleaved while they are in the first cache, and the stores of the output overlap with
//!    unpooling the next band: f32 `nchw_3x3s2` `max_pool_backward` of eight images 2.6 ms → 1.9 (EPYC, two threads).

use std::ops::{Range, RangeInclusive};

use super::rule::Rule;
use super::run::{RowOfWindows, Sources, WINDOWS, existing_windows_per_cell, unpool_run};
use crate::cell::Cell;
use crate::cpu::interleave;
use crate::cpu::row::Row;
use crate::cpu::simd::{LANES, level, vectorized};
use crate::cpu::threads::{Chunk, Chunks, all_chunks};
use crate::geometry::{Axis, Geometry, Reader};

/// Elements up to which a plane is not cut.
const PLANE: usize = 64 * 1024;

/// Bytes of a class from which on no line is added to a band: what a band reads and makes fits the first cache.
const BAND: usize = 1024;

/// Whether this is faster than scattering. With a stride of 2 it takes as long on planes of 27×27, 0.67 times as long on
/// 28×28, and 1.6 times on 13×13. It is slower with a stride of 3 (1.5 times) and of 5, and little faster with three
/// channels that come last and a stride of 2. Short rows in small planes are scattered, too: lines take some 90 ns for a
/// plane.
pub(super) fn is_faster(geometry: &Geometry) -> bool {
    let ([_, y, x], inner) = (&geometry.axes, geometry.inner as usize);
    // Windows that would lie in the margins are compared, too.
    let windows = geometry.axes.map(|axis| u128::from(axis.windows_per_cell()));
    let windows: u128 = windows.into_iter().product();
    let (row, rows) = (x.input as usize * inner, y.input as usize);
    match (x.stride, y.stride) {
        _ if windows > WINDOWS as u128 => false,
        (1, 1 | 2) => row >= LANES / 2 && row * rows >= 4 * LANES,
        (2, 1 | 2) => inner == 1 && row >= 28 && row * rows >= 6 * LANES,
        _ => false,
    }
}

/// Unpools every row of the output. Returns `true` only if every sum fits.
pub(super) fn unpool<T: Cell, R: Rule<T>>(
    geometry: &Geometry,
    values: &[T],
    taps: &[u8],
    output: &mut [T],
) -> bool {
    let readers = geometry.axes.each_ref().map(Axis::readers);
    let shifts = readers.each_ref().map(|readers| Axis::shifts(readers));
    let level = level();
    let gather = Gather { geometry, readers, shifts, values, taps };
    let extents = geometry.axes.map(|axis| axis.input);
    all_chunks(output, &chunks(geometry), Scratch::default, |scratch, chunk, mut output| {
        let Chunk { row, columns, .. } = chunk;
        let (len, mut first) = (columns.len() * geometry.inner as usize, Row::new(extents, row));
        let mut fits = true;
        while !output.is_empty() {
            let end = (first.y + (output.len() / len) as u32).min(extents[1]);
            let cells = output.split_off_mut(..(end - first.y) as usize * len).unwrap_or_default();
            let part = Part {
                y: Blocks::new(&geometry.axes[1], &gather.shifts[1], first.y..end),
                x: Blocks::new(&geometry.axes[2], &gather.shifts[2], columns.clone()),
                first,
            };
            fits &= vectorized(
                level,
                #[inline(always)]
                || gather.unpool_part::<R>(&part, cells, scratch),
            );
            first = Row { y: end - 1, ..first }.next(extents);
        }
        fits
    })
}

/// Whole planes, or some rows of one that is large.
fn chunks(geometry: &Geometry) -> Chunks {
    let [_, y, x] = &geometry.axes;
    let chunks = Chunks::new(x.input, geometry.inner, existing_windows_per_cell(geometry));
    let (row, rows) = (chunks.row(), y.input as usize);
    if row > PLANE {
        return chunks;
    }
    let few = (PLANE / 4).div_ceil(row);
    chunks.of_rows(if row * rows <= PLANE { few.next_multiple_of(rows) } else { few })
}

struct Gather<'a, T> {
    geometry: &'a Geometry,
    /// The windows that read the cells of each class, on each axis.
    readers: [Vec<Vec<Reader>>; 3],
    shifts: [RangeInclusive<i64>; 3],
    values: &'a [T],
    taps: &'a [u8],
}

/// Memory of a thread.
#[derive(Default)]
struct Scratch<T: Cell> {
    /// The lines.
    values: Vec<T>,
    taps: Vec<u8>,
    sources: Sources<u8>,
    /// The cells of each class, of a band.
    classes: Vec<T>,
}

/// Rows, or parts of rows, of a plane of the output.
struct Part {
    first: Row,
    y: Blocks,
    x: Blocks,
}

/// Some cells on an axis, and the windows that read them.
struct Blocks {
    cells: Range<u32>,
    /// The stride blocks of the cells.
    blocks: Range<u32>,
    /// The first window, which may be in the margin, and how many there are.
    first: i64,
    len: usize,
    /// The windows that exist.
    real: Range<u32>,
}

impl Blocks {
    fn new(axis: &Axis, shifts: &RangeInclusive<i64>, cells: Range<u32>) -> Self {
        let blocks = cells.start / axis.stride..cells.end.div_ceil(axis.stride);
        let first = i64::from(blocks.start) + shifts.start();
        let len = blocks.len() + (shifts.end() - shifts.start()) as usize;
        let within = |q: i64| q.clamp(0, axis.windows.into()) as u32;
        let real = within(first)..within(first + len as i64);
        Self { cells, blocks, first, len, real }
    }

    /// The number of a window among these.
    #[inline(always)]
    fn number(&self, q: u32) -> usize {
        (i64::from(q) - self.first) as usize
    }
}

impl<T: Cell> Gather<'_, T> {
    /// Unpools a part. Returns `true` only if every sum fits, those of the margins included: only taps that no pooling
    /// makes name a cell there.
    #[inline(always)]
    fn unpool_part<R: Rule<T>>(
        &self,
        part: &Part,
        output: &mut [T],
        scratch: &mut Scratch<T>,
    ) -> bool {
        let ([z, y, x], inner) = (&self.geometry.axes, self.geometry.inner as usize);
        let [of_z, of_y, of_x] = &self.readers;
        let of_z = &of_z[(part.first.z % z.stride) as usize];
        let (line, stride) = (part.x.len * inner, of_x.len());
        let plane = part.y.len * line;
        self.copy_lines(part, of_z, scratch);
        let Scratch { values, taps, sources, classes } = scratch;
        sources.clear();
        for of_y in of_y {
            sources.rows.clear();
            for (i, of_z) in of_z.iter().enumerate() {
                sources.rows.extend(of_y.iter().map(|of_y| RowOfWindows {
                    first_tap: (of_z.tap * y.kernel + of_y.tap) * x.kernel,
                    start: (i * plane).wrapping_add((of_y.shift * line as i64) as usize),
                }));
            }
            sources.add(of_x, self.geometry.inner);
        }
        let mut fits = true;
        let lines = (BAND / size_of::<T>()).div_ceil(line);
        let (blocks, width) = (part.x.blocks.len() * inner, part.x.cells.len() * inner);
        let len = ((lines - 1) * line + blocks).max(LANES);
        grow(classes, of_y.len() * stride * len);
        for first in part.y.blocks.clone().step_by(lines) {
            let end = part.y.blocks.end.min(first + lines as u32);
            // The pooled elements of the first block's own window, and of all blocks, line after line.
            let ahead = part.y.number(first).wrapping_mul(line);
            let ahead = ahead.wrapping_add(part.x.number(part.x.blocks.start).wrapping_mul(inner));
            let run = ((end - first - 1) as usize * line + blocks).max(LANES);
            let classes_of_band = classes.chunks_exact_mut(len).take(of_y.len() * stride);
            for (class, cells) in classes_of_band.enumerate() {
                let (pooled, sources) = ((&values[..], &taps[..]), sources.of_class(class));
                fits &= unpool_run::<T, u8, R>(pooled, sources, ahead, &mut cells[..run]);
            }
            let cells = &part.y.cells;
            for y_cell in cells.start.max(first * y.stride)..cells.end.min(end * y.stride) {
                let (block, class) = (y_cell / y.stride - first, y_cell % y.stride);
                let classes = &classes[class as usize * stride * len + block as usize * line..];
                let row = &mut output[(y_cell - cells.start) as usize * width..][..width];
                if stride == 1 {
                    row.copy_from_slice(&classes[..width]);
                } else {
                    let from_even = part.x.cells.start.is_multiple_of(2);
                    interleave::join(classes, &classes[len..], from_even, row);
                }
            }
        }
        fits
    }

    /// Copies the rows of windows that read a part. Taps of the margins name no cell. Never inlined: planes of 14×14 take
    /// 390 µs instead of 470.
    #[inline(never)]
    fn copy_lines(&self, part: &Part, of_z: &[Reader], scratch: &mut Scratch<T>) {
        let (z, inner) = (&self.geometry.axes[0], self.geometry.inner as usize);
        let pooled = self.geometry.axes.map(|axis| axis.windows);
        let line = part.x.len * inner;
        // A run has at least LANES cells.
        let len = of_z.len() * part.y.len * line + LANES;
        grow(&mut scratch.values, len);
        scratch.taps.clear();
        scratch.taps.resize(len, u8::MAX);
        for (i, of_z) in of_z.iter().enumerate() {
            let Some(qz) = z.window(part.first.z / z.stride, of_z.shift) else { continue };
            for qy in part.y.real.clone() {
                let row = Row { z: qz, y: qy, ..part.first }.number(pooled);
                let from = row * self.geometry.pooled_row() + part.x.real.start as usize * inner;
                let from = from..from + part.x.real.len() * inner;
                let to = (i * part.y.len + part.y.number(qy)) * line;
                let to = to + part.x.number(part.x.real.start) * inner;
                let to = to..to + from.len();
                scratch.values[to.clone()].copy_from_slice(&self.values[from.clone()]);
                scratch.taps[to].copy_from_slice(&self.taps[from]);
            }
        }
    }
}

/// Makes room for `len` elements, of any values.
fn grow<T: Cell>(elements: &mut Vec<T>, len: usize) {
    if elements.len() < len {
        elements.resize(len, T::default());
    }
}
