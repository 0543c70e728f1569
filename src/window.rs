//! What a pooling looks at: kernel, stride, dilation, padding and rounding, per spatial axis.
//!
//! A [`Window`] is a description and nothing more: it is checked when it meets an input, in
//! [`Geometry::new`](crate::Geometry::new), because only then is it known what fits.

/// A pooling window over one to three spatial axes, in the order `[depth, height, width]`
/// (a 2-D window has `[height, width]`, a 1-D one `[length]`).
///
/// Starts as PyTorch's pooling does: the stride equals the kernel, dilation 1, no padding, sizes
/// rounded down.
///
/// ```
/// use unpool::{Padding, Window};
///
/// let resnet_stem = Window::new([3, 3]).stride([2, 2]).padding(Padding::symmetric([1, 1]));
/// assert_eq!(resnet_stem.kernel(), [3, 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    padding: Padding,
    ceil_mode: bool,
}

/// How an input is extended at its borders. Padding is not a value: a padded cell never wins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// None: every window lies inside the input.
    Valid,
    /// Output size `ceil(n / stride)`; the odd cell of padding goes after
    /// (TensorFlow's `SAME`, ONNX's `SAME_UPPER`).
    Same,
    /// As [`Padding::Same`], with the odd cell before (ONNX's `SAME_LOWER`).
    SameLower,
    /// So many cells `(before, after)` on each spatial axis.
    Explicit(Vec<(usize, usize)>),
}

impl Padding {
    /// The same number of cells before and after on each axis, as PyTorch's `padding` means it.
    pub fn symmetric(cells: impl Into<Vec<usize>>) -> Self {
        Self::Explicit(cells.into().into_iter().map(|n| (n, n)).collect())
    }
}

impl Window {
    /// A window of `kernel` cells per axis; its stride is the kernel.
    pub fn new(kernel: impl Into<Vec<usize>>) -> Self {
        let kernel = kernel.into();
        Self {
            stride: kernel.clone(),
            dilation: vec![1; kernel.len()],
            padding: Padding::Valid,
            ceil_mode: false,
            kernel,
        }
    }

    /// Cells from one window to the next.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Vec<usize>>) -> Self {
        self.stride = stride.into();
        self
    }

    /// Cells from one cell of the window to the next; 1 is a window without holes.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Vec<usize>>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// How the input is extended.
    #[must_use]
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Whether a last, partial window counts (PyTorch's `ceil_mode`). It must start inside the
    /// input or the padding before it. Without effect under [`Padding::Same`] and
    /// [`Padding::SameLower`], which round up anyway.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.ceil_mode = ceil_mode;
        self
    }

    /// Cells per axis.
    pub fn kernel(&self) -> &[usize] {
        &self.kernel
    }

    /// Cells from one window to the next, per axis.
    pub fn strides(&self) -> &[usize] {
        &self.stride
    }

    /// Cells from one cell of the window to the next, per axis.
    pub fn dilations(&self) -> &[usize] {
        &self.dilation
    }

    /// How the input is extended.
    pub fn padding_rule(&self) -> &Padding {
        &self.padding
    }

    /// Whether a last, partial window counts.
    pub fn is_ceil_mode(&self) -> bool {
        self.ceil_mode
    }
}
