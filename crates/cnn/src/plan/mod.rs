//! A model at one size of input: every shape is known, and every operator is lowered to kernels.

mod arrangement;
mod builder;
mod convolution;
mod layer;
mod lowering;
mod operands;
mod pointwise;
mod pooling;
mod refusal;
mod shape;
mod sliding;
mod value;

use crate::error::{Error, extents};
use crate::onnx::graph::Graph;
use crate::program::{Instruction, Slot};
use builder::Builder;
use value::{Tensor, Value};

pub use layer::Layer;

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
        let mut builder = Builder::new(graph, memory);
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

    /// The layer that makes class scores: the output, or the input of the output layer if that is a
    /// softmax, whose gradient at one class mostly depends on the other classes.
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
    // Any batch is allowed, whatever batch the model was exported with.
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
