#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod activation;
mod attribution;
mod awaited;
mod back;
#[cfg(not(target_arch = "wasm32"))]
mod blocking;
mod class_activation;
mod cpu;
mod elements;
mod error;
mod gpu;
mod keep;
mod kernel;
mod machine;
#[cfg(not(target_arch = "wasm32"))]
mod maximize;
mod memory;
mod model;
#[cfg(not(target_arch = "wasm32"))]
mod noise;
mod onnx;
mod operators;
mod plan;
mod program;
mod reading;
mod region;
mod rule;
mod session;
mod storage;
mod strongest;
mod target;
mod targets;
mod unit;

pub use activation::{Activation, Projection};
pub use attribution::Attribution;
pub use back::Relevance;
pub use class_activation::Cam;
pub use error::Error;
pub use keep::Keep;
#[cfg(not(target_arch = "wasm32"))]
pub use maximize::Ascent;
pub use memory::Memory;
pub use model::Model;
pub use plan::{Layer, Plan};
pub use reading::Reading;
pub use region::Region;
pub use rule::Rule;
pub use session::Session;
pub use strongest::{Found, Strongest};
pub use target::Target;
pub use targets::Targets;
pub use unit::Unit;
#[cfg(not(target_arch = "wasm32"))]
pub use unpool::Engine;
pub use unpool::Layout;
