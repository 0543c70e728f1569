//! [`Error`]: every refusal of this crate.

use burn::tensor::DType;

/// Why an operation on Burn tensors was refused.
///
/// Each message says what was found and what is allowed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages name and explain the fields")]
pub enum Error {
    #[error(transparent)]
    Unpool(#[from] unpool::Error),
    #[error("{operand} has elements of {found:?}; {allowed} are allowed")]
    DType { operand: &'static str, found: DType, allowed: &'static str },
    #[error("{operand} has shape {found:?}; the taps take {allowed:?}")]
    Shape { operand: &'static str, found: Vec<usize>, allowed: Vec<usize> },
    #[error("taps have elements of {found:?}; those of this window have {allowed:?}")]
    TapType { found: DType, allowed: DType },
    #[error("{operand} has {found} dimensions; 3, 4 and 5 are allowed")]
    Rank { operand: &'static str, found: usize },
    #[error("the tensor could not be read: {message}")]
    Read { message: String },
    #[error("{device} is no wgpu device of Burn's; only such a device can be attached")]
    NotWgpu { device: String },
}

impl From<unpool::GeometryError> for Error {
    fn from(error: unpool::GeometryError) -> Self {
        Self::Unpool(error.into())
    }
}
