//! A geometry and an element made ready on a device: it makes steps.

use std::sync::{Arc, Mutex, PoisonError};

use crate::argmax::{IndexStrides, Overlap};
use crate::element::Element;
use crate::error::{Error, check_limit};
use crate::geometry::Geometry;
use crate::gpu::Gpu;
use crate::gpu::dispatch::{Argument, Arguments, Plan, Work};
use crate::gpu::kernel::{Binding, Kernel, Operation, WindowOperation};
use crate::gpu::operand::Operand;
use crate::gpu::operands;
use crate::gpu::report::IndexReport;
use crate::gpu::step::Step;
use crate::index_space::IndexSpace;

/// A [`Geometry`] and an [`Element`] on a device: makes the [`Step`]s of the operations.
///
/// A pooling is cheap to make and to clone. Pipelines are compiled when the first step needs them, and the
/// [`Gpu`] keeps them. The first step of an operation also writes its uniforms, which the pooling and its clones
/// keep for the next: a program that makes many steps keeps its pooling. Tensors are dense and row-major in the
/// layout of the geometry, and each buffer is rounded up to whole 4-byte words:
/// [`input_bytes`](Self::input_bytes), [`values_bytes`](Self::values_bytes), [`taps_bytes`](Self::taps_bytes).
/// [`create_buffers`](Self::create_buffers) makes one of each.
///
/// # Errors
///
/// Every method that makes a step returns
///
/// - [`Error::BufferTooSmall`] if an operand has too few bytes;
/// - [`Error::Usage`] if its buffer is not a [`STORAGE`](wgpu::BufferUsages::STORAGE) buffer;
/// - [`Error::Alignment`] if it starts at an offset that is not a multiple of the device's
///   `min_storage_buffer_offset_alignment`;
/// - [`Error::Overlapping`] if it overlaps another operand in a buffer that the step writes. Operands may lie in
///   one buffer: those that are read from a buffer that is also written are bound as read-write, by pipelines
///   of their own;
/// - [`Error::Limit`] if a limit of the device is too small;
/// - [`Error::OutOfMemory`] or [`Error::Wgpu`] if the device fails, or if a buffer belongs to another device.
///
/// # Determinism
///
/// Every operation gives the same bits on every run, device and workgroup size, and those of
/// [`cpu`](crate::cpu): each cell of an output is written once, without atomics, and sums are in raster order. Only
/// an [`IndexReport`] is made by atomics, a count and a minimum, which do not depend on the order of the
/// invocations. For sums of floats the device must round to nearest even; `Gpu::check_sums` checks it.
#[derive(Clone, Debug)]
pub struct Pooling {
    gpu: Gpu,
    geometry: Geometry,
    element: Element,
    workgroup_size: u32,
    /// The plans of the operations that had a step.
    plans: Arc<Mutex<Vec<Arc<Plan>>>>,
}

/// A buffer for each tensor of a [`Pooling`], made by [`Pooling::create_buffers`].
#[derive(Clone, Debug)]
pub struct PoolingBuffers {
    /// The tensor that is pooled.
    pub input: wgpu::Buffer,
    /// The pooled values.
    pub values: wgpu::Buffer,
    /// The taps.
    pub taps: wgpu::Buffer,
    /// The unpooled tensor.
    pub output: wgpu::Buffer,
}

impl Gpu {
    /// Makes a geometry and an element ready on this device. Nothing is compiled yet.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Limit`] if the device cannot run compute shaders.
    pub fn pooling(&self, geometry: &Geometry, element: Element) -> Result<Pooling, Error> {
        self.check_compute()?;
        let (workgroup_size, plans) = (self.workgroup_size(), Arc::default());
        Ok(Pooling { workgroup_size, geometry: *geometry, element, gpu: self.clone(), plans })
    }
}

impl Pooling {
    /// The same with another number of invocations per workgroup. Results do not depend on it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ZeroWorkgroup`] if it is 0, and [`Error::Limit`] if it is more than the device allows.
    pub fn with_workgroup_size(self, invocations: u32) -> Result<Self, Error> {
        let limits = self.gpu.limits();
        for (limit, allowed) in [
            ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup),
            ("max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x),
        ] {
            check_limit(limit, invocations.into(), allowed.into())?;
        }
        if invocations == 0 {
            return Err(Error::ZeroWorkgroup);
        }
        Ok(Self { workgroup_size: invocations, plans: Arc::default(), ..self })
    }

    /// The geometry.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The element.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Bytes of a buffer of [`Geometry::input_shape`], in whole words.
    pub fn input_bytes(&self) -> u64 {
        (self.geometry.input_len() as u64 * self.element.bytes() as u64).next_multiple_of(4)
    }

