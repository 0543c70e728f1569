//! The operations on Burn's GPU backends.
//!
//! - `step.rs`: unpool's own steps, in Burn's buffers, on a wgpu device that [`attach`] knows.
//! - `device.rs`: those devices.
//! - `kernel/`: CubeCL kernels of the same results for every other device.

mod device;
mod kernel;
mod step;

pub use device::{attach, init_wgpu};

use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::{into_contiguous, untile};
use burn_cubecl::tensor::CubeTensor;
use cubecl::zspace::metadata::Metadata;
use unpool::{Geometry, IndexSpace, Layout, Overlap};

use crate::backend::MaxPoolBackend;
use crate::layout::{geometry_in, layout_of, strides, tap_dtype};

impl MaxPoolBackend for CubeBackend {
    fn max_pool(input: CubeTensor, geometry: Geometry) -> (CubeTensor, CubeTensor) {
        let (input, layout) = dense(input);
        let geometry = geometry_in(&geometry, layout);
        let shape = geometry.pooled_shape();
        let values = empty(&input, shape, input.dtype);
        let taps = empty(&input, shape, tap_dtype(&geometry));
        match device::attached(&input.client) {
            Some(device) => step::max_pool(device, &geometry, &input, &values, &taps),
            None => kernel::max_pool(&geometry, &input, &values, &taps),
        }
        (values, taps)
    }

    fn max_pool_values(input: CubeTensor, geometry: Geometry) -> CubeTensor {
        let (input, layout) = dense(input);
        let geometry = geometry_in(&geometry, layout);
        let values = empty(&input, geometry.pooled_shape(), input.dtype);
        match device::attached(&input.client) {
            Some(device) => step::max_pool_values(device, &geometry, &input, &values),
            None => kernel::max_pool_values(&geometry, &input, &values),
        }
        values
    }

    fn max_unpool(
        values: CubeTensor,
        taps: CubeTensor,
        geometry: Geometry,
        overlap: Overlap,
    ) -> CubeTensor {
        let layout = layout_of_taps(&taps);
        let (values, geometry) = (dense_in(values, layout), geometry_in(&geometry, layout));
        let output = empty(&values, geometry.input_shape(), values.dtype);
        match device::attached(&values.client) {
            Some(device) => step::max_unpool(device, &geometry, &values, &taps, &output, overlap),
            None => kernel::max_unpool(&geometry, &values, &taps, &output, overlap),
        }
        output
    }

    fn gather(unpooled: CubeTensor, taps: CubeTensor, geometry: Geometry) -> CubeTensor {
        let layout = layout_of_taps(&taps);
        let (unpooled, geometry) = (dense_in(unpooled, layout), geometry_in(&geometry, layout));
        let values = empty(&unpooled, geometry.pooled_shape(), unpooled.dtype);
        match device::attached(&unpooled.client) {
            Some(device) => step::gather(device, &geometry, &unpooled, &taps, &values),
            None => kernel::gather(&geometry, &unpooled, &taps, &values),
        }
        values
    }

    fn taps_to_indices(taps: CubeTensor, geometry: Geometry, space: IndexSpace) -> CubeTensor {
        let geometry = geometry_in(&geometry, layout_of_taps(&taps));
        let indices = empty(&taps, geometry.pooled_shape(), DType::I32);
        match device::attached(&taps.client) {
            Some(device) => step::taps_to_indices(device, &geometry, &taps, &indices, space),
            None => kernel::taps_to_indices(&geometry, &taps, &indices, space),
        }
        indices
    }
}

/// The layout in which a tensor is dense, if there is one.
fn layout(tensor: &CubeTensor) -> Option<Layout> {
    if tensor.meta.is_tiled() {
        return None;
    }
    layout_of(tensor.meta.shape().as_slice(), tensor.meta.strides())
}

/// The tensor, with channels first if it is dense in no layout.
fn dense(tensor: CubeTensor) -> (CubeTensor, Layout) {
    match layout(&tensor) {
        Some(layout) => (tensor, layout),
        None => (into_contiguous(tensor), Layout::ChannelsFirst),
    }
}

/// The layout of taps, which are made dense and stay so.
fn layout_of_taps(taps: &CubeTensor) -> Layout {
    layout(taps).unwrap_or_else(|| {
        let (dims, strides) = (taps.meta.shape(), taps.meta.strides());
        panic!("taps of shape {dims:?} have strides {strides:?}; dense ones are allowed")
    })
}

/// The tensor, dense in a layout.
fn dense_in(tensor: CubeTensor, layout: Layout) -> CubeTensor {
    let mut tensor = untile(tensor);
    let rank = tensor.meta.num_dims();
    let wanted = strides(tensor.meta.shape().as_slice(), layout);
    let found = tensor.meta.shape().iter().zip(tensor.meta.strides().iter()).zip(&wanted);
    if found.clone().all(|((&n, a), b)| n <= 1 || a == b) {
        return tensor;
    }
    if layout == Layout::ChannelsFirst {
        return into_contiguous(tensor);
    }
    let mut last: Vec<usize> = (0..rank).collect();
    last[1..].rotate_left(1);
    let mut back: Vec<usize> = (0..rank).collect();
    back[1..].rotate_right(1);
    permute(&mut tensor, &last);
    let mut tensor = into_contiguous(tensor);
    permute(&mut tensor, &back);
    tensor
}

fn permute(tensor: &mut CubeTensor, axes: &[usize]) {
    let (shape, strides) = (tensor.meta.shape(), tensor.meta.strides());
    let dims: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
    let strides: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
    *tensor.meta = Metadata::new(Shape::from(dims), &strides[..]);
}

/// A tensor with channels as its second dimension, on the device of another one, in the layout of a shape.
fn empty(like: &CubeTensor, shape: &unpool::Shape, dtype: DType) -> CubeTensor {
    let mut dims = shape.dims().to_vec();
    if shape.layout() == Layout::ChannelsLast {
        dims[1..].rotate_right(1);
    }
    let strides = strides(&dims, shape.layout());
    let size = dims.iter().product::<usize>() * dtype.size();
    let (client, device) = (like.client.clone(), like.device.clone());
    let handle = client.empty(size);
    CubeTensor::new(client, handle, Metadata::new(Shape::from(dims), &strides[..]), device, dtype)
}
