//! Cases computed by PyTorch, TensorFlow and ONNX Runtime, and the check of an engine against them.
//!
//! A case is one line of JSON: a window, a shape, an input, and the results of a framework. The
//! command and the library's tests read the same files through this crate, so a case means the
//! same in both. Files can come from anyone: whatever is wrong with one is an [`Unreadable`] that
//! names the file and the line, never a panic.

mod case;
mod check;
mod file;
mod number;

pub use case::{Case, Malformed, PoolGrad, Rule, Unpool, UnpoolGrad};
pub use check::Difference;
pub use file::{Unreadable, builtin, parse, read, read_from};
