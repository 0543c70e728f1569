//! The bindings of the shaders: their numbers, and how each is used.

/// A binding of the shaders. Some share a number; no kernel has two of those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binding {
    /// `Params` of `shaders/prelude/tensor.wgsl`, or `ScatterParams` of `shaders/scatter.wgsl`.
    Params,
    /// The tensor that is read.
    Input,
    /// The tensor that is written.
    Output,
    /// Taps that are read.
    TapsIn,
    /// Taps that are written.
    TapsOut,
    /// Arbitrary indices, which are read.
    Indices,
    /// `IndexStrides` of `shaders/indices.wgsl`.
    IndexStrides,
    /// `Report` of `shaders/prelude/report.wgsl`.
    Report,
    /// The scratch buffer of `shaders/scatter_last.wgsl` and `shaders/scatter_sum.wgsl`.
    Scratch,
}

impl Binding {
    /// The number in the shaders.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Params => 0,
            Self::Input => 1,
            Self::Output => 2,
            Self::TapsIn | Self::TapsOut | Self::Indices => 3,
            Self::IndexStrides => 4,
            Self::Report => 5,
            Self::Scratch => 6,
        }
    }

    /// The type of the binding in a kernel whose operands lie in buffers of their own.
    pub(crate) fn kind(self) -> wgpu::BufferBindingType {
        use wgpu::BufferBindingType::{Storage, Uniform};
        match self {
            Self::Params | Self::IndexStrides => Uniform,
            Self::Input | Self::TapsIn | Self::Indices => Storage { read_only: true },
            Self::Output | Self::TapsOut | Self::Report | Self::Scratch => {
                Storage { read_only: false }
            }
        }
    }

    /// Whether a dispatch writes to the binding.
    pub(crate) fn is_written(self) -> bool {
        self.kind() == wgpu::BufferBindingType::Storage { read_only: false }
    }

    /// Whether a dispatch reads an operand at the binding.
    pub(crate) fn is_read(self) -> bool {
        self.kind() == wgpu::BufferBindingType::Storage { read_only: true }
    }
}

/// A set of bindings, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct BindingSet(u8);

impl BindingSet {
    pub(crate) fn contains(self, binding: Binding) -> bool {
        self.0 >> binding.number() & 1 == 1
    }
}

impl FromIterator<Binding> for BindingSet {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Self {
        Self(bindings.into_iter().fold(0, |bits, binding| bits | 1 << binding.number()))
    }
}
