//! [`Engine`]: the operations on slices, on the CPU or on a GPU, blocking.

use crate::argmax::{Index, Overlap, Pooled, Taps};
use crate::cell::Cell;
use crate::cpu;
use crate::cpu::{threads, vectors};
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::{Gpu, wanted_adapter};
use crate::scatter::Scatter;

/// The CPU or a GPU, for operations on slices. Both give the same bits.
///
/// Every call on a GPU uploads its operands, runs, waits, and reads the results back. A program
/// that keeps its tensors on the GPU uses [`Gpu`] and records [`Step`](crate::Step)s instead.
///
/// ```
/// use unpool::{Engine, Geometry, Overlap, Shape, Window};
///
/// let geometry = Geometry::new(&Window::new(2), Shape::nhwc([1, 4, 4, 1]))?;
/// let x: Vec<f32> = (0..16).map(|i| i as f32).collect();
///
/// let engine = Engine::detect();
/// let pooled = engine.max_pool(&geometry, &x)?;
/// let restored = engine.max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
/// assert_eq!(restored[5], 5.0);
/// assert_eq!(restored.iter().sum::<f32>(), 5.0 + 7.0 + 13.0 + 15.0);
/// # Ok::<(), unpool::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Engine {
    /// The threads and the vector instructions of this process.
    Cpu,
    /// A device.
    Gpu(Gpu),
}

impl Engine {
    /// A hardware GPU if there is one, else the CPU, which is faster than a software adapter.
    ///
    /// The environment variables `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` narrow the choice. An adapter
    /// named by them is used even if it is software.
    pub fn detect() -> Self {
        let named = wanted_adapter().is_some();
        match pollster::block_on(Gpu::request()) {
            Ok(gpu) if named || !gpu.is_software() => Self::Gpu(gpu),
            Ok(gpu) => {
                log::info!("{} is software and slower than the CPU path", gpu.description());
                Self::Cpu
            }
            Err(error) => {
                log::info!("{error}");
                Self::Cpu
            }
        }
    }

