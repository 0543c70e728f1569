//! A list of kernels over numbered tensors, and which of those may share memory.
//!
//! Both directions are programs: forward from a [`Plan`](crate::Plan), and back from a layer.

use std::ops::Range;
use std::sync::Arc;

use crate::kernel::Kernel;

/// The number of a tensor.
pub(crate) type SlotId = usize;

/// The number of a piece of memory.
pub(crate) type BufferId = usize;

/// What is in a tensor.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// What a kernel wrote, or the input.
    Computed,
    /// Weights: part of what the model carries.
    Weights { data: Arc<Vec<f32>>, part: Range<usize> },
}

/// A tensor of a program.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) content: Content,
    pub(crate) bytes: u64,
    /// Whether it changes with the input.
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

/// The memory that programs run in: sizes of pieces, which grow in number but are never given back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    pub(crate) sizes: Vec<u64>,
}

impl Arena {
    /// Gives each tensor that `instructions` write a piece of the arena. Pieces are handed on when
    /// their tensor was read for the last time, unless it is `pinned`. `taken` pieces are left
    /// alone, and `given` tensors have theirs already.
    pub(crate) fn assign(
        &mut self,
        instructions: &[Instruction],
        bytes: impl Fn(SlotId) -> u64,
        pinned: impl Fn(SlotId) -> bool,
        given: &mut [Option<BufferId>],
        taken: &[bool],
    ) {
        let mut last_use = vec![0; given.len()];
        for (i, instruction) in instructions.iter().enumerate() {
            for &slot in instruction.reads.iter().chain(&instruction.writes) {
                last_use[slot] = i;
            }
        }
        let mut own = vec![false; given.len()];
        let mut free: Vec<BufferId> =
            (0..self.sizes.len()).filter(|&b| !taken.get(b).copied().unwrap_or(false)).collect();
        for (i, instruction) in instructions.iter().enumerate() {
            for &slot in &instruction.writes {
                if given[slot].is_none() {
                    given[slot] = Some(self.take(&mut free, bytes(slot)));
                    own[slot] = true;
                }
            }
            let mut done: Vec<SlotId> =
                instruction.reads.iter().chain(&instruction.writes).copied().collect();
            done.sort_unstable();
            done.dedup();
            for slot in done {
                if own[slot] && last_use[slot] == i && !pinned(slot) {
                    free.extend(given[slot]);
                }
            }
        }
    }

    /// The smallest free piece that holds so many bytes and is not more than twice as large, or a
    /// new one.
    fn take(&mut self, free: &mut Vec<BufferId>, bytes: u64) -> BufferId {
        let fits = |size: u64| size >= bytes && size <= bytes.saturating_mul(2).max(4096);
        let best = free
            .iter()
            .enumerate()
            .filter(|&(_, &b)| fits(self.sizes[b]))
            .min_by_key(|&(_, &b)| self.sizes[b])
            .map(|(at, _)| at);
        match best {
            Some(at) => free.swap_remove(at),
            None => {
                self.sizes.push(bytes);
                self.sizes.len() - 1
            }
        }
    }
}
