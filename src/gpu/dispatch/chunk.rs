//! Cutting an operation into dispatches: each makes a range of work items, and touches a part of each tensor
//! that fits a binding. Pure arithmetic.

use std::ops::Range;

use crate::element::Element;
use crate::error::{Error, check_limit};
use crate::geometry::{Axis, Geometry};
use crate::gpu::dispatch::grid::Limits;
use crate::gpu::kernel::size::row_elements;
use crate::gpu::kernel::uniforms::{Params, inverse};
use crate::gpu::kernel::{Access, Kernel, Loads, Owns, item_elements};

/// One dispatch: its grid, its uniforms and the bytes of each tensor that it binds.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) workgroups: [u32; 2],
    pub(crate) params: Params,
    /// Bytes from the start of the tensor that is read, the tensor that is written, and the taps.
    pub(crate) bytes: [Range<u64>; 3],
}

/// A position in `[outer, z, y, x]`.
type Pixel = [u32; 4];

/// An operation on a geometry, before it is cut.
pub(crate) struct Work<'a> {
    geometry: &'a Geometry,
    pub(crate) kernel: Kernel,
    element_bytes: u64,
    /// Adjacent elements that a work item owns.
    item: u64,
    /// The iteration space, which the work items divide between them: its spatial extents, the elements of a pixel,
    /// and all elements.
    extents: [u32; 3],
    inner: u32,
    elements: u64,
}

impl<'a> Work<'a> {
    pub(crate) fn new(geometry: &'a Geometry, kernel: Kernel, element: Element) -> Self {
        let axes = &geometry.axes;
        let blocks = axes.map(|axis| axis.blocks().end - axis.blocks().start);
        let [z, y, x] = match kernel.row().owns {
            Owns::PooledValues | Owns::PooledStrips => axes.map(|axis| axis.windows),
            Owns::Cells => axes.map(|axis| axis.input),
            Owns::Blocks => blocks,
            Owns::RowCells => [blocks[0], blocks[1], row_elements(geometry) as u32],
        };
        let extents = [z, y.div_ceil(kernel.strip()), x];
        let inner = if kernel.row().owns == Owns::RowCells { 1 } else { geometry.inner };
        let elements = extents.iter().map(|&extent| u64::from(extent)).product::<u64>()
            * u64::from(geometry.outer)
            * u64::from(inner);
        Self {
            geometry,
            kernel,
            element_bytes: element.bytes() as u64,
            item: item_elements(kernel.row().access, element),
            extents,
            inner,
            elements,
        }
    }

    /// The dispatches, in order: one, several for a tensor that passes a limit, none for an empty batch. The limits
    /// must be more than 0, which [`Arguments::new`](super::Arguments::new) checks.
    ///
    /// # Errors
    ///
    /// Returns an error if a single work item touches more bytes of a tensor than a binding can hold.
    pub(crate) fn chunks(&self, limits: &Limits) -> Result<Vec<Chunk>, Error> {
        let items = self.elements.div_ceil(self.item);
        let fits = |items: Range<u64>| {
            let count = items.end - items.start;
            let mut bound = self.bound(items, limits).into_iter();
            count <= limits.most_invocations()
                && bound.all(|bytes| bytes.end - bytes.start <= limits.binding_bytes)
        };
        let mut chunks = Vec::new();
        let mut first = 0;
        while first < items {
            let bound = self.bound(first..first + 1, limits).map(|bytes| bytes.end - bytes.start);
            let needed = bound.into_iter().max().unwrap_or(0);
            check_limit("max_storage_buffer_binding_size", needed, limits.binding_bytes)?;
            let mut end = items;
            if !fits(first..end) {
                // The largest end that fits, by bisection.
                let (mut fitting, mut too_large) = (first + 1, end);
                while too_large - fitting > 1 {
                    let middle = fitting + (too_large - fitting) / 2;
                    let half = if fits(first..middle) { &mut fitting } else { &mut too_large };
                    *half = middle;
                }
                end = fitting;
            }
            chunks.push(self.chunk(first..end, limits));
            first = end;
        }
        Ok(chunks)
    }

