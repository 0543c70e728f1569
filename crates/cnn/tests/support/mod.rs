//! What the groups of tests share.

pub(crate) mod compare;
pub(crate) mod definition;
pub(crate) mod engines;
pub(crate) mod expected;
pub(crate) mod naive;
pub(crate) mod onnx;
pub(crate) mod random;
pub(crate) mod wire;
