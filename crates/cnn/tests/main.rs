//! One binary; each group says what it holds in its first line.

mod hostile;
mod models;
mod operators;
mod support;
