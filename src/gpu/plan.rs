//! How an operation is laid over a device: which units a dispatch makes, and which parts of its
//! tensors it touches. Pure arithmetic; where a tensor passes a limit it is cut here.

use std::ops::Range;

use crate::element::Element;
use crate::error::Error;
use crate::geometry::Axis;
use crate::geometry::Geometry;
use crate::gpu::operation::Operation;
use crate::gpu::program::Program;
use crate::gpu::uniforms::{Divisor, Params};
use crate::gpu::work::{Fours, Lanes, Owned};

/// What a device allows a dispatch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    pub(crate) binding_bytes: u64,
    pub(crate) alignment: u64,
    pub(crate) workgroups: u32,
    pub(crate) workgroup_size: u32,
}

impl Allowed {
    /// Threads that one dispatch can have, its grid folded once.
    pub(crate) fn most_threads(&self) -> u64 {
        u64::from(self.workgroups).pow(2).saturating_mul(self.workgroup_size.into())
    }

    /// Whether so many threads fit one dispatch, for what is not cut.
    pub(crate) fn check_grid(&self, threads: u64) -> Result<(), Error> {
        if threads <= self.most_threads() {
            return Ok(());
        }
        // The side of the smallest square grid of so many.
        let workgroups = threads.div_ceil(self.workgroup_size.into());
        Err(Error::Limit {
            limit: "max_compute_workgroups_per_dimension",
            needed: workgroups.isqrt() + u64::from(workgroups.isqrt().pow(2) < workgroups),
            allowed: self.workgroups.into(),
        })
    }

    /// The grid of at least so many threads.
    pub(crate) fn grid(&self, threads: u64) -> [u32; 2] {
        let workgroups = threads.div_ceil(self.workgroup_size.into()).max(1);
        let width = workgroups.min(self.workgroups.into());
        [width as u32, workgroups.div_ceil(width) as u32]
    }
}

/// One dispatch: its grid, its uniforms and the bytes of each tensor that it is bound to.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) workgroups: [u32; 2],
    pub(crate) params: Params,
    /// The tensor read, the tensor written, the taps; in bytes from the start of each.
    pub(crate) bytes: [Range<u64>; 3],
}

/// A place in `[outer, z, y, x]`.
type Pixel = [u32; 4];

pub(crate) struct Plan<'a> {
    geometry: &'a Geometry,
    pub(crate) program: Program,
    element_bytes: u64,
    /// Spatial extents of what the units divide, and its elements.
    extents: [u32; 3],
    elements: u64,
    blocks: [u32; 3],
    first_block: [u32; 3],
}

impl<'a> Plan<'a> {
    pub(crate) fn new(geometry: &'a Geometry, program: Program, element: Element) -> Self {
        let first_block = geometry.axes.map(|a| a.blocks().start);
        let blocks = geometry.axes.map(|a| a.blocks().end - a.blocks().start);
        let extents = match program.owned {
            Owned::Pooled => geometry.axes.map(|a| a.pooled),
            Owned::Cells => geometry.axes.map(|a| a.input),
            Owned::Blocks => blocks,
            Owned::RowBlocks => [blocks[0], blocks[1], 4 * Fours::of_blocks(&geometry.axes[2])],
        };
        let elements = extents.iter().map(|&e| u64::from(e)).product::<u64>()
            * u64::from(geometry.outer)
            * u64::from(geometry.inner);
        Self {
            geometry,
            program,
            element_bytes: element.bytes() as u64,
            extents,
            elements,
            blocks,
            first_block,
        }
    }

    /// The dispatches, in order: one, or as many as the limits make it. None for an empty batch.
    ///
    /// # Errors
    ///
    /// If what a single thread touches is more than one binding holds.
    pub(crate) fn pieces(&self, allowed: &Allowed) -> Result<Vec<Piece>, Error> {
        let threads = self.elements.div_ceil(self.thread_elements());
        let most = allowed.most_threads();
        let mut pieces = Vec::new();
        let mut first = 0;
        while first < threads {
            let fits = |end: u64| {
                let bound = self.bound(first..end, allowed);
                end - first <= most
                    && bound.iter().all(|b| b.end - b.start <= allowed.binding_bytes)
            };
            if !fits(first + 1) {
                let bound = self.bound(first..first + 1, allowed);
                let needed = bound.iter().map(|b| b.end - b.start).max().unwrap_or(0);
                return Err(Error::Limit {
                    limit: "max_storage_buffer_binding_size",
                    needed,
                    allowed: allowed.binding_bytes,
                });
            }
            let (mut good, mut bad) = (first + 1, threads + 1);
            if fits(threads) {
                good = threads;
            } else {
                while bad - good > 1 {
                    let middle = good + (bad - good) / 2;
                    if fits(middle) { good = middle } else { bad = middle }
                }
            }
            pieces.push(self.piece(first..good, allowed));
            first = good;
        }
        Ok(pieces)
    }

    fn thread_elements(&self) -> u64 {
        4 * self.program.units as u64
    }

