//! A node as its user sees it: name, operator, shape and number of parameters.

use unpool::Layout;

use crate::plan::value::Tensor;
use crate::program::SlotId;

/// A node that makes a tensor.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) output: String,
    pub(crate) tensor: Tensor,
    pub(crate) parameters: usize,
    /// The tensors that it is made of.
    pub(crate) inputs: Vec<SlotId>,
    pub(crate) input_names: Vec<String>,
    pub(crate) layout: Layout,
}

impl Layer {
    /// The node's name; that of its output where it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its operator, as ONNX calls it.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The name of the tensor it makes.
    pub fn output(&self) -> &str {
        &self.output
    }

    /// The names of what it reads, weights included.
    pub fn inputs(&self) -> &[String] {
        &self.input_names
    }

    /// Extents of the tensor it makes: `[batch, channels, …]`.
    pub fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    /// Channels, or classes: the second extent.
    pub fn channels(&self) -> usize {
        self.tensor.shape.get(1).copied().unwrap_or(1)
    }

    /// Whether its channels come second, as in most layers, or last, as inside of a ConvNeXt or a
    /// transformer. [`channels`](Self::channels), [`positions`](Self::positions) and targets count the second axis
    /// as the channels all the same.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Units of a channel of one image.
    pub fn positions(&self) -> usize {
        self.tensor.shape.iter().skip(2).product()
    }

    /// Numbers it has learnt.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}
