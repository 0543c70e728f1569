//! Everything that is refused, with the node, its operator, what was found and what was allowed.

/// Everything the crate refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the parts of the message, under its own names")]
pub enum Error {
    #[error("{path}: {message}")]
    File { path: String, message: String },
    #[error("not an ONNX model: {message}")]
    Decode { message: String },
    #[error("the graph has {found}; {allowed}")]
    Graph { found: String, allowed: String },
    #[error("{found}; {allowed}")]
    Operators { found: String, allowed: String },
    #[error("node {node:?} ({operator}): {found}; {allowed}")]
    Node { node: String, operator: String, found: String, allowed: String },
    #[error("weights {name:?}: {found}; {allowed}")]
    Weights { name: String, found: String, allowed: String },
    #[error("the input has {found}; {allowed}")]
    Input { found: String, allowed: String },
    #[error("{found:?} is not a layer; layers are {allowed}")]
    Layer { found: String, allowed: String },
    #[error("layer {layer:?} was not kept; kept are {allowed}")]
    NotKept { layer: String, allowed: String },
    #[error("layer {layer:?}: {found}; {allowed}")]
    Target { layer: String, found: String, allowed: String },
    #[error("{method}: {found}; {allowed}")]
    Attribution { method: String, found: String, allowed: String },
    #[error("{tensor} needs {needed} bytes; {allowed} are allowed")]
    Memory { tensor: String, needed: u128, allowed: u64 },
    #[error(transparent)]
    Device(#[from] unpool::Error),
    #[error("the device says: {message}")]
    Wgpu { message: String },
}

/// What is wrong with a node, before its name is added.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) found: String,
    pub(crate) allowed: String,
}

impl Fault {
    pub(crate) fn new(found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { found: found.into(), allowed: allowed.into() }
    }
}

impl From<unpool::GeometryError> for Fault {
    fn from(error: unpool::GeometryError) -> Self {
        Self::new(error.to_string(), "a window that fits its input is needed")
    }
}

/// `2×3×4`, as shapes are written in messages.
pub(crate) fn extents(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "scalar".into();
    }
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}
