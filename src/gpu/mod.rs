//! A `wgpu` device and what is compiled for it.

mod adapter;
mod binder;
mod foreign;
#[cfg(test)]
mod layout;
mod operand;
mod operation;
mod pipelines;
mod plan;
mod pooling;
mod program;
mod readback;
mod report;
#[cfg(not(target_arch = "wasm32"))]
mod rounding;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod slices;
mod step;
mod uniforms;
mod unrolled;
mod work;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use adapter::wanted_adapter;
pub use foreign::ForeignUnpooling;
pub use operand::Operand;
pub use pooling::Pooling;
pub use program::Program;
pub use readback::Readback;
pub use report::IndexReport;
use std::sync::Arc;
pub use step::Step;

use crate::element::Element;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::scatter::Scatter;
use pipelines::Pipelines;

/// Threads of a workgroup, if nothing else is asked for.
const WORKGROUP_SIZE: u32 = 128;

/// A [`wgpu`] device and queue, yours or its own, and the pipelines compiled for it.
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
    wide_words: bool,
    pipelines: Pipelines,
    /// What [`Gpu::check_sums`] found.
    #[cfg(not(target_arch = "wasm32"))]
    sums: std::sync::OnceLock<Result<(), Error>>,
}

impl Gpu {
    /// Uses a device that the application has. No feature is needed, and no limit above
    /// [`wgpu::Limits::downlevel_defaults`]. On a software adapter
    /// [`SHADER_INT64`](wgpu::Features::SHADER_INT64) makes it faster.
    pub fn from_device(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self::new(device, queue, Pipelines::default())
    }

    /// As [`Gpu::from_device`], with pipelines compiled from and into a cache of the application's.
    /// The cache changes how long compiling takes, and nothing else.
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
            wide_words: device.features().contains(wgpu::Features::SHADER_INT64)
                && device.adapter_info().device_type == wgpu::DeviceType::Cpu,
            pipelines,
            #[cfg(not(target_arch = "wasm32"))]
            sums: std::sync::OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes a geometry and an element ready on this device. Nothing is compiled yet.
    ///
    /// # Errors
    ///
    /// If the device cannot run compute shaders.
    pub fn pooling(&self, geometry: &Geometry, element: Element) -> Result<Pooling, Error> {
        if self.limits().max_compute_invocations_per_workgroup == 0 {
            return Err(Error::Limit {
                limit: "max_compute_invocations_per_workgroup",
                needed: 1,
                allowed: 0,
            });
        }
        Ok(Pooling::new(self.clone(), geometry, element))
    }

    /// Makes an unpooling by foreign indices ready on this device. Nothing is compiled yet.
    pub fn foreign_unpooling(&self, placement: &Scatter, element: Element) -> ForeignUnpooling {
        ForeignUnpooling::new(self.clone(), placement, element)
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

    /// Makes objects on the device, or records and submits, and turns what wgpu says against that,
    /// which would reach the device's handler otherwise and by default end the program, into an
    /// error. In a browser the answer comes later, so nobody can wait for it here, and it goes to the
    /// handler there all the same.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], or [`Error::Wgpu`] with the message.
    pub fn scoped<T>(&self, make: impl FnOnce() -> T) -> Result<T, Error> {
        scoped(self.device(), make)
    }

    /// Threads of a workgroup, where nothing else is asked for.
    pub(crate) fn workgroup_size(&self) -> u32 {
        let limits = self.limits();
        WORKGROUP_SIZE
            .min(limits.max_compute_invocations_per_workgroup)
            .min(limits.max_compute_workgroup_size_x)
    }

    /// Whether loads and stores of 64 bits are possible here and pay: a software adapter makes each
    /// for one thread after another, a GPU moves 128 bits at once in any case.
    pub(crate) fn takes_wide_words(&self) -> bool {
        self.shared.wide_words
    }

    /// A buffer of whole words, never empty, that starts with some bytes.
    pub(crate) fn buffer(
        &self,
        label: &str,
        usage: wgpu::BufferUsages,
        size: u64,
        bytes: &[u8],
    ) -> Result<wgpu::Buffer, Error> {
        let size = size.next_multiple_of(4).max(4);
        let allowed = self.limits().max_buffer_size;
        if size > allowed {
            return Err(Error::Limit { limit: "max_buffer_size", needed: size, allowed });
        }
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
        made.map_err(|error: wgpu::MapRangeError| Error::Wgpu { message: error.to_string() })
    }

    pub(crate) fn limits(&self) -> &wgpu::Limits {
        &self.shared.limits
    }

    pub(crate) fn pipelines(&self) -> &Pipelines {
        &self.shared.pipelines
    }
}

/// Makes objects on a device, and turns what `wgpu` says against them into an [`Error`].
#[cfg(not(target_arch = "wasm32"))]
fn scoped<T>(device: &wgpu::Device, make: impl FnOnce() -> T) -> Result<T, Error> {
    use std::task::{Context, Poll, Waker};

    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = make();
    let now = |scope: wgpu::ErrorScopeGuard| {
        let answer = std::pin::pin!(scope.pop());
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(error) => error,
            Poll::Pending => None,
        }
    };
    // Innermost first, and every scope is popped.
    let errors = [now(internal), now(validation), now(memory)];
    match errors.into_iter().flatten().next() {
        None => Ok(made),
        Some(wgpu::Error::OutOfMemory { .. }) => Err(Error::OutOfMemory),
        Some(error) => Err(Error::Wgpu { message: error.to_string() }),
    }
}

/// Makes objects on a device. In a browser the answer to that comes later, so nobody can wait for
/// it here, and a scope would swallow it: without one it reaches the application's own handler.
#[cfg(target_arch = "wasm32")]
fn scoped<T>(_device: &wgpu::Device, make: impl FnOnce() -> T) -> Result<T, Error> {
    Ok(make())
}
