//! A plan under construction: its tensors, its program and the memory they need.

use crate::elements::Elements;
use crate::error::{Error, extents};
use crate::kernel::Kernel;
use crate::onnx::constant::Constant;
use crate::onnx::graph::{Graph, Node};
use crate::plan::value::{Tensor, Value};
use crate::program::{Content, Instruction, Slot, SlotId};
use std::collections::{HashMap, HashSet};

/// The shapes under which an instruction sees what it reads, and the first tensor that it writes.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) reads: Vec<Vec<usize>>,
    pub(crate) write: Vec<usize>,
}

/// A plan under construction.
pub(crate) struct Builder<'a> {
    pub(super) opset: i64,
    pub(super) weights: &'a HashMap<String, Constant>,
    pub(super) values: HashMap<String, Value>,
    /// The values of sequences, by the names of these.
    pub(super) sequences: HashMap<String, Vec<Value>>,
    pub(super) slots: Vec<Slot>,
    pub(super) instructions: Vec<Instruction>,
    /// For each instruction the shapes under which it sees its tensors.
    pub(super) views: Vec<View>,
    /// The index of the layer that is being lowered.
    pub(super) layer: usize,
    /// The names of values whose channels are their last axis.
    pub(super) channels_last: HashSet<String>,
    /// The names of values that are truth values, which are numbers like others.
    pub(super) truths: HashSet<String>,
    /// The batch that the file states for its input, if it states one.
    pub(super) stated_batch: Option<usize>,
    /// Bytes that all tensors may have in total.
    memory: u64,
    /// Bytes that all tensors so far have in total.
    used: u64,
}

impl<'a> Builder<'a> {
    /// A plan of a graph, without any tensor or instruction yet.
    pub(super) fn new(graph: &'a Graph, memory: u64) -> Self {
        Self {
            opset: graph.opset,
            weights: &graph.weights,
            values: HashMap::new(),
            sequences: HashMap::new(),
            slots: Vec::new(),
            instructions: Vec::new(),
            views: Vec::new(),
            layer: 0,
            channels_last: HashSet::new(),
            truths: HashSet::new(),
            stated_batch: graph.input_dims.as_ref().and_then(|dims| *dims.first()?),
            memory,
            used: 0,
        }
    }

    /// A new tensor that a kernel computes, or the input.
    pub(super) fn computed(
        &mut self,
        name: &str,
        shape: &[usize],
        varies: bool,
    ) -> Result<SlotId, Error> {
        let bytes = shape.iter().fold(4u128, |n, &d| n.saturating_mul(d as u128));
        self.reserved(&format!("{name} of {}", extents(shape)), bytes, varies)
    }

    /// A new tensor of `bytes` bytes, within the limit of memory.
    pub(super) fn reserved(
        &mut self,
        name: &str,
        bytes: u128,
        varies: bool,
    ) -> Result<SlotId, Error> {
        self.count(name, bytes)?;
        let bytes = bytes as u64;
        self.slots.push(Slot { content: Content::Computed, bytes, varies });
        Ok(self.slots.len() - 1)
    }

    /// Counts the bytes of a tensor, within the limit of memory.
    pub(super) fn count(&mut self, name: &str, bytes: u128) -> Result<(), Error> {
        let all = bytes.saturating_add(self.used.into());
        // Kernels count elements in u32.
        if all > self.memory.into() || bytes / 4 > u128::from(u32::MAX) {
            let tensor = format!("{name}, with all tensors before it,");
            return Err(Error::Memory { tensor, needed: all, allowed: self.memory });
        }
        self.used = all as u64;
        Ok(())
    }

    /// A new tensor of weights, or of a part of them.
    pub(super) fn weights(
        &mut self,
        data: &Elements,
        part: std::ops::Range<usize>,
        shape: &[usize],
    ) -> Tensor {
        let bytes = part.len() as u64 * 4;
        let content = Content::Weights { data: data.clone(), part };
        self.slots.push(Slot { content, bytes, varies: false });
        Tensor { shape: shape.to_vec(), slot: self.slots.len() - 1 }
    }

    /// A new tensor of constant numbers.
    pub(super) fn numbers(&mut self, data: Vec<f32>, shape: &[usize]) -> Tensor {
        let all = 0..data.len();
        self.weights(&data.into(), all, shape)
    }

    /// Appends a kernel to the program.
    pub(super) fn push(&mut self, kernel: Kernel, reads: &[&Tensor], writes: &[&Tensor]) {
        let slots = |tensors: &[&Tensor]| tensors.iter().map(|tensor| tensor.slot).collect();
        let (layer, shape) = (self.layer, |tensor: &&Tensor| tensor.shape.clone());
        self.views.push(View {
            reads: reads.iter().map(shape).collect(),
            write: writes.first().map(shape).unwrap_or_default(),
        });
        let (reads, writes) = (slots(reads), slots(writes));
        self.instructions.push(Instruction { kernel, reads, writes, layer });
    }

    /// A new tensor of a node, by a kernel of tensors.
    pub(super) fn by(
        &mut self,
        node: &Node,
        shape: &[usize],
        kernel: Kernel,
        reads: &[&Tensor],
    ) -> Result<Tensor, Error> {
        let y = self.result(node, shape, reads)?;
        self.push(kernel, reads, &[&y]);
        Ok(y)
    }
}
