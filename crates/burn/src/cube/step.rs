//! unpool's steps on Burn's buffers.
//!
//! Burn's runtime keeps each device on a thread of its own, to which a program hands kernels that it does
//! not wait for. A step is handed over in the same way: on that thread handles are resolved to buffers and
//! ranges, what is queued that writes the inputs is submitted, and the step is recorded and submitted on
//! the same queue, so that whatever Burn submits later comes after it. No other task runs in between, which
//! could be given the same ranges. A failure, or a panic, is kept where Burn keeps those of its kernels:
//! with the memory that was to be written, so that whoever reads it is told.
//!
//! Burn's memory puts many tensors into one buffer. What a step reads from a buffer that it also writes
//! it binds as read-write, by pipelines of their own: see [`unpool::Pooling`].

use burn::tensor::{DType, StreamId};
use burn_cubecl::cubecl::wgpu::WgpuResource;
use burn_cubecl::tensor::CubeTensor;
use cubecl::device_handle::DeviceHandle;
use cubecl::server::{BufferBinding, Server as _, ServerError, ServerStorage as _};
use cubecl_server::stream::ExecuteScope;
use unpool::operands;
use unpool::{Element, Error, Geometry, IndexSpace, Operand, Overlap, Pooling, Step};

use crate::cube::device::{Attached, Server};

pub(super) fn max_pool(
    device: Attached,
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
    taps: &CubeTensor,
) {
    let element = element(input.dtype);
    run(device, geometry, element, [input], [values, taps], |pooling, [input], [values, taps]| {
        pooling.max_pool(operands::MaxPool { input, values, taps })
    });
}

pub(super) fn max_pool_values(
    device: Attached,
    geometry: &Geometry,
    input: &CubeTensor,
    values: &CubeTensor,
) {
    let element = element(input.dtype);
    run(device, geometry, element, [input], [values], |pooling, [input], [values]| {
        pooling.max_pool_values(operands::MaxPoolValues { input, values })
    });
}

/// # Panics
///
/// Where the device rounds sums of floats in another way than the CPU.
pub(super) fn max_unpool(
    device: Attached,
    geometry: &Geometry,
    values: &CubeTensor,
    taps: &CubeTensor,
    output: &CubeTensor,
    overlap: Overlap,
) {
    if overlap == Overlap::Sum && geometry.windows_overlap() {
        device.gpu().check_sums().unwrap_or_else(|error| panic!("{error}"));
    }
    let element = element(values.dtype);
    run(
        device,
        geometry,
        element,
        [values, taps],
        [output],
        move |pooling, [values, taps], [output]| {
            pooling.max_unpool(operands::MaxUnpool { values, taps, output }, overlap)
        },
    );
}

pub(super) fn gather(
    device: Attached,
    geometry: &Geometry,
    unpooled: &CubeTensor,
    taps: &CubeTensor,
    values: &CubeTensor,
) {
    let element = element(unpooled.dtype);
    run(
        device,
        geometry,
        element,
        [unpooled, taps],
        [values],
        |pooling, [grad_output, taps], [grad_input]| {
            let operands = operands::MaxUnpoolBackward { grad_output, taps, grad_input };
            pooling.max_unpool_backward(operands)
        },
    );
}

pub(super) fn taps_to_indices(
    device: Attached,
    geometry: &Geometry,
    taps: &CubeTensor,
    indices: &CubeTensor,
    space: IndexSpace,
) {
    run(device, geometry, Element::F32, [taps], [indices], move |pooling, [taps], [indices]| {
        pooling.taps_to_indices(operands::TapsToIndices { taps, indices }, space)
    });
}