    fn chunk(&self, items: Range<u64>, limits: &Limits) -> Chunk {
        let row = self.kernel.row();
        let bytes = self.bound(items.clone(), limits);
        let count = items.end - items.start;
        let workgroups = limits.grid(count);
        // Bytes of an element of the bound arrays.
        let packed = self.item * self.element_bytes;
        let stored = if row.access == Access::Flat { 4 } else { packed };
        let windows = u64::from(self.windows_of_vector());
        let loaded = match (row.loads, row.access) {
            (_, Access::RowWords) => windows * self.element_bytes,
            (Loads::NamedCells | Loads::OwnWords, _) => 4,
            (_, Access::Channels | Access::ChannelWords | Access::Row) => packed,
            _ => self.element_bytes,
        };
        let words = matches!(row.access, Access::ChannelWords | Access::RowWords);
        let taps = if words { windows } else { 4 };
        let channels = self.geometry.inner;
        let inner = match row.access {
            Access::Channels | Access::ChannelWords => channels / self.item as u32,
            _ => channels,
        };
        let [z, y, x] = self.extents;
        let in_rows = row.access == Access::Row || row.owns == Owns::RowCells;
        let x = if in_rows { x / self.item as u32 } else { x };
        let row_elements = u64::from(x) * u64::from(inner);
        let axes = &self.geometry.axes;
        let params = Params {
            input: axes.map(|axis| axis.input),
            inner,
            pooled: axes.map(|axis| axis.windows),
            first_item: items.start as u32,
            pad_before: axes.map(|axis| axis.before),
            items: count as u32,
            extents: [z, y, x],
            grid_width: workgroups[0],
            first_block: axes.map(|axis| axis.blocks().start),
            elements: self.elements as u32,
            input_base: (bytes[0].start / loaded) as u32,
            output_base: (bytes[1].start / stored) as u32,
            taps_base: (bytes[2].start / taps) as u32,
            row_elements: row_elements as u32,
            inverses: [z.into(), y.into(), row_elements, inner.into()].map(inverse),
        };
        Chunk { workgroups, params, bytes }
    }

    /// The bytes of the tensor that is read, the tensor that is written and the taps that some work items
    /// touch, from offsets that can be bound.
    fn bound(&self, items: Range<u64>, limits: &Limits) -> [Range<u64>; 3] {
        let [mut read, written, mut taps] = self.touched(items);
        if self.kernel.row().owns == Owns::Cells {
            // The window of a value has the same number in both bindings.
            let start = read.start / limits.alignment * limits.alignment;
            (read.start, taps.start) = (start, start);
        }
        let align = |elements: Range<u64>, bytes: u64| {
            let start = elements.start * bytes / limits.alignment * limits.alignment;
            start..(elements.end * bytes).next_multiple_of(4)
        };
        [
            align(read, self.element_bytes),
            align(written, self.element_bytes),
            align(taps, self.geometry.tap_width() as u64),
        ]
    }

