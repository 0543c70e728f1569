//! Finding an adapter, and requesting a device of the library's own on it.

use crate::error::Error;
use crate::gpu::{Gpu, scoped};

impl Gpu {
    /// The adapters that claim to run compute shaders, best first: hardware before software, and of
    /// the same kind Vulkan, Metal and DX12 before GL. `WGPU_BACKEND` limits the backends.
    ///
    /// Some drivers claim it and fail: [`Gpu::from_adapter`] returns an error for their adapters.
    pub async fn adapters() -> Vec<wgpu::Adapter> {
        if wgpu::Instance::enabled_backend_features().is_empty() {
            return Vec::new();
        }
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        // Indirect calls are validated by a shader of wgpu's own, which every device compiles first and
        // some drivers cannot. No such call is made here.
        descriptor.flags.remove(wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL);
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

    /// A device of its own on the best adapter that gives one, or on the first such whose name, backend
    /// or driver holds `WGPU_ADAPTER_NAME`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoAdapter`] if there is no such adapter. The message names the adapters that were
    /// found, and why each was passed over.
    pub async fn request() -> Result<Self, Error> {
        match wanted_adapter() {
            Some(name) => Self::request_named(&name).await,
            None => first_usable(&Self::adapters().await, String::new()).await,
        }
    }

    /// A device of its own on the first adapter that gives one and whose name, backend or driver holds
    /// `name`, whatever its case.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoAdapter`] as [`Gpu::request`] does.
    pub async fn request_named(name: &str) -> Result<Self, Error> {
        let wanted = format!(" named {name:?}");
        let (named, others): (Vec<_>, Vec<_>) =
            Self::adapters().await.into_iter().partition(|a| is_named(&a.get_info(), name));
        if named.is_empty() {
            let others = others.iter().map(|a| describe(&a.get_info()));
            return Err(Error::NoAdapter { wanted, found: list(others) });
        }
        first_usable(&named, wanted).await
    }

    /// A device of its own on a given adapter, with all its limits, and timestamps if it has
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if it gives no device, or the device compiles no compute shader.
    pub async fn from_adapter(adapter: &wgpu::Adapter) -> Result<Self, Error> {
        let unusable = |message: String| {
            // wgpu's messages go over several lines.
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            Error::Adapter { adapter: describe(&adapter.get_info()), message }
        };
        let wanted = wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("unpool"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| unusable(error.to_string()))?;
        compile_nothing(&device).map_err(|error| unusable(error.to_string()))?;
        Ok(Self::from_device(&device, &queue))
    }

    /// Whether the adapter is software that stands in for a GPU.
    pub fn is_software(&self) -> bool {
        self.info().device_type == wgpu::DeviceType::Cpu
    }

    /// Backend, name and driver, such as `Vulkan: llvmpipe (LLVM 15.0.6, 256 bits), llvmpipe`.
    pub fn description(&self) -> String {
        describe(&self.info())
    }
}

/// A device on the first of some adapters that gives one. `wanted` describes the adapters in the message.
async fn first_usable(adapters: &[wgpu::Adapter], wanted: String) -> Result<Gpu, Error> {
    let mut refusals = Vec::new();
    for adapter in adapters {
        match Gpu::from_adapter(adapter).await {
            Ok(gpu) => return Ok(gpu),
            Err(error) => {
                log::info!("{error}");
                refusals.push(error.to_string());
            }
        }
    }
    Err(Error::NoAdapter { wanted, found: list(refusals) })
}

/// A list of adapters or refusals, for a message.
fn list(found: impl IntoIterator<Item = String>) -> String {
    let found: Vec<_> = found.into_iter().collect();
    if found.is_empty() { "none".into() } else { found.join("; ") }
}

/// Compiles a compute shader that does nothing: some drivers make a device and then fail at that.
fn compile_nothing(device: &wgpu::Device) -> Result<(), Error> {
    scoped(device, || {
        let label = Some("unpool nothing");
        let source = "@compute @workgroup_size(1) fn nothing() {}";
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let _pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: None,
            module: &module,
            entry_point: Some("nothing"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
    })
}

/// `WGPU_ADAPTER_NAME`, if it is set and not empty.
pub(crate) fn wanted_adapter() -> Option<String> {
    std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.trim().is_empty())
}

fn describe(info: &wgpu::AdapterInfo) -> String {
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    let mut text = info.backend.to_string();
    // A browser gives no name.
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
