//! The four operations on slices, blocking, wherever they run.

use crate::argmax::{Overlap, Pooled, Taps};
use crate::cpu;
use crate::cpu::{threads, vectors};
use crate::element::Cell;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::slices::PooledReadback;
use crate::gpu::{Gpu, Readback, wanted_adapter};
use crate::index::Index;
use crate::placement::Placement;

/// Where slices are pooled and unpooled: on the CPU or on a GPU, with the same bits.
///
/// Every call on a GPU uploads its operands, runs, waits and reads the results back. A program
/// that keeps its tensors on the GPU uses [`Gpu`] and records [`Step`](crate::Step)s instead.
///
/// ```
/// use unpool::{Engine, Geometry, Overlap, Shape, Window};
///
/// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 4, 4, 1]))?;
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
pub enum Engine {
    /// This process's threads.
    Cpu,
    /// A device.
    Gpu(Gpu),
}

impl Engine {
    /// A hardware GPU if there is one, else the CPU: a software adapter is slower than the CPU
    /// path. `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` narrow the choice; an adapter named that way
    /// is taken even if it is software.
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

    /// The engine of that name, whatever its case: `auto` (as [`Engine::detect`]), `cpu`, `gpu` (the
    /// best adapter, software or not), or part of an adapter's, a backend's or a driver's name.
    ///
    /// # Errors
    ///
    /// If there is no such adapter, or it gives no device.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::detect()),
            "cpu" => Ok(Self::Cpu),
            "gpu" => pollster::block_on(Gpu::request()).map(Self::Gpu),
            _ => pollster::block_on(Gpu::request_named(name)).map(Self::Gpu),
        }
    }

    /// What it is: the adapter's backend, name and driver, or the CPU, its threads and its vectors.
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

    /// [`cpu::max_pool`], wherever this engine runs.
    ///
    /// # Errors
    ///
    /// As there; and on a GPU where its memory or limits do not allow it.
    pub fn max_pool<T: Cell>(&self, geometry: &Geometry, input: &[T]) -> Result<Pooled<T>, Error> {
        match self {
            Self::Cpu => cpu::max_pool(geometry, input),
            Self::Gpu(gpu) => {
                let PooledReadback { values, taps } = gpu.start_max_pool(geometry, input)?;
                PooledReadback::finish(geometry, values.wait()?, &taps.wait()?)
            }
        }
    }

    /// [`cpu::max_unpool`], wherever this engine runs. On a GPU sums of integers saturate where
    /// the CPU reports an overflow.
    ///
    /// # Errors
    ///
    /// As there; and on a GPU where its memory or limits do not allow it, or where it rounds sums of
    /// floats another way ([`Gpu::check_sums`]).
    pub fn max_unpool<T: Cell>(
        &self,
        geometry: &Geometry,
        values: &[T],
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_unpool(geometry, values, taps, overlap),
            Self::Gpu(gpu) => {
                let output = gpu.start_max_unpool(geometry, values, taps, overlap)?;
                first(output, geometry.input_len())
            }
        }
    }

    /// [`cpu::max_pool_backward`], wherever this engine runs. On a GPU sums of integers saturate
    /// where the CPU reports an overflow.
    ///
    /// # Errors
    ///
    /// As there; and on a GPU where its memory or limits do not allow it, or where it rounds sums of
    /// floats another way ([`Gpu::check_sums`]).
    pub fn max_pool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_pool_backward(geometry, grad_output, taps),
            Self::Gpu(gpu) => {
                let grad_input = gpu.start_max_pool_backward(geometry, grad_output, taps)?;
                first(grad_input, geometry.input_len())
            }
        }
    }

    /// [`cpu::max_unpool_backward`], wherever this engine runs.
    ///
    /// # Errors
    ///
    /// As there; and on a GPU where its memory or limits do not allow it.
    pub fn max_unpool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => cpu::max_unpool_backward(geometry, grad_output, taps),
            Self::Gpu(gpu) => {
                let grad_input = gpu.start_max_unpool_backward(geometry, grad_output, taps)?;
                first(grad_input, geometry.pooled_len())
            }
        }
    }

    /// [`Placement::unpool`], wherever this engine runs. On a GPU sums of integers saturate where
    /// the CPU reports an overflow.
    ///
    /// # Errors
    ///
    /// As there; and on a GPU where its memory or limits do not allow it, or where it rounds sums of
    /// floats another way ([`Gpu::check_sums`]).
    pub fn max_unpool_foreign<T: Cell, I: Index>(
        &self,
        placement: &Placement,
        values: &[T],
        indices: &[I],
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Cpu => placement.unpool(values, indices, overlap),
            Self::Gpu(gpu) => {
                let output = gpu.start_max_unpool_foreign(placement, values, indices, overlap)?;
                first(output, placement.output_len())
            }
        }
    }
}

/// The first `len` elements of a buffer, which is rounded up to whole words.
fn first<T: Cell>(readback: Readback<T>, len: usize) -> Result<Vec<T>, Error> {
    let mut elements = readback.wait()?;
    elements.truncate(len);
    Ok(elements)
}