    /// The engine of a name, in any case: `auto` ([`Engine::detect`]), `cpu`, `gpu` (the best
    /// adapter, software or not), or a part of the name of an adapter, a backend or a driver.
    ///
    /// # Errors
    ///
    /// - [`Error::NoAdapter`] if there is no such adapter.
    /// - [`Error::Adapter`] if the adapter gives no device.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::detect()),
            "cpu" => Ok(Self::Cpu),
            "gpu" => pollster::block_on(Gpu::request()).map(Self::Gpu),
            _ => pollster::block_on(Gpu::request_named(name)).map(Self::Gpu),
        }
    }

    /// A description: backend, name and driver of the adapter, or the CPU with its number of threads
    /// and its vector instructions.
    pub fn description(&self) -> String {
        match self {
            Self::Cpu => {
                let threads = threads();
                let s = if threads == 1 { "" } else { "s" };
                let vectors = vectors().map(|name| format!(", {name}")).unwrap_or_default();
                format!("CPU: {threads} thread{s}{vectors}")
            }
            Self::Gpu(gpu) => gpu.description(),
        }
    }

    /// Max pooling with argmax: [`cpu::max_pool`] on this engine.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if `input` has another number of elements than the geometry's input.
    /// - On a GPU, [`Error::Limit`] or [`Error::OutOfMemory`] if its limits or its memory are too small,
    ///   and [`Error::DeviceLost`] or [`Error::Wgpu`] if the device fails.
    pub fn max_pool<T: Cell>(&self, geometry: &Geometry, input: &[T]) -> Result<Pooled<T>, Error> {
        match self {
            Self::Cpu => cpu::max_pool(geometry, input),
            Self::Gpu(gpu) => gpu.max_pool_slice(geometry, input),
        }
    }

    /// Max pooling without argmax: [`cpu::max_pool_values`] on this engine.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Engine::max_pool`].
    pub fn max_pool_values<T: Cell>(
        &self,
        geometry: &Geometry,
        input: &[T],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_pool_values(geometry, input),
            Self::Gpu(gpu) => gpu.max_pool_values_slice(geometry, input),
        }
    }

    /// Unpooling: [`cpu::max_unpool`] on this engine.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if `values` or `taps` has another number of elements than the geometry's
    ///   pooled shape, and [`Error::TapWidth`] if the taps are of a window of another size.
    /// - On the CPU, [`Error::Overflow`] if a sum of integers does not fit its type. A GPU saturates
    ///   such a sum.
    /// - On a GPU, [`Error::Rounding`] if the device does not round sums of floats to nearest even
    ///   ([`Gpu::check_sums`]).
    /// - On a GPU, [`Error::Limit`] or [`Error::OutOfMemory`] if its limits or its memory are too small,
    ///   and [`Error::DeviceLost`] or [`Error::Wgpu`] if the device fails.
    pub fn max_unpool<T: Cell>(
        &self,
        geometry: &Geometry,
        values: &[T],
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_unpool(geometry, values, taps, overlap),
            Self::Gpu(gpu) => gpu.max_unpool_slices(geometry, ("values", values), taps, overlap),
        }
    }

    /// The gradient of pooling: [`cpu::max_pool_backward`] on this engine.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if `grad_output` or `taps` has another number of elements than the geometry's
    ///   pooled shape, and [`Error::TapWidth`] if the taps are of a window of another size.
    /// - On the CPU, [`Error::Overflow`] if a sum of integers does not fit its type. A GPU saturates
    ///   such a sum.
    /// - On a GPU, [`Error::Rounding`] if the device does not round sums of floats to nearest even
    ///   ([`Gpu::check_sums`]).
    /// - On a GPU, [`Error::Limit`] or [`Error::OutOfMemory`] if its limits or its memory are too small,
    ///   and [`Error::DeviceLost`] or [`Error::Wgpu`] if the device fails.
    pub fn max_pool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_pool_backward(geometry, grad_output, taps),
            Self::Gpu(gpu) => {
                let grad_output = ("grad_output", grad_output);
                gpu.max_unpool_slices(geometry, grad_output, taps, Overlap::Sum)
            }
        }
    }

    /// The gradient of unpooling: [`cpu::max_unpool_backward`] on this engine.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if `grad_output` has another number of elements than the geometry's input, or
    ///   `taps` another number than its pooled shape; [`Error::TapWidth`] if the taps are of a window
    ///   of another size.
    /// - On a GPU, [`Error::Limit`] or [`Error::OutOfMemory`] if its limits or its memory are too small,
    ///   and [`Error::DeviceLost`] or [`Error::Wgpu`] if the device fails.
    pub fn max_unpool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_unpool_backward(geometry, grad_output, taps),
            Self::Gpu(gpu) => gpu.max_unpool_backward_slices(geometry, grad_output, taps),
        }
    }

    /// Unpooling by arbitrary indices: [`cpu::scatter`] on this engine.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if `values` or `indices` has another number of elements than the pooled shape.
    /// - [`Error::IndexOutOfRange`] for the first index that names no cell.
    /// - On the CPU, [`Error::Overflow`] if a sum of integers does not fit its type. A GPU saturates
    ///   such a sum.
    /// - On a GPU, [`Error::IndexSpaceTooLarge`] if a `u32` cannot hold every index.
    /// - On a GPU, [`Error::Rounding`] if the device does not round sums of floats to nearest even
    ///   ([`Gpu::check_sums`]).
    /// - On a GPU, [`Error::Limit`] or [`Error::OutOfMemory`] if its limits or its memory are too small,
    ///   and [`Error::DeviceLost`] or [`Error::Wgpu`] if the device fails.
    pub fn scatter<T: Cell, I: Index>(
        &self,
        scatter: &Scatter,
        values: &[T],
        indices: &[I],
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::scatter(scatter, values, indices, overlap),
            Self::Gpu(gpu) => gpu.scatter_slices(scatter, values, indices, overlap),
        }
    }
}
