//! The operations on Flex, Burn's CPU backend: unpool's CPU path on its bytes.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout as FlexLayout};
use burn::tensor::{Bytes, DType, Shape};
use unpool::{Geometry, IndexSpace, Layout, Overlap};

use crate::backend::MaxPoolBackend;
use crate::cpu;
use crate::layout::{geometry_in, layout_of, strides, tap_dtype};

impl MaxPoolBackend for Flex {
    fn max_pool(input: FlexTensor, geometry: Geometry) -> (FlexTensor, FlexTensor) {
        let (input, layout) = dense(input);
        let geometry = geometry_in(&geometry, layout);
        let dtype = input.dtype();
        let (values, taps) = cpu::max_pool(&geometry, dtype, bytes_of(&input));
        let shape = geometry.pooled_shape();
        (tensor(values, shape, dtype), tensor(taps, shape, tap_dtype(&geometry)))
    }

    fn max_pool_values(input: FlexTensor, geometry: Geometry) -> FlexTensor {
        let (input, layout) = dense(input);
        let geometry = geometry_in(&geometry, layout);
        let values = cpu::max_pool_values(&geometry, input.dtype(), bytes_of(&input));
        tensor(values, geometry.pooled_shape(), input.dtype())
    }

    fn max_unpool(
        values: FlexTensor,
        taps: FlexTensor,
        geometry: Geometry,
        overlap: Overlap,
    ) -> FlexTensor {
        let (taps, layout) = dense(taps);
        let (values, geometry) = (dense_in(values, layout), geometry_in(&geometry, layout));
        let (dtype, taps) = (values.dtype(), bytes_of(&taps));
        let output = cpu::max_unpool(&geometry, dtype, bytes_of(&values), taps, overlap);
        tensor(output, geometry.input_shape(), dtype)
    }

    fn gather(unpooled: FlexTensor, taps: FlexTensor, geometry: Geometry) -> FlexTensor {
        let (taps, layout) = dense(taps);
        let (unpooled, geometry) = (dense_in(unpooled, layout), geometry_in(&geometry, layout));
        let dtype = unpooled.dtype();
        let values = cpu::gather(&geometry, dtype, bytes_of(&unpooled), bytes_of(&taps));
        tensor(values, geometry.pooled_shape(), dtype)
    }

    fn taps_to_indices(taps: FlexTensor, geometry: Geometry, space: IndexSpace) -> FlexTensor {
        let (taps, layout) = dense(taps);
        let geometry = geometry_in(&geometry, layout);
        let indices = cpu::taps_to_indices(&geometry, bytes_of(&taps), space);
        tensor(indices, geometry.pooled_shape(), DType::I32)
    }
}

/// The layout in which a tensor is dense, if there is one.
fn layout(tensor: &FlexTensor) -> Option<Layout> {
    let strides = tensor.layout().strides();
    let strides: Option<Vec<_>> = strides.iter().map(|&s| usize::try_from(s).ok()).collect();
    layout_of(tensor.layout().shape().as_slice(), &strides?)
}

/// The tensor, with channels first if it is dense in no layout.
fn dense(tensor: FlexTensor) -> (FlexTensor, Layout) {
    match layout(&tensor) {
        Some(layout) => (tensor, layout),
        None => (tensor.to_contiguous(), Layout::ChannelsFirst),
    }
}

/// The tensor, dense in a layout.
fn dense_in(tensor: FlexTensor, layout: Layout) -> FlexTensor {
    let dims = tensor.layout().shape().as_slice().to_vec();
    let flex_strides: Vec<_> = strides(&dims, layout).into_iter().map(|s| s as isize).collect();
    let same = dims.iter().zip(&flex_strides).zip(tensor.layout().strides());
    if same.clone().all(|((&n, a), b)| n <= 1 || a == b) {
        return tensor;
    }
    let rank = dims.len();
    if layout == Layout::ChannelsFirst {
        return tensor.to_contiguous();
    }
    let mut last: Vec<usize> = (0..rank).collect();
    last[1..].rotate_left(1);
    let mut back: Vec<usize> = (0..rank).collect();
    back[1..].rotate_right(1);
    tensor.permute(&last).to_contiguous().permute(&back)
}

/// The bytes of a dense tensor.
fn bytes_of(tensor: &FlexTensor) -> &[u8] {
    let size = tensor.dtype().size();
    let start = tensor.layout().start_offset() * size;
    &tensor.bytes()[start..start + tensor.layout().num_elements() * size]
}

/// A tensor with channels as its second dimension, from bytes in the layout of a shape.
fn tensor(bytes: Bytes, shape: &unpool::Shape, dtype: DType) -> FlexTensor {
    let mut dims = shape.dims().to_vec();
    if shape.layout() == Layout::ChannelsLast {
        dims[1..].rotate_right(1);
    }
    let strides = strides(&dims, shape.layout()).into_iter().map(|s| s as isize).collect();
    FlexTensor::new(bytes, FlexLayout::new(Shape::from(dims), strides, 0), dtype)
}
