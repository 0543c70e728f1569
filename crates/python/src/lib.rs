//! The extension module `unpool._unpool`: the operations of [`unpool`] on flat arrays of bytes, and
//! the networks of [`unpool_cnn`].
//!
//! The functions here take contiguous, one-dimensional arrays of bytes and the name of their element
//! type. The Python sources of the package bring the arrays of their callers into that form, without
//! a copy where they are contiguous. No function holds the interpreter's lock while it computes.

mod arguments;
mod attribution;
mod buffers;
mod command;
mod engines;
mod errors;
mod geometry;
mod indices;
mod network;
mod pooling;
mod scatter;
mod target;

/// Compiled parts of the package `unpool`.
#[pyo3::pymodule]
mod _unpool {
    #[pymodule_export]
    use crate::command::{run_command, sheets};
    #[pymodule_export]
    use crate::engines::{describe, devices};
    #[pymodule_export]
    use crate::geometry::Geometry;
    #[pymodule_export]
    use crate::indices::{from_indices, to_indices};
    #[pymodule_export]
    use crate::network::Network;
    #[pymodule_export]
    use crate::pooling::{max_pool, max_pool_backward, max_unpool, max_unpool_backward};
    #[pymodule_export]
    use crate::scatter::scatter;
}
