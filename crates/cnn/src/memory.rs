//! The memory that a session uses, as it is reported.

/// Bytes that a session has allocated on its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Weights.
    pub weights: u64,
    /// Tensors of both directions, which share buffers where they can, and the partial sums of products on a GPU.
    pub tensors: u64,
    /// Bytes that the tensors would have needed without sharing: those of the forward direction, and
    /// those of the longest way back so far.
    pub unshared: u64,
}
