//! One test binary: the table of cases, geometry and its errors, laws, arrays, index
//! spaces, elements, engines.
//!
//! `support` has the code that the groups share: an oracle written from the definition alone, the table
//! of cases, fills, and the comparison bit for bit.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop, and say where")]

mod support;

mod agreement;
#[cfg(feature = "ndarray")]
mod arrays;
mod cases;
mod elements;
mod engines;
mod extremes;
mod far_reaching;
mod faults;
mod geometry;
mod gpu_indices;
mod hostile;
mod index_spaces;
mod large_windows;
mod laws;
mod limits;
mod negative_control;
mod one_buffer;
mod pipeline_cache;
mod random_geometry;
mod random_sizes;
mod recording;
mod reference;
mod refusals;
mod refused_operands;
mod scatter;
#[cfg(feature = "serde")]
mod serde;
mod shaders;
mod threads;
mod untrusted_taps;
mod vectors;
