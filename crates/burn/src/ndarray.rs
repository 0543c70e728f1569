//! The operations on Burn's older CPU backend: unpool's CPU path on a copy with channels first.

#![allow(deprecated, reason = "Burn still has NdArray")]

use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::ops::{FloatTensorOps, IntTensorOps};
use burn::tensor::{Bytes, DType, TensorData};
use unpool::{Geometry, IndexSpace, Overlap};

use crate::backend::MaxPoolBackend;
use crate::cpu;
use crate::layout::tap_dtype;

impl MaxPoolBackend for NdArray {
    fn max_pool(input: NdArrayTensor, geometry: Geometry) -> (NdArrayTensor, NdArrayTensor) {
        let input = floats(input);
        let (values, taps) = cpu::max_pool(&geometry, input.dtype(), input.as_bytes());
        let shape = geometry.pooled_shape();
        (tensor(values, shape, input.dtype()), tensor(taps, shape, tap_dtype(&geometry)))
    }

    fn max_pool_values(input: NdArrayTensor, geometry: Geometry) -> NdArrayTensor {
        let input = floats(input);
        let values = cpu::max_pool_values(&geometry, input.dtype(), input.as_bytes());
        tensor(values, geometry.pooled_shape(), input.dtype())
    }

    fn max_unpool(
        values: NdArrayTensor,
        taps: NdArrayTensor,
        geometry: Geometry,
        overlap: Overlap,
    ) -> NdArrayTensor {
        let (values, taps) = (floats(values), integers(taps));
        let (dtype, taps) = (values.dtype(), taps.as_bytes());
        let output = cpu::max_unpool(&geometry, dtype, values.as_bytes(), taps, overlap);
        tensor(output, geometry.input_shape(), dtype)
    }

    fn gather(unpooled: NdArrayTensor, taps: NdArrayTensor, geometry: Geometry) -> NdArrayTensor {
        let (unpooled, taps) = (floats(unpooled), integers(taps));
        let dtype = unpooled.dtype();
        let values = cpu::gather(&geometry, dtype, unpooled.as_bytes(), taps.as_bytes());
        tensor(values, geometry.pooled_shape(), dtype)
    }

    fn taps_to_indices(
        taps: NdArrayTensor,
        geometry: Geometry,
        space: IndexSpace,
    ) -> NdArrayTensor {
        let indices = cpu::taps_to_indices(&geometry, integers(taps).as_bytes(), space);
        tensor(indices, geometry.pooled_shape(), DType::I32)
    }
}

/// The numbers of a float tensor in row-major order.
fn floats(tensor: NdArrayTensor) -> TensorData {
    let data = burn::tensor::read_sync(NdArray::float_into_data(tensor));
    data.unwrap_or_else(|error| panic!("{error:?}"))
}

/// The numbers of a tensor of integers in row-major order.
fn integers(tensor: NdArrayTensor) -> TensorData {
    let data = burn::tensor::read_sync(NdArray::int_into_data(tensor));
    data.unwrap_or_else(|error| panic!("{error:?}"))
}

fn tensor(bytes: Bytes, shape: &unpool::Shape, dtype: DType) -> NdArrayTensor {
    NdArrayTensor::from_data(TensorData::from_bytes(bytes, shape.dims().to_vec(), dtype))
}
