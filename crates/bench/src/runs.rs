//! How often the copy and the operations run, and in which order.

/// The timed runs.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// Timed runs of the copy and of each operation, after one warm-up run.
    pub each: usize,
    /// The order of the runs.
    pub order: Order,
}

/// The order of the runs, which decides which tensors are in the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The copy and each operation once, then all of them again.
    Interleaved,
    /// All runs of the copy, then all runs of the first operation, and so on, as in a loop around
    /// one call.
    Repeated,
}
