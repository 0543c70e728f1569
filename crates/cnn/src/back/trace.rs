//! The signals at the tensors of a plan, and how each kernel sends one back to its operands.

use std::collections::HashMap;

use crate::kernel::{
    Affine, Along, BROADCAST_AXES, Broadcast, Kernel, Pair, Product, Reduce, Runs, strides,
};
use crate::plan::Plan;
use crate::program::{Content, Instruction, Slot, SlotId};
use crate::rule::Rule;

/// The signals that have come back so far, and the kernels that send them.
pub(super) struct Trace<'a> {
    pub(super) plan: &'a Plan,
    /// The signal at each tensor of the plan, where one has come so far.
    pub(super) signals: Vec<Option<SlotId>>,
    /// For relevance: the signal at a sum, divided by that sum, by the tensor of the sum.
    pub(super) divided: HashMap<SlotId, SlotId>,
    /// For relevance: weights with larger positive ones, by the tensor of the weights.
    pub(super) altered: HashMap<SlotId, SlotId>,
    /// The tensors of the way back, numbered on from the plan's.
    pub(super) slots: Vec<Slot>,
    pub(super) instructions: Vec<Instruction>,
}

impl<'a> Trace<'a> {
    /// The signal at the tensor `target` is the first tensor of the way back.
    pub(super) fn new(plan: &'a Plan, target: SlotId) -> Self {
        let mut signals = vec![None; plan.slots.len()];
        signals[target] = Some(plan.slots.len());
        Self {
            plan,
            signals,
            divided: HashMap::new(),
            altered: HashMap::new(),
            slots: vec![computed(plan.slots[target].bytes)],
            instructions: Vec::new(),
        }
    }

    /// Adds a kernel whose result is a new tensor.
    pub(super) fn push(
        &mut self,
        kernel: Kernel,
        reads: Vec<SlotId>,
        bytes: u64,
        layer: usize,
    ) -> SlotId {
        self.slots.push(computed(bytes));
        let slot = self.plan.slots.len() + self.slots.len() - 1;
        self.instructions.push(Instruction { kernel, reads, writes: vec![slot], layer });
        slot
    }

    /// Adds the signal that one kernel sends back to a tensor to the signals of other kernels.
    pub(super) fn arrive(&mut self, at: SlotId, signal: SlotId, layer: usize) {
        let sum = match self.signals[at] {
            None => signal,
            Some(before) => {
                let bytes = self.plan.slots[at].bytes;
                let flat = Broadcast::flat((bytes / 4) as u32);
                self.push(Kernel::Pair(Pair::Add, flat), vec![before, signal], bytes, layer)
            }
        };
        self.signals[at] = Some(sum);
    }

    /// What a function of two tensors sends back to operand `i`, wherever the operand was read.
    fn signal_of(
        &mut self,
        pair: Pair,
        all: &Broadcast,
        i: usize,
        reads: &[SlotId],
        signal: SlotId,
        layer: usize,
    ) -> SlotId {
        let kernel = Kernel::PairBack { pair, operand: i as u32, all: *all };
        let bytes = u64::from(all.len()) * 4;
        self.push(kernel, vec![reads[0], reads[1], signal], bytes, layer)
    }

    /// Whether a tensor depends on the input. One of the way back's own that is read as weights does
    /// not.
    pub(super) fn varies(&self, at: SlotId) -> bool {
        self.plan.slots.get(at).is_some_and(|slot| slot.varies)
    }

