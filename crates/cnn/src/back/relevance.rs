//! Layer-wise relevance propagation (Bach et al. 2015,
//! [10.1371/journal.pone.0130140](https://doi.org/10.1371/journal.pone.0130140)).
//!
//! A score is shared out among the elements of each tensor before it, so that what reaches one tensor
//! adds up to what reached the next. A sum `y = Σ x·w + b` shares its relevance out by the terms,
//!
//! ```text
//! R(x) = x · Σ w · R(y) / (y + ε·sign(y))
//! ```
//!
//! What is propagated here is `q = R(x) / x`. In it the formula is that of the gradient, with a factor
//! of `y / (y + ε·sign(y))` at each sum, and whatever only moves numbers (pooling by its maximum,
//! reshaping, concatenation) sends it back as the gradient does. Relevance is `q` times the tensor.

use crate::kernel::{Broadcast, Function, Kernel, Pair};
use crate::program::{Instruction, SlotId};
use crate::rule::Rule;

use super::trace::{Trace, is_repeated};

/// The parameters of layer-wise relevance propagation.
///
/// Convolutions, products with weights, averages, sums of two tensors, and scale and shift share
/// their relevance out by `ε` and `γ`. A function of one element, and a normalisation, passes all
/// it has to its operand. Of a product of two tensors that depend on the image one is a gate, which
/// gets nothing (Arras et al. 2017, [1706.07206](https://arxiv.org/abs/1706.07206)): the one
/// that is repeated, else one that a bounded function made, as sigmoid, softmax and their like, else the
/// second. A denominator gets nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relevance {
    /// Is added to the magnitude of each sum before it divides: takes relevance from terms that
    /// cancel each other (Bach et al. 2015, equation 58). At 0, and with `gamma` 0, relevance is the
    /// input times the gradient in a network of ReLU and max pooling.
    pub epsilon: f32,
    /// Positive weights count `1 + gamma` times (Montavon et al. 2019,
    /// [10.1007/978-3-030-28954-6_10](https://doi.org/10.1007/978-3-030-28954-6_10), section 10.2.2).
    /// The bias counts once, as in captum.
    pub gamma: f32,
}

