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
    Indices(Indices),
}

/// The argmax of a max pooling as whole numbers: the position of each maximum in its plane, plus a
/// number that the plane's images and channels fix.
#[derive(Clone, Debug)]
pub(crate) struct Indices {
    pub(crate) geometry: Arc<Geometry>,
    pub(crate) taps: SlotId,
    /// The shape that the numbers have by now; as many as the pooling has windows.
    pub(crate) shape: Vec<usize>,
    /// The number of the first cell of each plane.
    pub(crate) first: Arc<Vec<i64>>,
}

impl Indices {
    /// The indices that a pooling gives, in ONNX's numbering: one for all images and channels.
    pub(crate) fn new(geometry: Geometry, taps: SlotId) -> Self {
        let plane: usize = geometry.input_shape().spatial().iter().product();
        let pooled = geometry.pooled_shape().dims().to_vec();
        let first = (0..pooled[0] * pooled[1]).map(|n| (n * plane) as i64).collect();
        Self { geometry: Arc::new(geometry), taps, shape: pooled, first: Arc::new(first) }
    }

    /// Cells of a plane that was pooled.
    pub(crate) fn cells(&self) -> usize {
        self.geometry.input_shape().spatial().iter().product()
    }

    /// Windows of a plane.
    pub(crate) fn windows(&self) -> usize {
        self.geometry.pooled_shape().spatial().iter().product()
    }

    /// Whether the cells of plane `n` have the numbers from `n·step` on.
    pub(crate) fn steps_by(&self, step: usize) -> bool {
        self.first.iter().enumerate().all(|(n, &first)| first == (n * step) as i64)
    }
}
