//! A list of kernels over numbered tensors, and which of those may share memory.
//!
//! Both directions are programs: forward from a [`Plan`](crate::Plan), and back from a layer.

use std::ops::Range;

use crate::elements::Elements;
use crate::kernel::Kernel;

/// The number of a tensor.
pub(crate) type SlotId = usize;

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
    /// already has one. After the last use of a tensor its piece is free for later tensors, unless
    /// the tensor is `pinned`. Pieces that are `reserved` are not used.
    pub(crate) fn assign(
        &mut self,
        instructions: &[Instruction],
        bytes: impl Fn(SlotId) -> u64,
        pinned: impl Fn(SlotId) -> bool,
        assigned: &mut [Option<PieceId>],
        reserved: &[bool],
    ) {
        let mut last_use = vec![0; assigned.len()];
        for (i, instruction) in instructions.iter().enumerate() {
            for &slot in instruction.reads.iter().chain(&instruction.writes) {
                last_use[slot] = i;
            }
        }
        let mut own = vec![false; assigned.len()];
        let mut free: Vec<PieceId> =
            (0..self.sizes.len()).filter(|&b| !reserved.get(b).copied().unwrap_or(false)).collect();
        for (i, instruction) in instructions.iter().enumerate() {
            for &slot in &instruction.writes {
                if assigned[slot].is_none() {
                    assigned[slot] = Some(self.take(&mut free, bytes(slot)));
                    own[slot] = true;
                }
            }
            let mut done: Vec<SlotId> =
                instruction.reads.iter().chain(&instruction.writes).copied().collect();
            done.sort_unstable();
            done.dedup();
            for slot in done {
                if own[slot] && last_use[slot] == i && !pinned(slot) {
                    free.extend(assigned[slot]);
                }
            }
        }
    }

    /// The smallest free piece of at least `bytes` and at most twice `bytes`, or a new one.
    fn take(&mut self, free: &mut Vec<PieceId>, bytes: u64) -> PieceId {
        let fits = |size: u64| size >= bytes && size <= bytes.saturating_mul(2).max(4096);
        let best = free
            .iter()
            .enumerate()
            .filter(|&(_, &b)| fits(self.sizes[b]))
            .min_by_key(|&(_, &b)| self.sizes[b])
            .map(|(at, _)| at);
        match best {
            Some(at) => free.swap_remove(at),
            None => self.push(bytes),
        }
    }
}
