//! The operands of each operation, by name.
//!
//! An operand is `&`[`wgpu::Buffer`], a [`wgpu::BufferSlice`] or an [`Operand`](crate::Operand); all operands
//! of a call have one of these types. Sizes are those of [`Pooling`](crate::Pooling) and
//! [`Scattering`](crate::Scattering).
//!
//! ```no_run
//! # fn f(pooling: &unpool::Pooling, x: &wgpu::Buffer, arena: &wgpu::Buffer) -> Result<(), unpool::Error> {
//! # use unpool::wgpu;
//! use unpool::{Operand, operands::MaxPool};
//!
//! let buffers = pooling.create_buffers()?;
//! let step = pooling.max_pool(MaxPool {
//!     input: &buffers.input,
//!     values: &buffers.values,
//!     taps: &buffers.taps,
//! })?;
//! let step = pooling.max_pool(MaxPool {
//!     input: Operand::from(x),
//!     values: arena.slice(..4096).into(),
//!     taps: arena.slice(4096..8192).into(),
//! })?;
//! # Ok(())
//! # }
//! ```

/// Operands of [`Pooling::max_pool`](crate::Pooling::max_pool).
#[derive(Clone, Copy, Debug)]
pub struct MaxPool<B> {
    /// Read; [`input_bytes`](crate::Pooling::input_bytes).
    pub input: B,
    /// Written; [`values_bytes`](crate::Pooling::values_bytes).
    pub values: B,
    /// Written; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
}

/// Operands of [`Pooling::max_pool_values`](crate::Pooling::max_pool_values).
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolValues<B> {
    /// Read; [`input_bytes`](crate::Pooling::input_bytes).
    pub input: B,
    /// Written; [`values_bytes`](crate::Pooling::values_bytes).
    pub values: B,
}

/// Operands of [`Pooling::max_unpool`](crate::Pooling::max_unpool).
#[derive(Clone, Copy, Debug)]
pub struct MaxUnpool<B> {
    /// Read; [`values_bytes`](crate::Pooling::values_bytes).
    pub values: B,
    /// Read; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
    /// Written; [`input_bytes`](crate::Pooling::input_bytes).
    pub output: B,
}

/// Operands of [`Pooling::max_pool_backward`](crate::Pooling::max_pool_backward).
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolBackward<B> {
    /// Read: the gradient of the values; [`values_bytes`](crate::Pooling::values_bytes).
    pub grad_output: B,
    /// Read; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
    /// Written: the gradient of the input; [`input_bytes`](crate::Pooling::input_bytes).
    pub grad_input: B,
}

/// Operands of [`Pooling::max_unpool_backward`](crate::Pooling::max_unpool_backward).
#[derive(Clone, Copy, Debug)]
pub struct MaxUnpoolBackward<B> {
    /// Read: the gradient of the unpooled tensor; [`input_bytes`](crate::Pooling::input_bytes).
    pub grad_output: B,
    /// Read; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
    /// Written: the gradient of the values; [`values_bytes`](crate::Pooling::values_bytes).
    pub grad_input: B,
}

/// Operands of [`Pooling::taps_to_indices`](crate::Pooling::taps_to_indices).
#[derive(Clone, Copy, Debug)]
pub struct TapsToIndices<B> {
    /// Read; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
    /// Written; [`indices_bytes`](crate::Pooling::indices_bytes).
    pub indices: B,
}

/// Operands of [`Pooling::indices_to_taps`](crate::Pooling::indices_to_taps).
#[derive(Clone, Copy, Debug)]
pub struct IndicesToTaps<B> {
    /// Read; [`indices_bytes`](crate::Pooling::indices_bytes).
    pub indices: B,
    /// Written; [`taps_bytes`](crate::Pooling::taps_bytes).
    pub taps: B,
    /// Written: an [`IndexReport`](crate::IndexReport), of [`BYTES`](crate::IndexReport::BYTES).
    pub report: B,
}

/// Operands of [`Scattering::scatter`](crate::Scattering::scatter).
#[derive(Clone, Copy, Debug)]
pub struct Scatter<B> {
    /// Read; [`values_bytes`](crate::Scattering::values_bytes).
    pub values: B,
    /// Read; [`indices_bytes`](crate::Scattering::indices_bytes).
    pub indices: B,
    /// Written; [`output_bytes`](crate::Scattering::output_bytes).
    pub output: B,
    /// Written: an [`IndexReport`](crate::IndexReport), of [`BYTES`](crate::IndexReport::BYTES).
    pub report: B,
}
