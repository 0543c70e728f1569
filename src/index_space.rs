//! [`IndexSpace`]: the ways in which other frameworks flatten the position of a maximum.

use crate::name::named;

/// How a framework flattens the position of a maximum into one index. Padding never counts.
///
/// `C`, `H` and `W` are channels, height and width of the *unpooled* tensor. In 3-D the plane
/// `y·W + x` becomes the volume `(z·H + y)·W + x`, in 1-D the line `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum IndexSpace {
    /// `y·W + x`: PyTorch.
    Plane,
    /// `(y·W + x)·C + c`: TensorFlow.
    Image,
    /// `((n·H + y)·W + x)·C + c`: TensorFlow with `include_batch_in_index`.
    Batch,
    /// `((n·C + c)·H + y)·W + x`: ONNX.
    Tensor,
    /// `(n·C + c)·H·W + y + x·H`: ONNX with `storage_order = 1`, column-major inside a plane.
    TensorColumnMajor,
}

impl IndexSpace {
    /// Every index space.
    pub const ALL: [Self; 5] =
        [Self::Plane, Self::Image, Self::Batch, Self::Tensor, Self::TensorColumnMajor];

    /// The space's name in files and on the command line, such as `tensor-column-major`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Image => "image",
            Self::Batch => "batch",
            Self::Tensor => "tensor",
            Self::TensorColumnMajor => "tensor-column-major",
        }
    }
}

named!(IndexSpace, "index space");