    fn piece(&self, threads: Range<u64>, allowed: &Allowed) -> Piece {
        let bytes = self.bound(threads.clone(), allowed);
        let count = threads.end - threads.start;
        let workgroups = allowed.grid(count);
        let unit_bytes = match self.program.lanes {
            Lanes::Together | Lanes::Rows => 4 * self.element_bytes,
            Lanes::Apart => 4,
        };
        // Some read single words whatever their lanes: `words_in`.
        let in_bytes = match self.program.operation {
            Operation::UnpoolBackward | Operation::IndicesToTaps => 4,
            _ => unit_bytes,
        };
        let inner = match self.program.lanes {
            Lanes::Together => self.geometry.inner / 4,
            Lanes::Apart | Lanes::Rows => self.geometry.inner,
        };
        let [z, y, x] = self.extents;
        let x = if self.program.lanes == Lanes::Rows { x / 4 } else { x };
        let axes = &self.geometry.axes;
        let [by_z, by_y, by_x] = [z, y, x].map(Divisor::new);
        let params = Params {
            by_inner: Divisor::new(inner),
            by_z,
            by_y,
            by_x,
            input: axes.map(|a| a.input),
            inner,
            pooled: axes.map(|a| a.pooled),
            first: (threads.start * self.program.units as u64) as u32,
            before: axes.map(|a| a.before),
            threads: count as u32,
            blocks: self.blocks,
            grid_width: workgroups[0],
            first_block: self.first_block,
            elements: self.elements as u32,
            in_base: (bytes[0].start / in_bytes) as u32,
            out_base: (bytes[1].start / unit_bytes) as u32,
            taps_base: (bytes[2].start / 4) as u32,
            end: 0,
        };
        Piece { workgroups, params, bytes }
    }

    /// The bytes of the tensor read, the tensor written and the taps that some threads touch, at
    /// offsets that can be bound.
    fn bound(&self, threads: Range<u64>, allowed: &Allowed) -> [Range<u64>; 3] {
        let [read, written, taps] = self.touched(threads);
        let align = |elements: Range<u64>, bytes: u64| {
            let start = elements.start * bytes / allowed.alignment * allowed.alignment;
            start..(elements.end * bytes).next_multiple_of(4)
        };
        [
            align(read, self.element_bytes),
            align(written, self.element_bytes),
            align(taps, self.geometry.tap_width() as u64),
        ]
    }

    /// The elements of the tensor read, the tensor written and the taps that some threads touch.
    fn touched(&self, threads: Range<u64>) -> [Range<u64>; 3] {
        let each = self.thread_elements();
        let own = threads.start * each..(threads.end * each).min(self.elements);
        let first = self.pixel(own.start);
        let last = self.pixel(own.end - 1);
        let axes = &self.geometry.axes;
        match self.program.owned {
            Owned::Pooled if self.program.operation.converts() => [own.clone(), own.clone(), own],
            Owned::Pooled => {
                // Pooling loads rows in fours.
                let fours =
                    self.program.lanes == Lanes::Rows && self.program.operation == Operation::Pool;
                let cells = |i: usize, q: u32| match axes[i].cells_of_window(q) {
                    (low, high) if fours && i == 2 => (low & !3, high | 3),
                    cells => cells,
                };
                let input = self.region(first, last, |a| a.input, cells);
                [input, own.clone(), own]
            }
            Owned::Cells => {
                let windows = |i: usize, x: u32| {
                    let axis = &axes[i];
                    axis.windows_of_block((x + axis.before) / axis.stride)
                };
                let pooled = self.region(first, last, |a| a.pooled, windows);
                [pooled.clone(), own, pooled]
            }
            Owned::Blocks | Owned::RowBlocks => {
                let rows = self.program.owned == Owned::RowBlocks;
                let windows = |i: usize, b: u32| match i {
                    2 if rows => Fours::windows_of_blocks(&axes[2], b / 4),
                    _ => axes[i].windows_of_block(b + self.first_block[i]),
                };
                let pooled = self.region(first, last, |a| a.pooled, windows);
                let cells = |i: usize, b: u32| match i {
                    2 if rows => Fours::cells_of_blocks(&axes[2], b / 4),
                    _ => axes[i].cells_of_block(b + self.first_block[i]),
                };
                let output = self.region(first, last, |a| a.input, cells);
                [pooled.clone(), output, pooled]
            }
        }
    }

    /// The place of an element of what the units divide.
    fn pixel(&self, element: u64) -> Pixel {
        let [d, h, w] = self.extents.map(u64::from);
        let pixel = element / u64::from(self.geometry.inner);
        let row = pixel / w;
        let slice = row / h;
        [slice / d, slice % d, row % h, pixel % w].map(|n| n as u32)
    }

    /// The elements of another tensor between the first and the last that the places from `first`
    /// to `last` touch, where coordinate `c` of axis `i` touches the coordinates `along(i, c)`.
    ///
    /// Once an outer coordinate differs, the inner ones take every value in between.
    fn region(
        &self,
        first: Pixel,
        last: Pixel,
        extent: fn(&Axis) -> u32,
        along: impl Fn(usize, u32) -> (u32, u32),
    ) -> Range<u64> {
        let (mut low, mut high) = (u64::from(first[0]), u64::from(last[0]));
        for (i, axis) in self.geometry.axes.iter().enumerate() {
            let extent = extent(axis);
            // At the first outer index z is at least first.z; further in nothing is known.
            let tied = first[..=i] == last[..=i];
            let from = if tied || i == 0 { along(i, first[i + 1]).0 } else { 0 };
            let to = if tied || i == 0 { along(i, last[i + 1]).1 } else { extent - 1 };
            low = low * u64::from(extent) + u64::from(from);
            high = high * u64::from(extent) + u64::from(to);
        }
        let inner = u64::from(self.geometry.inner);
        low * inner..(high + 1) * inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_the_widest_grid_are_counted_without_overflow() {
        let (binding_bytes, alignment) = (1 << 30, 256);
        for (workgroups, threads) in [
            (65_535, 65_535 * 65_535 * 128),
            (1 << 28, 1 << 63),
            (1 << 30, u64::MAX),
            (i32::MAX as u32, u64::MAX),
            (u32::MAX, u64::MAX),
        ] {
            let allowed = Allowed { binding_bytes, alignment, workgroups, workgroup_size: 128 };
            assert_eq!(allowed.most_threads(), threads, "{workgroups}");
        }
    }
}
