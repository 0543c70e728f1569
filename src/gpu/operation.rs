//! The operations of the shaders, and what is bound for each.

use crate::argmax::Overlap;

/// One of the operations that a [`Step`](crate::Step) runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Pool,
    Unpool(Overlap),
    UnpoolBackward,
    TapsToIndices,
    IndicesToTaps,
    OpenReport,
    CloseReport,
    Foreign(ForeignPass, Overlap),
}

/// The passes of `shaders/foreign_last.wgsl` and `shaders/foreign_sum.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ForeignPass {
    Clear,
    Place,
    /// Of a sum, as are `Scan`, `Move`, `Mark` and `Accumulate`.
    Count,
    Scan,
    Move,
    Mark,
    Accumulate,
    Close,
    Gather,
}

/// What stands at a binding: its number in the shaders, and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Params,
    /// The tensor that is read.
    In,
    /// The tensor that is written.
    Out,
    TapsRead,
    TapsWritten,
    Frame,
    Report,
    /// The uniforms of `shaders/foreign.wgsl`.
    Foreign,
    Indices,
    Scratch,
}

/// Slots, told by their binding numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Slots(u8);

impl Slots {
    pub(crate) fn contains(self, slot: Slot) -> bool {
        self.0 >> slot.binding() & 1 == 1
    }

    /// Those of an iterator.
    pub(crate) fn of(slots: impl IntoIterator<Item = Slot>) -> Self {
        Self(slots.into_iter().fold(0, |bits, slot| bits | 1 << slot.binding()))
    }
}

impl Slot {
    pub(crate) fn binding(self) -> u32 {
        match self {
            Self::Params | Self::Foreign => 0,
            Self::In => 1,
            Self::Out => 2,
            Self::TapsRead | Self::TapsWritten | Self::Indices => 3,
            Self::Frame => 4,
            Self::Report => 5,
            Self::Scratch => 6,
        }
    }

    /// Whether a dispatch writes there.
    pub(crate) fn is_written(self) -> bool {
        self.kind() == wgpu::BufferBindingType::Storage { read_only: false }
    }

    /// Whether a dispatch reads a tensor there.
    pub(crate) fn is_read(self) -> bool {
        self.kind() == wgpu::BufferBindingType::Storage { read_only: true }
    }

    pub(crate) fn kind(self) -> wgpu::BufferBindingType {
        use wgpu::BufferBindingType::{Storage, Uniform};
        match self {
            Self::Params | Self::Frame | Self::Foreign => Uniform,
            Self::In | Self::TapsRead | Self::Indices => Storage { read_only: true },
            Self::Out | Self::TapsWritten | Self::Report | Self::Scratch => {
                Storage { read_only: false }
            }
        }
    }
}

impl Operation {
    /// Whether it converts taps and indices, one for one, rather than windows and cells.
    pub(crate) fn converts(self) -> bool {
        matches!(self, Self::TapsToIndices | Self::IndicesToTaps)
    }

    /// Its bindings.
    pub(crate) fn slots(self) -> &'static [Slot] {
        use Slot::{
            Foreign, Frame, In, Indices, Out, Params, Report, Scratch, TapsRead, TapsWritten,
        };
        match self {
            Self::Pool => &[Params, In, Out, TapsWritten],
            Self::Unpool(_) | Self::UnpoolBackward => &[Params, In, Out, TapsRead],
            Self::TapsToIndices => &[Params, Out, TapsRead, Frame],
            Self::IndicesToTaps => &[Params, In, TapsWritten, Frame, Report],
            Self::OpenReport => &[Report],
            Self::CloseReport => &[Params, In, Report],
            Self::Foreign(ForeignPass::Clear, _) => &[Foreign, Report, Scratch],
            Self::Foreign(ForeignPass::Place, _) => &[Foreign, Indices, Report, Scratch],
            Self::Foreign(
                ForeignPass::Count | ForeignPass::Scan | ForeignPass::Move | ForeignPass::Mark,
                _,
            ) => &[Foreign, Scratch],
            Self::Foreign(ForeignPass::Accumulate, _) => &[Foreign, In, Scratch],
            Self::Foreign(ForeignPass::Close, _) => &[Indices, Report],
            Self::Foreign(ForeignPass::Gather, _) => &[Foreign, In, Out, Scratch],
        }
    }
}