    /// Sends a signal back through one instruction, to all operands that depend on the input but
    /// `closed`.
    pub(super) fn instruction(
        &mut self,
        forward: &Instruction,
        signal: SlotId,
        rule: Rule,
        closed: Option<usize>,
    ) {
        let (reads, layer) = (&forward.reads, forward.layer);
        for (i, &at) in reads.iter().enumerate() {
            if !self.varies(at) || closed == Some(i) {
                continue;
            }
            let bytes = self.plan.slots[at].bytes;
            let y = forward.writes[0];
            let (kernel, operands) = match &forward.kernel {
                Kernel::Pair(Pair::Add, all) if !is_repeated(all, i) => {
                    self.arrive(at, signal, layer);
                    continue;
                }
                Kernel::Pair(pair, _) if pair.is_flat(i) => continue,
                Kernel::Pair(pair, all) if !matches!(pair, Pair::Add | Pair::Mul) => {
                    let own = self.signal_of(*pair, all, i, reads, signal, layer);
                    if !is_repeated(all, i) {
                        self.arrive(at, own, layer);
                        continue;
                    }
                    (summed(Pair::Add, all, i), vec![own])
                }
                Kernel::Pair(Pair::Mul, all) if !is_repeated(all, i) => {
                    let other = if i == 0 { all.b } else { all.a };
                    let all = Broadcast { dims: all.dims, a: strides(&all.dims), b: other };
                    (Kernel::Pair(Pair::Mul, all), vec![signal, reads[1 - i]])
                }
                Kernel::Pair(Pair::Mul, all) => {
                    (summed(Pair::Mul, all, i), vec![signal, reads[1 - i]])
                }
                Kernel::Pair(pair, all) => (summed(*pair, all, i), vec![signal]),
                Kernel::Conv(conv) => (Kernel::ConvTranspose(*conv), vec![signal, reads[1]]),
                Kernel::ConvTranspose(conv) => (Kernel::Conv(*conv), vec![signal, reads[1]]),
                Kernel::Affine(affine) => (by_channel(affine), vec![signal, reads[1]]),
                Kernel::Map { function, .. } if function.is_flat() => continue,
                &Kernel::Map { function, len } => {
                    let seen = if function.goes_back_by_output() { y } else { at };
                    (Kernel::MapBack { function, rule, len }, vec![seen, signal])
                }
                Kernel::MaxPool(geometry) => {
                    (Kernel::MaxPoolBack(*geometry), vec![signal, forward.writes[1]])
                }
                // The indices of the maxima are piecewise constant.
                Kernel::MaxUnpool(_) | Kernel::MaxUnpoolBack(_) if i > 0 => continue,
                Kernel::MaxUnpool(geometry) => {
                    (Kernel::MaxUnpoolBack(*geometry), vec![signal, reads[1]])
                }
                Kernel::MaxUnpoolBack(geometry) => {
                    (Kernel::MaxPoolBack(*geometry), vec![signal, reads[1]])
                }
                Kernel::Average(average) => (Kernel::AverageBack(*average), vec![signal]),
                &Kernel::Softmax { vectors, log } => {
                    (Kernel::SoftmaxBack { vectors, log }, vec![y, signal])
                }
                &Kernel::Normalize { vectors, epsilon } => {
                    (Kernel::NormalizeBack { vectors, epsilon }, vec![at, signal])
                }
                Kernel::Fold(fold, _) if fold.is_position() => continue,
                Kernel::Fold(fold, vectors) => {
                    (Kernel::FoldBack(*fold, *vectors), vec![at, y, signal])
                }
                // Positions have no gradient.
                Kernel::TopK(_) => continue,
                Kernel::Take(_) if i == 1 => continue,
                Kernel::Take(take) => (Kernel::TakeBack(*take), vec![signal, reads[1]]),
                Kernel::Along(along) => {
                    let back = Along {
                        from: along.to,
                        to: along.from,
                        transposed: [reads[1], reads[2], reads[3]],
                        ..*along
                    };
                    let [starts, columns, values] = along.transposed;
                    (Kernel::Along(back), vec![signal, starts, columns, values])
                }
                Kernel::Permute(permute) => (Kernel::Permute(permute.inverse()), vec![signal]),
                Kernel::Product(product) if i == 0 => {
                    (Kernel::Product(back_to_a(product)), vec![signal, reads[1]])
                }
                Kernel::Product(product) => {
                    (Kernel::Product(back_to_b(product)), vec![reads[0], signal])
                }
                &Kernel::Runs(Runs { count, len, from, to }) => {
                    (Kernel::Runs(Runs { count, len, from: to, to: from }), vec![signal])
                }
                // The kernels of the way back are not in a plan.
                Kernel::MapBack { .. }
                | Kernel::PairBack { .. }
                | Kernel::Reduce(_)
                | Kernel::MaxPoolBack(_)
                | Kernel::AverageBack(_)
                | Kernel::SoftmaxBack { .. }
                | Kernel::NormalizeBack { .. }
                | Kernel::TakeBack(_)
                | Kernel::FoldBack(..) => continue,
            };
            let back = self.push(kernel, operands, bytes, layer);
            self.arrive(at, back, layer);
        }
    }
}

/// A tensor of the way back.
fn computed(bytes: u64) -> Slot {
    Slot { content: Content::Computed, bytes, varies: true }
}

/// A product with one factor per channel.
fn by_channel(affine: &Affine) -> Kernel {
    let images = affine.len / affine.channels / affine.inner;
    let plane = affine.inner;
    Kernel::Pair(
        Pair::Mul,
        Broadcast {
            dims: [1, 1, 1, images, affine.channels, plane],
            a: [0, 0, 0, plane * affine.channels, plane, 1],
            b: [0, 0, 0, 0, 1, 0],
        }
        .merged(),
    )
}

/// Whether operand `i` was read more than once along some axis.
pub(super) fn is_repeated(all: &Broadcast, i: usize) -> bool {
    let own = if i == 0 { all.a } else { all.b };
    (0..BROADCAST_AXES).any(|d| own[d] == 0 && all.dims[d] > 1)
}

/// The kernel that sums a signal over the axes in which operand `i` was repeated, times the other
/// operand for a product.
fn summed(pair: Pair, all: &Broadcast, i: usize) -> Kernel {
    let (own, other) = if i == 0 { (all.a, all.b) } else { (all.b, all.a) };
    let kept = std::array::from_fn(|d| if own[d] == 0 { 1 } else { all.dims[d] });
    let times_other = pair == Pair::Mul;
    let other = if times_other { other } else { [0; BROADCAST_AXES] };
    Kernel::Reduce(Reduce { dims: all.dims, kept, other, times_other })
}

/// The product that sends a signal back to the first operand: the signal times the second, whose
/// rows and columns change places.
fn back_to_a(product: &Product) -> Product {
    let [batch, depth, column] = product.b;
    Product {
        columns: product.depth,
        depth: product.columns,
        a: product.y,
        b: [batch, column, depth],
        y: product.a,
        ..*product
    }
}

/// The product that sends a signal back to the second operand.
fn back_to_b(product: &Product) -> Product {
    let [batch, row, depth] = product.a;
    Product {
        rows: product.depth,
        depth: product.rows,
        a: [batch, depth, row],
        b: product.y,
        y: product.b,
        ..*product
    }
}
