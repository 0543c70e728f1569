//! One binary; each group says what it holds in its first line.

mod models;
mod support;
