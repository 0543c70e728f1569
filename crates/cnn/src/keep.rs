//! The layers whose tensors are kept after a run, and the tensors that the way back from them reads.

use crate::back::{Back, Manner, Relevance};
use crate::error::Error;
use crate::plan::Plan;
use crate::rule::Rule;

/// The layers that can be read and looked back from after
/// [`Session::forward`](crate::Session::forward). Later layers reuse the memory of the others.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// The model's output, which can be read but not looked back from.
    Output,
    /// These, and the output.
    Layers(&'a [&'a str]),
    /// These, and the output, for [`Attribution::Relevance`](crate::Attribution::Relevance) as well,
    /// which reads more tensors than the other ways back.
    Relevance(&'a [&'a str]),
    /// All.
    All,
}

impl Keep<'_> {
    /// For each layer whether it is kept.
    pub(crate) fn kept(self, plan: &Plan) -> Result<Vec<bool>, Error> {
        let mut kept = vec![matches!(self, Self::All); plan.layers.len()];
        kept[plan.output] = true;
        if let Self::Layers(names) | Self::Relevance(names) = self {
            for name in names {
                kept[plan.index(name)?] = true;
            }
        }
        Ok(kept)
    }

    /// For each layer whether it can be looked back from.
    pub(crate) fn looked_back_from(self, kept: &[bool]) -> Vec<bool> {
        match self {
            Self::Output => vec![false; kept.len()],
            _ => kept.to_vec(),
        }
    }

    /// Whether relevance can be sent back from the layers that can be looked back from.
    pub(crate) fn has_relevance(self) -> bool {
        matches!(self, Self::Relevance(_) | Self::All)
    }

    /// For each tensor whether it is kept: those that no image changes, those of kept layers, and
    /// those that the way back from these layers reads.
    pub(crate) fn pinned(self, plan: &Plan, kept: &[bool]) -> Vec<bool> {
        let looked_back_from = self.looked_back_from(kept);
        let count = plan.slots.len();
        // What no image changes is computed once.
        let mut pinned: Vec<_> = plan.slots.iter().map(|slot| !slot.varies).collect();
        for (i, layer) in plan.layers.iter().enumerate().filter(|&(i, _)| kept[i]) {
            pinned[layer.tensor.slot] = true;
            if !looked_back_from[i] {
                continue;
            }
            // The rules read the same tensors, and so do all parameters of relevance but 0.
            let relevance = Relevance { epsilon: 1.0, gamma: 1.0 };
            let manners = [Manner::Rule(Rule::Gradient), Manner::Relevance(relevance)];
            let count_of_manners = if self.has_relevance() { 2 } else { 1 };
            for &manner in &manners[..count_of_manners] {
                for instruction in Back::new(plan, i, manner, plan.input.slot).instructions {
                    for slot in instruction.reads.into_iter().filter(|&slot| slot < count) {
                        pinned[slot] = true;
                    }
                }
            }
        }
        pinned
    }
}
