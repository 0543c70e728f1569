//! A model at one size of input: every shape known, every operator made of kernels.

mod arrangement;
mod convolution;
mod layer;
mod operands;
mod pointwise;
mod pooling;
mod sliding;

use std::collections::HashMap;
use std::sync::Arc;

use unpool::Geometry;

use crate::error::{Error, Fault, extents};
use crate::kernel::Kernel;
use crate::onnx::constant::Constant;
use crate::onnx::graph::{Graph, Node};
pub use layer::Layer;

use crate::program::{Content, Instruction, Slot, SlotId};

/// A tensor of floats: its shape, and where it lies. Several may lie in one place, as a reshaped
/// tensor does.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) slot: SlotId,
}

/// What a name of the graph stands for.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Tensor(Tensor),
    Constant(Constant),
    /// The argmax of a max pooling.
    Indices {
        geometry: Arc<Geometry>,
        taps: SlotId,
    },
}

/// A model at one size of input, ready to be run by a [`Session`](crate::Session).
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) input: Tensor,
    pub(crate) layers: Vec<Layer>,
    pub(crate) output: usize,
    pub(crate) slots: Vec<Slot>,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) input_name: String,
}

impl Plan {
    pub(crate) fn new(graph: &Graph, shape: &[usize], memory: u64) -> Result<Self, Error> {
        check_input(graph, shape)?;
        let mut builder = Builder {
            opset: graph.opset,
            weights: &graph.weights,
            values: HashMap::new(),
            slots: Vec::new(),
            instructions: Vec::new(),
            layer: 0,
            memory,
            used: 0,
        };
        let slot = builder.computed(&graph.input, shape, true)?;
        let input = Tensor { shape: shape.to_vec(), slot };
        builder.values.insert(graph.input.clone(), Value::Tensor(input.clone()));
        let mut layers = Vec::new();
        for node in &graph.nodes {
            builder.layer = layers.len();
            layers.extend(builder.node(node)?);
        }
        let output =
            graph.outputs.iter().find_map(|name| layers.iter().position(|l| l.output == *name));
        let Some(output) = output else {
            let allowed = "one that a node computes as floats is needed".into();
            return Err(Error::Graph {
                found: format!("the outputs {}", graph.outputs.join(", ")),
                allowed,
            });
        };
        let Builder { slots, instructions, .. } = builder;
        let input_name = graph.input.clone();
        Ok(Self { input, layers, output, slots, instructions, input_name })
    }

    /// The layers, in the order in which they run.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Extents of the input: `[batch, channels, height, width]`.
    pub fn input_shape(&self) -> &[usize] {
        &self.input.shape
    }

    /// The name of the input.
    pub fn input_name(&self) -> &str {
        &self.input_name
    }

    /// The layer that makes the model's first output.
    pub fn output(&self) -> &Layer {
        &self.layers[self.output]
    }

    /// The layer that makes class scores: the output, or what goes into it if it is a softmax,
    /// whose gradient at one class is mostly about the other classes.
    pub fn scores(&self) -> &Layer {
        let mut at = self.output;
        while matches!(self.layers[at].operator.as_str(), "Softmax" | "Identity" | "Sigmoid") {
            let before = self.layers[at].inputs.first().copied();
            let Some(i) = self.layers[..at].iter().rposition(|l| Some(l.tensor.slot) == before)
            else {
                break;
            };
            at = i;
        }
        &self.layers[at]
    }

    /// The layer of that name, or the one that makes the tensor of that name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn layer(&self, name: &str) -> Result<&Layer, Error> {
        self.index(name).map(|i| &self.layers[i])
    }

    pub(crate) fn index(&self, name: &str) -> Result<usize, Error> {
        let by = |get: fn(&Layer) -> &str| self.layers.iter().position(|l| get(l) == name);
        by(Layer::name).or_else(|| by(Layer::output)).ok_or_else(|| {
            let names: Vec<_> = self.layers.iter().map(Layer::name).collect();
            Error::Layer { found: name.into(), allowed: names.join(", ") }
        })
    }
}

