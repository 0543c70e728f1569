//! The kernels to which every operator of a model is lowered, forward and back. Each is described by
//! plain numbers, for the CPU and the GPU alike.
//!
//! Tensors are dense and row-major with channels first. One to three spatial axes are stored as
//! three, z, y and x; a missing axis has extent 1.

mod function;
mod pair;
mod sparse;

use unpool::Geometry;

use crate::axis::Axis;
use crate::rule::Rule;

pub(crate) use function::{Function, clip, erf_by};
pub(crate) use pair::Pair;
pub(crate) use sparse::Sparse;

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

    /// Whether each window is one cell, and each cell one window.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.axes.iter().all(|a| (a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0))
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
    /// Two tensors of one shape.
    pub(crate) fn flat(len: u32) -> Self {
        let (mut dims, mut steps) = ([1; BROADCAST_AXES], [0; BROADCAST_AXES]);
        (dims[BROADCAST_AXES - 1], steps[BROADCAST_AXES - 1]) = (len, 1);
        Self { dims, a: steps, b: steps }
    }

    /// The same with as few axes as it takes: those of one element are left out, and neighbours become one where
    /// both tensors step through them alike.
    pub(crate) fn merged(self) -> Self {
        // From the last axis to the first.
        let mut axes: Vec<[u32; 3]> = Vec::new();
        for d in (0..BROADCAST_AXES).rev() {
            let [dim, a, b] = [self.dims[d], self.a[d], self.b[d]];
            match axes.last_mut() {
                _ if dim == 1 => {}
                Some([n, step_a, step_b]) if a == *n * *step_a && b == *n * *step_b => *n *= dim,
                _ => axes.push([dim, a, b]),
            }
        }
        let missing = BROADCAST_AXES - axes.len();
        let mut merged =
            Self { dims: [1; BROADCAST_AXES], a: [0; BROADCAST_AXES], b: [0; BROADCAST_AXES] };
        for (i, [dim, a, b]) in axes.into_iter().rev().enumerate() {
            (merged.dims[missing + i], merged.a[missing + i], merged.b[missing + i]) = (dim, a, b);
        }
        merged
    }

    pub(crate) fn len(&self) -> u32 {
        self.dims.iter().product()
    }

    /// Whether neither tensor is repeated or has gaps.
    pub(crate) fn is_dense(&self) -> bool {
        are_dense(&self.dims, &self.a) && are_dense(&self.dims, &self.b)
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

    /// Whether the other operand has the shape of the signal.
    pub(crate) fn other_is_dense(&self) -> bool {
        are_dense(&self.dims, &self.other)
    }

    /// Strides of the signal.
    pub(crate) fn steps(&self) -> [u32; BROADCAST_AXES] {
        strides(&self.dims)
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

/// The number of a tensor of a program.
pub(crate) type SlotId = usize;

/// A linear map along one axis, by a sparse matrix of `to` rows and `from` columns: slices, padding,
/// resizing, sums and means over an axis, and gathering by constant indices are all of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Along {
    pub(crate) outer: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) inner: u32,
    /// The tensors of the transposed matrix, in the order in which the kernel reads a matrix.
    pub(crate) transposed: [SlotId; 3],
}

/// A tensor with its axes in another order: axis `i` of the result is axis `order[i]` of what is
/// read, which has extents `dims`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permute {
    pub(crate) dims: [u32; BROADCAST_AXES],
    pub(crate) order: [usize; BROADCAST_AXES],
}

impl Permute {
    pub(crate) fn len(&self) -> u32 {
        self.dims.iter().product()
    }

    /// Extents of the result.
    pub(crate) fn result(&self) -> [u32; BROADCAST_AXES] {
        self.order.map(|axis| self.dims[axis])
    }

    /// The step in what is read for a step along each axis of the result.
    pub(crate) fn steps(&self) -> [u32; BROADCAST_AXES] {
        let strides = strides(&self.dims);
        self.order.map(|axis| strides[axis])
    }

    /// The permutation that undoes it.
    pub(crate) fn inverse(&self) -> Self {
        let mut order = [0; BROADCAST_AXES];
        for (i, &axis) in self.order.iter().enumerate() {
            order[axis] = i;
        }
        Self { dims: self.result(), order }
    }
}

/// The strides of a dense tensor.
pub(crate) fn strides(dims: &[u32; BROADCAST_AXES]) -> [u32; BROADCAST_AXES] {
    let mut steps = [1; BROADCAST_AXES];
    for d in (0..BROADCAST_AXES - 1).rev() {
        steps[d] = steps[d + 1] * dims[d + 1];
    }
    steps
}

/// Whether a tensor of these extents has no gaps and is not repeated.
fn are_dense(dims: &[u32; BROADCAST_AXES], steps: &[u32; BROADCAST_AXES]) -> bool {
    let dense = strides(dims);
    (0..BROADCAST_AXES).all(|d| dims[d] == 1 || steps[d] == dense[d])
}

