//! Unpooling of Burn tensors.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use unpool::Overlap;

use crate::backend::MaxPoolBackend;
use crate::error::Error;
use crate::max_pool::check_float;
use crate::taps::{Taps, check_dims};

/// Unpooling over one to three spatial axes: each value goes to the cell that its tap names, every
/// other cell is zero. The result has the shape that was pooled.
///
/// `values` has the shape of the taps, f32, f16 or bf16. Where windows share a cell, `overlap` says
/// what it gets: the last of the values in raster order, or their sum, which is rounded once for f16
/// and bf16. Same bits on every run and backend.
///
/// The gradient of a value is that of its cell, also under [`Overlap::Last`] where several values went
/// to one cell, as in PyTorch; it is exact for [`Overlap::Sum`].
///
/// # Errors
///
/// - [`Error::Shape`] if the values do not have the shape of the taps.
/// - [`Error::DType`] for another type of elements.
pub fn try_max_unpool<const D: usize>(
    values: Tensor<D>,
    taps: &Taps<D>,
    overlap: Overlap,
) -> Result<Tensor<D>, Error> {
    check_dims("values", &values.dims(), taps.geometry().pooled_shape())?;
    check_float("values", values.dtype())?;
    let indices = taps.tensor().into_dispatch();
    let output = Dispatch::max_unpool(values.into_dispatch(), indices, *taps.geometry(), overlap);
    Ok(Tensor::from_dispatch(output))
}

/// Reads the cells of an unpooled tensor that the taps name: [`try_max_unpool`]'s transpose and
/// gradient. A tap that names no cell gives zero.
///
/// # Errors
///
/// - [`Error::Shape`] if the tensor does not have the shape that was pooled.
/// - [`Error::DType`] for another type of elements.
pub fn try_gather<const D: usize>(unpooled: Tensor<D>, taps: &Taps<D>) -> Result<Tensor<D>, Error> {
    check_dims("unpooled", &unpooled.dims(), taps.geometry().input_shape())?;
    check_float("unpooled", unpooled.dtype())?;
    let indices = taps.tensor().into_dispatch();
    let values = Dispatch::gather(unpooled.into_dispatch(), indices, *taps.geometry());
    Ok(Tensor::from_dispatch(values))
}

macro_rules! unpools {
    ($($name:ident $rank:literal $dims:literal),+) => {$(
        #[doc = concat!("Unpooling to ", $dims, ", the shape that was pooled.")]
        ///
        /// What it computes is that of [`try_max_unpool`].
        ///
        /// # Panics
        ///
        /// Where [`try_max_unpool`] returns an error.
        pub fn $name(
            values: Tensor<$rank>,
            taps: &Taps<$rank>,
            overlap: Overlap,
        ) -> Tensor<$rank> {
            try_max_unpool(values, taps, overlap).unwrap_or_else(|error| panic!("{error}"))
        }
    )+};
}

unpools!(
    max_unpool1d 3 "`[batch, channels, length]`",
    max_unpool2d 4 "`[batch, channels, height, width]`",
    max_unpool3d 5 "`[batch, channels, depth, height, width]`"
);
