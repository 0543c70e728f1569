#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod argmax;
#[cfg(feature = "ndarray")]
mod arrays;
mod axis;
pub mod cpu;
mod element;
#[cfg(not(target_arch = "wasm32"))]
mod engine;
mod error;
mod geometry;
mod gpu;
mod index;
mod place;
mod placement;
mod shape;
mod window;

pub use argmax::{Overlap, Pooled, Taps};
#[cfg(feature = "ndarray")]
pub use arrays::PooledArray;
pub use element::{Cell, Element};
#[cfg(not(target_arch = "wasm32"))]
pub use engine::Engine;
pub use error::{Error, GeometryError};
pub use geometry::Geometry;
pub use gpu::{ForeignUnpooling, Gpu, IndexReport, Operand, Pooling, Program, Readback, Step};
pub use index::{Index, IndexSpace};
#[cfg(feature = "ndarray")]
pub use ndarray;
pub use placement::{IndicesIn, Placement};
pub use shape::{Layout, Shape};
pub use wgpu;
pub use window::{Padding, Window};
