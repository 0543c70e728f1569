//! [`Geometry`]: a [`Window`] checked against a [`Shape`].
//!
//! Later steps rely on these checks, so every refusal that depends on sizes is here. Inside the
//! crate, a tensor of any rank and layout has five extents, `[outer, z, y, x, inner]`: `outer` is
//! the number of images, or of planes when channels come first, and `inner` the number of channels when they come
//! last, else 1. Spatial axes that a tensor lacks have extent 1 and a window of one cell. The CPU loops and the kernels see only these five extents.

mod axis;
mod taps_of_cell;
mod window_position;

pub use axis::Axis;
pub(crate) use axis::Reader;
pub(crate) use window_position::{WindowPosition, window_positions};

use axis::{resolve, unpooled_size};

use crate::error::GeometryError;
use crate::per_axis::{MAX_AXES, PerAxis};
use crate::shape::{Layout, Shape};
use crate::window::Window;

/// The most cells that a window may have: a tap is at most two bytes, and its largest value means "no
/// cell".
pub(crate) const MAX_CELLS: u64 = 65_535;

/// The most elements that a tensor may have: elements are numbered by a `u32`.
const MAX_ELEMENTS: u64 = u32::MAX as u64;

/// A window over an input shape: the pooled shape, the padding in cells, and the size of the window.
///
/// A geometry travels with the argmax: taps are read with the geometry that made them, and
/// unpooling restores exactly the input's shape.
///
/// ```
/// use unpool::{Geometry, Padding, Shape, Window};
///
/// let window = Window::new(3).with_stride(2).with_padding(Padding::Same);
/// let geometry = Geometry::new(&window, Shape::nhwc([8, 113, 111, 64]))?;
/// assert_eq!(geometry.pooled_shape(), &Shape::nhwc([8, 57, 56, 64]));
/// assert_eq!(geometry.pads(), [(1, 1), (1, 1)]);
/// assert_eq!(geometry.window().kernel(), [3, 3]);
/// assert!(geometry.windows_overlap());
/// # Ok::<(), unpool::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// With a value for each axis.
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
        self.axes[2].windows as usize * self.inner as usize
    }

    /// Checks `window` against the shape of an input.
    ///
    /// Output sizes and padding follow TensorFlow (`valid`, `same`), ONNX (`same_lower`) and
    /// PyTorch (explicit, `ceil_mode`). An empty batch is allowed.
    ///
    /// # Errors
    ///
    /// - [`GeometryError::Rank`], [`GeometryError::AxisCount`], [`GeometryError::ShapeRank`] or
    ///   [`GeometryError::UnsupportedRank`] if the numbers of axes differ or are not supported.
    /// - [`GeometryError::Zero`] or [`GeometryError::NoChannels`] if a size other than the batch
    ///   is 0.
    /// - [`GeometryError::EmptyOutput`] if no window fits on an axis, and
    ///   [`GeometryError::EmptyWindow`] if a window would hold no cell of the input.
    /// - [`GeometryError::WindowTooLarge`], [`GeometryError::AxisTooLong`] or
    ///   [`GeometryError::TooManyElements`] if a count is larger than a `u32`-indexed buffer can
    ///   address.
    pub fn new(window: &Window, input: Shape) -> Result<Self, GeometryError> {
        let window = check_ranks(window, "input", &input)?;
        let rank = input.spatial().len();
        let mut axes = [Axis::NONE; 3];
        for (i, &extent) in input.spatial().iter().enumerate() {
            axes[3 - rank + i] = resolve(&window, i, extent, None)?;
        }
        Self::assemble(window, input, axes)
    }

    /// The geometry of an unpooling of which only the pooled shape is known.
    ///
    /// Without `output_size` (the spatial extents), each axis gets PyTorch's default,
    /// `(pooled - 1)·stride + kernel - before - after` (`_unpool_output_size` in
    /// `torch/nn/functional.py`; the dilation does not enter), or `pooled·stride` under
    /// [`Padding::Same`](crate::Padding::Same) and [`Padding::SameLower`](crate::Padding::SameLower).
    /// A given size must be in PyTorch's range, `default - stride < size < default + stride`; under
    /// [`Padding::Same`](crate::Padding::Same) and [`Padding::SameLower`](crate::Padding::SameLower), `ceil(size / stride)` must be the pooled size.
    ///
    /// # Errors
    ///
    /// - [`GeometryError::OutputSize`] if a size is outside its range, and
    ///   [`GeometryError::AxisCount`] if `output_size` has another number of axes.
    /// - [`GeometryError::EmptyWindow`] if the last window would hold no cell at this size. PyTorch
    ///   accepts such a size, although no pooling gives it.
    /// - The other errors of [`Geometry::new`].
    pub fn for_pooled(
        window: &Window,
        pooled: Shape,
        output_size: Option<&[usize]>,
    ) -> Result<Self, GeometryError> {
        let window = check_ranks(window, "pooled", &pooled)?;
        let rank = pooled.spatial().len();
        let found = output_size.map_or(rank, <[usize]>::len);
        if found != rank {
            return Err(GeometryError::AxisCount { argument: "output_size", found, allowed: rank });
        }
        let mut axes = [Axis::NONE; 3];
        for (i, &count) in pooled.spatial().iter().enumerate() {
            let size = unpooled_size(&window, i, count, output_size.map(|s| s[i]))?;
            axes[3 - rank + i] = resolve(&window, i, size, Some(count))?;
        }
        let input = pooled.with_spatial(&axes.map(|a| a.input as usize)[3 - rank..]);
        Self::assemble(window, input, axes)
    }

    /// The shape to which [`Geometry::for_pooled`] unpools without a given size: PyTorch's default,
    /// and the shape that ONNX infers for `MaxUnpool`.
    ///
    /// # Errors
    ///
    /// - [`GeometryError::Rank`], [`GeometryError::AxisCount`], [`GeometryError::ShapeRank`] or
    ///   [`GeometryError::UnsupportedRank`] if the numbers of axes differ or are not supported.
    /// - [`GeometryError::Zero`] or [`GeometryError::NoChannels`] if a size other than the batch
    ///   is 0.
    /// - [`GeometryError::OutputSize`] if a size would be less than 1.
    pub fn unpooled_shape(window: &Window, pooled: &Shape) -> Result<Shape, GeometryError> {
        let window = check_ranks(window, "pooled", pooled)?;
        let sizes = pooled.spatial().iter().enumerate();
        let sizes: Vec<_> =
            sizes.map(|(i, &n)| unpooled_size(&window, i, n, None)).collect::<Result<_, _>>()?;
        Ok(pooled.with_spatial(&sizes))
    }

    /// The same geometry for another number of images.
    ///
    /// # Errors
    ///
    /// [`GeometryError::TooManyElements`] if a tensor of that batch has more elements than a `u32`
    /// counts.
    pub fn with_batch(&self, batch: usize) -> Result<Self, GeometryError> {
        Self::assemble(self.window, self.input.with_batch(batch), self.axes)
    }

    fn assemble(window: Window, input: Shape, axes: [Axis; 3]) -> Result<Self, GeometryError> {
        let rank = input.spatial().len();
        let cells = axes.iter().map(|a| u64::from(a.kernel)).fold(1u64, u64::saturating_mul);
        if cells > MAX_CELLS {
            return Err(GeometryError::WindowTooLarge { found: cells, allowed: MAX_CELLS });
        }
        let pooled = input.with_spatial(&axes.map(|a| a.windows as usize)[3 - rank..]);
        check_elements("input", &input)?;
        check_elements("pooled", &pooled)?;
        let (outer, inner) = match input.layout() {
            Layout::ChannelsLast => (input.batch(), input.channels()),
            Layout::ChannelsFirst => (input.batch() * input.channels(), 1),
        };
        let (outer, inner) = (outer as u32, inner as u32);
        Ok(Self { window, input, pooled, outer, inner, axes })
    }

    /// The window, with a value for each spatial axis of the input.
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
        self.input.dims().iter().product()
    }

    /// Number of pooled values, and of taps.
    pub fn pooled_len(&self) -> usize {
        self.pooled.dims().iter().product()
    }

    /// The padding in cells `(before, after)`, for each spatial axis.
    pub fn pads(&self) -> PerAxis<(usize, usize)> {
        self.spatial_axes().iter().map(|a| (a.before as usize, a.after as usize)).collect()
    }

    /// The axes that the tensor has, without those added in front to make three.
    pub(crate) fn spatial_axes(&self) -> &[Axis] {
        &self.axes[3 - self.input.spatial().len()..]
    }

    /// The axes as z, y, x; those that the tensor does not have are [`Axis::NONE`].
    #[doc(hidden)]
    pub fn axes(&self) -> [Axis; 3] {
        self.axes
    }

    /// Number of cells of the window, padded or not: one more than the largest tap.
    pub fn window_cells(&self) -> usize {
        self.axes.iter().map(|a| a.kernel as usize).product()
    }

    /// Whether windows overlap or interleave: the extent of the window is larger than its stride.
    pub fn windows_overlap(&self) -> bool {
        self.axes.iter().any(|a| a.windows > 1 && a.windows_per_cell() > 1)
    }

    /// Bytes of one tap: 1, or 2 where the window has more than 255 cells.
    pub fn tap_width(&self) -> usize {
        if self.window_cells() > 255 { 2 } else { 1 }
    }

    /// Bytes of a GPU buffer of taps: all taps, rounded up to whole 4-byte words.
    pub fn taps_bytes(&self) -> u64 {
        (self.pooled_len() as u64 * self.tap_width() as u64).next_multiple_of(4)
    }
}

