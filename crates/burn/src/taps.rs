//! [`Taps`]: where each maximum was.

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use unpool::{Geometry, IndexSpace, Layout, Shape};

use crate::backend::MaxPoolBackend;
use crate::error::Error;
use crate::layout::{geometry_in, tap_dtype};
use crate::options::PoolOptions;

/// Where each maximum was: for each pooled value the number of the winning cell inside its own
/// window, and the geometry of the pooling.
///
/// A tap takes one byte, or two where the window has more than 255 cells. It knows nothing of widths
/// or channels: the [`Geometry`] goes with it, and unpooling restores exactly the shape that was
/// pooled. [`to_indices`](Self::to_indices) gives the positions of Burn, PyTorch and others.
///
/// On a GPU the taps are bytes in a layout of memory that follows the pooled tensor's. Burn's own
/// operations on integers of one byte do not run on every GPU; those of this crate do.
#[derive(Clone, Debug)]
pub struct Taps<const D: usize> {
    tensor: Tensor<D, Int>,
    geometry: Geometry,
}

impl<const D: usize> Taps<D> {
    pub(crate) fn new(tensor: Tensor<D, Int>, geometry: Geometry) -> Self {
        Self { tensor, geometry }
    }

    /// The geometry of the pooling, with channels first.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The shape of the taps, and of the pooled values.
    pub fn dims(&self) -> [usize; D] {
        self.tensor.dims()
    }

    /// The shape that was pooled, and that unpooling restores.
    pub fn input_dims(&self) -> [usize; D] {
        let mut dims = [0; D];
        dims.copy_from_slice(self.geometry.input_shape().dims());
        dims
    }

    /// Where the taps are.
    pub fn device(&self) -> Device {
        self.tensor.device()
    }

    /// The taps on another device.
    pub fn to_device(self, device: &Device) -> Self {
        Self { tensor: self.tensor.to_device(device), ..self }
    }

    /// The numbers of the winning cells, as a tensor of integers of one byte, or two.
    pub fn into_tensor(self) -> Tensor<D, Int> {
        self.tensor
    }

    pub(crate) fn tensor(&self) -> Tensor<D, Int> {
        self.tensor.clone()
    }

    /// Taps from numbers of cells, such as [`into_tensor`](Self::into_tensor) gives. A number that
    /// names no cell of the input unpools to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TapType`] if the type is not the one that the window takes, and [`Error::Shape`] if
    /// the shape is not the pooled shape.
    pub fn from_tensor(tensor: Tensor<D, Int>, geometry: &Geometry) -> Result<Self, Error> {
        let geometry = geometry_in(geometry, Layout::ChannelsFirst);
        let (found, allowed) = (tensor.dtype(), tap_dtype(&geometry));
        if found != allowed {
            return Err(Error::TapType { found, allowed });
        }
        check_dims("taps", &tensor.dims(), geometry.pooled_shape())?;
        Ok(Self { tensor, geometry })
    }

    /// The indices that another framework would have returned, as 32-bit integers of the pooled
    /// shape; −1 for a tap that names no cell. [`IndexSpace::Plane`] is that of Burn and of PyTorch:
    /// `y·width + x`.
    ///
    /// # Panics
    ///
    /// If an index of the space does not fit into 31 bits; see
    /// [`try_to_indices`](Self::try_to_indices).
    pub fn to_indices(&self, space: IndexSpace) -> Tensor<D, Int> {
        self.try_to_indices(space).unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`to_indices`](Self::to_indices), or an error.
    ///
    /// # Errors
    ///
    /// [`unpool::Error::IndexSpaceTooLarge`] if an index of the space does not fit into 31 bits.
    pub fn try_to_indices(&self, space: IndexSpace) -> Result<Tensor<D, Int>, Error> {
        // The check is that of a conversion; one image or none has no other.
        let empty = self.geometry.with_batch(0)?;
        if !matches!(space, IndexSpace::Batch | IndexSpace::Tensor | IndexSpace::TensorColumnMajor)
        {
            unpool::Taps::zeroed(&empty).to_indices::<i32>(&empty, space)?;
        } else if self.geometry.input_len() > i32::MAX as usize {
            return Err(Error::Unpool(unpool::Error::IndexSpaceTooLarge {
                space,
                largest: self.geometry.input_len() as u64 - 1,
                kind: "i32",
                allowed: i32::MAX as u64,
            }));
        }
        let taps = self.tensor().into_dispatch();
        Ok(Tensor::from_dispatch(Dispatch::taps_to_indices(taps, self.geometry, space)))
    }

    /// Taps from the indices of another framework, such as those of Burn's
    /// `max_pool2d_with_indices` and of PyTorch ([`IndexSpace::Plane`]). `input` is the shape that was
    /// pooled. The indices are read from their device, and checked.
    ///
    /// # Errors
    ///
    /// - [`unpool::Error::IndexOutside`] if an index names no cell of its window; the message names
    ///   the element.
    /// - [`Error::Shape`] if the indices do not have the pooled shape, and the errors of
    ///   [`Geometry::new`].
    /// - [`Error::Read`] if the indices cannot be read.
    pub fn from_indices(
        indices: Tensor<D, Int>,
        options: impl PoolOptions,
        input: [usize; D],
        space: IndexSpace,
    ) -> Result<Self, Error> {
        let geometry = Geometry::new(&options.window(), Shape::channels_first(input))?;
        Self::from_indices_of(indices, &geometry, space)
    }

    /// [`from_indices`](Self::from_indices) for a geometry, such as [`Geometry::for_pooled`] makes of
    /// a pooled shape.
    ///
    /// # Errors
    ///
    /// Those of [`from_indices`](Self::from_indices).
    pub fn from_indices_of(
        indices: Tensor<D, Int>,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Self, Error> {
        let geometry = geometry_in(geometry, Layout::ChannelsFirst);
        check_dims("indices", &indices.dims(), geometry.pooled_shape())?;
        let device = indices.device();
        let read = |error: &dyn std::fmt::Debug| Error::Read { message: format!("{error:?}") };
        let data = indices.try_into_data().map_err(|error| read(&error))?;
        let indices = data.convert::<i64>().try_to_vec::<i64>().map_err(|error| read(&error))?;
        let taps = unpool::Taps::from_indices(&geometry, space, &indices)?;
        let dims = geometry.pooled_shape().dims().to_vec();
        let dtype = tap_dtype(&geometry);
        let data = match dtype {
            DType::U8 => TensorData::new(taps.as_bytes().to_vec(), dims),
            _ => TensorData::new(bytemuck::pod_collect_to_vec::<u8, u16>(taps.as_bytes()), dims),
        };
        let tensor = Tensor::from_data(data, (&device, dtype));
        Ok(Self { tensor, geometry })
    }
}

/// An error unless a tensor has a shape.
pub(crate) fn check_dims(
    operand: &'static str,
    found: &[usize],
    shape: &Shape,
) -> Result<(), Error> {
    if found == shape.dims() {
        return Ok(());
    }
    Err(Error::Shape { operand, found: found.to_vec(), allowed: shape.dims().to_vec() })
}
