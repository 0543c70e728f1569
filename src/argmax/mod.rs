//! The position of each maximum: [`Taps`], and their conversion to and from the indices of other
//! frameworks.
//!
//! A tap is the number of the winning cell inside its own window, in raster order. It does not
//! depend on width, batch or channels, so it cannot be read with the wrong ones.

mod conversion;
mod index;
mod strides;
mod taps;

use crate::name::named;

pub use index::Index;
pub(crate) use strides::IndexStrides;
pub use taps::Taps;
pub(crate) use taps::{Storage, with_taps};

/// The result of pooling: the maxima, and the position of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled<T> {
    /// The maxima, of shape [`Geometry::pooled_shape`](crate::Geometry::pooled_shape), with the bits
    /// that they had in the input.
    pub values: Vec<T>,
    /// For each maximum, the number of the winning cell inside its window.
    pub taps: Taps,
}

/// The value of a cell to which several pooled values go, because windows overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Overlap {
    /// The last of the pooled values in raster order: ONNX, and PyTorch on one thread.
    Last,
    /// The sum of the pooled values in raster order, starting from +0: `tf.scatter_nd`, and every
    /// gradient.
    ///
    /// Floats are added in binary32 and rounded to nearest even. IEEE 754 prescribes that rounding;
    /// WGSL leaves it open. [`Gpu::check_sums`](crate::Gpu::check_sums) tells whether a device
    /// rounds so; on such a device sums have the same bits as on the CPU.
    Sum,
}

impl Overlap {
    /// Every rule.
    pub const ALL: [Self; 2] = [Self::Last, Self::Sum];

    /// The rule's name: `last` or `sum`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Sum => "sum",
        }
    }
}

named!(Overlap, "overlap");
