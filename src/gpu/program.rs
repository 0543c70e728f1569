//! Which kernel runs, with which constants: everything that is fixed before a device is known.

use std::borrow::Cow;
use std::fmt;

use crate::cpu::Overlap;
use crate::element::Element;
use crate::geometry::Geometry;

/// One of the operations that a [`Step`](crate::Step) runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Pool,
    Unpool(Overlap),
    UnpoolBackward,
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
    pub(crate) fn new(geometry: &Geometry, element: Element, operation: Operation) -> Self {
        let lanes = Lanes::of(geometry);
        let bits = element.bytes() as u32 * 8;
        let owned = match operation {
            Operation::Pool | Operation::UnpoolBackward => Owned::Pooled,
            // A block of smaller cells would share words with its neighbours.
            Operation::Unpool(_) if lanes == Lanes::Apart && bits < 32 => Owned::Cells,
            Operation::Unpool(_) => Owned::Blocks,
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
            Operation::UnpoolBackward => {}
        }
        Self { operation, lanes, owned, bits, constants }
    }

    /// Every program that a pooling of `geometry` and `element` can need: `max_pool`, `max_unpool`
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
        }
    }

    /// The pipeline-overridable constants, without the workgroup size.
    pub fn constants(&self) -> &[(&'static str, u32)] {
        &self.constants
    }

    /// Whether the operation writes taps rather than reading them.
    pub(crate) fn writes_taps(&self) -> bool {
        self.operation == Operation::Pool
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