/// Runs a step on tensors of one device, later.
///
/// # Panics
///
/// Where the device is recording a graph.
fn run<const R: usize, const W: usize>(
    device: Attached,
    geometry: &Geometry,
    element: Element,
    read: [&CubeTensor; R],
    written: [&CubeTensor; W],
    make: impl FnOnce(&Pooling, [Operand<'_>; R], [Operand<'_>; W]) -> Result<Step, Error>
    + Send
    + 'static,
) {
    if geometry.pooled_len() == 0 {
        return;
    }
    assert!(
        !read[0].client.is_capturing(),
        "unpool's operations are not recorded by a graph of Burn's; run them outside the capture"
    );
    let (geometry, stream) = (*geometry, StreamId::current());
    let binding = |tensor: &CubeTensor| tensor.handle.clone().binding();
    let (read, written) = (read.map(binding), written.map(binding));
    DeviceHandle::<Server>::new(device.id()).submit(move |server| {
        let (read, to_write) = (resolve(server, &read, stream), resolve(server, &written, stream));
        let _ = ExecuteScope::over(server, stream, written.to_vec()).execute(|server| {
            let (read, to_write) = (read?, to_write?);
            server.flush(stream)?;
            let operands = (read.each_ref().map(operand), to_write.each_ref().map(operand));
            let pooling = device.pooling(&geometry, element).map_err(failure)?;
            let step = make(&pooling, operands.0, operands.1).map_err(failure)?;
            let gpu = device.gpu();
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            step.record_pass(&mut encoder, None);
            gpu.queue().submit([encoder.finish()]);
            Ok(())
        });
    });
}

/// The buffers and ranges of tensors. What is queued for them is submitted.
fn resolve<const N: usize>(
    server: &mut Server,
    bindings: &[BufferBinding; N],
    stream: StreamId,
) -> Result<[WgpuResource; N], ServerError> {
    let mut resources = Vec::with_capacity(N);
    for binding in bindings {
        resources.push(server.get_resource(binding.clone(), stream)?.resource().clone());
    }
    Ok(resources.try_into().unwrap_or_else(|_| unreachable!("there is one for each binding")))
}

/// The bytes of a tensor, rounded up to whole words as all buffers of the runtime are.
fn operand(resource: &WgpuResource) -> Operand<'_> {
    let end = resource.offset + resource.size.next_multiple_of(4);
    resource.buffer.slice(resource.offset..end).into()
}

/// An error as one of Burn's runtime, by its one constructor that takes nothing but a message.
fn failure(error: Error) -> ServerError {
    ServerError::graph_state(format!("unpool could not run its step: {error}"))
}

fn element(dtype: DType) -> Element {
    match dtype {
        DType::F16 => Element::F16,
        DType::BF16 => Element::BF16,
        _ => Element::F32,
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::DispatchDevice;
    use burn::backend::ops::FloatTensorOps as _;
    use burn::tensor::{Device, TensorData};
    use burn_cubecl::CubeBackend;
    use pollster::block_on;
    use unpool::{Shape, Window};

    use super::*;

    /// wgpu tells the handler of Burn's device what is wrong, and that handler panics.
    #[test]
    fn a_panic_on_the_thread_of_the_device_is_told_to_who_reads() {
        let device =
            crate::init_wgpu(Device::wgpu_options()).expect("an adapter, such as lavapipe");
        #[allow(irrefutable_let_patterns, reason = "it may be the only backend")]
        let DispatchDevice::Cube(cube) = device.as_dispatch() else { unreachable!("it is wgpu's") };
        let tensor = || CubeBackend::float_from_data(TensorData::from([[[[1.0f32; 2]; 2]]]), cube);
        let (input, values) = (tensor(), tensor());
        let device = crate::cube::device::attached(&input.client).expect("it was attached");
        let geometry = Geometry::new(&Window::new(1), Shape::nchw([1, 1, 2, 2])).expect("it fits");
        run(device, &geometry, Element::F32, [&input], [&values], |_, _, _| panic!("as wgpu does"));
        assert!(block_on(CubeBackend::float_into_data(values)).is_err());
        assert!(block_on(CubeBackend::float_into_data(input)).is_ok());
    }
}
