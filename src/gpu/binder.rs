//! From operands to dispatches: checks the buffers, compiles the programs, writes the uniforms and
//! makes the bind groups of a step.

use std::ops::Range;

use crate::argmax::IndexStrides;
use crate::error::Error;
use crate::gpu::operand::Operand;
use crate::gpu::operation::{Operation, Slot, Slots};
use crate::gpu::plan::{Allowed, Piece, Plan};
use crate::gpu::program::Program;
use crate::gpu::step::{Dispatch, Step};
use crate::gpu::uniforms::{FrameParams, Params};
use crate::gpu::{Gpu, scoped};

/// An operand and the part it plays.
pub(crate) struct Role<'a> {
    slot: Slot,
    name: &'static str,
    operand: Operand<'a>,
    needed: u64,
}

impl<'a> Role<'a> {
    pub(crate) fn new(
        slot: Slot,
        name: &'static str,
        operand: impl Into<Operand<'a>>,
        needed: u64,
    ) -> Self {
        Self { slot, name, operand: operand.into(), needed }
    }

    /// Its bytes in the buffer.
    fn bytes(&self) -> Range<u64> {
        self.operand.bytes(self.needed)
    }

    /// Whether it has bytes in common with another.
    fn overlaps(&self, other: &Self) -> bool {
        let (own, others) = (self.bytes(), other.bytes());
        self.operand.buffer == other.operand.buffer
            && own.start < others.end
            && others.start < own.end
    }

    /// The slots of those that are read from a buffer that another is written to.
    fn shared(roles: &[Self]) -> Slots {
        let written = |buffer| {
            let mut written = roles.iter().filter(|role| role.slot.is_written());
            written.any(|role| role.operand.buffer == buffer)
        };
        let read = roles.iter().filter(|role| role.slot.is_read());
        Slots::of(read.filter(|role| written(role.operand.buffer)).map(|role| role.slot))
    }
}

