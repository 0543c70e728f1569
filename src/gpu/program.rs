//! Which kernel runs, with which constants: everything that is fixed before a device is known.

use std::borrow::Cow;
use std::fmt;

use crate::argmax::IndexSpace;
use crate::cpu::Overlap;
use crate::element::Element;
use crate::geometry::Geometry;

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
}

impl Slot {
    pub(crate) fn binding(self) -> u32 {
        match self {
            Self::Params => 0,
            Self::In => 1,
            Self::Out => 2,
            Self::TapsRead | Self::TapsWritten => 3,
            Self::Frame => 4,
            Self::Report => 5,
        }
    }

    /// Whether a dispatch writes there.
    pub(crate) fn is_written(self) -> bool {
        self.kind() == wgpu::BufferBindingType::Storage { read_only: false }
    }

    pub(crate) fn kind(self) -> wgpu::BufferBindingType {
        use wgpu::BufferBindingType::{Storage, Uniform};
        match self {
            Self::Params | Self::Frame => Uniform,
            Self::In | Self::TapsRead => Storage { read_only: true },
            Self::Out | Self::TapsWritten | Self::Report => Storage { read_only: false },
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
        use Slot::{Frame, In, Out, Params, Report, TapsRead, TapsWritten};
        match self {
            Self::Pool => &[Params, In, Out, TapsWritten],
            Self::Unpool(_) | Self::UnpoolBackward => &[Params, In, Out, TapsRead],
            Self::TapsToIndices => &[Params, Out, TapsRead, Frame],
            Self::IndicesToTaps => &[Params, In, TapsWritten, Frame, Report],
            Self::OpenReport => &[Report],
            Self::CloseReport => &[Params, In, Report],
        }
    }
}

/// How the four elements of a thread lie: `shaders/together.wgsl` and `shaders/apart.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lanes {
    /// Four channels of one pixel.
    Together,
    /// Four elements adjacent in memory, wherever they are.
    Apart,
}

impl Lanes {
    pub(crate) fn of(geometry: &Geometry) -> Self {
        if geometry.inner.is_multiple_of(4) { Self::Together } else { Self::Apart }
    }
}

/// What a unit, and so a thread, owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owned {
    /// Four adjacent pooled values.
    Pooled,
    /// Four adjacent stride blocks of the input.
    Blocks,
    /// Four adjacent cells of the input.
    Cells,
}

/// A compute pipeline before it is compiled: shader, entry point and constants.
///
/// One exists per window, layout, element and operation; extents are not part of it. Two programs
/// that are equal compile to the same pipeline, and a [`Gpu`](crate::Gpu) keeps each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    pub(crate) operation: Operation,
    pub(crate) lanes: Lanes,
    pub(crate) owned: Owned,
    bits: u32,
    constants: Vec<(&'static str, u32)>,
}

impl Program {
    /// The conversion of taps to indices or back; indices are 32 bits, whatever the element.
    pub(crate) fn of_indices(geometry: &Geometry, operation: Operation, space: IndexSpace) -> Self {
        let mut program = Self::new(geometry, Element::U32, operation);
        let column_major = space == IndexSpace::TensorColumnMajor;
        program.constants.push(("COLUMN_MAJOR", column_major.into()));
        program
    }

    pub(crate) fn new(geometry: &Geometry, element: Element, operation: Operation) -> Self {
        let lanes = Lanes::of(geometry);
        let bits = element.bytes() as u32 * 8;
        let owned = match operation {
            // A block of smaller cells would share words with its neighbours.
            Operation::Unpool(_) if lanes == Lanes::Apart && bits < 32 => Owned::Cells,
            Operation::Unpool(_) => Owned::Blocks,
            _ => Owned::Pooled,
        };
        let mut constants = vec![("BITS", bits), ("TAP_BYTES", geometry.tap_bytes() as u32)];
        for (axis, names) in geometry.axes.iter().zip([
            ["KERNEL_Z", "STRIDE_Z", "DILATION_Z"],
            ["KERNEL_Y", "STRIDE_Y", "DILATION_Y"],
            ["KERNEL_X", "STRIDE_X", "DILATION_X"],
        ]) {
            constants.extend(names.into_iter().zip([axis.kernel, axis.stride, axis.dilation]));
        }
        let kind = ("KIND", kind(element));
        match operation {
            Operation::Pool => {
                let padded = geometry.axes.iter().any(|a| a.reaches_outside());
                constants.extend([kind, ("PADDED", padded.into())]);
            }
            Operation::Unpool(overlap) => {
                let windows = geometry.axes.map(|a| a.windows_per_cell());
                constants.extend(["WINDOWS_Z", "WINDOWS_Y", "WINDOWS_X"].into_iter().zip(windows));
                if overlap == Overlap::Sum {
                    constants.extend([kind, ("SUMMED", 1)]);
                }
            }
            _ => {}
        }
        Self { operation, lanes, owned, bits, constants }
    }

