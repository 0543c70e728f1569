//! Max pooling of Burn tensors.

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};
use unpool::{Geometry, Shape};

use crate::backend::MaxPoolBackend;
use crate::error::Error;
use crate::options::PoolOptions;
use crate::taps::Taps;

/// Max pooling with argmax over one to three spatial axes: the maxima, and the [`Taps`].
///
/// `input` is `[batch, channels, spatial…]`, f32, f16 or bf16. Ties go to the first cell in raster
/// order, NaN wins and padding is not a value, as in PyTorch; values keep their bits. Same bits on
/// every run and backend. The gradient puts that of each value back where the value came from.
///
/// # Errors
///
/// - [`Error::Unpool`] with a [`GeometryError`](unpool::GeometryError) if the window does not fit.
/// - [`Error::DType`] for another type of elements.
pub fn try_max_pool<const D: usize>(
    input: Tensor<D>,
    options: impl PoolOptions,
) -> Result<(Tensor<D>, Taps<D>), Error> {
    let geometry = geometry_of(&input, options)?;
    let (values, taps) = Dispatch::max_pool(input.into_dispatch(), geometry);
    let taps = Taps::new(Tensor::from_dispatch(taps), geometry);
    Ok((Tensor::from_dispatch(values), taps))
}

/// Max pooling without argmax: [`try_max_pool`]'s values alone, which costs less. Its gradient is the
/// same.
///
/// # Errors
///
/// Those of [`try_max_pool`].
pub fn try_max_pool_values<const D: usize>(
    input: Tensor<D>,
    options: impl PoolOptions,
) -> Result<Tensor<D>, Error> {
    let geometry = geometry_of(&input, options)?;
    Ok(Tensor::from_dispatch(Dispatch::max_pool_values(input.into_dispatch(), geometry)))
}

/// Checks a window against a tensor.
fn geometry_of<const D: usize>(
    input: &Tensor<D>,
    options: impl PoolOptions,
) -> Result<Geometry, Error> {
    if !(3..=5).contains(&D) {
        return Err(Error::Rank { operand: "input", found: D });
    }
    check_float("input", input.dtype())?;
    Ok(Geometry::new(&options.window(), Shape::channels_first(input.dims()))?)
}

/// An error unless the type is one that is pooled.
pub(crate) fn check_float(operand: &'static str, found: DType) -> Result<(), Error> {
    match found {
        DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => Ok(()),
        _ => Err(Error::DType { operand, found, allowed: "f32, f16 and bf16" }),
    }
}

macro_rules! pools {
    ($($name:ident $values:ident $rank:literal $dims:literal),+) => {$(
        #[doc = concat!("Max pooling with argmax of ", $dims, ": the maxima, and the [`Taps`].")]
        ///
        /// What it computes is that of [`try_max_pool`].
        ///
        /// # Panics
        ///
        /// Where [`try_max_pool`] returns an error.
        pub fn $name(
            input: Tensor<$rank>,
            options: impl PoolOptions,
        ) -> (Tensor<$rank>, Taps<$rank>) {
            try_max_pool(input, options).unwrap_or_else(|error| panic!("{error}"))
        }

        #[doc = concat!("Max pooling without argmax of ", $dims, ".")]
        ///
        /// # Panics
        ///
        /// Where [`try_max_pool_values`] returns an error.
        pub fn $values(input: Tensor<$rank>, options: impl PoolOptions) -> Tensor<$rank> {
            try_max_pool_values(input, options).unwrap_or_else(|error| panic!("{error}"))
        }
    )+};
}

pools!(
    max_pool1d max_pool1d_values 3 "`[batch, channels, length]`",
    max_pool2d max_pool2d_values 4 "`[batch, channels, height, width]`",
    max_pool3d max_pool3d_values 5 "`[batch, channels, depth, height, width]`"
);
