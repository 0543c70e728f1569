//! From operands to dispatches: checks the buffers, compiles the kernels, writes the uniforms and makes the
//! bind groups of a step.

mod chunk;
mod grid;
pub(crate) mod pipelines;

use std::ops::Range;

use crate::argmax::IndexStrides;
use crate::error::{Error, check_limit};
use crate::gpu::Gpu;
use crate::gpu::kernel::uniforms;
use crate::gpu::kernel::{Binding, BindingSet, Kernel, Operation};
use crate::gpu::operand::Operand;
use crate::gpu::step::{Dispatch, Step};
use chunk::Chunk;
pub(crate) use chunk::Work;
use grid::Limits;

/// An operand, its name in messages, and the bytes that it must have.
pub(crate) struct Argument<'a> {
    binding: Binding,
    name: &'static str,
    operand: Operand<'a>,
    needed: u64,
}

impl<'a> Argument<'a> {
    pub(crate) fn new(
        binding: Binding,
        name: &'static str,
        operand: impl Into<Operand<'a>>,
        needed: u64,
    ) -> Self {
        Self { binding, name, operand: operand.into(), needed }
    }

    /// The range of the buffer that the operand takes.
    fn bytes(&self) -> Range<u64> {
        self.operand.bytes(self.needed)
    }

    /// Whether this argument and another have bytes of one buffer in common.
    fn overlaps(&self, other: &Self) -> bool {
        let (own, others) = (self.bytes(), other.bytes());
        self.operand.buffer == other.operand.buffer
            && own.start < others.end
            && others.start < own.end
    }
}

/// The checked arguments of an operation on a device.
pub(crate) struct Arguments<'a> {
    gpu: &'a Gpu,
    pub(crate) limits: Limits,
    all: &'a [Argument<'a>],
    /// The bindings of arguments that are read from a buffer to which another argument is written.
    read_write: BindingSet,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(
        gpu: &'a Gpu,
        workgroup_size: u32,
        all: &'a [Argument<'a>],
    ) -> Result<Self, Error> {
        let device = gpu.limits();
        for (limit, allowed) in [
            ("max_compute_invocations_per_workgroup", workgroup_size),
            ("max_compute_workgroups_per_dimension", device.max_compute_workgroups_per_dimension),
        ] {
            check_limit(limit, 1, allowed.into())?;
        }
        let alignment = device.min_storage_buffer_offset_alignment.into();
        for argument in all {
            argument.operand.check(argument.name, argument.needed, alignment)?;
        }
        let in_written = |argument: &Argument<'_>| {
            all.iter()
                .any(|a| a.binding.is_written() && a.operand.buffer == argument.operand.buffer)
        };
        for (i, argument) in all.iter().enumerate() {
            for other in &all[..i] {
                if in_written(argument) && argument.overlaps(other) {
                    return Err(Error::Overlapping {
                        operand: other.name,
                        bytes: other.bytes(),
                        other: argument.name,
                        other_bytes: argument.bytes(),
                    });
                }
            }
        }
        let read = all.iter().filter(|a| a.binding.is_read() && in_written(a));
        let read_write = read.map(|a| a.binding).collect();
        Ok(Self { gpu, limits: Limits::new(device, workgroup_size), all, read_write })
    }

    /// Refuses an argument that does not fit one binding, for an operation that is not cut.
    pub(crate) fn check_bindings(&self) -> Result<(), Error> {
        let needed = self.all.iter().map(|argument| argument.needed).max().unwrap_or(0);
        check_limit("max_storage_buffer_binding_size", needed, self.limits.binding_bytes)
    }

    /// The step of an operation on windows: its dispatches, each with its uniforms. A report is opened before
    /// the first dispatch and closed after each.
    pub(crate) fn step(&self, plan: &Plan) -> Result<Step, Error> {
        let Plan { label, chunks, uniforms, .. } = plan;
        let kernel = plan.kernel;
        let dispatch = |kernel: Kernel, i: usize, workgroups: [u32; 2]| {
            self.dispatch(kernel, workgroups, |binding| match binding {
                Binding::Params => uniforms.get(i),
                Binding::IndexStrides => uniforms.get(chunks.len()),
                _ => self.binding(binding, chunks.get(i)),
            })
        };
        let reports = kernel.bindings().any(|binding| binding == Binding::Report);
        let report = |operation: Operation, i: usize| {
            let dispatch = || dispatch(kernel.with_operation(operation), i, [1, 1]);
            reports.then(dispatch).transpose()
        };
        let mut dispatches: Vec<_> = report(Operation::OpenReport, 0)?.into_iter().collect();
        for (i, chunk) in chunks.iter().enumerate() {
            dispatches.push(dispatch(kernel, i, chunk.workgroups)?);
            dispatches.extend(report(Operation::CloseReport, i)?);
        }
        Ok(Step { label: label.clone(), dispatches })
    }

    /// One dispatch of a kernel, with the buffer of each of its bindings. The kernel is compiled if this is its
    /// first dispatch on the device.
    pub(crate) fn dispatch<'b>(
        &self,
        kernel: Kernel,
        workgroups: [u32; 2],
        buffer: impl Fn(Binding) -> wgpu::BufferBinding<'b>,
    ) -> Result<Dispatch, Error> {
        let device = self.gpu.device();
        let kernel = kernel.with_read_write(self.read_write);
        let pipeline = self.gpu.pipelines().get(device, kernel, self.limits.workgroup_size)?;
        let entries: Vec<_> = kernel
            .bindings()
            .map(|binding| wgpu::BindGroupEntry {
                binding: binding.number(),
                resource: wgpu::BindingResource::Buffer(buffer(binding)),
            })
            .collect();
        let bind_group = self.gpu.scoped(|| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(kernel.entry_point()),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })?;
        Ok(Dispatch { pipeline: pipeline.compute, bind_group, workgroups })
    }

    /// The part of an argument that a chunk binds, or the whole argument.
    pub(crate) fn binding(
        &self,
        binding: Binding,
        chunk: Option<&Chunk>,
    ) -> wgpu::BufferBinding<'a> {
        let argument = self
            .all
            .iter()
            .find(|argument| argument.binding == binding)
            .expect("an operation has an argument for each binding of its kernels");
        let bytes = match (binding, chunk) {
            (Binding::Input, Some(chunk)) => chunk.bytes[0].clone(),
            (Binding::Output, Some(chunk)) => chunk.bytes[1].clone(),
            (Binding::TapsIn | Binding::TapsOut, Some(chunk)) => chunk.bytes[2].clone(),
            _ => 0..argument.needed,
        };
        argument.operand.binding(&bytes)
    }
}

