//! A geometry and an element made ready on a device: it makes steps.

use std::sync::Arc;

use crate::cpu::Overlap;
use crate::element::Element;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::operand::Operand;
use crate::gpu::plan::{Allowed, Params, Piece, Plan};
use crate::gpu::program::{Operation, Program};
use crate::gpu::step::{Dispatch, Step};
use crate::gpu::{Gpu, scoped};

/// Threads of a workgroup, if nothing else is asked for.
const WORKGROUP_SIZE: u32 = 64;

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
/// `min_storage_buffer_offset_alignment`, belongs to another device, or lies in the buffer that the
/// step writes; and when a limit of the device stands in the way.
///
/// # Determinism
///
/// Every operation gives the same bits on every run, device and workgroup size, and those of
/// [`cpu`](crate::cpu): no atomics, each output cell written once, sums in raster order.
#[derive(Clone, Debug)]
pub struct Pooling {
    gpu: Gpu,
    geometry: Arc<Geometry>,
    element: Element,
    workgroup_size: u32,
}

impl Pooling {
    pub(crate) fn new(gpu: Gpu, geometry: &Geometry, element: Element) -> Self {
        let limits = gpu.limits();
        let most =
            limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        Self {
            workgroup_size: WORKGROUP_SIZE.min(most),
            geometry: Arc::new(geometry.clone()),
            element,
            gpu,
        }
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
            ("input", input.into(), self.input_bytes()),
            ("values", values.into(), self.values_bytes()),
            taps.into(),
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
            ("values", values.into(), self.values_bytes()),
            ("output", output.into(), self.input_bytes()),
            taps.into(),
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
            ("grad_output", grad_output.into(), self.values_bytes()),
            ("grad_input", grad_input.into(), self.input_bytes()),
            taps.into(),
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
            ("grad_output", grad_output.into(), self.input_bytes()),
            ("grad_input", grad_input.into(), self.values_bytes()),
            taps.into(),
        )
    }

    fn step(
        &self,
        operation: Operation,
        read: (&'static str, Operand<'_>, u64),
        written: (&'static str, Operand<'_>, u64),
        taps: Operand<'_>,
    ) -> Result<Step, Error> {
        let program = Program::new(&self.geometry, self.element, operation);
        let operands = [read, written, ("taps", taps, self.taps_bytes())];
        let limits = self.gpu.limits();
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        for (name, operand, needed) in operands {
            operand.check(name, needed, alignment)?;
        }
        let writes: &[usize] = if program.writes_taps() { &[1, 2] } else { &[1] };
        for &w in writes {
            for (other, (operand, bound, _)) in operands.iter().enumerate() {
                if other != w && *bound.buffer == *operands[w].1.buffer {
                    return Err(Error::Aliased { operand, written: operands[w].0 });
                }
            }
        }
        let allowed = Allowed {
            binding_bytes: limits.max_storage_buffer_binding_size,
            alignment,
            workgroups: limits.max_compute_workgroups_per_dimension,
            workgroup_size: self.workgroup_size,
        };
        let plan = Plan::new(&self.geometry, &program, self.element.bytes());
        let pieces = plan.pieces(&allowed)?;
        let label = program.to_string();
        if pieces.is_empty() {
            return Ok(Step { label, pipeline: None, dispatches: Vec::new() });
        }
        let pipeline =
            self.gpu.pipelines().get(self.gpu.device(), &program, self.workgroup_size)?;
        let dispatches = self.bind(&program, &pieces, operands.map(|(_, operand, _)| operand))?;
        Ok(Step { label, pipeline: Some(pipeline), dispatches })
    }

    /// Uniforms and bind groups, one for each piece.
    fn bind(
        &self,
        program: &Program,
        pieces: &[Piece],
        operands: [Operand<'_>; 3],
    ) -> Result<Vec<Dispatch>, Error> {
        let device = self.gpu.device();
        let size = size_of::<Params>() as u64;
        let stride =
            size.next_multiple_of(self.gpu.limits().min_uniform_buffer_offset_alignment.into());
        let label = program.to_string();
        scoped(device, || {
            let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&label),
                size: stride * pieces.len() as u64,
                usage: wgpu::BufferUsages::UNIFORM,
                mapped_at_creation: true,
            });
            if let Ok(mut view) = uniforms.get_mapped_range_mut(..) {
                for (i, piece) in pieces.iter().enumerate() {
                    let at = i * stride as usize;
                    view.slice(at..at + size as usize)
                        .copy_from_slice(bytemuck::bytes_of(&piece.params));
                }
            }
            uniforms.unmap();
            let layout = self.gpu.pipelines().bind_group_layout(program);
            pieces
                .iter()
                .enumerate()
                .map(|(i, piece)| {
                    let params = wgpu::BufferBinding {
                        buffer: &uniforms,
                        offset: i as u64 * stride,
                        size: size.try_into().ok(),
                    };
                    let bindings = [
                        params,
                        operands[0].binding(&piece.bytes[0]),
                        operands[1].binding(&piece.bytes[1]),
                        operands[2].binding(&piece.bytes[2]),
                    ];
                    let entries: Vec<_> = (0..)
                        .zip(bindings)
                        .map(|(binding, resource)| wgpu::BindGroupEntry {
                            binding,
                            resource: wgpu::BindingResource::Buffer(resource),
                        })
                        .collect();
                    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: Some(&label),
                        layout,
                        entries: &entries,
                    });
                    Dispatch { bind_group, workgroups: piece.workgroups }
                })
                .collect()
        })
    }
}