/// Checked operands on a device.
pub(crate) struct Binder<'a> {
    gpu: &'a Gpu,
    pub(crate) allowed: Allowed,
    roles: &'a [Role<'a>],
    /// Slots of what is read from a buffer that is also written.
    shared: Slots,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(
        gpu: &'a Gpu,
        workgroup_size: u32,
        roles: &'a [Role<'a>],
    ) -> Result<Self, Error> {
        let limits = gpu.limits();
        for (limit, allowed) in [
            ("max_compute_invocations_per_workgroup", workgroup_size),
            ("max_compute_workgroups_per_dimension", limits.max_compute_workgroups_per_dimension),
        ] {
            if allowed == 0 {
                return Err(Error::Limit { limit, needed: 1, allowed: 0 });
            }
        }
        let alignment = limits.min_storage_buffer_offset_alignment.into();
        for role in roles {
            role.operand.check(role.name, role.needed, alignment)?;
        }
        let shared = Role::shared(roles);
        for (i, role) in roles.iter().enumerate() {
            for other in &roles[..i] {
                let mut both = [role, other].into_iter();
                let bound_read_write = both.any(|r| r.slot.is_written() || shared.contains(r.slot));
                if bound_read_write && role.overlaps(other) {
                    return Err(Error::Overlapping {
                        operand: other.name,
                        bytes: other.bytes(),
                        other: role.name,
                        other_bytes: role.bytes(),
                    });
                }
            }
        }
        let allowed = Allowed {
            binding_bytes: limits.max_storage_buffer_binding_size,
            alignment,
            workgroups: limits.max_compute_workgroups_per_dimension,
            workgroup_size,
        };
        Ok(Self { gpu, allowed, roles, shared })
    }

    /// Whether each operand fits one binding, for what is not cut.
    pub(crate) fn check_bindings(&self) -> Result<(), Error> {
        let needed = self.roles.iter().map(|role| role.needed).max().unwrap_or(0);
        let (limit, allowed) = ("max_storage_buffer_binding_size", self.allowed.binding_bytes);
        if needed > allowed { Err(Error::Limit { limit, needed, allowed }) } else { Ok(()) }
    }

    /// The dispatches of a plan, each with its uniforms. A report is opened before them and closed
    /// after each.
    pub(crate) fn step(
        &self,
        plan: &Plan<'_>,
        frame: Option<&IndexStrides>,
    ) -> Result<Step, Error> {
        let program = &plan.program;
        let label = program.to_string();
        let pieces = plan.pieces(&self.allowed)?;
        let uniforms = self.uniforms(&label, &pieces, frame)?;
        let mut dispatches = Vec::with_capacity(pieces.len());
        let mut push = |program: &Program, i: usize, workgroups: [u32; 2]| {
            let dispatch = self.dispatch(program, workgroups, |slot| match slot {
                Slot::Params => uniforms.params(i),
                Slot::Frame => uniforms.frame(),
                _ => self.binding(slot, pieces.get(i)),
            })?;
            dispatches.push(dispatch);
            Ok::<(), Error>(())
        };
        let reports = program.operation.slots().contains(&Slot::Report);
        if reports {
            push(&program.with_operation(Operation::OpenReport), 0, [1, 1])?;
        }
        for (i, piece) in pieces.iter().enumerate() {
            push(program, i, piece.workgroups)?;
            if reports {
                push(&program.with_operation(Operation::CloseReport), i, [1, 1])?;
            }
        }
        Ok(Step { label, dispatches })
    }

    /// One dispatch of a program, compiled now if need be, with what stands at each of its slots.
    pub(crate) fn dispatch<'b>(
        &self,
        program: &Program,
        workgroups: [u32; 2],
        resource: impl Fn(Slot) -> wgpu::BufferBinding<'b>,
    ) -> Result<Dispatch, Error> {
        let device = self.gpu.device();
        let program = &program.with_shared(self.shared);
        let pipeline = self.gpu.pipelines().get(device, program, self.allowed.workgroup_size)?;
        let entries: Vec<_> = program
            .operation
            .slots()
            .iter()
            .map(|&slot| wgpu::BindGroupEntry {
                binding: slot.binding(),
                resource: wgpu::BindingResource::Buffer(resource(slot)),
            })
            .collect();
        let bind_group = scoped(device, || {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&program.to_string()),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })?;
        Ok(Dispatch { pipeline: pipeline.compute, bind_group, workgroups })
    }

    /// What a dispatch sees of an operand: the piece's part of a tensor, or all of it.
    pub(crate) fn binding(&self, slot: Slot, piece: Option<&Piece>) -> wgpu::BufferBinding<'a> {
        let role = self
            .roles
            .iter()
            .find(|role| role.slot == slot)
            .expect("every tensor that an operation has a slot for has a role");
        let bytes = match (slot, piece) {
            (Slot::In, Some(piece)) => piece.bytes[0].clone(),
            (Slot::Out, Some(piece)) => piece.bytes[1].clone(),
            (Slot::TapsRead | Slot::TapsWritten, Some(piece)) => piece.bytes[2].clone(),
            _ => 0..role.needed,
        };
        role.operand.binding(&bytes)
    }

    /// One buffer of uniforms: those of each piece, and the frame behind them.
    fn uniforms(
        &self,
        label: &str,
        pieces: &[Piece],
        frame: Option<&IndexStrides>,
    ) -> Result<Uniforms, Error> {
        let alignment = self.gpu.limits().min_uniform_buffer_offset_alignment.into();
        let stride = (size_of::<Params>() as u64).next_multiple_of(alignment);
        let frame_at = stride * pieces.len() as u64;
        let mut bytes = vec![0; (frame_at + size_of::<FrameParams>() as u64) as usize];
        let mut put = |at: u64, part: &[u8]| {
            bytes[at as usize..][..part.len()].copy_from_slice(part);
        };
        for (i, piece) in pieces.iter().enumerate() {
            put(i as u64 * stride, bytemuck::bytes_of(&piece.params));
        }
        if let Some(frame) = frame {
            put(frame_at, bytemuck::bytes_of(&FrameParams::new(frame)));
        }
        let usage = wgpu::BufferUsages::UNIFORM;
        let buffer = self.gpu.buffer(label, usage, bytes.len() as u64, &bytes)?;
        Ok(Uniforms { buffer, stride, frame_at })
    }
}

struct Uniforms {
    buffer: wgpu::Buffer,
    stride: u64,
    frame_at: u64,
}

impl Uniforms {
    fn params(&self, piece: usize) -> wgpu::BufferBinding<'_> {
        self.part(piece as u64 * self.stride, size_of::<Params>())
    }

    fn frame(&self) -> wgpu::BufferBinding<'_> {
        self.part(self.frame_at, size_of::<FrameParams>())
    }

    fn part(&self, start: u64, size: usize) -> wgpu::BufferBinding<'_> {
        let bytes: Range<u64> = start..start + size as u64;
        Operand::from(&self.buffer).binding(&bytes)
    }
}
