//! A node's operands, by position and by the name that ONNX gives them.

use crate::error::{Error, Fault, extents};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    /// The shape of a value.
    pub(super) fn shape_of(&self, value: &Value) -> Vec<usize> {
        match value {
            Value::Tensor(tensor) => tensor.shape.clone(),
            Value::Constant(constant) => constant.shape().to_vec(),
            Value::Indices(indices) => indices.shape.clone(),
        }
    }

    /// The value of a name, computed or carried by the model.
    pub(super) fn named(&self, name: &str) -> Option<Value> {
        let carried = || self.weights.get(name).cloned().map(Value::Constant);
        self.values.get(name).cloned().or_else(carried)
    }

    /// Operand `i`, or `None` where it is left out.
    pub(super) fn value_or_none(&self, node: &Node, i: usize) -> Result<Option<Value>, Fault> {
        let Some(name) = node.inputs.get(i).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        match self.named(name) {
            Some(value) => Ok(Some(value)),
            None if self.sequences.contains_key(name) => {
                let found = format!("it reads {name:?}, which is a sequence");
                Err(Fault::new(found, "one of its tensors is needed"))
            }
            // The order of the nodes was checked; what is missing is an output that its operator
            // does not have.
            None => Err(Fault::new(
                format!("it reads {name:?}, which is no output of its operator"),
                "a value that exists is needed",
            )),
        }
    }

    pub(super) fn value(&self, node: &Node, i: usize, operand: &str) -> Result<Value, Fault> {
        self.value_or_none(node, i)?.ok_or_else(|| {
            let found = format!("{operand} (operand {i}) is left out");
            Fault::new(found, "it is needed")
        })
    }

    /// An operand that is floats, computed or carried by the model.
    pub(super) fn tensor(
        &mut self,
        node: &Node,
        i: usize,
        operand: &str,
    ) -> Result<Tensor, Refusal> {
        let value = self.value(node, i, operand)?;
        self.as_tensor(value, operand)
    }

    /// A value as a tensor.
    pub(super) fn as_tensor(&mut self, value: Value, operand: &str) -> Result<Tensor, Refusal> {
        match value {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Constant(Constant::Floats { shape, data }) if data.len() > 0 => {
                Ok(self.weights(&data, 0..data.len(), &shape))
            }
            Value::Constant(constant) => {
                let (shape, data) = constant.to_floats();
                if data.is_empty() {
                    let found = format!("{operand} has shape {}", extents(&shape));
                    return Err(Fault::new(found, "at least one element is needed").into());
                }
                let all = 0..data.len();
                Ok(self.weights(&data.into(), all, &shape))
            }
            Value::Indices(_) => Err(indices_read(operand).into()),
        }
    }

    /// An operand that the model carries, or `None` where it is left out.
    pub(super) fn carried(
        &self,
        node: &Node,
        i: usize,
        operand: &str,
    ) -> Result<Option<Constant>, Fault> {
        match self.value_or_none(node, i)? {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(_) => {
                let found = format!("{operand} depends on the image");
                Err(Fault::new(found, "a tensor that the model carries is needed"))
            }
        }
    }

    /// A list of whole numbers that the model carries, or `None` where it is left out.
    pub(super) fn list(
        &self,
        node: &Node,
        i: usize,
        operand: &str,
    ) -> Result<Option<Vec<i64>>, Fault> {
        let Some(constant) = self.carried(node, i, operand)? else { return Ok(None) };
        Ok(Some(constant.as_list(operand)?.to_vec()))
    }

    /// A list that is an attribute before operator set `since`, and operand `i` from then on.
    pub(super) fn list_since(
        &self,
        node: &Node,
        since: i64,
        name: &str,
        i: usize,
    ) -> Result<Option<Vec<i64>>, Fault> {
        if self.opset < since {
            return Ok(node.attributes().ints(name)?.map(<[i64]>::to_vec));
        }
        self.list(node, i, name)
    }

    /// A single float that the model carries, or `None` where it is left out.
    pub(super) fn scalar(
        &self,
        node: &Node,
        i: usize,
        operand: &str,
    ) -> Result<Option<f32>, Fault> {
        let Some(constant) = self.carried(node, i, operand)? else { return Ok(None) };
        match constant.to_floats() {
            (_, data) if data.len() == 1 => Ok(Some(data[0])),
            (shape, _) => {
                let found = format!("{operand} has shape {}", extents(&shape));
                Err(Fault::new(found, "a scalar is needed"))
            }
        }
    }

    /// A list of floats, one for each of `count` channels.
    pub(super) fn per_channel(
        &self,
        node: &Node,
        i: usize,
        operand: &str,
        count: usize,
    ) -> Result<Option<std::sync::Arc<Vec<f32>>>, Fault> {
        let Some(constant) = self.carried(node, i, operand)? else { return Ok(None) };
        let (shape, data) = constant.as_floats(operand)?;
        if shape != [count] {
            return Err(Fault::new(
                format!("{operand} has shape {}", extents(shape)),
                format!("{count} elements are needed"),
            ));
        }
        Ok(Some(data.read()))
    }

    /// A new tensor that the node computes.
    pub(super) fn result(
        &mut self,
        node: &Node,
        shape: &[usize],
        from: &[&Tensor],
    ) -> Result<Tensor, Error> {
        let name = node.outputs.first().map_or("", String::as_str);
        let varies = from.iter().any(|tensor| self.slots[tensor.slot].varies);
        let slot = self.computed(name, shape, varies)?;
        Ok(Tensor { shape: shape.to_vec(), slot })
    }
}

/// A refusal of indices where numbers are needed.
pub(super) fn indices_read(operand: &str) -> Fault {
    Fault::new(
        format!("{operand} is the indices of a MaxPool"),
        "only MaxUnpool, and a ScatterND, ScatterElements or GatherElements by positions in a \
         plane, read them",
    )
}

/// Checks that a tensor has images, channels and one to three spatial axes, and gives the latter's
/// number.
pub(super) fn spatial_axes(tensor: &Tensor) -> Result<usize, Fault> {
    match tensor.shape.len() {
        n @ 3..=5 => Ok(n - 2),
        _ => Err(Fault::new(
            format!("X has shape {}", extents(&tensor.shape)),
            "batch, channels and one to three spatial axes are needed",
        )),
    }
}
