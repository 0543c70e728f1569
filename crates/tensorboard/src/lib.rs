#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod histogram;
mod proto;
mod record;
mod writer;

pub use histogram::Histogram;
pub use writer::{Error, Node, Picture, Writer};
