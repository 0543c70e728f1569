//! One binary; each group says what it holds in its first line.

mod attention;
mod attribution;
mod branches;
mod channels_last;
mod exported;
mod fields;
mod functions;
mod hostile;
mod models;
mod nodes;
mod operators;
mod padding;
mod positions;
mod regions;
mod sequences;
mod support;
