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

    /// Extents of the tensor it makes: `[batch, channels, …]`, or with the channels last where
    /// [`layout`](Self::layout) says so.
    pub fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    /// Whether its channels come second, as in most layers, or last, as inside of a ConvNeXt or a
    /// transformer. [`Activation::channels_first`](crate::Activation::channels_first) moves them.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Channels, or classes.
    pub fn channels(&self) -> usize {
        self.tensor.shape.get(self.channel_axis()).copied().unwrap_or(1)
    }

    /// Extents of the axes other than those of the batch and the channels.
    pub fn spatial(&self) -> Vec<usize> {
        self.spatial_axes().map(|axis| self.tensor.shape[axis]).collect()
    }

    /// Units of a channel of one image.
    pub fn positions(&self) -> usize {
        self.spatial().iter().product()
    }

    fn channel_axis(&self) -> usize {
        match self.layout {
            Layout::ChannelsLast => self.tensor.shape.len().saturating_sub(1).max(1),
            _ => 1,
        }
    }

    pub(crate) fn spatial_axes(&self) -> impl DoubleEndedIterator<Item = usize> {
        let channels = self.channel_axis();
        (1..self.tensor.shape.len()).filter(move |&axis| axis != channels)
    }

    /// Numbers it has learnt.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}
