//! A [`Window`] over a [`Shape`], checked once.
//!
//! Every later step trusts a [`Geometry`], so every refusal that depends on sizes is here. Inside
//! the crate a tensor of any rank and layout is seen as five extents, `[outer, z, y, x, inner]`:
//! `outer` counts what lies around the spatial axes (images, or planes when channels come first),
//! `inner` what lies inside a pixel (channels when they come last, else 1). Missing spatial axes
//! have extent 1 and a window of one cell. Neither the CPU loops nor the kernels know more.

use crate::error::GeometryError;
use crate::shape::{Layout, Shape};
use crate::window::{Padding, Window};

/// Cells a window may have: a tap is at most two bytes, and their last value means "no cell".
pub(crate) const MAX_CELLS: u64 = 65_535;

/// The largest coordinate, padding included. Kernels hold coordinates in an `i32`.
const MAX_COORDINATE: u64 = i32::MAX as u64;

/// The largest number of elements of a tensor: element numbers are `u32`.
const MAX_ELEMENTS: u64 = u32::MAX as u64;

/// A window over an input shape: pooled shape, resolved padding, number of cells of the window.
///
/// It travels with the argmax: taps are read with the geometry that made them, and unpooling
/// restores exactly the input's shape.
///
/// ```
/// use unpool::{Geometry, Padding, Shape, Window};
///
/// let window = Window::new([3, 3]).stride([2, 2]).padding(Padding::Same);
/// let geometry = Geometry::new(&window, Shape::channels_last([8, 113, 111, 64]))?;
/// assert_eq!(geometry.pooled_shape(), &Shape::channels_last([8, 57, 56, 64]));
/// assert_eq!(geometry.pads(), [(1, 1), (1, 1)]);
/// assert!(geometry.windows_overlap());
/// # Ok::<(), unpool::GeometryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    window: Window,
    input: Shape,
    pooled: Shape,
    pub(crate) outer: u32,
    pub(crate) inner: u32,
    /// z, y, x.
    pub(crate) axes: [Axis; 3],
}

/// One spatial axis of a geometry. Every number fits an `i32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) input: u32,
    pub(crate) pooled: u32,
    pub(crate) kernel: u32,
    pub(crate) stride: u32,
    pub(crate) dilation: u32,
    pub(crate) before: u32,
    pub(crate) after: u32,
}