/// An error if a tensor has more elements than a `u32` counts, an empty batch taken as one image.
pub(crate) fn check_elements(tensor: &'static str, shape: &Shape) -> Result<(), GeometryError> {
    let found = shape.dims().iter().skip(1).map(|&d| d as u128);
    let found = found.fold(shape.batch().max(1) as u128, u128::saturating_mul);
    if found > u128::from(MAX_ELEMENTS) {
        return Err(GeometryError::TooManyElements { tensor, found, allowed: MAX_ELEMENTS });
    }
    Ok(())
}

/// The number of spatial axes of a shape that has one to three.
pub(crate) fn spatial_axes(argument: &'static str, shape: &Shape) -> Result<usize, GeometryError> {
    match shape.rank() {
        rank @ 3..=5 => Ok(rank - 2),
        found => Err(GeometryError::UnsupportedRank { argument, shape: shape.to_string(), found }),
    }
}

/// `window` with a value for each spatial axis of `shape`, none of which is 0.
fn check_ranks(
    window: &Window,
    argument: &'static str,
    shape: &Shape,
) -> Result<Window, GeometryError> {
    let axes = match window.kernel().axes() {
        None => spatial_axes(argument, shape)?,
        Some(axes @ 1..=MAX_AXES) => axes,
        Some(found) => return Err(GeometryError::Rank { found }),
    };
    let window = window.for_axes(axes)?;
    if shape.rank() != axes + 2 {
        return Err(GeometryError::ShapeRank {
            shape: shape.to_string(),
            found: shape.rank(),
            allowed: axes + 2,
        });
    }
    for (argument, sizes) in [
        ("kernel", window.kernel().as_slice()),
        ("stride", window.stride().as_slice()),
        ("dilation", window.dilation().as_slice()),
        ("spatial size", shape.spatial()),
    ] {
        if let Some(axis) = sizes.iter().position(|&n| n == 0) {
            return Err(GeometryError::Zero { argument, axis });
        }
    }
    if shape.channels() == 0 {
        return Err(GeometryError::NoChannels);
    }
    Ok(window)
}
