//! Operators of sequences, as PyTorch's older exporter writes `split`, `unbind` and lists of tensors: their lengths are
//! known while the plan is made, and what is read of them are the tensors themselves.

use crate::error::{Fault, extents};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::moves;
use crate::plan::refusal::Refusal;
use crate::plan::shape::resolve_axis;
use crate::plan::value::Value;

/// Parts that a tensor may be split into.
const MOST: usize = 1 << 14;

impl Builder<'_> {
    /// A sequence of the operands, or an empty one.
    pub(super) fn sequence(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let all = (0..node.inputs.len()).map(|i| self.value(node, i, "an operand"));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        Ok(self.makes_sequence(node, all))
    }

    /// A sequence with an element more, or one less.
    pub(super) fn changed_sequence(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let mut all = self.sequence_read(node)?.clone();
        if node.operator == "SequenceInsert" {
            let at = self.position(node, 2, (all.len(), all.len() + 1))?.unwrap_or(all.len());
            all.insert(at, self.value(node, 1, "tensor")?);
        } else if let Some(last) = all.len().checked_sub(1) {
            let at = self.position(node, 1, (all.len(), all.len()))?;
            all.remove(at.unwrap_or(last));
        } else {
            return Err(Fault::new("an empty sequence", "an element to erase is needed").into());
        }
        Ok(self.makes_sequence(node, all))
    }

    /// An element of a sequence, or the number of them.
    pub(super) fn of_sequence(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let all = self.sequence_read(node)?;
        if node.operator == "SequenceLength" {
            let count = Constant::ints(vec![], vec![all.len() as i64]);
            return Ok(vec![Value::Constant(count)]);
        }
        match self.position(node, 1, (all.len(), all.len()))? {
            Some(at) => Ok(vec![all[at].clone()]),
            None => Err(Fault::new("position is left out", "it is needed").into()),
        }
    }

    /// Neighbouring parts along an axis, of sizes that are listed, or of one size, where the last may be smaller.
    pub(super) fn split_to_sequence(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "input")?;
        let shape = self.shape_of(&value);
        let attributes = node.attributes();
        let axis = resolve_axis(attributes.int("axis", 0)?, shape.len(), false)?;
        let extent = shape[axis];
        let equal = |size: usize| {
            let parts = (0..extent).step_by(size);
            parts.map(|start| size.min(extent - start)).collect::<Vec<_>>()
        };
        let split = self.carried(node, 1, "split")?;
        let sizes = match &split {
            None => equal(1),
            Some(split) => {
                let list = moves::sizes(split.as_ints("split")?, "split")?;
                match (split.shape(), &list[..]) {
                    ([], &[size]) if size > 0 => equal(size),
                    ([_], list) if list.iter().sum::<usize>() == extent => list.to_vec(),
                    _ => {
                        let found = format!("split is {list:?}");
                        return Err(
                            Fault::new(found, format!("parts of {extent} are needed")).into()
                        );
                    }
                }
            }
        };
        if sizes.len() > MOST {
            let found = format!("{} parts", sizes.len());
            return Err(Fault::new(found, format!("at most {MOST} are allowed")).into());
        }
        // ONNX has keepdims for a split that is left out only; PyTorch writes it beside a split of 1, and ONNX Runtime
        // drops the axis there too.
        let is_single = split
            .as_ref()
            .is_none_or(|split| split.shape().is_empty() && sizes.iter().all(|&n| n == 1));
        let is_dropped = is_single && attributes.int("keepdims", 1)? == 0;
        let (mut all, mut start) = (Vec::with_capacity(sizes.len()), 0);
        for size in sizes {
            let mut moves = vec![Move::pick(axis, start..start + size)];
            if is_dropped {
                moves.push(Move::Shape([&shape[..axis], &shape[axis + 1..]].concat()));
            }
            all.push(self.moved(node, value.clone(), &moves)?);
            start += size;
        }
        Ok(self.makes_sequence(node, all))
    }

    /// The elements of a sequence along an axis, or along a new one.
    pub(super) fn concat_from_sequence(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let mut all = self.sequence_read(node)?.clone();
        let axis = node.attributes().int("axis", 0)?;
        if node.attributes().flag("new_axis")? {
            for value in &mut all {
                let mut shape = self.shape_of(value);
                shape.insert(resolve_axis(axis, shape.len(), true)?, 1);
                *value = self.moved(node, value.clone(), &[Move::Shape(shape)])?;
            }
        }
        Ok(vec![self.concatenated(node, all, axis)?])
    }

    fn makes_sequence(&mut self, node: &Node, all: Vec<Value>) -> Vec<Value> {
        let name = node.outputs.first().cloned().unwrap_or_default();
        self.sequences.insert(name, all);
        Vec::new()
    }

    fn sequence_read(&self, node: &Node) -> Result<&Vec<Value>, Fault> {
        let name = node.inputs.first().map_or("", String::as_str);
        self.sequences.get(name).ok_or_else(|| {
            let found = format!("{name:?} is no sequence that is known");
            Fault::new(found, "one that an operator of sequences makes is needed")
        })
    }

    /// A position of `count`, less than `end`, or `None` where it is left out. One below 0 counts from the end.
    fn position(
        &self,
        node: &Node,
        i: usize,
        (count, end): (usize, usize),
    ) -> Result<Option<usize>, Fault> {
        let Some(constant) = self.carried(node, i, "position")? else { return Ok(None) };
        let &[at] = constant.as_ints("position")? else {
            let found = format!("position is {}", extents(constant.shape()));
            return Err(Fault::new(found, "one number is needed"));
        };
        let own = if at < 0 { at.saturating_add(count as i64) } else { at };
        let own = usize::try_from(own).ok().filter(|&own| own < end);
        let refused = || Fault::new(format!("position is {at}"), format!("of {count} elements"));
        own.map(Some).ok_or_else(refused)
    }
}
