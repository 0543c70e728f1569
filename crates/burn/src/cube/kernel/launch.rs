//! Launches the kernels on tensors.

use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;
use cubecl::zspace::metadata::Metadata;
use unpool::{Geometry, IndexSpace, Layout, Overlap};

use super::geometry::words;
use super::max_pool::{VALUES, max_pool_kernel};
use super::max_unpool::{gather_kernel, max_unpool_kernel};
use super::taps::taps_to_indices_kernel;

pub(in crate::cube) fn max_pool(
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
    taps: &CubeTensor,
) {
    pool(geometry, input, values, taps, geometry.tap_width() as u32);
}

pub(in crate::cube) fn max_pool_values(
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
) {
    // A kernel that writes no taps still has a buffer for them.
    let taps = upload(input, &[0]);
    pool(geometry, input, values, &taps, 0);
}

fn pool(
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
    taps: &CubeTensor,
    tap_bytes: u32,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    let (count, dim) = grid(input, geometry.pooled_len().div_ceil(VALUES as usize));
    max_pool_kernel::launch(
        &input.client,
        count,
        dim,
        buffer(input),
        buffer(values),
        buffer(taps),
        buffer(&upload(input, &words(geometry))),
        element(input.dtype),
        tap_bytes,
    );
}

pub(in crate::cube) fn max_unpool(
    geometry: &Geometry,
    values: &CubeTensor,
    taps: &CubeTensor,
    output: &CubeTensor,
    overlap: Overlap,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    let (count, dim) = grid(values, words_of(output));
    max_unpool_kernel::launch(
        &values.client,
        count,
        dim,
        buffer(values),
        buffer(taps),
        buffer(output),
        buffer(&upload(values, &words(geometry))),
        element(values.dtype),
        geometry.tap_width() as u32,
        overlap == Overlap::Sum,
    );
}

pub(in crate::cube) fn gather(
    geometry: &Geometry,
    unpooled: &CubeTensor,
    taps: &CubeTensor,
    values: &CubeTensor,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    let (count, dim) = grid(unpooled, words_of(values));
    gather_kernel::launch(
        &unpooled.client,
        count,
        dim,
        buffer(unpooled),
        buffer(taps),
        buffer(values),
        buffer(&upload(unpooled, &words(geometry))),
        element(unpooled.dtype),
        geometry.tap_width() as u32,
    );
}

pub(in crate::cube) fn taps_to_indices(
    geometry: &Geometry,
    taps: &CubeTensor,
    indices: &CubeTensor,
    space: IndexSpace,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    let (count, dim) = grid(taps, geometry.pooled_len());
    taps_to_indices_kernel::launch(
        &taps.client,
        count,
        dim,
        buffer(taps),
        buffer(indices),
        buffer(&upload(taps, &words(geometry))),
        buffer(&upload(taps, &strides(geometry, space))),
        geometry.tap_width() as u32,
    );
}

/// The strides of an index space along z, y, x, image and channel, and the planes of an image.
fn strides(geometry: &Geometry, space: IndexSpace) -> [u32; 6] {
    let shape = geometry.input_shape();
    let mut sizes = [1; 3];
    sizes[3 - shape.spatial().len()..].copy_from_slice(shape.spatial());
    let [d, h, w] = sizes;
    let (channels, volume) = (shape.channels(), d * h * w);
    let planes = if shape.layout() == Layout::ChannelsLast { 1 } else { channels };
    let [z, y, x, image, channel] = match space {
        IndexSpace::Image => [h * w * channels, w * channels, channels, 0, 1],
        IndexSpace::Batch => [h * w * channels, w * channels, channels, volume * channels, 1],
        IndexSpace::Tensor => [h * w, w, 1, volume * channels, volume],
        IndexSpace::TensorColumnMajor => [1, d, d * h, volume * channels, volume],
        _ => [h * w, w, 1, 0, 0],
    };
    [z, y, x, image, channel, planes].map(|n| n as u32)
}

/// A grid of units in one dimension, or folded.
fn grid(like: &CubeTensor, units: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&like.client, units);
    (calculate_cube_count_elemwise(&like.client, units, dim), dim)
}

/// The words of a tensor.
fn words_of(tensor: &CubeTensor) -> usize {
    (tensor.meta.shape().iter().product::<usize>() * tensor.dtype.size()).div_ceil(4)
}

/// A tensor as a buffer of words. The runtimes round every allocation up to whole words.
fn buffer(tensor: &CubeTensor) -> BufferArg {
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    let meta = Metadata::new(Shape::new([words_of(tensor)]), [1usize]);
    CubeTensor::new(client, tensor.handle.clone(), meta, device, DType::U32).into_buffer_arg()
}

/// Words on the device of a tensor.
fn upload(like: &CubeTensor, words: &[u32]) -> CubeTensor {
    let handle = like.client.create_from_slice(bytemuck::cast_slice(words));
    let meta = Metadata::new(Shape::new([words.len()]), [1usize]);
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new(client, handle, meta, device, DType::U32)
}

fn element(dtype: DType) -> u32 {
    match dtype {
        DType::F16 => super::bits::F16,
        DType::BF16 => 2,
        _ => super::bits::F32,
    }
}
