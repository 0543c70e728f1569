#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod back;
mod cpu;
mod error;
mod gpu;
mod kernel;
mod machine;
mod model;
mod onnx;
mod plan;
mod program;
mod region;
mod session;
mod strongest;
mod target;

pub use error::{Error, SUPPORTED};
pub use kernel::Rule;
pub use model::Model;
pub use plan::{Layer, Plan};
pub use region::Region;
pub use session::{Activation, Keep, Memory, Projection, Session};
pub use strongest::{Found, Strongest};
pub use target::{Target, Unit};
pub use unpool::Engine;