impl Axis {
    /// An axis that is not there.
    const NONE: Self =
        Self { input: 1, pooled: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

    /// Cells from the first to the last cell of the window, both included.
    pub(crate) fn extent(&self) -> u32 {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Windows that can hold one cell: `ceil(extent / stride)`.
    pub(crate) fn windows_per_cell(&self) -> u32 {
        self.extent().div_ceil(self.stride)
    }

    /// Where window `q` starts, in cells of the input; negative inside the padding.
    pub(crate) fn start(&self, q: u32) -> i64 {
        i64::from(q) * i64::from(self.stride) - i64::from(self.before)
    }

    /// Whether some window reaches outside the input.
    pub(crate) fn reaches_outside(&self) -> bool {
        self.before > 0
            || self.start(self.pooled - 1) + i64::from(self.extent()) > i64::from(self.input)
    }

    /// The windows that lie inside the input from their first cell to their last.
    pub(crate) fn whole_windows(&self) -> std::ops::Range<u32> {
        let first = self.before.div_ceil(self.stride).min(self.pooled);
        let room = i64::from(self.input) + i64::from(self.before) - i64::from(self.extent());
        let count = if room < 0 { 0 } else { room as u32 / self.stride + 1 };
        first..count.clamp(first, self.pooled)
    }

    /// The stride blocks that hold a cell of the input: block `q` starts with window `q`.
    pub(crate) fn blocks(&self) -> std::ops::Range<u32> {
        self.before / self.stride..(self.input + self.before).div_ceil(self.stride)
    }

    /// Whether some stride block, the cells from the start of one window to the start of the next,
    /// reaches outside the input.
    pub(crate) fn blocks_reach_outside(&self) -> bool {
        self.before > 0 || !self.input.is_multiple_of(self.stride)
    }

    /// The taps of window `q` that lie in the input.
    pub(crate) fn taps_inside(&self, q: u32) -> std::ops::Range<u32> {
        let (start, step) = (self.start(q), i64::from(self.dilation));
        let first = if start < 0 { (-start + step - 1) / step } else { 0 };
        let room = i64::from(self.input) - start;
        let end = if room <= 0 { 0 } else { (room + step - 1) / step };
        let end = end.min(i64::from(self.kernel));
        (first.min(end) as u32)..(end as u32)
    }
}

impl Geometry {
    /// Checks `window` against `input`.
    ///
    /// Output sizes and padding follow TensorFlow (`valid`, `same`), ONNX (`same_lower`) and
    /// PyTorch (explicit, `ceil_mode`); an empty batch is fine.
    ///
    /// # Errors
    ///
    /// Where the numbers of axes differ, a size is 0, the pooled tensor would be empty, a window
    /// would hold no cell of the input, or a count passes what a `u32`-indexed buffer addresses.
    pub fn new(window: &Window, input: Shape) -> Result<Self, GeometryError> {
        let rank = check_ranks(window, &input)?;
        let spatial = input.spatial().to_vec();
        let mut axes = [Axis::NONE; 3];
        for (i, &extent) in spatial.iter().enumerate() {
            axes[3 - rank + i] = resolve(window, i, extent, None)?;
        }
        Self::assemble(window, input, axes)
    }

    /// The geometry of an unpooling of which only the pooled shape is known.
    ///
    /// With `output_size` (the spatial extents) left out, each axis gets PyTorch's default,
    /// `(pooled - 1)·stride + kernel - before - after` (`_unpool_output_size` in
    /// `torch/nn/functional.py`; dilation does not enter), or `pooled·stride` under
    /// [`Padding::Same`] and [`Padding::SameLower`]. A given size is accepted in PyTorch's range,
    /// `default - stride < size < default + stride`, and under `same` where
    /// `ceil(size / stride)` is the pooled size.
    ///
    /// # Errors
    ///
    /// As [`Geometry::new`], and where a size is outside its range. A size at which the last
    /// window would hold no cell is refused, although PyTorch accepts it: no pooling gives it.
    pub fn for_pooled(
        window: &Window,
        pooled: Shape,
        output_size: Option<&[usize]>,
    ) -> Result<Self, GeometryError> {
        let rank = check_ranks(window, &pooled)?;
        if let Some(size) = output_size
            && size.len() != rank
        {
            return Err(GeometryError::AxisCount {
                argument: "output_size",
                found: size.len(),
                allowed: rank,
            });
        }
        let mut axes = [Axis::NONE; 3];
        let mut spatial = vec![0; rank];
        for (i, &count) in pooled.spatial().iter().enumerate() {
            let size = unpooled_size(window, i, count, output_size.map(|s| s[i]))?;
            axes[3 - rank + i] = resolve(window, i, size, Some(count))?;
            spatial[i] = size;
        }
        let input = pooled.with_spatial(&spatial);
        Self::assemble(window, input, axes)
    }

    /// The shape that [`Geometry::for_pooled`] takes when no size is given: PyTorch's default, and
    /// what ONNX infers for `MaxUnpool`.
    ///
    /// # Errors
    ///
    /// If the window and the shape differ in rank, or some size is 0 or would be less than 1.
    pub fn unpooled_shape(window: &Window, pooled: &Shape) -> Result<Shape, GeometryError> {
        check_ranks(window, pooled)?;
        let sizes = pooled.spatial().iter().enumerate();
        let sizes: Vec<_> =
            sizes.map(|(i, &n)| unpooled_size(window, i, n, None)).collect::<Result<_, _>>()?;
        Ok(pooled.with_spatial(&sizes))
    }

    fn assemble(window: &Window, input: Shape, axes: [Axis; 3]) -> Result<Self, GeometryError> {
        let rank = window.kernel().len();
        let cells = axes.iter().map(|a| u64::from(a.kernel)).fold(1u64, u64::saturating_mul);
        if cells > MAX_CELLS {
            return Err(GeometryError::WindowTooLarge { found: cells, allowed: MAX_CELLS });
        }
        let pooled_spatial: Vec<usize> =
            axes[3 - rank..].iter().map(|a| a.pooled as usize).collect();
        let pooled = input.with_spatial(&pooled_spatial);
        check_elements("input", &input)?;
        check_elements("pooled", &pooled)?;
        let (outer, inner) = match input.layout() {
            Layout::ChannelsLast => (input.batch(), input.channels()),
            Layout::ChannelsFirst => (input.batch() * input.channels(), 1),
        };
        let (outer, inner) = (outer as u32, inner as u32);
        Ok(Self { window: window.clone(), input, pooled, outer, inner, axes })
    }

    /// The window.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The shape that is pooled, and that unpooling restores.
    pub fn input_shape(&self) -> &Shape {
        &self.input
    }

    /// The shape of the pooled values and of their taps.
    pub fn pooled_shape(&self) -> &Shape {
        &self.pooled
    }

    /// Number of elements of the input.
    pub fn input_len(&self) -> usize {
        self.axes.iter().map(|a| a.input as usize).product::<usize>() * self.around()
    }

    /// Number of pooled values, and of taps.
    pub fn pooled_len(&self) -> usize {
        self.axes.iter().map(|a| a.pooled as usize).product::<usize>() * self.around()
    }

    fn around(&self) -> usize {
        self.outer as usize * self.inner as usize
    }

    /// The padding as it came out, `(before, after)` per spatial axis.
    pub fn pads(&self) -> Vec<(usize, usize)> {
        self.spatial_axes().iter().map(|a| (a.before as usize, a.after as usize)).collect()
    }

    /// The axes that the window has, without those added in front to make three.
    pub(crate) fn spatial_axes(&self) -> &[Axis] {
        &self.axes[3 - self.window.kernel().len()..]
    }

    /// Cells of the window, in the padding or not: one more than the largest tap.
    pub fn window_cells(&self) -> usize {
        self.axes.iter().map(|a| a.kernel as usize).product()
    }

    /// Whether one cell can belong to several windows, or windows interleave.
    pub fn windows_overlap(&self) -> bool {
        self.axes.iter().any(|a| a.pooled > 1 && a.windows_per_cell() > 1)
    }

    /// Bytes of one tap: 1, or 2 where the window has more than 255 cells.
    pub fn tap_bytes(&self) -> usize {
        if self.window_cells() > 255 { 2 } else { 1 }
    }

    /// Bytes of a taps buffer on the GPU: the taps, rounded up to whole 4-byte words.
    pub fn taps_bytes(&self) -> u64 {
        (self.pooled_len() as u64 * self.tap_bytes() as u64).next_multiple_of(4)
    }
}

/// Whether a `u32` counts the elements; an empty batch counts as one.
pub(crate) fn check_elements(tensor: &'static str, shape: &Shape) -> Result<(), GeometryError> {
    let found = shape.dims().iter().skip(1).map(|&d| d as u128);
    let found = found.fold(shape.batch().max(1) as u128, u128::saturating_mul);
    if found > u128::from(MAX_ELEMENTS) {
        return Err(GeometryError::TooManyElements { tensor, found, allowed: MAX_ELEMENTS });
    }
    Ok(())
}

fn check_ranks(window: &Window, shape: &Shape) -> Result<usize, GeometryError> {
    let rank = window.kernel().len();
    if !(1..=3).contains(&rank) {
        return Err(GeometryError::Rank { found: rank });
    }
    let lengths = [("stride", window.strides().len()), ("dilation", window.dilations().len())];
    let padding = match window.padding_rule() {
        Padding::Explicit(pads) => pads.len(),
        _ => rank,
    };
    for (argument, found) in lengths.into_iter().chain([("padding", padding)]) {
        if found != rank {
            return Err(GeometryError::AxisCount { argument, found, allowed: rank });
        }
    }
    if shape.dims().len() != rank + 2 {
        return Err(GeometryError::ShapeRank {
            shape: shape.to_string(),
            found: shape.dims().len(),
            allowed: rank + 2,
        });
    }
    for (argument, sizes) in [
        ("kernel", window.kernel()),
        ("stride", window.strides()),
        ("dilation", window.dilations()),
        ("spatial size", shape.spatial()),
    ] {
        if let Some(axis) = sizes.iter().position(|&n| n == 0) {
            return Err(GeometryError::Zero { argument, axis });
        }
    }
    if shape.channels() == 0 {
        return Err(GeometryError::NoChannels);
    }
    Ok(rank)
}

/// A window's numbers on one axis, before they meet an input.
struct AxisWindow {
    kernel: u128,
    stride: u128,
    extent: u128,
}

impl AxisWindow {
    fn new(window: &Window, axis: usize) -> Self {
        let kernel = window.kernel()[axis] as u128;
        let extent = (kernel - 1) * window.dilations()[axis] as u128 + 1;
        Self { kernel, stride: window.strides()[axis] as u128, extent }
    }
}

/// Padding and pooled size on one axis; `pooled` overrules the formula.
fn resolve(
    window: &Window,
    axis: usize,
    input: usize,
    pooled: Option<usize>,
) -> Result<Axis, GeometryError> {
    let n = input as u128;
    let AxisWindow { stride, extent, .. } = AxisWindow::new(window, axis);
    let windows = |before: u128, after: u128| {
        let padded = n + before + after;
        if padded < extent && !(window.is_ceil_mode() && padded + stride > extent) {
            return 0;
        }
        let round = if window.is_ceil_mode() { stride - 1 } else { 0 };
        let out = (padded + round - extent) / stride + 1;
        // A window that starts past the input and the padding before it does not count.
        if window.is_ceil_mode() && (out - 1) * stride >= n + before { out - 1 } else { out }
    };
    let same = |odd_before: bool| {
        let out = n.div_ceil(stride);
        let need = ((out - 1) * stride + extent).saturating_sub(n);
        let (small, large) = (need / 2, need - need / 2);
        if odd_before { (large, small, out) } else { (small, large, out) }
    };
    let (before, after, out) = match window.padding_rule() {
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
        pooled: out as u32,
        kernel: window.kernel()[axis] as u32,
        stride: stride as u32,
        // Between the cells of a window of one cell there is no step.
        dilation: if extent == 1 { 1 } else { window.dilations()[axis] as u32 },
        before: before as u32,
        after: after as u32,
    };
    match window_without_cell(&resolved) {
        None => Ok(resolved),
        Some(q) => Err(GeometryError::EmptyWindow {
            axis,
            window: q as usize,
            start: resolved.start(q),
            extent: resolved.extent() as usize,
            input,
        }),
    }
}

/// The first window that holds no cell of the input, if there is one.
///
/// Only windows that start before the input, or the last, can be without a cell. Of those before,
/// the first reaches least far. If it reaches the input, all do, and one is empty only if it steps
/// over it: if its first cell past the padding, which is its start modulo the dilation, lies past
/// the input.
fn window_without_cell(axis: &Axis) -> Option<u32> {
    let empty = |q: &u32| axis.taps_inside(*q).is_empty();
    let starts_before = axis.before.div_ceil(axis.stride).min(axis.pooled);
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
    before.or_else(|| Some(axis.pooled - 1).filter(empty))
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
    // No multiple lies there before the first turn: the same question about the turns.
    let turns = first_multiple(modulus % a, a, (a - high % a) % a, (a - low % a) % a)?;
    Some((low + modulus * turns).div_ceil(a))
}

/// The size to unpool `pooled` windows to, given or by default, on one axis.
fn unpooled_size(
    window: &Window,
    axis: usize,
    pooled: usize,
    size: Option<usize>,
) -> Result<usize, GeometryError> {
    let AxisWindow { kernel, stride, .. } = AxisWindow::new(window, axis);
    let (kernel, stride, count) = (kernel as i128, stride as i128, pooled as i128);
    let (default, lowest, highest) = match window.padding_rule() {
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
