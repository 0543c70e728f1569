//! The values that the names of a graph stand for.

use std::sync::Arc;

use unpool::Geometry;

use crate::onnx::constant::Constant;
use crate::program::SlotId;

/// A tensor of floats: its shape and its slot. A reshaped tensor shares the slot of the original.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) slot: SlotId,
}

/// The value of a name in the graph.
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
