//! A model at one size of input: every shape is known, and every operator is lowered to kernels.

mod arrangement;
mod attention;
mod bits;
mod builder;
mod columns;
mod constants;
mod convolution;
mod einsum;
mod folding;
mod fourier;
mod interpolation;
mod layer;
mod lowering;
mod mask;
mod matrix;
mod moves;
mod normalization;
mod operands;
mod padding;
mod pointwise;
mod pooling;
mod positions;
mod reduce;
mod refusal;
mod regions;
mod resize;
mod rotary;
mod sampling;
mod scatter;
mod sequences;
mod shape;
mod sliding;
mod value;

use crate::error::{Error, extents};
use crate::onnx::graph::{Graph, Node};
use crate::program::{Instruction, Slot};
use unpool::Layout;

use builder::Builder;
use value::{Tensor, Value};

pub(crate) use builder::View;
pub use layer::Layer;
pub(crate) use lowering::OPERATORS;

/// A model at one size of input, ready to be run by a [`Session`](crate::Session).
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) input: Tensor,
    pub(crate) layers: Vec<Layer>,
    pub(crate) output: usize,
    pub(crate) slots: Vec<Slot>,
    pub(crate) instructions: Vec<Instruction>,
    /// For each instruction the shapes under which it sees its tensors.
    pub(crate) views: Vec<View>,
    pub(crate) input_name: String,
    pub(crate) input_layout: Layout,
}

impl Plan {
    pub(crate) fn new(graph: &Graph, shape: &[usize], memory: u64) -> Result<Self, Error> {
        check_input(graph, shape)?;
        let mut builder = Builder::new(graph, memory);
        let slot = builder.computed(&graph.input, shape, true)?;
        let input_layout = layout_of(graph, shape);
        if input_layout == Layout::ChannelsLast {
            builder.channels_last.insert(graph.input.clone());
        }
        let input = Tensor { shape: shape.to_vec(), slot };
        builder.values.insert(graph.input.clone(), Value::Tensor(input.clone()));
        let mut layers = Vec::new();
        builder.nodes(&graph.nodes, &mut layers)?;
        let output =
            graph.outputs.iter().find_map(|name| layers.iter().position(|l| l.output == *name));
        let Some(output) = output else {
            let allowed = "one that a node computes as floats is needed".into();
            return Err(Error::Graph {
                found: format!("the outputs {}", graph.outputs.join(", ")),
                allowed,
            });
        };
        let Builder { slots, instructions, views, .. } = builder;
        let input_name = graph.input.clone();
        Ok(Self { input, layers, output, slots, instructions, views, input_name, input_layout })
    }

    /// The layers, in the order in which they run.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Extents of the input: `[batch, channels, height, width]`, or with the channels last where
    /// [`input_layout`](Self::input_layout) says so.
    pub fn input_shape(&self) -> &[usize] {
        &self.input.shape
    }

    /// Whether the channels of the input come before its spatial axes, or after them as Keras and
    /// TensorFlow have them.
    pub fn input_layout(&self) -> Layout {
        self.input_layout
    }

    /// Spatial extents of the input: height and width of an image.
    pub fn input_spatial(&self) -> Vec<usize> {
        self.input.shape[self.spatial_axes()].to_vec()
    }

    pub(crate) fn spatial_axes(&self) -> std::ops::Range<usize> {
        match self.input_layout {
            Layout::ChannelsLast => 1..self.input.shape.len() - 1,
            _ => 2..self.input.shape.len(),
        }
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

    /// The last layer before the class scores that still has maps: where class activation maps are
    /// usually taken. `None` for a network without one. Unpooled maps, mostly 0, and maps in another
    /// order are not taken.
    pub fn last_maps(&self) -> Option<&Layer> {
        let scores = self.index(self.scores().name()).unwrap_or(self.output);
        let is_it = |layer: &&Layer| {
            self.has_maps(layer) && !["MaxUnpool", "Transpose"].contains(&layer.operator())
        };
        self.layers[..scores].iter().rev().find(is_it)
    }

    /// Whether a layer has maps: as many axes as the input, and more than one unit in each channel.
    pub fn has_maps(&self, layer: &Layer) -> bool {
        layer.shape().len() == self.input.shape.len() && layer.positions() > 1
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

/// Whether a graph's images have their channels last: whether what reads the input moves them to the
/// front, or reads it as such a graph does whose one channel can be reshaped there.
pub(crate) fn layout_of(graph: &Graph, shape: &[usize]) -> Layout {
    let reads = |node: &&Node| node.inputs.first() == Some(&graph.input);
    let last = graph.nodes.iter().find(reads).is_some_and(|node| match node.operator.as_str() {
        "Transpose" => {
            let order = node.attributes().ints("perm").ok().flatten().unwrap_or_default();
            order.len() == shape.len() && order.get(1) == Some(&(shape.len() as i64 - 1))
        }
        "Reshape" => shape.last() == Some(&1) && shape.len() > 3 && shape[1] != 1,
        _ => false,
    });
    if last { Layout::ChannelsLast } else { Layout::ChannelsFirst }
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
