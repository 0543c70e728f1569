//! A `wgpu` device, the pipelines compiled for it, and the steps that run on it.

mod adapter;
mod dispatch;
mod kernel;
mod operand;
pub mod operands;
mod pooling;
mod readback;
mod report;
#[cfg(not(target_arch = "wasm32"))]
mod rounding;
mod scattering;
mod scope;
#[cfg(not(target_arch = "wasm32"))]
mod slices;
mod step;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use adapter::wanted_adapter;
pub use kernel::Kernel;
pub use operand::Operand;
pub use pooling::{Pooling, PoolingBuffers};
pub use readback::Readback;
pub use report::{IndexReport, RefusedIndex};
pub use scattering::Scattering;
use std::sync::Arc;
pub use step::Step;

use crate::error::{Error, WgpuError, check_limit};
use dispatch::pipelines::Pipelines;
use scope::scoped;

/// A [`wgpu`] device and queue, the application's or the library's own, and the pipelines compiled for it.
///
/// Clones share everything, also between threads.
#[derive(Clone, Debug)]
pub struct Gpu {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    device: wgpu::Device,
    queue: wgpu::Queue,
    limits: wgpu::Limits,
    pipelines: Pipelines,
    /// The result of [`Gpu::check_sums`].
    #[cfg(not(target_arch = "wasm32"))]
    sums: std::sync::OnceLock<Result<(), Error>>,
}

impl Gpu {
    /// Uses a device of the application's. No feature is needed, and no limit above
    /// [`wgpu::Limits::downlevel_defaults`].
    pub fn from_device(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self::new(device, queue, Pipelines::default())
    }

    /// Uses a device of the application's, and compiles pipelines from and into its cache. The cache changes
    /// nothing but how long compiling takes.
    pub fn from_device_with_cache(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        cache: &wgpu::PipelineCache,
    ) -> Self {
        Self::new(device, queue, Pipelines::with_cache(cache))
    }

    fn new(device: &wgpu::Device, queue: &wgpu::Queue, pipelines: Pipelines) -> Self {
        let shared = Shared {
            device: device.clone(),
            queue: queue.clone(),
            limits: device.limits(),
            pipelines,
            #[cfg(not(target_arch = "wasm32"))]
            sums: std::sync::OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// An error if the device cannot run compute shaders.
    pub(crate) fn check_compute(&self) -> Result<(), Error> {
        let allowed = self.limits().max_compute_invocations_per_workgroup;
        check_limit("max_compute_invocations_per_workgroup", 1, allowed.into())
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.shared.device
    }

    /// The queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.shared.queue
    }

    /// Adapter, backend and driver.
    pub fn info(&self) -> wgpu::AdapterInfo {
        self.shared.device.adapter_info()
    }

    /// Runs `make` inside error scopes of the device, and returns any error of `wgpu` instead of passing it to
    /// the device's uncaptured-error handler. In a browser an error arrives later and goes to that handler.
    ///
    /// # Errors
    ///
    /// Returns [`Error::OutOfMemory`], or [`Error::Wgpu`] with the error.
    #[doc(hidden)]
    pub fn scoped<T>(&self, make: impl FnOnce() -> T) -> Result<T, Error> {
        scoped(self.device(), make)
    }

    /// Invocations of a workgroup by default, within the limits of the device.
    pub(crate) fn workgroup_size(&self) -> u32 {
        let limits = self.limits();
        128u32
            .min(limits.max_compute_invocations_per_workgroup)
            .min(limits.max_compute_workgroup_size_x)
    }

    /// A buffer of at least one word and of whole words, initialised with some bytes.
    pub(crate) fn buffer(
        &self,
        label: &str,
        usage: wgpu::BufferUsages,
        size: u64,
        bytes: &[u8],
    ) -> Result<wgpu::Buffer, Error> {
        let size = size.next_multiple_of(4).max(4);
        check_limit("max_buffer_size", size, self.limits().max_buffer_size)?;
        let made = self.scoped(|| {
            let buffer = self.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: !bytes.is_empty(),
            });
            if !bytes.is_empty() {
                buffer.get_mapped_range_mut(..)?.slice(..bytes.len()).copy_from_slice(bytes);
                buffer.unmap();
            }
            Ok(buffer)
        })?;
        made.map_err(|error: wgpu::MapRangeError| WgpuError::new(error).into())
    }

    pub(crate) fn limits(&self) -> &wgpu::Limits {
        &self.shared.limits
    }

    pub(crate) fn pipelines(&self) -> &Pipelines {
        &self.shared.pipelines
    }
}
