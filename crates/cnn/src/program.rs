//! A list of kernels over numbered tensors, and which of those may share memory.
//!
//! Both directions are programs: forward from a [`Plan`](crate::Plan), and back from a layer.

use std::cmp::Reverse;
use std::ops::Range;

use crate::elements::Elements;
use crate::kernel::Kernel;
pub(crate) use crate::kernel::SlotId;

/// The number of a piece of an [`Arena`].
pub(crate) type PieceId = usize;

/// The number of a buffer of a machine.
pub(crate) type BufferId = usize;

/// Where the elements of a tensor come from.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A kernel writes them, or they are the input.
    Computed,
    /// Part of the model's weights.
    Weights { data: Elements, part: Range<usize> },
}

/// A tensor of a program.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) content: Content,
    pub(crate) bytes: u64,
    /// Whether the elements depend on the input.
    pub(crate) varies: bool,
}

/// One kernel and its operands, and the layer it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) kernel: Kernel,
    pub(crate) reads: Vec<SlotId>,
    pub(crate) writes: Vec<SlotId>,
    pub(crate) layer: usize,
}

/// Kernels of a chain at most.
pub(crate) const CHAINED: usize = 4;

/// For each kernel whether it continues a chain: a kernel whose result is dense, and functions of each of its
/// elements right after it. The CPU computes a chain as a whole, some elements at a time.
pub(crate) fn chained(instructions: &[&Instruction]) -> Vec<bool> {
    let mut chained = vec![false; instructions.len()];
    let mut first = 0;
    for i in 1..instructions.len() {
        let leader = instructions[first];
        let len = leader.kernel.dense_len().filter(|_| i - first < CHAINED);
        let reads = &instructions[i].reads;
        let written = |slot: &SlotId| instructions[first..i].iter().any(|i| i.writes[0] == *slot);
        chained[i] =
            len.is_some() && instructions[i].kernel.elements() == len && reads.iter().any(written);
        if !chained[i] {
            first = i;
        }
    }
    chained
}

/// The memory that programs run in: the size of each piece in bytes. Pieces are added, never freed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    pub(crate) sizes: Vec<u64>,
}

impl Arena {
    /// A new piece of so many bytes.
    pub(crate) fn push(&mut self, bytes: u64) -> PieceId {
        self.sizes.push(bytes);
        self.sizes.len() - 1
    }

    /// Assigns a piece of the arena to each tensor that `instructions` write, unless `assigned`
    /// already has one. Pieces that are `reserved` are not used, and what is written after a `pinned` tensor does
    /// not share its piece. Kernels that are [`chained`] run with the one before them, and a tensor that only they
    /// read has a piece of no bytes, as taps have that nothing reads. The same program needs no more pieces when it is
    /// assigned again.
    pub(crate) fn assign(
        &mut self,
        instructions: &[&Instruction],
        chained: &[bool],
        bytes: impl Fn(SlotId) -> u64,
        pinned: impl Fn(SlotId) -> bool,
        assigned: &mut [Option<PieceId>],
        reserved: &[bool],
    ) {
        let mut tensors = written(instructions, chained, assigned);
        for tensor in &mut tensors {
            if pinned(tensor.slot) {
                tensor.last = usize::MAX;
            }
            if tensor.has_memory || tensor.first < tensor.last {
                tensor.bytes = bytes(tensor.slot);
            }
        }
        let mut free: Vec<bool> =
            (0..self.sizes.len()).map(|piece| reserved.get(piece) != Some(&true)).collect();
        for tensors in shared(tensors) {
            let needed = tensors[0].bytes;
            // A piece of no bytes is only for tensors of none.
            let fits = |size: u64| size >= needed && (size == 0) == (needed == 0);
            let best = (0..free.len())
                .filter(|&piece| free[piece] && fits(self.sizes[piece]))
                .min_by_key(|&piece| self.sizes[piece]);
            let piece = best.unwrap_or_else(|| self.push(needed));
            free.resize(self.sizes.len(), false);
            free[piece] = false;
            tensors.iter().for_each(|tensor| assigned[tensor.slot] = Some(piece));
        }
    }
}

