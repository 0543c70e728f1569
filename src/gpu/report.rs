//! The report of a check of indices on the GPU.

/// The report of [`Pooling::indices_to_taps`](crate::Pooling::indices_to_taps) or
/// [`Scattering::scatter`](crate::Scattering::scatter): three `u32`s, which [`Gpu::read`](crate::Gpu::read)
/// reads back as one of these.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct IndexReport {
    refused: u32,
    /// `u32::MAX` if no index was refused, as `index` is then.
    element: u32,
    index: u32,
}

/// An index that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedIndex {
    /// The number of the pooled value that the index belongs to.
    pub element: u32,
    /// The index.
    pub index: u32,
}

impl IndexReport {
    /// Bytes of a report.
    pub const BYTES: u64 = size_of::<Self>() as u64;

    /// Number of indices that were refused.
    pub fn refused(&self) -> u32 {
        self.refused
    }

    /// The first index that was refused, in the order of the pooled values.
    pub fn first(&self) -> Option<RefusedIndex> {
        let Self { refused, element, index } = *self;
        (refused > 0).then_some(RefusedIndex { element, index })
    }
}
