//! The kernels to which every operator of a model is lowered, forward and back. Each is described by
//! plain numbers, for the CPU and the GPU alike.
//!
//! Tensors are dense and row-major with channels first. One to three spatial axes are stored as
//! three, z, y and x; a missing axis has extent 1.

mod broadcast;
mod conv;
mod function;
mod pair;
mod sparse;

use unpool::{Axis, Geometry};

use crate::rule::Rule;

pub(crate) use broadcast::{BROADCAST_AXES, Broadcast, Permute, Reduce, strides};
pub(crate) use conv::{Conv, Steps};
pub(crate) use function::{Function, clip, erf_by};
pub(crate) use pair::Pair;
pub(crate) use sparse::Sparse;

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