/// `batch` products of matrices, each tensor with its strides: of one product and the next, of rows
/// and of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) batch: u32,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) depth: u32,
    pub(crate) a: [u32; 3],
    pub(crate) b: [u32; 3],
    pub(crate) y: [u32; 3],
}

/// Which element of a vector, or what of all its elements, a fold gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Max,
    Min,
    Product,
    /// The position of the largest; of equals the first, or the last.
    ArgMax {
        last: bool,
    },
    ArgMin {
        last: bool,
    },
}

impl Fold {
    /// The number that the shaders know it by.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Max => 0,
            Self::Min => 1,
            Self::Product => 2,
            Self::ArgMax { last: false } => 3,
            Self::ArgMax { last: true } => 4,
            Self::ArgMin { last: false } => 5,
            Self::ArgMin { last: true } => 6,
        }
    }

    /// Whether it gives a position, which has no gradient.
    pub(crate) fn is_position(self) -> bool {
        matches!(self, Self::ArgMax { .. } | Self::ArgMin { .. })
    }
}

/// Vectors of `len` elements with a stride of `inner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) outer: u32,
    pub(crate) len: u32,
    pub(crate) inner: u32,
}

/// The positions of the `kept` largest or smallest elements of each vector, those of equals in ascending
/// order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopK {
    pub(crate) vectors: Vectors,
    pub(crate) kept: u32,
    pub(crate) largest: bool,
}

/// Elements at computed positions along an axis: `outer` lists of `to` rows of positions, each for
/// `repeats` blocks of `from` rows of `inner` elements. A position below 0 counts from the end, and one
/// outside gives 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) outer: u32,
    pub(crate) repeats: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
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
#[derive(Clone, Debug, PartialEq)]
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
    /// a, b, signal → signal of operand `operand`, before it is summed over the axes in which the
    /// operand was repeated.
    PairBack { pair: Pair, operand: u32, all: Broadcast },
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
    /// x → y, or the logarithm of y.
    Softmax { vectors: Vectors, log: bool },
    /// y, signal → signal.
    SoftmaxBack { vectors: Vectors, log: bool },
    /// Vectors with their mean subtracted and divided by their deviation, x → y.
    Normalize { vectors: Vectors, epsilon: f32 },
    /// x, signal → signal.
    NormalizeBack { vectors: Vectors, epsilon: f32 },
    /// x → y.
    Fold(Fold, Vectors),
    /// x, y, signal → signal.
    FoldBack(Fold, Vectors),
    /// x → positions, as numbers.
    TopK(TopK),
    /// x, positions → y.
    Take(Take),
    /// signal, positions → signal.
    TakeBack(Take),
    /// x, the matrix's first entry of each row, the columns and the values of its entries → y.
    Along(Along),
    /// x → y.
    Permute(Permute),
    /// a, b → y.
    Product(Product),
    /// x → part of y, the rest of which is left as it is.
    Runs(Runs),
}

impl Kernel {
    /// Elements of its result, if it can be the first of a chain.
    pub(crate) fn dense_len(&self) -> Option<u32> {
        let conv = |conv: &Conv, steps: Steps, rows: u32, positions: u32| {
            let image = conv.groups * rows * positions;
            let dense = Steps { offset: 0, image, channel: positions };
            (!conv.is_matrix() && steps == dense).then_some(conv.batch * image)
        };
        match self {
            Self::Conv(all) => conv(all, all.y, all.rows, all.output_positions()),
            Self::ConvTranspose(all) => conv(all, all.x, all.columns, all.input_positions()),
            _ => None,
        }
    }

    /// Elements of its result, if each depends on those at the same position alone.
    pub(crate) fn elements(&self) -> Option<u32> {
        match self {
            &Self::Map { len, .. } | &Self::MapBack { len, .. } => Some(len),
            Self::Pair(_, all) if all.is_dense() => Some(all.len()),
            _ => None,
        }
    }

    /// The name that its shader, its CPU function and its pipeline go by.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::ConvTranspose(_) => "conv_transpose",
            Self::Affine(_) => "affine",
            Self::Map { .. } => "map",
            Self::MapBack { .. } => "map_back",
            Self::Pair(..) => "pair",
            Self::PairBack { .. } => "pair_back",
            Self::Reduce(_) => "reduce",
            Self::MaxPool(_) => "max_pool",
            Self::MaxPoolBack(_) => "max_pool_backward",
            Self::MaxUnpool(_) => "max_unpool",
            Self::MaxUnpoolBack(_) => "max_unpool_backward",
            Self::Average(_) => "average",
            Self::AverageBack(_) => "average_back",
            Self::Softmax { .. } => "softmax",
            Self::SoftmaxBack { .. } => "softmax_back",
            Self::Normalize { .. } => "normalize",
            Self::NormalizeBack { .. } => "normalize_back",
            Self::Fold(..) => "fold",
            Self::FoldBack(..) => "fold_back",
            Self::TopK(_) => "top_k",
            Self::Take(_) => "take",
            Self::TakeBack(_) => "take_back",
            Self::Along(_) => "along",
            Self::Permute(_) => "permute",
            Self::Product(_) => "product",
            Self::Runs(_) => "runs",
        }
    }
}