fn check_input(graph: &Graph, shape: &[usize]) -> Result<(), Error> {
    let found = || extents(shape);
    if !(3..=5).contains(&shape.len()) || shape.contains(&0) {
        let allowed = "batch, channels and one to three spatial extents, each at least 1, are \
                       needed";
        return Err(Error::Input { found: found(), allowed: allowed.into() });
    }
    let Some(dims) = &graph.input_dims else { return Ok(()) };
    // Whatever batch a model was exported with, any will do.
    let fits = |(i, dim): (usize, &Option<usize>)| i == 0 || dim.is_none_or(|d| d == shape[i]);
    if dims.len() != shape.len() || !dims.iter().enumerate().all(fits) {
        let dim = |(i, d): (usize, &Option<usize>)| match d {
            Some(d) if i > 0 => d.to_string(),
            _ => "any".into(),
        };
        let allowed: Vec<_> = dims.iter().enumerate().map(dim).collect();
        let allowed = format!("{} is allowed", allowed.join("×"));
        return Err(Error::Input { found: found(), allowed });
    }
    Ok(())
}

/// A plan being made.
pub(crate) struct Builder<'a> {
    opset: i64,
    weights: &'a HashMap<String, Constant>,
    values: HashMap<String, Value>,
    slots: Vec<Slot>,
    instructions: Vec<Instruction>,
    layer: usize,
    /// Bytes that all tensors together may have, and have.
    memory: u64,
    used: u64,
}

impl Builder<'_> {
    /// A tensor to be computed.
    fn computed(&mut self, name: &str, shape: &[usize], varies: bool) -> Result<SlotId, Error> {
        let bytes = shape.iter().fold(4u128, |n, &d| n.saturating_mul(d as u128));
        self.reserved(&format!("{name} of {}", extents(shape)), bytes, varies)
    }

    /// A tensor of so many bytes to be computed.
    fn reserved(&mut self, what: &str, bytes: u128, varies: bool) -> Result<SlotId, Error> {
        let all = bytes.saturating_add(self.used.into());
        // Kernels count elements in u32.
        if all > self.memory.into() || bytes / 4 > u128::from(u32::MAX) {
            let tensor = format!("{what}, with all tensors before it,");
            return Err(Error::Memory { tensor, needed: all, allowed: self.memory });
        }
        self.used = all as u64;
        let bytes = bytes as u64;
        self.slots.push(Slot { content: Content::Computed, bytes, varies });
        Ok(self.slots.len() - 1)
    }

    /// Weights, or a part of them.
    fn weights(&mut self, data: &Arc<Vec<f32>>, part: std::ops::Range<usize>) -> SlotId {
        let bytes = part.len() as u64 * 4;
        let content = Content::Weights { data: Arc::clone(data), part };
        self.slots.push(Slot { content, bytes, varies: false });
        self.slots.len() - 1
    }

    fn push(&mut self, kernel: Kernel, reads: Vec<SlotId>, writes: Vec<SlotId>) {
        self.instructions.push(Instruction { kernel, reads, writes, layer: self.layer });
    }

    fn node(&mut self, node: &Node) -> Result<Option<Layer>, Error> {
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

/// Why a node is refused: something about it, or the memory it asks for.
pub(crate) enum Refusal {
    Fault(Fault),
    Whole(Error),
}

impl Refusal {
    fn at(self, node: &Node) -> Error {
        match self {
            Self::Fault(Fault { found, allowed }) => Error::Node {
                node: node.name.clone(),
                operator: node.operator.clone(),
                found,
                allowed,
            },
            Self::Whole(Error::Memory { tensor, needed, allowed }) => Error::Memory {
                tensor: format!("node {:?} ({}): {tensor}", node.name, node.operator),
                needed,
                allowed,
            },
            Self::Whole(error) => error,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Whole(error)
    }
}

impl From<unpool::GeometryError> for Refusal {
    fn from(error: unpool::GeometryError) -> Self {
        Self::Fault(error.into())
    }
}
