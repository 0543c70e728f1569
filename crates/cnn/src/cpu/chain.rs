//! Functions of each element of what a kernel writes, computed while the elements are in the cache.
//!
//! A chain is a list of steps. The first value is what the kernel itself computes, and each step makes one
//! more out of those before it and of tensors that are there already. A value that nothing else reads
//! is not stored.

use super::chunks::{each_chunk, with_scratch};
use super::pointwise::{map_back_run, map_run, pair_run};
use crate::kernel::Kernel;
use crate::program::CHAINED;

/// Elements of a value that are computed together.
const RUN: usize = 512;

/// A run of elements of each value of a chain; nothing of one that is not stored.
pub(super) type Stored<'a> = [Option<&'a mut [f32]>; CHAINED];

/// What a step reads: a value of the chain by its number, or a tensor.
#[derive(Debug)]
pub(super) enum Operand<'a> {
    Value(usize),
    Tensor(&'a [f32]),
}

/// A kernel that computes each element by the elements of its operands at the same position.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) operands: Vec<Operand<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Chain<'a> {
    pub(super) steps: Vec<Step<'a>>,
}

impl Chain<'_> {
    /// Computes and stores all values at the elements from `at` on, of which the first value is given.
    pub(super) fn finish(&self, at: usize, first: &[f32], stored: &mut Stored<'_>) {
        if let Some(stored) = &mut stored[0] {
            stored[..first.len()].copy_from_slice(first);
        }
        if self.steps.is_empty() {
            return;
        }
        // The last value needs no memory of its own.
        let unstored = self.steps.len() - 1;
        with_scratch(unstored * RUN, |scratch| {
            for (i, first) in first.chunks(RUN).enumerate() {
                let (from, len) = (i * RUN, first.len());
                for (k, step) in self.steps.iter().enumerate() {
                    let (before, own) = stored.split_at_mut(k + 1);
                    let (scratch, rest) = scratch.split_at_mut(k * RUN);
                    let own = match &mut own[0] {
                        Some(stored) => &mut stored[from..from + len],
                        None => &mut rest[..len],
                    };
                    let operand = |i: usize| match step.operands[i] {
                        Operand::Value(0) => first,
                        Operand::Value(value) => match &before[value] {
                            Some(stored) => &stored[from..from + len],
                            None => &scratch[(value - 1) * RUN..][..len],
                        },
                        Operand::Tensor(tensor) => &tensor[at + from..][..len],
                    };
                    match *step.kernel {
                        Kernel::Map { function, .. } => map_run(function, operand(0), own),
                        Kernel::MapBack { function, rule, .. } => {
                            map_back_run(function, rule, operand(0), operand(1), own);
                        }
                        Kernel::Pair(pair, _) => pair_run(pair, operand(0), operand(1), own),
                        _ => {}
                    }
                }
            }
        });
    }
}

/// Parts of stored values.
pub(super) fn part<'a>(stored: &'a mut Stored<'_>, from: usize, len: usize) -> Stored<'a> {
    stored.each_mut().map(|stored| stored.as_deref_mut().map(|all| &mut all[from..from + len]))
}

/// Takes the first `len` elements off stored values, or all that there are.
pub(super) fn take<'a>(stored: &mut Stored<'a>, len: usize) -> Stored<'a> {
    let first = |all: &mut &'a mut [f32]| all.split_off_mut(..len.min(all.len()));
    stored.each_mut().map(|stored| stored.as_mut().and_then(first))
}

/// Cuts stored values into runs of `len` elements.
pub(super) fn runs(stored: Stored<'_>, len: usize) -> Vec<Stored<'_>> {
    let longest = stored.iter().flatten().map(|all| all.len()).max().unwrap_or(0);
    let mut runs: Vec<Stored<'_>> = Vec::with_capacity(longest.div_ceil(len));
    for (value, stored) in stored.into_iter().enumerate() {
        for (i, run) in stored.into_iter().flat_map(|all| all.chunks_mut(len)).enumerate() {
            if runs.len() == i {
                runs.push(Stored::default());
            }
            runs[i][value] = Some(run);
        }
    }
    runs
}

/// Calls `each` on all threads with every run of `len` elements and its number.
pub(super) fn each_run(
    stored: Stored<'_>,
    len: usize,
    each: impl Fn(usize, &mut Stored<'_>) + Send + Sync,
) {
    each_chunk(&mut runs(stored, len), 1, |i, run| each(i, &mut run[0]));
}
