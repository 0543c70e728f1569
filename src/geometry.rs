//! A [`Window`] over a [`Shape`], checked once.
//!
//! Every later step trusts a [`Geometry`], so every refusal that depends on sizes is here. Inside
//! the crate a tensor of any rank and layout is seen as five extents, `[outer, z, y, x, inner]`:
//! `outer` counts what lies around the spatial axes (images, or planes when channels come first),
//! `inner` what lies inside a pixel (channels when they come last, else 1). Missing spatial axes
//! have extent 1 and a window of one cell. Neither the CPU loops nor the kernels know more.

use crate::axis::{Axis, resolve, unpooled_size};
use crate::error::GeometryError;
use crate::shape::{Layout, Shape};
use crate::window::{Padding, Window};

/// Cells a window may have: a tap is at most two bytes, and their last value means "no cell".
pub(crate) const MAX_CELLS: u64 = 65_535;

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

impl Geometry {
    /// Elements of a row of the input.
    pub(crate) fn input_row(&self) -> usize {
        self.axes[2].input as usize * self.inner as usize
    }

    /// Elements of a row of the pooled tensor.
    pub(crate) fn pooled_row(&self) -> usize {
        self.axes[2].pooled as usize * self.inner as usize
    }

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
