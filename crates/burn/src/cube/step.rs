//! unpool's steps on Burn's buffers.
//!
//! Burn's runtime keeps each device on a thread of its own, which resolves a tensor's handle to a buffer
//! and a range, and submits what is queued that writes the inputs. All of that is one visit to that
//! thread. Then the step is recorded and submitted on the same queue, from here, and whatever Burn
//! submits later comes after it. The resolved ranges are held until the step is submitted, so that the
//! runtime gives them to nobody else before; from then on the order of the queue protects them.
//!
//! Burn's memory puts many tensors into one buffer. What a step reads from a buffer that it also writes
//! it binds as read-write, by pipelines of their own: see [`unpool::Pooling`].

use burn::tensor::{DType, StreamId};
use burn_cubecl::cubecl::wgpu::WgpuResource;
use burn_cubecl::tensor::CubeTensor;
use cubecl::device::DeviceId;
use cubecl::device_handle::DeviceHandle;
use cubecl::server::{Server as _, ServerStorage as _};
use unpool::operands;
use unpool::{Element, Error, Geometry, IndexSpace, Operand, Overlap, Pooling, Step};

use crate::cube::device::{Attached, Server};

pub(super) fn max_pool(
    gpu: Attached,
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
    taps: &CubeTensor,
) {
    run(
        gpu,
        geometry,
        input.dtype,
        [input, values, taps],
        false,
        |pooling, [input, values, taps]| {
            pooling.max_pool(operands::MaxPool { input, values, taps })
        },
    );
}

pub(super) fn max_pool_values(
    gpu: Attached,
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
) {
    run(gpu, geometry, input.dtype, [input, values], false, |pooling, [input, values]| {
        pooling.max_pool_values(operands::MaxPoolValues { input, values })
    });
}

pub(super) fn max_unpool(
    gpu: Attached,
    geometry: &Geometry,
    values: &CubeTensor,
    taps: &CubeTensor,
    output: &CubeTensor,
    overlap: Overlap,
) {
    let tensors = [values, taps, output];
    let sums = overlap == Overlap::Sum && geometry.windows_overlap();
    run(gpu, geometry, values.dtype, tensors, sums, |pooling, [values, taps, output]| {
        pooling.max_unpool(operands::MaxUnpool { values, taps, output }, overlap)
    });
}

pub(super) fn gather(
    gpu: Attached,
    geometry: &Geometry,
    unpooled: &CubeTensor,
    taps: &CubeTensor,
    values: &CubeTensor,
) {
    let tensors = [unpooled, taps, values];
    run(
        gpu,
        geometry,
        unpooled.dtype,
        tensors,
        false,
        |pooling, [grad_output, taps, grad_input]| {
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output,
                taps,
                grad_input,
            })
        },
    );
}

pub(super) fn taps_to_indices(
    gpu: Attached,
    geometry: &Geometry,
    taps: &CubeTensor,
    indices: &CubeTensor,
    space: IndexSpace,
) {
    run(gpu, geometry, DType::F32, [taps, indices], false, |pooling, [taps, indices]| {
        pooling.taps_to_indices(operands::TapsToIndices { taps, indices }, space)
    });
}

/// Runs a step on tensors of one device.
///
/// # Panics
///
/// Where the device fails, is recording a graph, or rounds sums of floats in another way than the CPU.
fn run<const N: usize>(
    (id, gpu): Attached,
    geometry: &Geometry,
    dtype: DType,
    tensors: [&CubeTensor; N],
    sums: bool,
    make: impl FnOnce(&Pooling, [Operand<'_>; N]) -> Result<Step, Error>,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    let client = &tensors[0].client;
    assert!(
        !client.is_capturing(),
        "unpool's operations are not recorded by a graph of Burn's; run them outside the capture"
    );
    let (resources, held) = resolve(id, tensors);
    let step = (|| {
        if sums {
            gpu.check_sums()?;
        }
        let pooling = gpu.pooling(geometry, element(dtype))?;
        make(&pooling, std::array::from_fn(|i| operand(&resources[i])))
    })();
    let step = step.unwrap_or_else(|error| panic!("{error}"));
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    step.record_pass(&mut encoder, None);
    gpu.queue().submit([encoder.finish()]);
    drop(held);
}

/// Resolves tensors to buffers, and submits what is queued that writes them. The second result keeps
/// the ranges from being given to other tensors, or moved.
fn resolve<const N: usize>(
    id: DeviceId,
    tensors: [&CubeTensor; N],
) -> ([WgpuResource; N], impl Sized + use<N>) {
    let stream = StreamId::current();
    let bindings = tensors.map(|tensor| tensor.handle.clone().binding());
    let resolved = DeviceHandle::<Server>::new(id).submit_blocking(move |server| {
        let resources = bindings.map(|binding| server.get_resource(binding, stream));
        server.flush(stream).map(|()| resources)
    });
    let resources = resolved.unwrap_or_else(|error| error.resume());
    let resources = resources.unwrap_or_else(|error| panic!("{error}"));
    let held = resources.map(|resource| resource.unwrap_or_else(|error| panic!("{error}")));
    (std::array::from_fn(|i| held[i].resource().clone()), held)
}

/// The bytes of a tensor, rounded up to whole words as all buffers of the runtime are.
fn operand(resource: &WgpuResource) -> Operand<'_> {
    let end = resource.offset + resource.size.next_multiple_of(4);
    resource.buffer.slice(resource.offset..end).into()
}

fn element(dtype: DType) -> Element {
    match dtype {
        DType::F16 => Element::F16,
        DType::BF16 => Element::BF16,
        _ => Element::F32,
    }
}