impl Trace<'_> {
    /// Sends relevance back through one instruction.
    pub(super) fn relevance(&mut self, forward: &Instruction, signal: SlotId, by: Relevance) {
        let (y, layer) = (forward.writes[0], forward.layer);
        match forward.kernel {
            Kernel::Map { function, .. } if is_piecewise(function) => {}
            Kernel::Map { function, .. } if function.is_flat() => return,
            Kernel::Map { .. } | Kernel::Normalize { .. } => {
                let x = forward.reads[0];
                let own = self.shared(signal, (y, x), by.epsilon, layer);
                self.arrive(x, own, layer);
                return;
            }
            Kernel::Conv(_)
            | Kernel::ConvTranspose(_)
            | Kernel::Affine(_)
            | Kernel::Product(_)
            | Kernel::Average(_)
            | Kernel::Pair(Pair::Add | Pair::Sub, _) => {
                let signal = self.divided(y, signal, by, layer);
                let reads = self.altered_reads(forward, by.gamma);
                let forward = Instruction { reads, ..forward.clone() };
                self.instruction(&forward, signal, Rule::Gradient, self.gate(&forward));
                return;
            }
            _ => {}
        }
        self.instruction(forward, signal, Rule::Gradient, self.gate(forward));
    }

    /// `signal · part / whole`, `whole` kept away from 0.
    fn shared(
        &mut self,
        signal: SlotId,
        (part, whole): (SlotId, SlotId),
        epsilon: f32,
        layer: usize,
    ) -> SlotId {
        let bytes = self.plan.slots[part].bytes;
        let len = (bytes / 4) as u32;
        // 0/0 where neither is anything.
        let function = Function::AwayFromZero { epsilon: epsilon.max(f32::MIN_POSITIVE) };
        let away = self.push(Kernel::Map { function, len }, vec![whole], bytes, layer);
        let all = Broadcast::flat(len);
        let ratio = self.push(Kernel::Pair(Pair::Div, all), vec![part, away], bytes, layer);
        self.push(Kernel::Pair(Pair::Mul, all), vec![signal, ratio], bytes, layer)
    }

    /// The signal at the sum `y`, divided by it, or by what it would be with altered weights.
    fn divided(&mut self, y: SlotId, signal: SlotId, by: Relevance, layer: usize) -> SlotId {
        if by == (Relevance { epsilon: 0.0, gamma: 0.0 }) {
            return signal;
        }
        if let Some(&divided) = self.divided.get(&y) {
            return divided;
        }
        let mut whole = y;
        // A tensor that several instructions write has weights that were cut.
        let plan = self.plan;
        for forward in plan.instructions.iter().filter(|i| i.writes[0] == y) {
            let reads = self.altered_reads(forward, by.gamma);
            if reads == forward.reads {
                continue;
            }
            let bytes = plan.slots[y].bytes;
            if whole == y {
                whole = self.push(forward.kernel.clone(), reads, bytes, layer);
            } else {
                let (kernel, writes) = (forward.kernel.clone(), vec![whole]);
                self.instructions.push(Instruction { kernel, reads, writes, layer });
            }
        }
        let divided = self.shared(signal, (y, whole), by.epsilon, layer);
        self.divided.insert(y, divided);
        divided
    }

    /// The operands of an instruction, with larger positive weights by `γ`.
    fn altered_reads(&mut self, forward: &Instruction, gamma: f32) -> Vec<SlotId> {
        let has_weights = matches!(
            forward.kernel,
            Kernel::Conv(_) | Kernel::ConvTranspose(_) | Kernel::Affine(_) | Kernel::Product(_)
        );
        if gamma == 0.0 || !has_weights {
            return forward.reads.clone();
        }
        let mut reads = forward.reads.clone();
        // The third operand is the bias.
        for at in reads.iter_mut().take(2) {
            if self.varies(*at) {
                continue;
            }
            if let Some(&altered) = self.altered.get(at) {
                *at = altered;
                continue;
            }
            let bytes = self.plan.slots[*at].bytes;
            let len = (bytes / 4) as u32;
            let mut altered = *at;
            // A leaky ReLU of the negative numbers is steep where the weights are positive.
            let steep = Function::LeakyRelu { alpha: 1.0 + gamma };
            for function in [Function::Neg, steep, Function::Neg] {
                let kernel = Kernel::Map { function, len };
                altered = self.push(kernel, vec![altered], bytes, forward.layer);
            }
            self.altered.insert(*at, altered);
            *at = altered;
        }
        reads
    }

    /// The operand of a product of two tensors that gets no relevance.
    fn gate(&self, forward: &Instruction) -> Option<usize> {
        let reads = &forward.reads;
        if !(reads.len() > 1 && self.varies(reads[0]) && self.varies(reads[1])) {
            return None;
        }
        match &forward.kernel {
            // The first matrix is the attention, the second what is attended to.
            Kernel::Product(_) => Some(0),
            Kernel::Pair(Pair::Div, _) => Some(1),
            Kernel::Pair(Pair::Mul, all) => {
                let repeated = (0..2).find(|&i| is_repeated(all, i));
                repeated.or_else(|| (0..2).find(|&i| self.is_bounded(reads[i]))).or(Some(1))
            }
            _ => None,
        }
    }

    /// Whether a tensor was made by a function that has both a least and a largest value.
    fn is_bounded(&self, slot: SlotId) -> bool {
        let maker = self.plan.instructions.iter().find(|i| i.writes.contains(&slot));
        maker.is_some_and(|maker| match maker.kernel {
            Kernel::Softmax { log, .. } => !log,
            Kernel::Map { function, .. } => matches!(
                function,
                Function::Sigmoid
                    | Function::HardSigmoid { .. }
                    | Function::Tanh
                    | Function::Clip { .. }
            ),
            _ => false,
        })
    }
}

/// Whether a function is its operand times a number that changes only with the sign, so that its
/// derivative shares out as its value does.
fn is_piecewise(function: Function) -> bool {
    matches!(function, Function::Relu | Function::LeakyRelu { .. } | Function::Neg)
}
