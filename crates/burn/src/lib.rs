//! Max pooling with argmax, and unpooling, for [Burn](https://burn.dev) tensors.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use unpool_burn::{IndexSpace, Overlap, Padding, Window, max_pool2d, max_unpool2d};
//!
//! # #[cfg(feature = "flex")] {
//! let device = Device::flex();
//! let x = Tensor::<1>::from_floats([1.0, 9.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 8.0], &device);
//! let x = x.reshape([1, 1, 3, 3]);
//!
//! let (values, taps) = max_pool2d(x, Window::new(2).with_padding(Padding::Same));
//! let restored = max_unpool2d(values, &taps, Overlap::Last);
//! assert_eq!(restored.dims(), [1, 1, 3, 3]); // odd sizes come back
//!
//! // What Burn and PyTorch would return.
//! let indices = taps.to_indices(IndexSpace::Plane);
//! assert_eq!(indices.into_data().try_to_vec::<i32>().unwrap(), [1, 5, 6, 8]);
//! # }
//! ```
//!
//! The operations are those of [`unpool`], with its rules and its bits: ties go to the first cell, NaN wins,
//! padding is not a value, values keep their bits, and results do not depend on the backend, the device or the
//! run. Elements are f32, f16 and bf16.
//!
//! # When to use what
//!
//! | to | see |
//! |---|---|
//! | pool `[batch, channels, spatial…]` | [`max_pool1d`], [`max_pool2d`], [`max_pool3d`]; without argmax [`max_pool2d_values`] and its like |
//! | unpool | [`max_unpool1d`], [`max_unpool2d`], [`max_unpool3d`] |
//! | get an error instead of a panic | [`try_max_pool`], [`try_max_unpool`], for any number of axes |
//! | describe the window | [`PoolOptions`]: [`Window`], Burn's `MaxPoolOptions`, or a size |
//! | convert to and from the indices of Burn, PyTorch and others | [`Taps::to_indices`], [`Taps::from_indices`] |
//! | put it into a network | [`MaxPool2d`], [`MaxUnpool2d`], and their like in 1-D and 3-D |
//! | run on a wgpu device | `init_wgpu`, or `attach` for a device of the application's |
//! | serve clients on other machines | `ServeMaxPool` |
//! | write an extension of Burn that builds on this one | [`MaxPoolBackend`] |
//!
//! # Gradients
//!
//! Pooling finds a matrix S with a single 1 in each row; unpooling applies Sᵀ, and [`try_gather`] applies S. So
//! the gradient of pooling is an unpooling by [`Overlap::Sum`], and that of unpooling a gather, of any order.
//! Kept for the way back is one byte a value, and nothing of the tensors that were read. Operations are
//! declared compute-bound, as Burn declares its own pooling: gradient checkpointing keeps their results.
//!
//! # Features
//!
//! `flex` and `autodiff` are on by default. `wgpu`, `vulkan`, `ndarray`, `fusion`, `remote` and `remote-server`
//! turn on Burn's features of these names and the code for them here. Turn them on here, not in Burn alone.

#![deny(missing_docs)]

#[cfg(feature = "autodiff")]
mod autodiff;
mod backend;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
#[cfg(feature = "wgpu")]
mod cube;
#[cfg(any(feature = "fusion", feature = "remote"))]
mod deferred;
mod error;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "fusion")]
mod fusion;
mod layout;
mod max_pool;
mod max_unpool;
mod modules;
#[cfg(feature = "ndarray")]
mod ndarray;
mod options;
#[cfg(feature = "remote")]
mod remote;
mod taps;

pub use backend::MaxPoolBackend;
#[cfg(feature = "wgpu")]
pub use cube::{attach, init_wgpu};
pub use error::Error;
pub use max_pool::{
    max_pool1d, max_pool1d_values, max_pool2d, max_pool2d_values, max_pool3d, max_pool3d_values,
    try_max_pool, try_max_pool_values,
};
pub use max_unpool::{max_unpool1d, max_unpool2d, max_unpool3d, try_gather, try_max_unpool};
pub use modules::{
    MaxPool1d, MaxPool1dConfig, MaxPool2d, MaxPool2dConfig, MaxPool3d, MaxPool3dConfig,
    MaxUnpool1d, MaxUnpool1dConfig, MaxUnpool2d, MaxUnpool2dConfig, MaxUnpool3d, MaxUnpool3dConfig,
};
pub use options::PoolOptions;
#[cfg(feature = "remote-server")]
pub use remote::ServeMaxPool;
pub use taps::Taps;
pub use unpool::{self, Geometry, IndexSpace, Overlap, Padding, Window};

/// The code of the README is compiled and run with the tests.
#[cfg(all(doctest, feature = "flex", feature = "wgpu"))]
#[doc = include_str!("../README.md")]
struct Readme;
