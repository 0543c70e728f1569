//! What goes wrong on the thread of a wgpu device: whoever reads the result is told.

use burn::tensor::wgpu::{WgpuSetup, wgpu};
use burn::tensor::{DType, Device, Tensor};
use pollster::block_on;
use unpool_burn::{IndexSpace, Overlap, max_pool2d, max_unpool2d};

use crate::tensors::{Lies, bytes, finite, integers, tensor};

/// A wgpu device of the application's.
fn setup() -> WgpuSetup {
    let instance = wgpu::Instance::default();
    let adapter = block_on(instance.request_adapter(&Default::default()));
    let adapter = adapter.expect("an adapter, such as lavapipe");
    let descriptor =
        wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    let (device, queue) = block_on(adapter.request_device(&descriptor)).expect("a device");
    let backend = adapter.get_info().backend;
    WgpuSetup { instance, adapter, device, queue, backend }
}

fn input(device: &Device) -> Tensor<4> {
    tensor(
        &bytes(&finite(60, 7), DType::F32),
        [1, 2, 5, 6],
        DType::F32,
        Lies::ChannelsFirst,
        device,
    )
}

/// What reading a tensor says that was not written.
fn refused(tensor: Tensor<4>) {
    let error = tensor.try_into_data().expect_err("it was not written").to_string();
    assert!(error.contains("unpool could not run its step"), "{error}");
}

/// Burn's buffers are no buffers of the device that unpool was told.
#[test]
fn a_step_that_the_device_refuses() {
    let setup = setup();
    let device = Device::wgpu_options().setup(setup.clone()).init().expect("Burn takes it");
    unpool_burn::attach(&device, &self::setup()).expect("it is one of wgpu's");
    let (values, taps) = max_pool2d(input(&device), 2);
    let restored = max_unpool2d(values.clone(), &taps, Overlap::Last);
    // What is read, and what was made of it.
    refused(values);
    refused(restored);
    // Told the right one, the same device pools.
    unpool_burn::attach(&device, &setup).expect("it is one of wgpu's");
    let (_, taps) = max_pool2d(input(&device), 2);
    let (_, expected) = max_pool2d(input(&crate::devices::devices()[0].device), 2);
    let plane = IndexSpace::Plane;
    assert_eq!(integers(taps.to_indices(plane)), integers(expected.to_indices(plane)));
}

#[test]
fn a_device_that_is_lost() {
    let setup = setup();
    let device = Device::wgpu_options().setup(setup.clone()).init().expect("Burn takes it");
    unpool_burn::attach(&device, &setup).expect("it is one of wgpu's");
    let x = input(&device);
    device.sync().expect("it works");
    setup.device.destroy();
    refused(max_pool2d(x, 2).0);
}