    /// The elements of the tensor that is read, the tensor that is written and the taps that some work items
    /// touch.
    fn touched(&self, items: Range<u64>) -> [Range<u64>; 3] {
        let own = items.start * self.item..(items.end * self.item).min(self.elements);
        let (first, last) = (self.pixel(own.start), self.pixel(own.end - 1));
        let (axes, row) = (&self.geometry.axes, self.kernel.row());
        let windows_of_cell = |i: usize, cell: u32| {
            axes[i].windows_of_block((cell + axes[i].before) / axes[i].stride)
        };
        match row.owns {
            Owns::PooledValues if row.loads == Loads::OwnWords => [own.clone(), own.clone(), own],
            Owns::PooledValues => {
                let input =
                    self.region(first, last, |axis| axis.input, |i, q| axes[i].cells_of_window(q));
                [input, own.clone(), own]
            }
            Owns::PooledStrips => {
                // Rows are loaded in whole vec4s.
                let whole = |i: usize| row.access == Access::Row && i == 2;
                let windows = |i: usize, n: u32| self.strip(i, n, axes[i].windows);
                let input = self.region(
                    first,
                    last,
                    |axis| axis.input,
                    |i, n| {
                        let (above, below) = windows(i, n);
                        let low = axes[i].cells_of_window(above).0;
                        let high = axes[i].cells_of_window(below).1;
                        if whole(i) { (low & !3, high | 3) } else { (low, high) }
                    },
                );
                let pooled = self.region(first, last, |axis| axis.windows, windows);
                [input, pooled.clone(), pooled]
            }
            Owns::Cells => {
                let pooled = self.region(first, last, |axis| axis.windows, windows_of_cell);
                [pooled.clone(), own, pooled]
            }
            Owns::Blocks | Owns::RowCells => {
                // On x of rows elements are counted, and windows may be loaded in whole vectors.
                let in_row = |i: usize| row.owns == Owns::RowCells && i == 2;
                let (channels, vector) = (self.geometry.inner, self.windows_of_vector());
                let windows = |i: usize, n: u32| {
                    if !in_row(i) {
                        return self.of_blocks(i, n, Axis::windows_of_block);
                    }
                    let (low, high) = windows_of_cell(i, n / channels);
                    (low / vector * vector, high / vector * vector + (vector - 1))
                };
                let cells = |i: usize, n: u32| match in_row(i) {
                    true => (n / channels, n / channels),
                    false => self.of_blocks(i, n, Axis::cells_of_block),
                };
                let pooled = self.region(first, last, |axis| axis.windows, windows);
                let output = self.region(first, last, |axis| axis.input, cells);
                [pooled.clone(), output, pooled]
            }
        }
    }

    /// Windows that are loaded at once.
    fn windows_of_vector(&self) -> u32 {
        let row = self.kernel.row();
        match (row.access, row.loads) {
            (Access::ChannelWords, _) => self.item as u32,
            (Access::RowWords, _) => self.item as u32 / self.geometry.axes[2].stride,
            (_, Loads::Vec4s) => 4,
            _ => 1,
        }
    }

    /// The first and the last of some windows or blocks that coordinate `n` of axis `i` stands for: on y a strip.
    fn strip(&self, i: usize, n: u32, count: u32) -> (u32, u32) {
        let strip = if i == 1 { self.kernel.strip() } else { 1 };
        (n * strip, (n * strip + strip - 1).min(count - 1))
    }

    /// The first and the last window or cell of the stride blocks that coordinate `n` of axis `i` stands for.
    fn of_blocks(&self, i: usize, n: u32, of: fn(&Axis, u32) -> (u32, u32)) -> (u32, u32) {
        let axis = &self.geometry.axes[i];
        let blocks = axis.blocks();
        let (first, last) = self.strip(i, n, blocks.end - blocks.start);
        (of(axis, first + blocks.start).0, of(axis, last + blocks.start).1)
    }

    /// The position of an element of the iteration space.
    fn pixel(&self, element: u64) -> Pixel {
        let [d, h, w] = self.extents.map(u64::from);
        let pixel = element / u64::from(self.inner);
        let row = pixel / w;
        let slice = row / h;
        [slice / d, slice % d, row % h, pixel % w].map(|n| n as u32)
    }

    /// The elements of another tensor from the first to the last that the positions from `first` to `last`
    /// touch, where coordinate `c` of axis `i` touches the coordinates `along(i, c)`.
    ///
    /// Once an outer coordinate differs, the inner coordinates take every value in between.
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
            // On z the first outer index starts at `first` and the last ends at `last`, even if they differ.
            let bounded = first[..=i] == last[..=i] || i == 0;
            let from = if bounded { along(i, first[i + 1]).0 } else { 0 };
            let to = if bounded { along(i, last[i + 1]).1 } else { extent - 1 };
            low = low * u64::from(extent) + u64::from(from);
            high = high * u64::from(extent) + u64::from(to);
        }
        let inner = u64::from(self.geometry.inner);
        low * inner..(high + 1) * inner
    }
}