/// The kernel, chunks and uniforms of an operation, which its steps share, whatever their operands.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kernel: Kernel,
    label: String,
    chunks: Vec<Chunk>,
    /// The uniforms of each chunk, then the index strides, if the operation has any.
    uniforms: Uniforms,
}

impl Plan {
    /// Cuts an operation on windows into dispatches, and writes their uniforms.
    pub(crate) fn new(
        gpu: &Gpu,
        workgroup_size: u32,
        work: &Work<'_>,
        strides: Option<&IndexStrides>,
    ) -> Result<Self, Error> {
        let kernel = work.kernel;
        let label = kernel.to_string();
        let chunks = work.chunks(&Limits::new(gpu.limits(), workgroup_size))?;
        let strides = strides.map(uniforms::IndexStrides::new);
        let mut all: Vec<_> =
            chunks.iter().map(|chunk| bytemuck::bytes_of(&chunk.params)).collect();
        all.extend(strides.as_ref().map(bytemuck::bytes_of));
        let uniforms = Uniforms::new(gpu, &label, &all)?;
        Ok(Self { kernel, label, chunks, uniforms })
    }
}

/// One buffer with the uniforms of several dispatches.
#[derive(Debug)]
pub(crate) struct Uniforms {
    buffer: wgpu::Buffer,
    /// Bytes from one dispatch's uniforms to the next.
    stride: usize,
}

impl Uniforms {
    pub(crate) fn new(gpu: &Gpu, label: &str, all: &[&[u8]]) -> Result<Self, Error> {
        let longest = all.iter().map(|uniforms| uniforms.len()).max().unwrap_or(1);
        let alignment = gpu.limits().min_uniform_buffer_offset_alignment as usize;
        let stride = longest.next_multiple_of(alignment);
        let mut bytes = vec![0; stride * all.len()];
        for (to, uniforms) in bytes.chunks_exact_mut(stride).zip(all) {
            to[..uniforms.len()].copy_from_slice(uniforms);
        }
        let usage = wgpu::BufferUsages::UNIFORM;
        Ok(Self { buffer: gpu.buffer(label, usage, bytes.len() as u64, &bytes)?, stride })
    }

    /// Uniforms number `i`.
    pub(crate) fn get(&self, i: usize) -> wgpu::BufferBinding<'_> {
        let bytes = (i * self.stride) as u64..((i + 1) * self.stride) as u64;
        Operand::from(&self.buffer).binding(&bytes)
    }
}
