//! Finding a device of one's own.

use crate::error::Error;
use crate::gpu::Gpu;

impl Gpu {
    /// The adapters that can run compute shaders, best first: hardware before software, and of the
    /// same kind Vulkan, Metal and DX12 before GL. `WGPU_BACKEND` limits the backends.
    pub async fn adapters() -> Vec<wgpu::Adapter> {
        if wgpu::Instance::enabled_backend_features().is_empty() {
            return Vec::new();
        }
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let backends = descriptor.backends;
        let instance = wgpu::Instance::new(descriptor);
        #[cfg(not(target_arch = "wasm32"))]
        let mut adapters = instance.enumerate_adapters(backends).await;
        #[cfg(target_arch = "wasm32")]
        let mut adapters: Vec<_> = {
            let _ = backends;
            instance.request_adapter(&Default::default()).await.into_iter().collect()
        };
        let compute = wgpu::DownlevelFlags::COMPUTE_SHADERS;
        adapters.retain(|a| a.get_downlevel_capabilities().flags.contains(compute));
        adapters.sort_by_key(|a| rank(&a.get_info()));
        adapters
    }

    /// A device of its own on the best adapter, or on the first whose name, backend or driver holds
    /// `WGPU_ADAPTER_NAME`.
    ///
    /// # Errors
    ///
    /// If there is no such adapter, or it gives no device.
    pub async fn request() -> Result<Self, Error> {
        match wanted_adapter() {
            Some(name) => Self::request_named(&name).await,
            None => match Self::adapters().await.first() {
                Some(adapter) => Self::from_adapter(adapter).await,
                None => Err(Error::NoAdapter { wanted: String::new(), found: "none".into() }),
            },
        }
    }

    /// A device of its own on the first adapter whose name, backend or driver holds `name`,
    /// whatever its case.
    ///
    /// # Errors
    ///
    /// As [`Gpu::request`].
    pub async fn request_named(name: &str) -> Result<Self, Error> {
        let adapters = Self::adapters().await;
        match adapters.iter().find(|a| is_named(&a.get_info(), name)) {
            Some(adapter) => Self::from_adapter(adapter).await,
            None => {
                let names: Vec<_> = adapters.iter().map(|a| describe(&a.get_info())).collect();
                let found = if names.is_empty() { "none".into() } else { names.join("; ") };
                Err(Error::NoAdapter { wanted: format!(" named {name:?}"), found })
            }
        }
    }

    /// A device of its own on a given adapter, with all its limits, and timestamps and integers of
    /// 64 bits if it has them.
    ///
    /// # Errors
    ///
    /// If it gives no device.
    pub async fn from_adapter(adapter: &wgpu::Adapter) -> Result<Self, Error> {
        let wanted = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SHADER_INT64;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("unpool"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| Error::Wgpu { message: error.to_string() })?;
        Ok(Self::from_device(&device, &queue))
    }

    /// Whether it is software that stands in for a GPU.
    pub fn is_software(&self) -> bool {
        self.info().device_type == wgpu::DeviceType::Cpu
    }

    /// Backend, name and driver, such as `Vulkan: llvmpipe (LLVM 15.0.6, 256 bits), llvmpipe`.
    pub fn description(&self) -> String {
        describe(&self.info())
    }
}

/// `WGPU_ADAPTER_NAME`, if it says something.
pub(crate) fn wanted_adapter() -> Option<String> {
    std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.trim().is_empty())
}

fn describe(info: &wgpu::AdapterInfo) -> String {
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    let mut text = info.backend.to_string();
    // A browser tells no name.
    if !info.name.is_empty() {
        text = format!("{text}: {}", info.name);
    }
    if !driver.trim().is_empty() {
        text = format!("{text}, {}", driver.trim());
    }
    text
}

fn is_named(info: &wgpu::AdapterInfo, name: &str) -> bool {
    !name.trim().is_empty() && describe(info).to_lowercase().contains(&name.to_lowercase())
}

/// The best adapter has the smallest rank.
fn rank(info: &wgpu::AdapterInfo) -> (u8, u8) {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    let backend = match info.backend {
        wgpu::Backend::Gl => 1,
        wgpu::Backend::Noop => 2,
        _ => 0,
    };
    (kind, backend)
}