    /// Bytes of a buffer of [`Geometry::pooled_shape`], in whole words.
    pub fn values_bytes(&self) -> u64 {
        (self.geometry.pooled_len() as u64 * self.element.bytes() as u64).next_multiple_of(4)
    }

    /// Bytes of a buffer of indices: a `u32` for each pooled value.
    pub fn indices_bytes(&self) -> u64 {
        self.geometry.pooled_len() as u64 * 4
    }

    /// Bytes of a buffer of taps, in whole words.
    pub fn taps_bytes(&self) -> u64 {
        self.geometry.taps_bytes()
    }

    /// Makes a buffer for each tensor, which operations can read and write, and which can be copied from and to.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Limit`] if a buffer is larger than the device allows, and [`Error::OutOfMemory`].
    pub fn create_buffers(&self) -> Result<PoolingBuffers, Error> {
        let create = |label, size| {
            use wgpu::BufferUsages as Usages;
            self.gpu.buffer(label, Usages::STORAGE | Usages::COPY_SRC | Usages::COPY_DST, size, &[])
        };
        Ok(PoolingBuffers {
            input: create("input", self.input_bytes())?,
            values: create("values", self.values_bytes())?,
            taps: create("taps", self.taps_bytes())?,
            output: create("output", self.input_bytes())?,
        })
    }

    /// Compiles the pipelines of the four operations, several at a time, and returns when all are there. Steps
    /// compile what they need by themselves when they are made: this is for a program that would rather wait
    /// at a time of its own. Not among them are conversions of indices, and the pipelines for operands that
    /// lie in one buffer.
    ///
    /// # Errors
    ///
    /// Returns [`Error::OutOfMemory`] or [`Error::Wgpu`] if the device fails.
    pub fn compile(&self) -> Result<(), Error> {
        let get = |kernel| {
            let pipelines = self.gpu.pipelines();
            pipelines.get(self.gpu.device(), kernel, self.workgroup_size).map(drop)
        };
        let kernels = Kernel::all(&self.geometry, self.element);
        compile_all(kernels, get)
    }

