//! Which kernel runs, with which constants: everything that is fixed before a device is known.

use std::fmt;

use crate::argmax::{IndexSpace, Overlap};
use crate::element::Element;
use crate::geometry::Geometry;
use crate::placement::Placement;

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
    Foreign(ForeignPass),
}

/// The passes of `shaders/foreign.wgsl`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ForeignPass {
    Clear,
    Count,
    Start,
    Fill,
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
            Self::Foreign(ForeignPass::Clear) => &[Foreign, Report, Scratch],
            Self::Foreign(ForeignPass::Count | ForeignPass::Start) => {
                &[Foreign, Indices, Report, Scratch]
            }
            Self::Foreign(ForeignPass::Fill) => &[Foreign, Indices, Scratch],
            Self::Foreign(ForeignPass::Gather) => &[Foreign, In, Out, Scratch],
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
        let mut constants = vec![
            ("BITS", bits),
            ("TAP_BYTES", geometry.tap_bytes() as u32),
            ("AXES", geometry.spatial_axes().len() as u32),
        ];
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
                let padded = geometry.axes.iter().any(|a| a.blocks_reach_outside());
                constants.push(("PADDED", padded.into()));
                if overlap == Overlap::Sum {
                    constants.extend([kind, ("SUMMED", 1)]);
                }
            }
            _ => {}
        }
        Self { operation, lanes, owned, bits, constants }
    }

    /// One pass of an unpooling by foreign indices.
    pub(crate) fn foreign(
        placement: &Placement,
        element: Element,
        overlap: Overlap,
        pass: ForeignPass,
    ) -> Self {
        let space = placement.index_space();
        let reach = match space {
            IndexSpace::Plane => 0,
            IndexSpace::Image => 1,
            IndexSpace::Batch | IndexSpace::Tensor | IndexSpace::TensorColumnMajor => 2,
        };
        let channels_last = matches!(space, IndexSpace::Image | IndexSpace::Batch);
        let bits = element.bytes() as u32 * 8;
        let constants = vec![
            ("BITS", bits),
            ("KIND", kind(element)),
            ("REACH", reach),
            ("CHANNELS_LAST", channels_last.into()),
            ("COLUMN_MAJOR", (space == IndexSpace::TensorColumnMajor).into()),
            ("SUMMED", (overlap == Overlap::Sum).into()),
        ];
        let operation = Operation::Foreign(pass);
        Self { operation, lanes: Lanes::Apart, owned: Owned::Cells, bits, constants }
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
    pub fn source(&self) -> String {
        macro_rules! shader {
            ($name:literal) => {
                include_str!(concat!("../../shaders/", $name, ".wgsl"))
            };
        }
        let quad = match self.bits {
            32 => shader!("quad32"),
            16 => shader!("quad16"),
            _ => shader!("quad8"),
        };
        let lanes = match self.lanes {
            Lanes::Together => shader!("together"),
            Lanes::Apart => shader!("apart"),
        };
        let window = [shader!("element"), quad, lanes, shader!("grid")];
        let own: &[&str] = match self.operation {
            Operation::Pool => &[shader!("order"), shader!("max_pool")],
            Operation::Unpool(_) => &[shader!("sum"), shader!("max_unpool")],
            Operation::UnpoolBackward => &[shader!("max_unpool_backward")],
            Operation::Foreign(_) => {
                return [shader!("element"), shader!("sum"), shader!("foreign")].join("\n");
            }
            _ => &[shader!("indices")],
        };
        [&window, own].concat().join("\n")
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
            (Operation::Foreign(ForeignPass::Clear), _) => "foreign_clear",
            (Operation::Foreign(ForeignPass::Count), _) => "foreign_count",
            (Operation::Foreign(ForeignPass::Start), _) => "foreign_start",
            (Operation::Foreign(ForeignPass::Fill), _) => "foreign_fill",
            (Operation::Foreign(ForeignPass::Gather), _) => "foreign_gather",
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
