//! A geometry and an element made ready on a device: it makes steps.

use std::sync::Arc;

use crate::argmax::IndexStrides;
use crate::argmax::Overlap;
use crate::element::Element;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::Gpu;
use crate::gpu::binder::{Binder, Role};
use crate::gpu::operand::Operand;
use crate::gpu::operation::{Operation, Slot};
use crate::gpu::plan::Plan;
use crate::gpu::program::Program;
use crate::gpu::report::IndexReport;
use crate::gpu::step::Step;
use crate::index_space::IndexSpace;

/// A [`Geometry`] and an [`Element`] on a device: makes the [`Step`]s of the four operations.
///
/// Cheap to make and to clone; pipelines are compiled when the first step needs them and kept by
/// the [`Gpu`]. Tensors are dense and row-major in the geometry's layout, each buffer rounded up to
/// whole 4-byte words: [`values_bytes`](Self::values_bytes), [`input_bytes`](Self::input_bytes),
/// [`taps_bytes`](Geometry::taps_bytes).
///
/// # Errors
///
/// A step is refused when an operand is too small, is not a [`STORAGE`](wgpu::BufferUsages::STORAGE)
/// buffer, starts at an offset that is not a multiple of the device's
/// `min_storage_buffer_offset_alignment`, belongs to another device, or overlaps another in a buffer
/// that the step writes; and when a limit of the device stands in the way. Operands may lie in one buffer
/// as long as they do not overlap: what is read there is bound as read-write, by pipelines of its own.
///
/// # Determinism
///
/// Every operation gives the same bits on every run, device and workgroup size, and those of
/// [`cpu`](crate::cpu): no atomics, each output cell written once, sums in raster order. For sums of
/// floats the device must round to nearest even, which `Gpu::check_sums` tells.
#[derive(Clone, Debug)]
pub struct Pooling {
    gpu: Gpu,
    geometry: Arc<Geometry>,
    element: Element,
    workgroup_size: u32,
}

impl Pooling {
    pub(crate) fn new(gpu: Gpu, geometry: &Geometry, element: Element) -> Self {
        Self { workgroup_size: gpu.workgroup_size(), geometry: Arc::new(*geometry), element, gpu }
    }

    /// Another number of threads per workgroup. Results do not depend on it.
    ///
    /// # Errors
    ///
    /// If it is 0 or more than the device allows.
    pub fn with_workgroup_size(mut self, threads: u32) -> Result<Self, Error> {
        let limits = self.gpu.limits();
        for (limit, allowed) in [
            ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup),
            ("max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x),
        ] {
            if threads > allowed {
                return Err(Error::Limit {
                    limit,
                    needed: threads.into(),
                    allowed: allowed.into(),
                });
            }
        }
        if threads == 0 {
            return Err(Error::ZeroWorkgroup);
        }
        self.workgroup_size = threads;
        Ok(self)
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

    /// Max pooling: reads `input`, writes `values` and `taps`.
    ///
    /// As [`cpu::max_pool`](crate::cpu::max_pool).
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_pool<'a>(
        &self,
        input: impl Into<Operand<'a>>,
        values: impl Into<Operand<'a>>,
        taps: impl Into<Operand<'a>>,
    ) -> Result<Step, Error> {
        self.step(
            Operation::Pool,
            &[
                Role::new(Slot::In, "input", input, self.input_bytes()),
                Role::new(Slot::Out, "values", values, self.values_bytes()),
                Role::new(Slot::TapsWritten, "taps", taps, self.taps_bytes()),
            ],
        )
    }

