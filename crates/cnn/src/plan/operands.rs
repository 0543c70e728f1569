//! A node's operands, by position and by the name that ONNX gives them.

use crate::error::{Error, Fault, extents};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    /// Operand `i`, or `None` where it is left out.
    pub(super) fn optional(&self, node: &Node, i: usize) -> Result<Option<Value>, Fault> {
        let Some(name) = node.inputs.get(i).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        if let Some(value) = self.values.get(name) {
            return Ok(Some(value.clone()));
        }
        match self.weights.get(name) {
            Some(constant) => Ok(Some(Value::Constant(constant.clone()))),
            // The order of the nodes was checked; what is missing is an output that its operator
            // does not have.
            None => Err(Fault::new(
                format!("it reads {name:?}, which is no output of its operator"),
                "a value that exists is needed",
            )),
        }
    }

    pub(super) fn value(&self, node: &Node, i: usize, operand: &str) -> Result<Value, Fault> {
        self.optional(node, i)?.ok_or_else(|| {
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
        match self.value(node, i, operand)? {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Constant(constant) => {
                let (shape, data) = constant.as_floats(operand)?;
                if data.is_empty() {
                    let found = format!("{operand} has shape {}", extents(shape));
                    return Err(Fault::new(found, "at least one element is needed").into());
                }
                let slot = self.weights(data, 0..data.len());
                Ok(Tensor { shape: shape.to_vec(), slot })
            }
            Value::Indices { .. } => Err(Fault::new(
                format!("{operand} is the indices of a MaxPool"),
                "only MaxUnpool reads them",
            )
            .into()),
        }
    }

    /// An operand that the model carries, or `None` where it is left out.
    pub(super) fn carried(
        &self,
        node: &Node,
        i: usize,
        operand: &str,
    ) -> Result<Option<Constant>, Fault> {
        match self.optional(node, i)? {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(_) => {
                let found = format!("{operand} depends on the image");
                Err(Fault::new(found, "a tensor that the model carries is needed"))
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
        Ok(Some(data.clone()))
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
