//! [`Window`]: kernel, stride, dilation, padding and rounding of a pooling.
//!
//! A window is a description without checks. [`Geometry::new`](crate::Geometry::new) checks it
//! against an input shape, because what fits depends on both.

use crate::error::GeometryError;
use crate::per_axis::PerAxis;

/// A pooling window over one to three spatial axes.
///
/// Everything per axis is in the order `[depth, height, width]` (2-D: `[height, width]`, 1-D:
/// `[length]`); a single number stands for every axis of the shape that the window meets. The
/// defaults are those of PyTorch: the stride equals the kernel, the dilation is 1, there is no
/// padding, and sizes are rounded down.
///
/// ```
/// use unpool::Window;
///
/// let resnet_stem = Window::new(3).with_stride(2).with_padding(1);
/// let anisotropic = Window::new([3, 2]).with_padding([(1, 0), (0, 0)]);
/// assert_eq!(anisotropic.kernel(), [3, 2]);
/// assert_eq!(anisotropic.stride(), [3, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    kernel: PerAxis<usize>,
    stride: PerAxis<usize>,
    dilation: PerAxis<usize>,
    padding: Padding,
    ceil_mode: bool,
}

/// How an input is extended at its borders. Padding is not a value: a padded cell never wins.
///
/// Numbers of cells convert into explicit padding: `1` and `[1, 0]` (per axis) pad both sides
/// alike, as PyTorch's `padding` does; `(0, 1)` and `[(0, 1), (1, 2)]` (per axis) say how many
/// cells go before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Padding {
    /// No padding: every window lies inside the input.
    Valid,
    /// Output size `ceil(n / stride)`; an odd cell of padding goes after the input
    /// (TensorFlow's `SAME`, ONNX's `SAME_UPPER`).
    Same,
    /// Output size `ceil(n / stride)`; an odd cell of padding goes before the input
    /// (ONNX's `SAME_LOWER`).
    SameLower,
    /// Numbers of cells `(before, after)` on each spatial axis.
    Explicit(PerAxis<(usize, usize)>),
}

impl Window {
    /// A window of `kernel` cells per axis. Its stride is the kernel, its dilation 1; there is no
    /// padding.
    pub fn new(kernel: impl Into<PerAxis<usize>>) -> Self {
        let kernel = kernel.into();
        let (dilation, padding) = (PerAxis::from(1), Padding::Valid);
        Self { kernel, stride: kernel, dilation, padding, ceil_mode: false }
    }

    /// This window with another stride.
    #[must_use]
    pub fn with_stride(self, stride: impl Into<PerAxis<usize>>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// This window with another dilation. 1 is a window without gaps.
    #[must_use]
    pub fn with_dilation(self, dilation: impl Into<PerAxis<usize>>) -> Self {
        Self { dilation: dilation.into(), ..self }
    }

    /// This window with other padding.
    #[must_use]
    pub fn with_padding(self, padding: impl Into<Padding>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// This window, with or without a last, partial window (PyTorch's `ceil_mode`). The last window
    /// must start inside the input or inside the padding before it. Ceil mode has no effect under
    /// [`Padding::Same`] and [`Padding::SameLower`], which always round up.
    #[must_use]
    pub fn with_ceil_mode(self, ceil_mode: bool) -> Self {
        Self { ceil_mode, ..self }
    }

    /// Number of cells per axis.
    pub fn kernel(&self) -> PerAxis<usize> {
        self.kernel
    }

    /// Distance in cells from one window to the next, per axis.
    pub fn stride(&self) -> PerAxis<usize> {
        self.stride
    }

    /// Distance in cells from one cell of the window to the next, per axis.
    pub fn dilation(&self) -> PerAxis<usize> {
        self.dilation
    }

    /// How the input is extended.
    pub fn padding(&self) -> Padding {
        self.padding
    }

    /// Whether sizes are rounded up, so that a last, partial window counts.
    pub fn ceil_mode(&self) -> bool {
        self.ceil_mode
    }

    /// This window with a value for each of `axes` axes, or an error if a list has another length.
    pub(crate) fn for_axes(&self, axes: usize) -> Result<Self, GeometryError> {
        fn per_axis<T: Copy + Default>(
            argument: &'static str,
            values: PerAxis<T>,
            axes: usize,
        ) -> Result<PerAxis<T>, GeometryError> {
            let found = values.axes().unwrap_or(1);
            values.for_axes(axes).ok_or(GeometryError::AxisCount { argument, found, allowed: axes })
        }
        Ok(Self {
            kernel: per_axis("kernel", self.kernel, axes)?,
            stride: per_axis("stride", self.stride, axes)?,
            dilation: per_axis("dilation", self.dilation, axes)?,
            padding: match self.padding {
                Padding::Explicit(pads) => Padding::Explicit(per_axis("padding", pads, axes)?),
                rule => rule,
            },
            ceil_mode: self.ceil_mode,
        })
    }
}

/// Conversions into [`Padding::Explicit`] from all that converts into a [`PerAxis`].
macro_rules! explicit_padding {
    ($number:ty, $sides:expr => $([$($generic:tt)*] $from:ty),+) => {$(
        impl<$($generic)*> From<$from> for Padding {
            fn from(cells: $from) -> Self {
                Self::Explicit(PerAxis::<$number>::from(cells).map($sides))
            }
        }
    )+};
}

explicit_padding!(usize, |cells| (cells, cells) =>
    [] usize, [] PerAxis<usize>, [] &[usize], [] Vec<usize>,
    [const N: usize] [usize; N]);

explicit_padding!((usize, usize), |sides| sides =>
    [] (usize, usize), [] PerAxis<(usize, usize)>, [] &[(usize, usize)], [] Vec<(usize, usize)>,
    [const N: usize] [(usize, usize); N]);