    /// Unpooling: reads `values` and `taps`, writes every cell of `output`.
    ///
    /// As [`cpu::max_unpool`](crate::cpu::max_unpool), but that a sum of integers saturates.
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_unpool<'a>(
        &self,
        values: impl Into<Operand<'a>>,
        taps: impl Into<Operand<'a>>,
        output: impl Into<Operand<'a>>,
        overlap: Overlap,
    ) -> Result<Step, Error> {
        self.step(
            Operation::Unpool(overlap),
            &[
                Role::new(Slot::In, "values", values, self.values_bytes()),
                Role::new(Slot::TapsRead, "taps", taps, self.taps_bytes()),
                Role::new(Slot::Out, "output", output, self.input_bytes()),
            ],
        )
    }

    /// The gradient of max pooling: reads `grad_output` (pooled) and `taps`, writes every cell of
    /// `grad_input`.
    ///
    /// As [`cpu::max_pool_backward`](crate::cpu::max_pool_backward), but that a sum of integers
    /// saturates.
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_pool_backward<'a>(
        &self,
        grad_output: impl Into<Operand<'a>>,
        taps: impl Into<Operand<'a>>,
        grad_input: impl Into<Operand<'a>>,
    ) -> Result<Step, Error> {
        self.step(
            Operation::Unpool(Overlap::Sum),
            &[
                Role::new(Slot::In, "grad_output", grad_output, self.values_bytes()),
                Role::new(Slot::TapsRead, "taps", taps, self.taps_bytes()),
                Role::new(Slot::Out, "grad_input", grad_input, self.input_bytes()),
            ],
        )
    }

    /// The gradient of unpooling: reads the cells of `grad_output` (unpooled) that `taps` name,
    /// writes `grad_input` (pooled).
    ///
    /// As [`cpu::max_unpool_backward`](crate::cpu::max_unpool_backward).
    ///
    /// # Errors
    ///
    /// See [`Pooling`].
    pub fn max_unpool_backward<'a>(
        &self,
        grad_output: impl Into<Operand<'a>>,
        taps: impl Into<Operand<'a>>,
        grad_input: impl Into<Operand<'a>>,
    ) -> Result<Step, Error> {
        self.step(
            Operation::UnpoolBackward,
            &[
                Role::new(Slot::In, "grad_output", grad_output, self.input_bytes()),
                Role::new(Slot::TapsRead, "taps", taps, self.taps_bytes()),
                Role::new(Slot::Out, "grad_input", grad_input, self.values_bytes()),
            ],
        )
    }

    /// Taps to the indices of another framework: reads `taps`, writes `indices`, a `u32` each, of
    /// [`indices_bytes`](Self::indices_bytes). A tap that names no cell of the input becomes
    /// `u32::MAX`.
    ///
    /// As [`Taps::to_indices`](crate::Taps::to_indices).
    ///
    /// # Errors
    ///
    /// See [`Pooling`]; and if the space does not fit a `u32`.
    pub fn taps_to_indices<'a>(
        &self,
        taps: impl Into<Operand<'a>>,
        indices: impl Into<Operand<'a>>,
        space: IndexSpace,
    ) -> Result<Step, Error> {
        let roles = [
            Role::new(Slot::TapsRead, "taps", taps, self.taps_bytes()),
            Role::new(Slot::Out, "indices", indices, self.indices_bytes()),
        ];
        self.convert(Operation::TapsToIndices, space, &roles)
    }

    /// Indices of another framework to taps: reads `indices`, a `u32` each, writes `taps`, and to
    /// `report` an [`IndexReport`] that the caller may read when it likes. An index that names no
    /// cell of its window becomes a tap that unpools to nothing.
    ///
    /// As [`Taps::from_indices`](crate::Taps::from_indices), which refuses such an index instead.
    ///
    /// # Errors
    ///
    /// See [`Pooling`]; and if the space does not fit a `u32`.
    pub fn indices_to_taps<'a>(
        &self,
        indices: impl Into<Operand<'a>>,
        taps: impl Into<Operand<'a>>,
        report: impl Into<Operand<'a>>,
        space: IndexSpace,
    ) -> Result<Step, Error> {
        let roles = [
            Role::new(Slot::In, "indices", indices, self.indices_bytes()),
            Role::new(Slot::TapsWritten, "taps", taps, self.taps_bytes()),
            Role::new(Slot::Report, "report", report, IndexReport::BYTES),
        ];
        self.convert(Operation::IndicesToTaps, space, &roles)
    }

    fn convert(
        &self,
        operation: Operation,
        space: IndexSpace,
        roles: &[Role<'_>],
    ) -> Result<Step, Error> {
        let frame = IndexStrides::new(self.geometry.input_shape(), space);
        frame.check_fits::<u32>()?;
        let program = Program::of_indices(&self.geometry, operation, space);
        let plan = Plan::new(&self.geometry, program, Element::U32);
        Binder::new(&self.gpu, self.workgroup_size, roles)?.step(&plan, Some(&frame))
    }

    fn step(&self, operation: Operation, roles: &[Role<'_>]) -> Result<Step, Error> {
        let program = Program::new(&self.geometry, self.element, operation);
        let program = if self.gpu.takes_wide_words() { program.wide() } else { program };
        let plan = Plan::new(&self.geometry, program, self.element);
        Binder::new(&self.gpu, self.workgroup_size, roles)?.step(&plan, None)
    }
}
