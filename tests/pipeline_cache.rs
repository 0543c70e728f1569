//! A pipeline cache of the application's.

use unpool::{Element, Error, Gpu, operands, wgpu};

use crate::support::cases::parse;
use crate::support::devices::adapters;

/// Drivers need not fill a cache, and lavapipe does not; but `wgpu` refuses one of another device,
/// and so tells whether it was given one.
#[test]
fn a_pipeline_cache_is_used() {
    let feature = wgpu::Features::PIPELINE_CACHE;
    let with_cache = adapters().iter().filter(|a| a.features().contains(feature));
    for adapter in with_cache {
        let descriptor = wgpu::DeviceDescriptor {
            required_features: feature,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let request = || pollster::block_on(adapter.request_device(&descriptor)).unwrap();
        let ((device, queue), (other, _)) = (request(), request());
        let step = |cache: &wgpu::PipelineCache| {
            let gpu = Gpu::from_device_with_cache(&device, &queue, cache);
            let geometry = parse("n1c4h6w6_k2_last").geometry().unwrap();
            let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
            let [x, values, taps] =
                [pooling.input_bytes(), pooling.values_bytes(), pooling.taps_bytes()].map(|size| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: None,
                        size,
                        usage: wgpu::BufferUsages::STORAGE,
                        mapped_at_creation: false,
                    })
                });
            pooling.max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps })
        };
        let name = adapter.get_info().name;
        assert!(step(&empty_cache(&device)).is_ok(), "{name}");
        let refused = step(&empty_cache(&other));
        assert!(matches!(refused, Err(Error::Wgpu { .. })), "{name}: {refused:?}");
    }
}

#[allow(unsafe_code, reason = "wgpu's only way to make a cache; an empty one has no data to trust")]
fn empty_cache(device: &wgpu::Device) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: None, data: None, fallback: true };
    // SAFETY: there is no data, so none can be from another driver.
    unsafe { device.create_pipeline_cache(&descriptor) }
}
