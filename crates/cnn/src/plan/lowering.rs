//! From a node of the graph to a layer: each operator is lowered to kernels.

use crate::error::Error;
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::layer::Layer;
use crate::plan::value::Value;
use crate::program::SlotId;

impl Builder<'_> {
    /// Adds the kernels of a node, and returns its layer if it computes a tensor of floats.
    pub(super) fn node(&mut self, node: &Node) -> Result<Option<Layer>, Error> {
        let values = self.lower(node)?;
        let mut layer = None;
        for (value, name) in values.into_iter().zip(&node.outputs) {
            if let (Value::Tensor(tensor), None) = (&value, &layer) {
                layer = Some(Layer {
                    name: node.name.clone(),
                    operator: node.operator.clone(),
                    output: name.clone(),
                    tensor: tensor.clone(),
                    parameters: self.parameters(node),
                    inputs: self.input_slots(node),
                    input_names: node.inputs.clone(),
                });
            }
            self.values.insert(name.clone(), value);
        }
        Ok(layer)
    }

    fn lower(&mut self, node: &Node) -> Result<Vec<Value>, Error> {
        let lowered = match node.operator.as_str() {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "BatchNormalization" => self.batch_normalization(node),
            "Relu" | "LeakyRelu" | "Clip" | "Sigmoid" => self.map(node),
            "PRelu" | "Add" | "Mul" => self.pair(node),
            "Softmax" => self.softmax(node),
            "MaxPool" => self.max_pool(node),
            "MaxUnpool" => self.max_unpool(node),
            "AveragePool" | "GlobalAveragePool" => self.average_pool(node),
            "Concat" => self.concat(node),
            "Flatten" | "Reshape" | "Identity" | "Dropout" => self.alias(node),
            "Shape" => self.shape(node),
            "Constant" => self.constant(node),
            _ => {
                return Err(Error::Operator {
                    node: node.name.clone(),
                    operator: node.operator.clone(),
                });
            }
        };
        lowered.map_err(|refusal| refusal.at(node))
    }

    /// The slots of the tensors that a node reads.
    fn input_slots(&self, node: &Node) -> Vec<SlotId> {
        let slot = |name: &String| match self.values.get(name) {
            Some(Value::Tensor(tensor)) => Some(tensor.slot),
            _ => None,
        };
        node.inputs.iter().filter_map(slot).collect()
    }

    fn parameters(&self, node: &Node) -> usize {
        let floats = |name: &String| match self.weights.get(name) {
            Some(Constant::Floats { data, .. }) => data.len(),
            _ => 0,
        };
        node.inputs.iter().map(floats).sum()
    }
}
