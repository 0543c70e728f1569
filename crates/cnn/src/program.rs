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
    /// already has one. After the last use of a tensor its piece is free for later tensors, unless
    /// the tensor is `pinned`. Pieces that are `reserved` are not used. Kernels that are [`chained`] run
    /// with the one before them, and a tensor that only they read has a piece of no bytes, as taps have that
    /// nothing reads.
    pub(crate) fn assign(
        &mut self,
        instructions: &[&Instruction],
        chained: &[bool],
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
        let mut start = 0;
        while start < instructions.len() {
            let more = chained[start + 1..].iter().take_while(|chained| **chained).count();
            let (chain, last) = (&instructions[start..=start + more], start + more);
            let ends = |slot: SlotId| last_use[slot] <= last && !pinned(slot);
            for (i, instruction) in chain.iter().enumerate() {
                for &slot in &instruction.writes {
                    if assigned[slot].is_some() {
                        continue;
                    }
                    // Results of kernels later in the chain alone, or, as taps may be, of none.
                    let has_memory = slot == instruction.writes[0] && i == more;
                    let bytes = if ends(slot) && !has_memory { 0 } else { bytes(slot) };
                    assigned[slot] = Some(self.take(&mut free, bytes));
                    own[slot] = true;
                }
            }
            let mut done: Vec<SlotId> =
                chain.iter().flat_map(|i| i.reads.iter().chain(&i.writes)).copied().collect();
            done.sort_unstable();
            done.dedup();
            for slot in done {
                if own[slot] && ends(slot) {
                    free.extend(assigned[slot]);
                }
            }
            start = last + 1;
        }
    }

    /// The smallest free piece of at least `bytes` and at most twice `bytes`, or a new one. One of no bytes is
    /// only for tensors of none.
    fn take(&mut self, free: &mut Vec<PieceId>, bytes: u64) -> PieceId {
        let most = if bytes == 0 { 0 } else { bytes.saturating_mul(2).max(4096) };
        let fits = |size: u64| size >= bytes && size <= most;
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
