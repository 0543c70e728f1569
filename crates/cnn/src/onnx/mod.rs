//! Reading ONNX files: the protobuf messages, and the graph that is made of them.

pub(crate) mod attributes;
pub(crate) mod constant;
pub(crate) mod external;
mod functions;
pub(crate) mod graph;
pub(crate) mod mapped;
mod proto;
