//! Why a node is refused.

use crate::error::{Error, Fault};
use crate::onnx::graph::Node;

/// Why a node is refused: a fault of the node itself, or an error that has its own message.
pub(crate) enum Refusal {
    Fault(Fault),
    Error(Error),
}

impl Refusal {
    /// The error, with the name of the node.
    pub(super) fn at(self, node: &Node) -> Error {
        match self {
            Self::Fault(Fault { found, allowed }) => Error::Node {
                node: node.name.clone(),
                operator: node.operator.clone(),
                found,
                allowed,
            },
            Self::Error(Error::Memory { tensor, needed, allowed }) => Error::Memory {
                tensor: format!("node {:?} ({}): {tensor}", node.name, node.operator),
                needed,
                allowed,
            },
            Self::Error(error) => error,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<unpool::GeometryError> for Refusal {
    fn from(error: unpool::GeometryError) -> Self {
        Self::Fault(error.into())
    }
}