    /// Another entry point of the same module.
    pub(crate) fn with_operation(&self, operation: Operation) -> Self {
        Self { operation, ..self.clone() }
    }

    /// Every program that the four operations on a pooling of `geometry` and `element` can need: `max_pool`, `max_unpool`
    /// with either [`Overlap`], and `max_unpool_backward`.
    pub fn all(geometry: &Geometry, element: Element) -> Vec<Self> {
        [
            Operation::Pool,
            Operation::Unpool(Overlap::Last),
            Operation::Unpool(Overlap::Sum),
            Operation::UnpoolBackward,
        ]
        .map(|operation| Self::new(geometry, element, operation))
        .into()
    }

    /// The WGSL module: the operation's shader and the preludes it shares with others.
    pub fn source(&self) -> Cow<'static, str> {
        let quad = match self.bits {
            32 => include_str!("../../shaders/quad32.wgsl"),
            16 => include_str!("../../shaders/quad16.wgsl"),
            _ => include_str!("../../shaders/quad8.wgsl"),
        };
        let lanes = match self.lanes {
            Lanes::Together => include_str!("../../shaders/together.wgsl"),
            Lanes::Apart => include_str!("../../shaders/apart.wgsl"),
        };
        let grid = include_str!("../../shaders/grid.wgsl");
        match self.operation {
            Operation::Pool => [
                grid,
                quad,
                lanes,
                include_str!("../../shaders/order.wgsl"),
                include_str!("../../shaders/max_pool.wgsl"),
            ]
            .join("\n"),
            Operation::Unpool(_) => [
                grid,
                quad,
                lanes,
                include_str!("../../shaders/sum.wgsl"),
                include_str!("../../shaders/max_unpool.wgsl"),
            ]
            .join("\n"),
            Operation::UnpoolBackward => {
                [grid, quad, lanes, include_str!("../../shaders/max_unpool_backward.wgsl")]
                    .join("\n")
            }
            Operation::TapsToIndices
            | Operation::IndicesToTaps
            | Operation::OpenReport
            | Operation::CloseReport => {
                [grid, quad, lanes, include_str!("../../shaders/indices.wgsl")].join("\n")
            }
        }
        .into()
    }

    /// The name of the entry point in [`Program::source`].
    pub fn entry_point(&self) -> &'static str {
        match (self.operation, self.owned) {
            (Operation::Pool, _) => "max_pool",
            (Operation::Unpool(_), Owned::Cells) => "max_unpool_cells",
            (Operation::Unpool(_), _) => "max_unpool_blocks",
            (Operation::UnpoolBackward, _) => "max_unpool_backward",
            (Operation::TapsToIndices, _) => "taps_to_indices",
            (Operation::IndicesToTaps, _) => "indices_to_taps",
            (Operation::OpenReport, _) => "open_report",
            (Operation::CloseReport, _) => "close_report",
        }
    }

    /// The pipeline-overridable constants, without the workgroup size.
    pub fn constants(&self) -> &[(&'static str, u32)] {
        &self.constants
    }
}

impl fmt::Display for Program {
    /// The label of the pipeline and of all that is made for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unpool {}", self.entry_point())
    }
}

/// `KIND` of `shaders/grid.wgsl`.
fn kind(element: Element) -> u32 {
    match element {
        Element::F32 => 0,
        Element::F16 => 1,
        Element::BF16 => 2,
        Element::I32 | Element::I8 => 3,
        Element::U32 | Element::U8 => 4,
    }
}
