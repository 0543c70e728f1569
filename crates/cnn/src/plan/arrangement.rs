//! Operators that only rearrange elements: Concat, Flatten, Reshape, Identity, Dropout, Shape, Constant.
//!
//! All but Concat give a tensor another shape without moving its elements.

use crate::error::{Fault, extents};
use crate::kernel::{Kernel, Run, Runs};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{len, resolve_axis};
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    pub(super) fn concat(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let first = self.value(node, 0, "the first operand")?;
        if let Value::Constant(Constant::Ints { .. }) = first {
            return self.concat_sizes(node);
        }
        let count = node.inputs.len();
        let parts = (0..count).map(|i| self.tensor(node, i, "an operand"));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let rank = parts[0].shape.len();
        let axis = resolve_axis(node.attributes().int("axis", 1)?, rank, false)?;
        let mut shape = parts[0].shape.clone();
        shape[axis] = 0;
        for part in &parts {
            let same = part.shape.len() == rank
                && (0..rank).all(|i| i == axis || part.shape[i] == shape[i]);
            if !same {
                return Err(Fault::new(
                    format!("operands {} and {}", extents(&parts[0].shape), extents(&part.shape)),
                    format!("shapes that differ on axis {axis} only are needed"),
                )
                .into());
            }
            shape[axis] = shape[axis].saturating_add(part.shape[axis]);
        }
        let all: Vec<_> = parts.iter().collect();
        let y = self.result(node, &shape, &all)?;
        let step = len(&shape[axis..]);
        let mut offset = 0;
        for part in &parts {
            let run = len(&part.shape[axis..]);
            let runs = Runs {
                count: len(&shape[..axis]),
                len: run,
                from: Run { offset: 0, step: run },
                to: Run { offset, step },
            };
            self.push(Kernel::Runs(runs), vec![part.slot], vec![y.slot]);
            offset += run;
        }
        Ok(vec![Value::Tensor(y)])
    }

    fn concat_sizes(&self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let mut all = Vec::new();
        for i in 0..node.inputs.len() {
            let Value::Constant(part) = self.value(node, i, "an operand")? else {
                let found = format!("operand {i} is no list of sizes");
                return Err(Fault::new(found, "it must be one as the first is").into());
            };
            all.extend(part.as_list("an operand")?);
        }
        Ok(vec![Value::Constant(Constant::ints(vec![all.len()], all))])
    }

    pub(super) fn alias(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "the input")?;
        let shape = match &value {
            Value::Tensor(tensor) => tensor.shape.clone(),
            Value::Constant(constant) => constant.shape().to_vec(),
            Value::Indices { .. } if node.operator == "Identity" => return Ok(vec![value]),
            Value::Indices { .. } => {
                let found = "the input is the indices of a MaxPool";
                return Err(Fault::new(found, "only MaxUnpool reads them").into());
            }
        };
        let shape = match node.operator.as_str() {
            "Flatten" => flattened(node, &shape)?,
            "Reshape" => self.reshaped(node, &shape)?,
            _ => shape,
        };
        Ok(vec![match value {
            Value::Tensor(tensor) => Value::Tensor(Tensor { shape, slot: tensor.slot }),
            Value::Constant(constant) => Value::Constant(constant.reshaped(shape)),
            indices @ Value::Indices { .. } => indices,
        }])
    }

    fn reshaped(&self, node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
        let Some(target) = self.carried(node, 1, "shape")? else {
            return Err(Fault::new("shape is left out", "it is needed"));
        };
        let target = target.as_list("shape")?;
        let keeps_zero = node.attributes().flag("allowzero")?;
        let count: usize = shape.iter().product();
        let refused = || {
            Fault::new(
                format!("shape is {target:?}"),
                format!("one of {count} elements is needed, as {} has", extents(shape)),
            )
        };
        let mut wide = Vec::with_capacity(target.len());
        let mut open = None;
        for (i, &n) in target.iter().enumerate() {
            wide.push(match n {
                -1 if open.is_none() => {
                    open = Some(i);
                    1
                }
                0 if !keeps_zero => *shape.get(i).ok_or_else(refused)?,
                n => usize::try_from(n).map_err(|_| refused())?,
            });
        }
        let found = wide.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or_else(refused)?;
        match open {
            Some(i) if found > 0 && count.is_multiple_of(found) => wide[i] = count / found,
            None if found == count => {}
            _ => return Err(refused()),
        }
        Ok(wide)
    }

    /// The extents of a tensor, or some of them.
    pub(super) fn shape(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let shape = match self.value(node, 0, "the input")? {
            Value::Tensor(tensor) => tensor.shape,
            Value::Constant(constant) => constant.shape().to_vec(),
            Value::Indices { geometry, .. } => geometry.pooled_shape().dims().to_vec(),
        };
        let rank = shape.len() as i64;
        let attributes = node.attributes();
        let within = |n: i64| (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank);
        let start = within(attributes.int("start", 0)?) as usize;
        let end = within(attributes.int("end", rank)?) as usize;
        let part = shape.get(start..end).unwrap_or_default();
        let sizes: Vec<_> = part.iter().map(|&n| n as i64).collect();
        Ok(vec![Value::Constant(Constant::ints(vec![sizes.len()], sizes))])
    }

    pub(super) fn constant(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let attributes = node.attributes();
        let constant = if let Some(tensor) = attributes.tensor("value")? {
            if tensor.data_location != 0 {
                let found = "its data is in another file";
                return Err(Fault::new(found, "data in the model is needed").into());
            }
            Constant::read(tensor, None)?
        } else if attributes.has("value_float") {
            Constant::floats(vec![], vec![attributes.float("value_float", 0.0)?])
        } else if attributes.has("value_int") {
            Constant::ints(vec![], vec![attributes.int("value_int", 0)?])
        } else if let Some(list) = attributes.floats("value_floats")? {
            Constant::floats(vec![list.len()], list.to_vec())
        } else if let Some(list) = attributes.ints("value_ints")? {
            Constant::ints(vec![list.len()], list.to_vec())
        } else {
            let allowed = "value, value_float, value_floats, value_int and value_ints are allowed";
            return Err(Fault::new("no value that is a tensor of numbers", allowed).into());
        };
        Ok(vec![Value::Constant(constant)])
    }
}

fn flattened(node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
    let axis = resolve_axis(node.attributes().int("axis", 1)?, shape.len(), true)?;
    Ok(vec![shape[..axis].iter().product(), shape[axis..].iter().product()])
}
