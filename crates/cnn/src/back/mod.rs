//! Looking back: the program that propagates a signal from a layer to the input, or to a layer before it.
//!
//! Every kernel has its vector-Jacobian product in [`trace`], made of kernels: a convolution goes back
//! through its transpose, pooling through its taps. The rules differ at ReLU only; [`relevance`] has
//! what layer-wise relevance propagation does otherwise.

mod relevance;
mod trace;

use crate::plan::Plan;
use crate::program::{Instruction, Slot, SlotId};
use crate::rule::Rule;
use trace::Trace;

pub use relevance::Relevance;

/// What is propagated: a signal by one of the rules at ReLU, or relevance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    Rule(Rule),
    Relevance(Relevance),
}

/// The kernels from a layer to the input, or to another layer. Tensors are numbered on from the plan's.
pub(crate) struct Back {
    pub(crate) slots: Vec<Slot>,
    pub(crate) instructions: Vec<Instruction>,
    /// The tensor of the signal at the layer.
    pub(crate) seed: SlotId,
    /// The tensor of the signal at the end, if the layer depends on the end.
    pub(crate) result: Option<SlotId>,
}

impl Back {
    /// From a layer to the tensor `end`.
    pub(crate) fn new(plan: &Plan, layer: usize, manner: Manner, end: SlotId) -> Self {
        let target = plan.layers[layer].tensor.slot;
        let mut trace = Trace::new(plan, target);
        for instruction in plan.instructions.iter().rev() {
            if instruction.writes.contains(&end) {
                // What comes before does not reach it.
                break;
            }
            if let Some(signal) = trace.signals[instruction.writes[0]] {
                match manner {
                    Manner::Rule(rule) => trace.instruction(instruction, signal, rule, None),
                    Manner::Relevance(by) => trace.relevance(instruction, signal, by),
                }
            }
        }
        Self {
            seed: plan.slots.len(),
            result: trace.signals[end],
            slots: trace.slots,
            instructions: trace.instructions,
        }
    }
}
