//! [`MaxPoolBackend`]: the operations on the tensors of a backend.

#![allow(deprecated, reason = "Burn still has NdArray")]

use burn::backend::backend_extension;
use burn::backend::tensor::{FloatTensor, IntTensor};
use unpool::{Geometry, IndexSpace, Overlap};

/// Burn's backends with this crate's operations.
///
/// Tensors are `[batch, channels, spatial…]` with one to three spatial axes, and `geometry` is that
/// of the pooling with channels first, however the tensors lie in memory. Taps are integers of one
/// byte, or two where the window has more than 255 cells, in the shape of the pooled values.
///
/// These are the operations on primitives, for extensions of Burn that build on them. They check
/// nothing that the functions of the crate check. Where a device fails, they fail as Burn's own
/// operations do: reading what they should have written is an error.
#[backend_extension(
    Cube: cfg(feature = "wgpu"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Remote: cfg(feature = "remote"),
    Autodiff: cfg(feature = "autodiff")
)]
pub trait MaxPoolBackend: burn::backend::Backend {
    /// The maxima and their taps.
    fn max_pool(
        input: FloatTensor<Self>,
        geometry: Geometry,
    ) -> (FloatTensor<Self>, IntTensor<Self>);

    /// The maxima.
    fn max_pool_values(input: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self>;

    /// Pooled values at the cells that the taps name, and zeros.
    fn max_unpool(
        values: FloatTensor<Self>,
        taps: IntTensor<Self>,
        geometry: Geometry,
        overlap: Overlap,
    ) -> FloatTensor<Self>;

    /// The cells of an unpooled tensor that the taps name. Where several windows chose one cell,
    /// this is the gradient of [`Overlap::Sum`].
    fn gather(
        unpooled: FloatTensor<Self>,
        taps: IntTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self>;

    /// The indices of another framework, as 32-bit integers; −1 for a tap that names no cell.
    fn taps_to_indices(
        taps: IntTensor<Self>,
        geometry: Geometry,
        space: IndexSpace,
    ) -> IntTensor<Self>;
}
