//! The four operations.

/// An operation of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Pooling.
    MaxPool,
    /// Unpooling.
    MaxUnpool,
    /// The gradient of pooling.
    MaxPoolBackward,
    /// The gradient of unpooling.
    MaxUnpoolBackward,
}

impl Op {
    /// All, in the order in which they are timed.
    pub const ALL: [Self; 4] =
        [Self::MaxPool, Self::MaxUnpool, Self::MaxPoolBackward, Self::MaxUnpoolBackward];

    /// The name of the method, the shader and the benchmark.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxPool => "max_pool",
            Self::MaxUnpool => "max_unpool",
            Self::MaxPoolBackward => "max_pool_backward",
            Self::MaxUnpoolBackward => "max_unpool_backward",
        }
    }
}
