//! The kernels to which every operator of a model is lowered, forward and back. Each is described by
//! plain numbers, for the CPU and the GPU alike.
//!
//! Tensors are dense and row-major with channels first. One to three spatial axes are stored as
//! three, z, y and x; a missing axis has extent 1.

use unpool::Geometry;

use crate::axis::Axis;
use crate::rule::Rule;

/// The offset of a tensor of images and channels, and its strides, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) offset: u32,
    pub(crate) image: u32,
    pub(crate) channel: u32,
}

/// A convolution, or a slice of one: `groups` groups of `rows` output channels, each of which reads
/// `columns` input channels.
///
/// `x` is the side that windows slide over, `y` the side with a value per window, whichever is read
/// and whichever written. Weights are `[groups·rows, columns, kz, ky, kx]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv {
    pub(crate) axes: [Axis; 3],
    pub(crate) batch: u32,
    pub(crate) groups: u32,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) x: Steps,
    pub(crate) y: Steps,
}

impl Conv {
    /// Cells of the window.
    pub(crate) fn taps(&self) -> u32 {
        self.axes.iter().map(|a| a.kernel).product()
    }

    /// Whether it is a product of matrices: one position, one tap.
    pub(crate) fn is_matrix(&self) -> bool {
        self.axes.iter().all(|a| (a.input, a.output, a.kernel, a.before) == (1, 1, 1, 0))
    }

    pub(crate) fn input_positions(&self) -> u32 {
        self.axes.iter().map(|a| a.input).product()
    }

    pub(crate) fn output_positions(&self) -> u32 {
        self.axes.iter().map(|a| a.output).product()
    }

    /// Multiplications, for the size of a submission.
    pub(crate) fn work(&self) -> u64 {
        [self.batch, self.groups, self.rows, self.columns, self.taps(), self.output_positions()]
            .into_iter()
            .fold(1, |n, factor| n.saturating_mul(factor.into()))
    }
}

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Relu,
    LeakyRelu { slope: f32 },
    Clip { low: f32, high: f32 },
    Sigmoid,
}

impl Function {
    /// Whether its gradient is computed from its result, so that its input need not be kept.
    pub(crate) fn goes_back_by_output(self) -> bool {
        matches!(self, Self::Relu | Self::Sigmoid)
    }
}

/// A function of two tensors, of which the first is the one it is named after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    Add,
    Mul,
    /// `x` where positive, else `x·slope`.
    PRelu,
}

/// Axes that a broadcast has at most.
pub(crate) const BROADCAST_AXES: usize = 6;

/// Two tensors read with steps of 0 along the axes in which they are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast {
    /// Extents of the result.
    pub(crate) dims: [u32; BROADCAST_AXES],
    pub(crate) a: [u32; BROADCAST_AXES],
    pub(crate) b: [u32; BROADCAST_AXES],
}

impl Broadcast {
    pub(crate) fn len(&self) -> u32 {
        self.dims.iter().product()
    }
}

/// A sum of the signal over the axes in which an operand was repeated, times the other operand if
/// there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reduce {
    /// Extents of the signal.
    pub(crate) dims: [u32; BROADCAST_AXES],
    /// Extents of the operand: those, or 1.
    pub(crate) kept: [u32; BROADCAST_AXES],
    /// Steps of the other operand; all 0 without one.
    pub(crate) other: [u32; BROADCAST_AXES],
    pub(crate) times_other: bool,
}

impl Reduce {
    /// How often the operand was repeated on each axis.
    pub(crate) fn repeats(&self) -> [u32; BROADCAST_AXES] {
        std::array::from_fn(|d| self.dims[d] / self.kept[d])
    }

    /// Strides of the signal.
    pub(crate) fn steps(&self) -> [u32; BROADCAST_AXES] {
        let mut steps = [1; BROADCAST_AXES];
        for d in (0..BROADCAST_AXES - 1).rev() {
            steps[d] = steps[d + 1] * self.dims[d + 1];
        }
        steps
    }
}

/// `count` runs of `len` elements from one tensor to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) count: u32,
    pub(crate) len: u32,
    pub(crate) from: Run,
    pub(crate) to: Run,
}

/// The offset of the first run, and the distance from one run to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) offset: u32,
    pub(crate) step: u32,
}

/// Planes cut, or extended with zeros, at their far ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) planes: u32,
    pub(crate) from: [u32; 3],
    pub(crate) to: [u32; 3],
}

/// Vectors of `len` elements with a stride of `inner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) outer: u32,
    pub(crate) len: u32,
    pub(crate) inner: u32,
}

/// Average pooling of planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Average {
    pub(crate) planes: u32,
    pub(crate) axes: [Axis; 3],
    /// Whether a mean counts the padding.
    pub(crate) counts_padding: bool,
}

/// A scale and a shift for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Affine {
    pub(crate) len: u32,
    pub(crate) channels: u32,
    pub(crate) inner: u32,
}

/// One kernel. Each comment lists the tensors that it reads → those that it writes.
#[derive(Clone, Debug)]
pub(crate) enum Kernel {
    /// x, weights, bias (of y's channels; may be left out) → y.
    Conv(Conv),
    /// y, weights, bias (of x's channels; may be left out) → x.
    ConvTranspose(Conv),
    /// x, scale, shift → y.
    Affine(Affine),
    /// x → y.
    Map { function: Function, len: u32 },
    /// x or y (see [`Function::goes_back_by_output`]), signal → signal.
    MapBack { function: Function, rule: Rule, len: u32 },
    /// a, b → result.
    Pair(Pair, Broadcast),
    /// x, slope, signal → signal.
    PReluBack(Broadcast),
    /// signal, other operand (may be left out) → signal of the operand.
    Reduce(Reduce),
    /// x → values, taps.
    MaxPool(Geometry),
    /// signal, taps → signal.
    MaxPoolBack(Geometry),
    /// values, taps → y.
    MaxUnpool(Geometry),
    /// signal, taps → signal.
    MaxUnpoolBack(Geometry),
    /// x → y.
    Average(Average),
    /// signal → signal.
    AverageBack(Average),
    /// x → y.
    Softmax(Vectors),
    /// y, signal → signal.
    SoftmaxBack(Vectors),
    /// x → part of y, the rest of which is left as it is.
    Runs(Runs),
    /// x → y.
    Fit(Fit),
}

impl Kernel {
    /// The name that its shader, its CPU function and its pipeline go by.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::ConvTranspose(_) => "conv_transpose",
            Self::Affine(_) => "affine",
            Self::Map { .. } => "map",
            Self::MapBack { .. } => "map_back",
            Self::Pair(..) => "pair",
            Self::PReluBack(_) => "prelu_back",
            Self::Reduce(_) => "reduce",
            Self::MaxPool(_) => "max_pool",
            Self::MaxPoolBack(_) => "max_pool_backward",
            Self::MaxUnpool(_) => "max_unpool",
            Self::MaxUnpoolBack(_) => "max_unpool_backward",
            Self::Average(_) => "average",
            Self::AverageBack(_) => "average_back",
            Self::Softmax(_) => "softmax",
            Self::SoftmaxBack(_) => "softmax_back",
            Self::Runs(_) => "runs",
            Self::Fit(_) => "fit",
        }
    }
}
