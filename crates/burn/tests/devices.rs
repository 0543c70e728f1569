//! Every device that the tests run on.

use burn::tensor::{DType, Device};

/// A device, and the types of elements that it takes.
pub(crate) struct Tested {
    pub(crate) name: &'static str,
    pub(crate) device: Device,
    pub(crate) dtypes: &'static [DType],
}

/// Every device of the backends that are compiled in.
///
/// A missing adapter fails: the wgpu tests need one, which may be a software one such as lavapipe.
pub(crate) fn devices() -> Vec<Tested> {
    let mut devices = Vec::new();
    let all = &[DType::F32, DType::F16, DType::BF16];
    #[cfg(feature = "flex")]
    devices.push(Tested { name: "flex", device: Device::flex(), dtypes: all });
    #[cfg(feature = "ndarray")]
    #[allow(deprecated, reason = "Burn still has it")]
    devices.push(Tested { name: "ndarray", device: Device::ndarray(), dtypes: &all[..1] });
    #[cfg(feature = "wgpu")]
    for (name, device) in wgpu::devices() {
        devices.push(Tested { name, device: device.clone(), dtypes: all });
    }
    devices
}

#[cfg(feature = "wgpu")]
mod wgpu {
    use std::sync::LazyLock;

    use burn::tensor::wgpu::{MemoryConfiguration, WgpuBackend};
    use burn::tensor::{Device, DeviceKind};

    /// A device for each way in which Burn lays out its memory. Burn initialises a device once in a
    /// process, and one that names its graphics API is another than one that does not.
    static DEVICES: LazyLock<[(&str, Device); 3]> = LazyLock::new(|| {
        let options = Device::wgpu_options();
        let shared = unpool_burn::init_wgpu(options).expect("an adapter, such as lavapipe");
        let options = Device::wgpu_options()
            .graphics_api(WgpuBackend::Vulkan)
            .memory_config(MemoryConfiguration::ExclusivePages);
        let exclusive = unpool_burn::init_wgpu(options).expect("an adapter, such as lavapipe");
        // Not attached, so that the CubeCL kernels run.
        let kinds = [DeviceKind::DiscreteGpu(0), DeviceKind::Cpu].into_iter();
        let mut options = kinds.map(|kind| Device::wgpu_options().device_kind(kind).init());
        let unattached = options.find_map(Result::ok).expect("an adapter, such as lavapipe");
        [
            ("wgpu", shared),
            ("wgpu with exclusive pages", exclusive),
            ("wgpu by CubeCL kernels", unattached),
        ]
    });

    pub(super) fn devices() -> &'static [(&'static str, Device)] {
        &*DEVICES
    }
}
