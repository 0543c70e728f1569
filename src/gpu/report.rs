//! What a check of indices on the GPU found.

/// What [`Pooling::indices_to_taps`](crate::Pooling::indices_to_taps) and
/// [`ForeignUnpooling::max_unpool`](crate::ForeignUnpooling::max_unpool) write to their report: three
/// `u32`s, to be read back with [`Gpu::read`](crate::Gpu::read) as one of these.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct IndexReport {
    /// Number of indices that were refused.
    pub wrong: u32,
    /// The first of them, as the number of the pooled value; `u32::MAX` if there is none.
    pub element: u32,
    /// That index; `u32::MAX` if there is none.
    pub index: u32,
}

impl IndexReport {
    /// Bytes of a report.
    pub const BYTES: u64 = size_of::<Self>() as u64;
}
