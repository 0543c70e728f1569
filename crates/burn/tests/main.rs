//! The operations on Burn tensors, against unpool's CPU path, to the bit.

mod devices;
mod errors;
#[cfg(feature = "wgpu")]
mod failures;
mod forward;
#[cfg(feature = "autodiff")]
mod gradients;
mod modules;
#[cfg(all(feature = "remote-server", feature = "flex", feature = "autodiff"))]
mod remote;
mod tensors;
mod vectors;
