//! Looking back: the program that propagates a signal from a layer to the input.
//!
//! Every kernel has its vector-Jacobian product here, made of kernels: a convolution goes back
//! through its transpose, pooling through its taps. The rules differ at ReLU only.

use crate::kernel::{Affine, BROADCAST_AXES, Broadcast, Kernel, Pair, Reduce, Runs};
use crate::plan::Plan;
use crate::program::{Content, Instruction, Slot, SlotId};
use crate::rule::Rule;

/// The kernels from a layer to the input. Tensors are numbered on from the plan's.
pub(crate) struct Back {
    pub(crate) slots: Vec<Slot>,
    pub(crate) instructions: Vec<Instruction>,
    /// The tensor of the signal at the layer.
    pub(crate) seed: SlotId,
    /// The tensor of the signal at the input, if the layer depends on the input.
    pub(crate) result: Option<SlotId>,
}

impl Back {
    pub(crate) fn new(plan: &Plan, layer: usize, rule: Rule) -> Self {
        let target = plan.layers[layer].tensor.slot;
        let seed = plan.slots.len();
        let computed = |bytes| Slot { content: Content::Computed, bytes, varies: true };
        let mut trace = Trace {
            plan,
            signals: vec![None; plan.slots.len()],
            back: Self {
                slots: vec![computed(plan.slots[target].bytes)],
                instructions: Vec::new(),
                seed,
                result: None,
            },
        };
        trace.signals[target] = Some(seed);
        for instruction in plan.instructions.iter().rev() {
            if let Some(signal) = trace.signals[instruction.writes[0]] {
                trace.instruction(instruction, signal, rule);
            }
        }
        trace.back.result = trace.signals[plan.input.slot];
        trace.back
    }
}

struct Trace<'a> {
    plan: &'a Plan,
    /// The signal at each tensor of the plan, where one has come so far.
    signals: Vec<Option<SlotId>>,
    back: Back,
}

impl Trace<'_> {
    fn push(&mut self, kernel: Kernel, reads: Vec<SlotId>, bytes: u64, layer: usize) -> SlotId {
        self.back.slots.push(Slot { content: Content::Computed, bytes, varies: true });
        let slot = self.plan.slots.len() + self.back.slots.len() - 1;
        self.back.instructions.push(Instruction { kernel, reads, writes: vec![slot], layer });
        slot
    }

    /// Adds the signal that one kernel sends back to a tensor to the signals of other kernels.
    fn arrive(&mut self, at: SlotId, signal: SlotId, layer: usize) {
        let sum = match self.signals[at] {
            None => signal,
            Some(before) => {
                let bytes = self.plan.slots[at].bytes;
                let flat = flat((bytes / 4) as u32);
                self.push(Kernel::Pair(Pair::Add, flat), vec![before, signal], bytes, layer)
            }
        };
        self.signals[at] = Some(sum);
    }

    fn instruction(&mut self, forward: &Instruction, signal: SlotId, rule: Rule) {
        let (reads, layer) = (&forward.reads, forward.layer);
        for (i, &at) in reads.iter().enumerate() {
            if !self.plan.slots[at].varies {
                continue;
            }
            let bytes = self.plan.slots[at].bytes;
            let y = forward.writes[0];
            let (kernel, operands) = match &forward.kernel {
                Kernel::Pair(Pair::Add, all) if all.a == all.b => {
                    self.arrive(at, signal, layer);
                    continue;
                }
                Kernel::Pair(pair, all) => pair_back(*pair, all, i, reads, signal),
                Kernel::Conv(conv) => (Kernel::ConvTranspose(*conv), vec![signal, reads[1]]),
                Kernel::ConvTranspose(conv) => (Kernel::Conv(*conv), vec![signal, reads[1]]),
                Kernel::Affine(affine) => (by_channel(affine), vec![signal, reads[1]]),
                &Kernel::Map { function, len } => {
                    let seen = if function.goes_back_by_output() { y } else { at };
                    (Kernel::MapBack { function, rule, len }, vec![seen, signal])
                }
                Kernel::MaxPool(geometry) => {
                    (Kernel::MaxPoolBack(*geometry), vec![signal, forward.writes[1]])
                }
                Kernel::MaxUnpool(geometry) if i == 0 => {
                    (Kernel::MaxUnpoolBack(*geometry), vec![signal, reads[1]])
                }
                // The indices of the maxima are piecewise constant.
                Kernel::MaxUnpool(_) => continue,
                Kernel::Average(average) => (Kernel::AverageBack(*average), vec![signal]),
                Kernel::Softmax(vectors) => (Kernel::SoftmaxBack(*vectors), vec![y, signal]),
                &Kernel::Runs(Runs { count, len, from, to }) => {
                    (Kernel::Runs(Runs { count, len, from: to, to: from }), vec![signal])
                }
                Kernel::Fit(fit) => {
                    let mut reversed = *fit;
                    (reversed.from, reversed.to) = (fit.to, fit.from);
                    (Kernel::Fit(reversed), vec![signal])
                }
                // The kernels of the way back are not in a plan.
                Kernel::MapBack { .. }
                | Kernel::PReluBack(_)
                | Kernel::Reduce(_)
                | Kernel::MaxPoolBack(_)
                | Kernel::MaxUnpoolBack(_)
                | Kernel::AverageBack(_)
                | Kernel::SoftmaxBack(_) => continue,
            };
            let back = self.push(kernel, operands, bytes, layer);
            self.arrive(at, back, layer);
        }
    }
}

/// A broadcast of two tensors of one shape.
fn flat(len: u32) -> Broadcast {
    let mut dims = [1; BROADCAST_AXES];
    dims[BROADCAST_AXES - 1] = len;
    let mut steps = [0; BROADCAST_AXES];
    steps[BROADCAST_AXES - 1] = 1;
    Broadcast { dims, a: steps, b: steps }
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
        },
    )
}

/// The kernel that sends the signal of a function of two tensors back to operand `i`.
fn pair_back(
    pair: Pair,
    all: &Broadcast,
    i: usize,
    reads: &[SlotId],
    signal: SlotId,
) -> (Kernel, Vec<SlotId>) {
    if pair == Pair::PRelu {
        return (Kernel::PReluBack(*all), vec![reads[0], reads[1], signal]);
    }
    let (own, other) = if i == 0 { (all.a, all.b) } else { (all.b, all.a) };
    let kept = std::array::from_fn(|d| if own[d] == 0 { 1 } else { all.dims[d] });
    let times_other = pair == Pair::Mul;
    let other_steps = if times_other { other } else { [0; BROADCAST_AXES] };
    let reduce = Reduce { dims: all.dims, kept, other: other_steps, times_other };
    let mut operands = vec![signal];
    if times_other {
        operands.push(reads[1 - i]);
    }
    (Kernel::Reduce(reduce), operands)
}
