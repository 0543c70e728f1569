#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activation;
mod back;
mod cpu;
mod error;
mod gpu;
mod keep;
mod kernel;
mod machine;
mod model;
mod onnx;
mod plan;
mod program;
mod reading;
mod region;
mod rule;
mod session;
mod strongest;
mod target;
#[cfg(not(target_arch = "wasm32"))]
mod waiting;

pub use activation::{Activation, Projection};
pub use error::{Error, SUPPORTED};
pub use keep::Keep;
pub use model::Model;
pub use plan::{Layer, Plan};
pub use reading::Reading;
pub use region::Region;
pub use rule::Rule;
pub use session::{Memory, Session};
pub use strongest::{Found, Strongest};
pub use target::{Target, Unit};
#[cfg(not(target_arch = "wasm32"))]
pub use unpool::Engine;
