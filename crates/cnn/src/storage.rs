//! The memory of a session: the pieces of an arena, each of them a buffer of the machine.

use std::ops::Range;

use crate::elements::Elements;
use crate::error::Error;
use crate::machine::{Bound, Machine};
use crate::program::{Arena, BufferId, Instruction, PieceId, SlotId, chained};
use crate::reading::Numbers;

/// The arena of a session and the machine that allocates its pieces and runs programs on them.
pub(crate) struct Storage {
    machine: Box<dyn Machine>,
    pub(crate) arena: Arena,
    /// The machine's buffer of each piece that is allocated.
    buffers: Vec<BufferId>,
    /// Bytes of the pieces that hold weights, and of all others.
    weights: u64,
    tensors: u64,
    /// Bytes of the partial sums of the kernel that has most.
    scratch: u64,
}

impl Storage {
    pub(crate) fn new(machine: Box<dyn Machine>) -> Self {
        let arena = Arena::default();
        Self { machine, arena, buffers: Vec::new(), weights: 0, tensors: 0, scratch: 0 }
    }

    /// Bytes of the pieces that hold weights.
    pub(crate) fn weights_bytes(&self) -> u64 {
        self.weights
    }

    /// Bytes of the pieces that hold other tensors, and of the partial sums of kernels.
    pub(crate) fn tensors_bytes(&self) -> u64 {
        self.tensors + self.scratch
    }

    /// Bytes of the partial sums of kernels.
    pub(crate) fn scratch_bytes(&self) -> u64 {
        self.scratch
    }

    /// A new piece that holds weights. All weights come before any other piece is added.
    pub(crate) fn upload(
        &mut self,
        bytes: u64,
        data: &Elements,
        part: Range<usize>,
    ) -> Result<PieceId, Error> {
        let buffer = self.machine.allocate(bytes)?;
        data.visit(part, |at, piece| self.machine.write(buffer, at, piece))?;
        self.weights += bytes;
        self.buffers.push(buffer);
        Ok(self.arena.push(bytes))
    }

    /// Allocates the pieces of the arena that have no buffer yet. An error comes with the piece that
    /// was refused.
    pub(crate) fn allocate(&mut self) -> Result<(), (PieceId, Error)> {
        for piece in self.buffers.len()..self.arena.sizes.len() {
            let bytes = self.arena.sizes[piece];
            self.buffers.push(self.machine.allocate(bytes).map_err(|error| (piece, error))?);
            self.tensors += bytes;
        }
        self.machine.reserve(self.scratch).map_err(|error| (self.buffers.len(), error))
    }

    /// Fills the beginning of a piece.
    pub(crate) fn write(&mut self, piece: PieceId, data: &[f32]) -> Result<(), Error> {
        self.machine.write(self.buffers[piece], 0, data)
    }

    /// The first `len` numbers of a piece; none for a tensor that has no piece.
    pub(crate) fn read(&mut self, piece: Option<PieceId>, len: usize) -> Result<Numbers, Error> {
        match piece {
            Some(piece) => self.machine.read(self.buffers[piece], len),
            None => Ok(Numbers::Ready(Vec::new())),
        }
    }

    /// For each kernel whether it continues a chain on this machine.
    fn chained(&self, instructions: &[&Instruction]) -> Vec<bool> {
        match self.machine.chains() {
            true => chained(instructions),
            false => vec![false; instructions.len()],
        }
    }

    /// Assigns pieces to the tensors of a program ([`Arena::assign`]).
    pub(crate) fn assign(
        &mut self,
        instructions: &[&Instruction],
        bytes: impl Fn(SlotId) -> u64,
        pinned: impl Fn(SlotId) -> bool,
        assigned: &mut [Option<PieceId>],
        reserved: &[bool],
    ) {
        let chained = self.chained(instructions);
        let scratch = instructions.iter().map(|i| self.machine.scratch(&i.kernel)).max();
        self.scratch = self.scratch.max(scratch.unwrap_or(0));
        self.arena.assign(instructions, &chained, bytes, pinned, assigned, reserved);
    }

    /// Runs a program whose tensors have the assigned pieces.
    pub(crate) fn run(
        &mut self,
        instructions: &[&Instruction],
        assigned: &[Option<PieceId>],
    ) -> Result<(), Error> {
        let buffers = |slots: &[SlotId]| {
            slots
                .iter()
                .filter_map(|&slot| assigned[slot])
                .map(|piece| self.buffers[piece])
                .collect()
        };
        let chained = self.chained(instructions).into_iter();
        let bound = instructions.iter().zip(chained).map(|(instruction, is_chained)| Bound {
            kernel: &instruction.kernel,
            reads: buffers(&instruction.reads),
            writes: buffers(&instruction.writes),
            is_chained,
        });
        let program: Vec<_> = bound.collect();
        self.machine.run(&program)
    }
}