    /// Max pooling: reads `input`, writes `values` and `taps`. The result is that of
    /// [`cpu::max_pool`](crate::cpu::max_pool).
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_pool<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::MaxPool<B>,
    ) -> Result<Step, Error> {
        let operands::MaxPool { input, values, taps } = operands;
        let arguments = [
            Argument::new(Binding::Input, "input", input, self.input_bytes()),
            Argument::new(Binding::Output, "values", values, self.values_bytes()),
            Argument::new(Binding::TapsOut, "taps", taps, self.taps_bytes()),
        ];
        self.step(WindowOperation::MaxPool { with_taps: true }, &arguments)
    }

    /// Max pooling without argmax: reads `input`, writes `values`. The result is that of
    /// [`cpu::max_pool_values`](crate::cpu::max_pool_values).
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_pool_values<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::MaxPoolValues<B>,
    ) -> Result<Step, Error> {
        let operands::MaxPoolValues { input, values } = operands;
        let arguments = [
            Argument::new(Binding::Input, "input", input, self.input_bytes()),
            Argument::new(Binding::Output, "values", values, self.values_bytes()),
        ];
        self.step(WindowOperation::MaxPool { with_taps: false }, &arguments)
    }

    /// Unpooling: reads `values` and `taps`, writes every cell of `output`. The result is that of
    /// [`cpu::max_unpool`](crate::cpu::max_unpool), but a sum of integers saturates.
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_unpool<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::MaxUnpool<B>,
        overlap: Overlap,
    ) -> Result<Step, Error> {
        let operands::MaxUnpool { values, taps, output } = operands;
        let arguments = [
            Argument::new(Binding::Input, "values", values, self.values_bytes()),
            Argument::new(Binding::TapsIn, "taps", taps, self.taps_bytes()),
            Argument::new(Binding::Output, "output", output, self.input_bytes()),
        ];
        self.step(WindowOperation::MaxUnpool(overlap), &arguments)
    }

    /// The gradient of max pooling: reads `grad_output` (pooled) and `taps`, writes every cell of `grad_input`.
    /// The result is that of [`cpu::max_pool_backward`](crate::cpu::max_pool_backward), but a sum of integers
    /// saturates.
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_pool_backward<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::MaxPoolBackward<B>,
    ) -> Result<Step, Error> {
        let operands::MaxPoolBackward { grad_output, taps, grad_input } = operands;
        let arguments = [
            Argument::new(Binding::Input, "grad_output", grad_output, self.values_bytes()),
            Argument::new(Binding::TapsIn, "taps", taps, self.taps_bytes()),
            Argument::new(Binding::Output, "grad_input", grad_input, self.input_bytes()),
        ];
        self.step(WindowOperation::MaxUnpool(Overlap::Sum), &arguments)
    }

    /// The gradient of unpooling: reads the cells of `grad_output` (unpooled) that `taps` name, writes
    /// `grad_input` (pooled). The result is that of
    /// [`cpu::max_unpool_backward`](crate::cpu::max_unpool_backward).
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_unpool_backward<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::MaxUnpoolBackward<B>,
    ) -> Result<Step, Error> {
        let operands::MaxUnpoolBackward { grad_output, taps, grad_input } = operands;
        let arguments = [
            Argument::new(Binding::Input, "grad_output", grad_output, self.input_bytes()),
            Argument::new(Binding::TapsIn, "taps", taps, self.taps_bytes()),
            Argument::new(Binding::Output, "grad_input", grad_input, self.values_bytes()),
        ];
        self.step(WindowOperation::MaxUnpoolBackward, &arguments)
    }

    /// Taps to the indices of another framework: reads `taps`, writes `indices`, a `u32` each. A tap that names no
    /// cell of the input becomes `u32::MAX`. The result is that of
    /// [`Taps::to_indices`](crate::Taps::to_indices).
    ///
    /// # Errors
    ///
    /// See [`Pooling`], and [`Error::IndexSpaceTooLarge`] if a `u32` does not hold every index of the space.
    pub fn taps_to_indices<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::TapsToIndices<B>,
        space: IndexSpace,
    ) -> Result<Step, Error> {
        let operands::TapsToIndices { taps, indices } = operands;
        let arguments = [
            Argument::new(Binding::TapsIn, "taps", taps, self.taps_bytes()),
            Argument::new(Binding::Output, "indices", indices, self.indices_bytes()),
        ];
        self.convert(Operation::TapsToIndices, space, &arguments)
    }

    /// Indices of another framework to taps: reads `indices`, a `u32` each, writes `taps`, and to `report` an
    /// [`IndexReport`]. An index that names no cell of its window becomes a tap that unpools to nothing.
    /// [`Taps::from_indices`](crate::Taps::from_indices) refuses such an index instead.
    ///
    /// # Errors
    ///
    /// See [`Pooling`], and [`Error::IndexSpaceTooLarge`] if a `u32` does not hold every index of the space.
    pub fn indices_to_taps<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::IndicesToTaps<B>,
        space: IndexSpace,
    ) -> Result<Step, Error> {
        let operands::IndicesToTaps { indices, taps, report } = operands;
        let arguments = [
            Argument::new(Binding::Input, "indices", indices, self.indices_bytes()),
            Argument::new(Binding::TapsOut, "taps", taps, self.taps_bytes()),
            Argument::new(Binding::Report, "report", report, IndexReport::BYTES),
        ];
        self.convert(Operation::IndicesToTaps, space, &arguments)
    }

    fn convert(
        &self,
        operation: Operation,
        space: IndexSpace,
        arguments: &[Argument<'_>],
    ) -> Result<Step, Error> {
        let strides = IndexStrides::new(self.geometry.input_shape(), space);
        strides.check_fits::<u32>()?;
        let kernel = Kernel::of_indices(&self.geometry, operation, space);
        self.step_of(kernel, Element::U32, Some(&strides), arguments)
    }

    fn step(&self, operation: WindowOperation, arguments: &[Argument<'_>]) -> Result<Step, Error> {
        let kernel = Kernel::new(&self.geometry, self.element, operation);
        self.step_of(kernel, self.element, None, arguments)
    }

    fn step_of(
        &self,
        kernel: Kernel,
        element: Element,
        strides: Option<&IndexStrides>,
        arguments: &[Argument<'_>],
    ) -> Result<Step, Error> {
        let arguments = Arguments::new(&self.gpu, self.workgroup_size, arguments)?;
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let made = plans().iter().find(|plan| plan.kernel == kernel).cloned();
        if let Some(plan) = made {
            return arguments.step(&plan);
        }
        let work = Work::new(&self.geometry, kernel, element);
        let plan = Arc::new(Plan::new(&self.gpu, self.workgroup_size, &work, strides)?);
        plans().push(Arc::clone(&plan));
        arguments.step(&plan)
    }
}

/// Compiles kernels, each on a thread of its own.
#[cfg(not(target_arch = "wasm32"))]
fn compile_all(
    kernels: Vec<Kernel>,
    compile: impl Fn(Kernel) -> Result<(), Error> + Copy + Send,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            kernels.into_iter().map(|kernel| scope.spawn(move || compile(kernel))).collect();
        threads
            .into_iter()
            .try_for_each(|t| t.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
    })
}

/// Compiles kernels. The browser has threads of its own for that.
#[cfg(target_arch = "wasm32")]
fn compile_all(
    kernels: Vec<Kernel>,
    compile: impl Fn(Kernel) -> Result<(), Error>,
) -> Result<(), Error> {
    kernels.into_iter().try_for_each(compile)
}
