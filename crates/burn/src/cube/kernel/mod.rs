//! The operations as CubeCL kernels, for every runtime of Burn's on which unpool's own steps do not run:
//! CUDA, ROCm, Metal, and a wgpu device that was not attached.
//!
//! One kernel for each act, exact and deterministic, with the bits of unpool's CPU path. They see nothing
//! but 32-bit words, since a runtime need not have types of one and two bytes: a unit writes whole words,
//! each word once. They are not tuned as unpool's steps are.

mod bits;
#[allow(
    clippy::manual_div_ceil,
    clippy::manual_is_multiple_of,
    reason = "CubeCL translates the operators of integers, and few of their functions"
)]
mod geometry;
mod launch;
mod max_pool;
mod max_unpool;
mod taps;

pub(super) use launch::{gather, max_pool, max_pool_values, max_unpool, taps_to_indices};
