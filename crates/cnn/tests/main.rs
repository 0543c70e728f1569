//! One binary; each group says what it holds in its first line.

mod exported;
mod fields;
mod hostile;
mod models;
mod nodes;
mod operators;
mod padding;
mod support;