/// Tensors that may share a piece, by the size of the piece from the largest on. The largest tensor comes first, and
/// each joins the smallest piece that no other tensor needs at the same time
/// ([Pisarchyk and Lee 2020](https://arxiv.org/abs/2001.03288), "greedy by size").
fn shared(mut tensors: Vec<Tensor>) -> Vec<Vec<Tensor>> {
    let mut pieces: Vec<Vec<Tensor>> = Vec::new();
    tensors.sort_by_key(|tensor| Reverse(tensor.bytes));
    for tensor in tensors {
        let fits = |piece: &&mut Vec<Tensor>| {
            let mut others = piece.iter();
            others.all(|t| t.last < tensor.first || tensor.last < t.first)
                && (piece[0].bytes == 0) == (tensor.bytes == 0)
        };
        match pieces.iter_mut().rfind(fits) {
            Some(piece) => piece.push(tensor),
            None => pieces.push(vec![tensor]),
        }
    }
    pieces
}

/// A tensor that a program writes, and the chains of kernels that use it, from the first to the last.
struct Tensor {
    slot: SlotId,
    /// Whether it is in memory if its own chain alone uses it.
    has_memory: bool,
    bytes: u64,
    first: usize,
    last: usize,
}

/// The tensors that have no piece yet, without their bytes.
fn written(
    instructions: &[&Instruction],
    chained: &[bool],
    assigned: &[Option<PieceId>],
) -> Vec<Tensor> {
    let mut tensors: Vec<Tensor> = Vec::new();
    let mut numbers = vec![None; assigned.len()];
    let mut chain = 0;
    for (i, instruction) in instructions.iter().enumerate() {
        let goes_on = chained.get(i + 1).copied().unwrap_or(false);
        for &slot in instruction.writes.iter().filter(|&&slot| assigned[slot].is_none()) {
            let has_memory = slot == instruction.writes[0] && !goes_on;
            let tensor = Tensor { slot, has_memory, bytes: 0, first: chain, last: chain };
            numbers[slot].get_or_insert_with(|| {
                tensors.push(tensor);
                tensors.len() - 1
            });
        }
        for &slot in instruction.reads.iter().chain(&instruction.writes) {
            if let Some(number) = numbers[slot] {
                tensors[number].last = chain;
            }
        }
        chain += usize::from(!goes_on);
    }
    tensors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Broadcast, Function, Pair};

    /// A program that reads tensors at random, of which the first is there before it.
    fn program(seed: u32) -> (Vec<Instruction>, Vec<u64>) {
        let mut state = seed;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        let mut bytes = vec![64];
        let mut instructions = Vec::new();
        for slot in 1..40 {
            bytes.push([0, 64, 128, 192, 4096][random(5)]);
            let len = (bytes[slot] / 4) as u32;
            let near = |random: usize| slot.saturating_sub(1 + random);
            let (a, b) = (near(random(3)), near(random(9)));
            let (kernel, reads) = match random(2) {
                0 => (Kernel::Map { function: Function::Relu, len }, vec![a]),
                _ => (Kernel::Pair(Pair::Add, Broadcast::flat(len)), vec![a, b]),
            };
            instructions.push(Instruction { kernel, reads, writes: vec![slot], layer: 0 });
        }
        (instructions, bytes)
    }

    #[test]
    fn tensors_that_are_needed_together_share_no_piece() {
        for seed in 0..200 {
            let (instructions, bytes) = program(seed);
            let instructions: Vec<_> = instructions.iter().collect();
            let chained = vec![false; instructions.len()];
            let pinned = |slot: SlotId| slot % 13 == 5;
            let mut arena = Arena::default();
            let input = arena.push(bytes[0]);
            let mut assign = || {
                let mut assigned = vec![None; bytes.len()];
                assigned[0] = Some(input);
                let size = |slot: SlotId| bytes[slot];
                arena.assign(&instructions, &chained, size, pinned, &mut assigned, &[true]);
                (assigned, arena.sizes.clone())
            };
            let (assigned, sizes) = assign();
            let mut held: Vec<Option<SlotId>> = vec![None; sizes.len()];
            held[input] = Some(0);
            for (i, instruction) in instructions.iter().enumerate() {
                let piece = |slot: SlotId| assigned[slot].expect("a piece");
                for &slot in &instruction.reads {
                    assert_eq!(held[piece(slot)], Some(slot), "seed {seed}, instruction {i}");
                }
                let own = instruction.writes[0];
                assert!(instruction.reads.iter().all(|&slot| piece(slot) != piece(own)));
                assert!(sizes[piece(own)] >= bytes[own]);
                held[piece(own)] = Some(own);
            }
            for slot in (0..bytes.len()).filter(|&slot| pinned(slot)) {
                assert_eq!(held[assigned[slot].expect("a piece")], Some(slot));
            }
            // The same program needs no more memory when it runs again.
            assert_eq!(assign().1, sizes, "seed {seed}");
        }
    }
}
