//! One spatial axis: where windows start, which cells they contain, and how sizes and padding follow from a
//! [`Window`].

use std::ops::{Range, RangeInclusive};

use crate::error::GeometryError;
use crate::window::{Padding, Window};

/// The largest coordinate, padding included. Kernels hold coordinates in an `i32`.
const MAX_COORDINATE: u64 = i32::MAX as u64;

/// One spatial axis over which a window slides: of a geometry, or of a convolution in `unpool-cnn`. Every number
/// fits an `i32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Cells of the input.
    pub input: u32,
    /// How many windows there are: the pooled size.
    pub windows: u32,
    /// Cells of the window.
    pub kernel: u32,
    /// Cells from the start of one window to the start of the next.
    pub stride: u32,
    /// Cells from one cell of the window to the next.
    pub dilation: u32,
    /// Cells of padding before the input.
    pub before: u32,
    /// Cells of padding after the input.
    pub after: u32,
}

impl Axis {
    /// An axis that a tensor does not have: one cell, and a window of one cell.
    pub const NONE: Self =
        Self { input: 1, windows: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

    /// Cells from the first to the last cell of the window, both included.
    pub fn extent(&self) -> u32 {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Windows that can hold one cell: `ceil(extent / stride)`.
    pub(crate) fn windows_per_cell(&self) -> u32 {
        self.extent().div_ceil(self.stride)
    }

    /// Where window `q` starts, in cells of the input; negative inside the padding.
    pub fn start(&self, q: u32) -> i64 {
        i64::from(q) * i64::from(self.stride) - i64::from(self.before)
    }

    /// The windows that lie inside the input from their first cell to their last.
    pub(crate) fn whole_windows(&self) -> Range<u32> {
        let first = self.before.div_ceil(self.stride).min(self.windows);
        let room = i64::from(self.input) + i64::from(self.before) - i64::from(self.extent());
        let count = if room < 0 { 0 } else { room as u32 / self.stride + 1 };
        first..count.clamp(first, self.windows)
    }

    /// From the first to the last window that can hold one of some cells, at least one.
    pub(crate) fn windows_over(&self, cells: &Range<u32>) -> Range<u32> {
        let (first, last) = (cells.start + self.before, cells.end - 1 + self.before);
        let start = (first + 1).saturating_sub(self.extent()).div_ceil(self.stride);
        let end = (last / self.stride + 1).min(self.windows);
        start.min(end)..end
    }

    /// The windows that read the cells of each class, in order. The class of a cell is its number modulo
    /// the stride.
    pub(crate) fn readers(&self) -> Vec<Vec<Reader>> {
        let mut classes = vec![Vec::new(); self.stride.min(self.input) as usize];
        // A later window has a cell at an earlier tap.
        for tap in (0..self.kernel).rev() {
            let (cell, stride) = (i64::from(tap * self.dilation), i64::from(self.stride));
            let cell = cell - i64::from(self.before);
            let class = usize::try_from(cell.rem_euclid(stride)).ok();
            if let Some(readers) = class.and_then(|class| classes.get_mut(class)) {
                readers.push(Reader { tap, shift: -cell.div_euclid(stride) });
            }
        }
        classes
    }

    /// The window that reads a cell of a stride block, by the shift of the [`Reader`].
    #[inline(always)]
    pub(crate) fn window(&self, block: u32, shift: i64) -> Option<u32> {
        let q = i64::from(block) + shift;
        (0..i64::from(self.windows)).contains(&q).then_some(q as u32)
    }

    /// The least and the greatest shift of some readers.
    pub(crate) fn shifts(readers: &[Vec<Reader>]) -> RangeInclusive<i64> {
        let shifts = || readers.iter().flatten().map(|reader| reader.shift);
        shifts().min().unwrap_or(0)..=shifts().max().unwrap_or(0)
    }

    /// The axis with only `windows`, at least one, and the cells that these read, which are its input.
    pub(crate) fn of_windows(&self, windows: Range<u32>) -> (Self, Range<u32>) {
        let (first, last) = (self.start(windows.start), self.start(windows.end - 1));
        let end = (last + i64::from(self.extent())).min(i64::from(self.input)) as u32;
        let (start, before) = (first.max(0) as u32, (-first).max(0) as u32);
        let (input, windows) = (end - start, windows.end - windows.start);
        (Self { input, windows, before, ..*self }, start..end)
    }

    /// The cell of a tap inside window `q`.
    #[inline(always)]
    pub fn cell(&self, q: u32, tap: u32) -> u32 {
        (self.start(q) + i64::from(tap * self.dilation)) as u32
    }

    /// The window that holds a cell and the cell's tap there, if one does, of windows that do not
    /// overlap.
    #[inline(always)]
    pub(crate) fn window_of(&self, cell: u32) -> Option<(u32, u32)> {
        let q = ((cell + self.before) / self.stride).min(self.windows - 1);
        let step = cell + self.before - q * self.stride;
        let tap = match self.dilation {
            1 => step,
            dilation if step.is_multiple_of(dilation) => step / dilation,
            _ => return None,
        };
        (tap < self.kernel).then_some((q, tap))
    }

    /// The stride blocks that hold a cell of the input. Block `q` has the cells from the start of window `q` to the
    /// start of the next.
    pub(crate) fn blocks(&self) -> Range<u32> {
        self.before / self.stride..(self.input + self.before).div_ceil(self.stride)
    }

    /// First and last cell of the input that window `q` can hold.
    pub(crate) fn cells_of_window(&self, q: u32) -> (u32, u32) {
        let start = self.start(q);
        clamped(self.input, start, start + i64::from(self.extent()) - 1)
    }

    /// First and last cell of the input in stride block `q`.
    pub(crate) fn cells_of_block(&self, q: u32) -> (u32, u32) {
        let start = self.start(q);
        clamped(self.input, start, start + i64::from(self.stride) - 1)
    }

    /// First and last window that can hold a cell of stride block `q`.
    pub(crate) fn windows_of_block(&self, q: u32) -> (u32, u32) {
        let q = i64::from(q);
        clamped(self.windows, q - i64::from(self.windows_per_cell()) + 1, q)
    }

    /// The taps of window `q` that lie in the input.
    #[inline(always)]
    pub fn taps_inside(&self, q: u32) -> Range<u32> {
        let start = self.start(q);
        // A division takes longer than all else here, and few windows need one.
        let first = if start < 0 { (-start as u32).div_ceil(self.dilation) } else { 0 };
        let room = i64::from(self.input) - start;
        let end = if room >= i64::from(self.extent()) {
            self.kernel
        } else {
            (room.max(0) as u32).div_ceil(self.dilation)
        };
        first.min(end)..end
    }

    /// The windows whose tap `tap` lies in the input.
    pub fn windows_inside(&self, tap: u32) -> Range<u32> {
        let (stride, input) = (i64::from(self.stride), i64::from(self.input));
        // Window q reads cell q·stride + shift.
        let shift = i64::from(tap) * i64::from(self.dilation) - i64::from(self.before);
        let first = if shift >= 0 { 0 } else { (-shift + stride - 1) / stride };
        let end = if shift >= input { 0 } else { (input - shift + stride - 1) / stride };
        let end = end.clamp(0, i64::from(self.windows));
        (first.min(end) as u32)..(end as u32)
    }
}

/// A window that reads the cells of a class: cell `class + b·stride` is the tap of window `b + shift`, if
/// there is such a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) tap: u32,
    pub(crate) shift: i64,
}

/// From `low` to `high`, or as near as numbers below `extent` are.
fn clamped(extent: u32, low: i64, high: i64) -> (u32, u32) {
    let last = i64::from(extent) - 1;
    (low.clamp(0, last) as u32, high.clamp(0, last) as u32)
}

/// Padding and pooled size on one axis; `pooled` overrules the formula.
pub(crate) fn resolve(
    window: &Window,
    axis: usize,
    input: usize,
    pooled: Option<usize>,
) -> Result<Axis, GeometryError> {
    let (n, stride) = (input as u128, window.stride()[axis] as u128);
    let extent = (window.kernel()[axis] as u128 - 1) * window.dilation()[axis] as u128 + 1;
    let windows = |before: u128, after: u128| {
        let padded = n + before + after;
        if padded < extent && !(window.ceil_mode() && padded + stride > extent) {
            return 0;
        }
        let round = if window.ceil_mode() { stride - 1 } else { 0 };
        let out = (padded + round - extent) / stride + 1;
        // A window that starts past the input and the padding before it does not count.
        if window.ceil_mode() && (out - 1) * stride >= n + before { out - 1 } else { out }
    };
    let same = |odd_before: bool| {
        let out = n.div_ceil(stride);
        let need = ((out - 1) * stride + extent).saturating_sub(n);
        let (small, large) = (need / 2, need - need / 2);
        if odd_before { (large, small, out) } else { (small, large, out) }
    };
    let (before, after, out) = match window.padding() {
        Padding::Valid => (0, 0, windows(0, 0)),
        Padding::Explicit(pads) => {
            let (before, after) = (pads[axis].0 as u128, pads[axis].1 as u128);
            (before, after, windows(before, after))
        }
        Padding::Same => same(false),
        Padding::SameLower => same(true),
    };
    let out = pooled.map_or(out, |p| p as u128);
    if out == 0 {
        return Err(GeometryError::EmptyOutput { axis, extent, padded: n + before + after });
    }
    let reach = (out - 1).saturating_mul(stride).saturating_add(extent).saturating_add(before);
    let largest = reach.max(n + before + after).max(stride);
    if largest > u128::from(MAX_COORDINATE) {
        return Err(GeometryError::AxisTooLong { axis, found: largest, allowed: MAX_COORDINATE });
    }
    let resolved = Axis {
        input: n as u32,
        windows: out as u32,
        kernel: window.kernel()[axis] as u32,
        stride: stride as u32,
        // Between the cells of a window of one cell there is no step.
        dilation: if extent == 1 { 1 } else { window.dilation()[axis] as u32 },
        before: before as u32,
        after: after as u32,
    };
    match window_without_cell(&resolved) {
        None => Ok(resolved),
        Some(q) => Err(GeometryError::EmptyWindow {
            axis,
            window: q as usize,
            start: resolved.start(q),
            kernel: resolved.kernel as usize,
            dilation: resolved.dilation as usize,
            input,
        }),
    }
}

/// The first window that holds no cell of the input, if there is one.
///
/// Only windows that start before the input, or the last, can be without a cell. Of those before,
/// the first reaches least far. If it reaches the input, all do, and a window is empty only if it
/// steps over the input: if its first cell past the padding, which is its start modulo the dilation, lies past
/// the input.
fn window_without_cell(axis: &Axis) -> Option<u32> {
    let empty = |q: &u32| axis.taps_inside(*q).is_empty();
    let starts_before = axis.before.div_ceil(axis.stride).min(axis.windows);
    let (step, input) = (u64::from(axis.dilation), u64::from(axis.input));
    let stepping_over = || {
        let cell = axis.start(0).rem_euclid(i64::from(axis.dilation)) as u64;
        let stride = u64::from(axis.stride) % step;
        if input >= step {
            None
        } else {
            first_multiple(stride, step, input - cell, step - 1 - cell)
        }
    };
    let before = if starts_before == 0 {
        None
    } else if empty(&0) {
        Some(0)
    } else {
        stepping_over().filter(|&q| q < u64::from(starts_before)).map(|q| q as u32)
    };
    before.or_else(|| Some(axis.windows - 1).filter(empty))
}

/// The smallest `q` with `low <= q * a % modulus <= high`, by Euclid's steps; `high < modulus`.
fn first_multiple(a: u64, modulus: u64, low: u64, high: u64) -> Option<u64> {
    if low == 0 {
        return Some(0);
    }
    if a == 0 {
        return None;
    }
    let q = low.div_ceil(a);
    if q * a <= high {
        return Some(q);
    }
    // No multiple lies there before the products wrap: the same question about the wraps.
    let wraps = first_multiple(modulus % a, a, (a - high % a) % a, (a - low % a) % a)?;
    Some((low + modulus * wraps).div_ceil(a))
}

/// The size to unpool `pooled` windows to, given or by default, on one axis.
pub(crate) fn unpooled_size(
    window: &Window,
    axis: usize,
    pooled: usize,
    size: Option<usize>,
) -> Result<usize, GeometryError> {
    let (kernel, stride) = (window.kernel()[axis] as i128, window.stride()[axis] as i128);
    let count = pooled as i128;
    let (default, lowest, highest) = match window.padding() {
        Padding::Same | Padding::SameLower => {
            let largest = count.saturating_mul(stride);
            (largest, largest - stride + 1, largest)
        }
        rule => {
            let pads = match rule {
                Padding::Explicit(pads) => pads[axis].0 as i128 + pads[axis].1 as i128,
                _ => 0,
            };
            let default = (count - 1).saturating_mul(stride).saturating_add(kernel - pads);
            (default, (default - stride + 1).max(1), default.saturating_add(stride - 1))
        }
    };
    let found = size.map_or(default, |s| s as i128);
    if found < lowest || found > highest {
        return Err(GeometryError::OutputSize { axis, found, lowest, highest });
    }
    usize::try_from(found).map_err(|_| GeometryError::AxisTooLong {
        axis,
        found: found as u128,
        allowed: MAX_COORDINATE,
    })
}
