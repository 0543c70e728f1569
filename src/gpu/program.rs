//! Which kernel runs, with which constants: everything that is fixed before a device is known.

use std::fmt;

use crate::argmax::Overlap;
use crate::element::Element;
use crate::geometry::Axis;
use crate::geometry::Geometry;
use crate::gpu::operation::{ForeignPass, Operation, Slot, Slots};
use crate::gpu::unrolled;
use crate::gpu::work::{Lanes, Owned, units_of_thread};
use crate::index_space::IndexSpace;
use crate::scatter::Scatter;

/// A compute pipeline before it is compiled: shader, entry point and constants.
///
/// One exists per window, layout, element and operation, and a few where padding, what is left over
/// after the last window, or channels and rows that divide by four or eight make other code; extents are
/// no constants of it. Two programs that are equal compile to the same pipeline, and a
/// [`Gpu`](crate::Gpu) keeps each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    pub(crate) operation: Operation,
    pub(crate) lanes: Lanes,
    pub(crate) owned: Owned,
    bits: u32,
    constants: Vec<(&'static str, u32)>,
    /// What of the shader is written for the window.
    unrolled: String,
    /// Units that a thread makes.
    pub(crate) units: usize,
    /// Whether four cells are loaded and stored in words of 64 bits.
    wide: bool,
    /// Slots that are read and bound as read-write, because their buffers are written at other slots.
    shared: Slots,
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
        let lanes = Lanes::of(geometry, operation);
        let bits = element.bytes() as u32 * 8;
        let owned = Owned::of(geometry, operation, lanes, bits);
        let axes = &geometry.axes;
        let mut constants = vec![
            ("BITS", bits),
            ("TAP_BYTES", geometry.tap_width() as u32),
            ("AXES", geometry.spatial_axes().len() as u32),
            ("SOLE", (geometry.inner == 1).into()),
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
                if overlap == Overlap::Sum {
                    constants.extend([kind, ("SUMMED", 1)]);
                }
                let windows = geometry.axes.map(|a| a.windows_per_cell());
                let padded = geometry.axes.iter().any(|a| a.blocks_reach_outside());
                if owned == Owned::Cells {
                    for (axis, names) in axes.iter().zip([
                        ["STEP_Z", "INVERSE_Z", "TAPS_Z"],
                        ["STEP_Y", "INVERSE_Y", "TAPS_Y"],
                        ["STEP_X", "INVERSE_X", "TAPS_X"],
                    ]) {
                        let taps = axis.taps_of_cell();
                        constants.extend(names.into_iter().zip([
                            taps.step,
                            taps.inverse,
                            taps.count,
                        ]));
                    }
                }
                if owned != Owned::Cells {
                    constants.push(("SINGLE", (windows == [1; 3]).into()));
                }
                if owned == Owned::Blocks {
                    let whole = |a: &Axis| a.windows_per_cell() == 1 && a.blocks() == (0..a.pooled);
                    let spare = !geometry.axes.iter().all(whole);
                    constants.extend([("PADDED", padded.into()), ("SPARE", spare.into())]);
                }
            }
            _ => {}
        }
        if lanes == Lanes::Rows {
            if operation == Operation::Pool {
                constants.push(("BEFORE_X", geometry.axes[2].before));
            }
            if operation == Operation::UnpoolBackward {
                constants.push(("IN_ROWS", 1));
            }
        }
        let units = units_of_thread(geometry, operation, lanes, owned, bits);
        constants.push(("PAIRED", (units == 2).into()));
        let unrolled = match (operation, owned) {
            (Operation::Pool, _) if lanes == Lanes::Rows => unrolled::search_rows(axes),
            (Operation::Pool, _) => unrolled::search(axes),
            (Operation::Unpool(_), Owned::Blocks) => unrolled::unpool(axes, units),
            (Operation::Unpool(_), Owned::RowBlocks) => unrolled::unpool_rows(axes, units),
            _ => String::new(),
        };
        Self {
            operation,
            lanes,
            owned,
            bits,
            constants,
            unrolled,
            units,
            wide: false,
            shared: Slots::default(),
        }
    }

    /// The same in words of 64 bits, where four adjacent cells fill one: for devices that have
    /// [`SHADER_INT64`](wgpu::Features::SHADER_INT64), and no faster but on software adapters.
    #[must_use]
    pub fn wide(self) -> Self {
        let wide = self.lanes != Lanes::Apart && self.bits >= 16;
        Self { wide, ..self }
    }

    /// The same for operands that lie in one buffer, which is read and written: everything is bound as
    /// read-write, since `wgpu` allows a buffer no other use beside that one in a dispatch.
    #[must_use]
    pub fn in_one_buffer(self) -> Self {
        let read = self.operation.slots().iter().copied().filter(|slot| slot.is_read());
        self.with_shared(Slots::of(read))
    }

    /// The same with what is read at some slots bound as read-write.
    pub(crate) fn with_shared(&self, slots: Slots) -> Self {
        let own = self.operation.slots().iter().copied();
        let shared = Slots::of(own.filter(|&slot| slot.is_read() && slots.contains(slot)));
        Self { shared, ..self.clone() }
    }

    /// How a buffer is bound at a slot.
    pub(crate) fn binding_type(&self, slot: Slot) -> wgpu::BufferBindingType {
        if self.shared.contains(slot) {
            wgpu::BufferBindingType::Storage { read_only: false }
        } else {
            slot.kind()
        }
    }

    /// One pass of an unpooling by foreign indices.
    pub(crate) fn foreign(
        placement: &Scatter,
        element: Element,
        overlap: Overlap,
        pass: ForeignPass,
    ) -> Self {
        let space = placement.index_space();
        let channels_last = matches!(space, IndexSpace::Image | IndexSpace::Batch);
        let bits = element.bytes() as u32 * 8;
        let constants = vec![
            ("BITS", bits),
            ("KIND", kind(element)),
            ("REACH", reach(space)),
            ("CHANNELS_LAST", channels_last.into()),
            ("COLUMN_MAJOR", (space == IndexSpace::TensorColumnMajor).into()),
        ];
        let operation = Operation::Foreign(pass, overlap);
        let unrolled = String::new();
        Self {
            operation,
            lanes: Lanes::Apart,
            owned: Owned::Cells,
            bits,
            constants,
            unrolled,
            units: 1,
            wide: false,
            shared: Slots::default(),
        }
    }

    /// Another entry point of the same module.
    pub(crate) fn with_operation(&self, operation: Operation) -> Self {
        Self { operation, ..self.clone() }
    }

    /// Every program that the four operations on a pooling of `geometry` and `element` can need:
    /// `max_pool`, `max_unpool` with either [`Overlap`], and `max_unpool_backward`.
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

    /// Every program that converting between taps and indices of a space can need.
    pub fn of_index_space(geometry: &Geometry, space: IndexSpace) -> Vec<Self> {
        use Operation::{CloseReport, IndicesToTaps, OpenReport, TapsToIndices};
        [TapsToIndices, IndicesToTaps, OpenReport, CloseReport]
            .map(|operation| Self::of_indices(geometry, operation, space))
            .into()
    }

    /// Every program that unpooling by foreign indices can need.
    pub fn of_placement(placement: &Scatter, element: Element) -> Vec<Self> {
        use ForeignPass::{Accumulate, Clear, Close, Count, Gather, Mark, Move, Place, Scan};
        let last = [Clear, Place, Close, Gather].map(|pass| (pass, Overlap::Last));
        let sum = [Clear, Place, Count, Scan, Move, Mark, Accumulate, Close, Gather];
        let sum = sum.map(|pass| (pass, Overlap::Sum));
        let all = last.into_iter().chain(sum);
        all.map(|(pass, overlap)| Self::foreign(placement, element, overlap, pass)).collect()
    }

    /// The WGSL module: the operation's shader, the preludes it shares with others, and a function
    /// that is written for the window.
    pub fn source(&self) -> String {
        let read = self.operation.slots().iter().filter(|&&slot| self.shared.contains(slot));
        read.fold(self.read_only_source(), |source, slot| {
            let declared = format!("@binding({}) var<storage, read>", slot.binding());
            let written = format!("@binding({}) var<storage, read_write>", slot.binding());
            source.replace(&declared, &written)
        })
    }

    /// The module, in which what is read is bound as read-only.
    fn read_only_source(&self) -> String {
        macro_rules! shader {
            ($name:literal) => {
                include_str!(concat!("../../shaders/", $name, ".wgsl"))
            };
        }
        let quad = match (self.bits, self.wide) {
            (32, false) => shader!("quad32"),
            (32, true) => shader!("quad32_wide"),
            (16, false) => shader!("quad16"),
            (16, true) => shader!("quad16_wide"),
            _ => shader!("quad8"),
        };
        let lanes: &[&str] = match self.lanes {
            Lanes::Together | Lanes::Rows => &[quad, shader!("together")],
            Lanes::Apart => &[shader!("apart")],
        };
        let window = [&[shader!("element"), shader!("grid")][..], lanes].concat();
        let own: &[&str] = match self.operation {
            Operation::Pool if self.lanes == Lanes::Rows => {
                &[shader!("order"), shader!("max_pool_rows")]
            }
            Operation::Pool => &[shader!("order"), shader!("max_pool")],
            Operation::Unpool(_) => match self.owned {
                Owned::Cells => &[shader!("sum"), shader!("max_unpool_cells")],
                Owned::RowBlocks => &[shader!("sum"), shader!("held"), shader!("max_unpool_rows")],
                _ => &[shader!("sum"), shader!("held"), shader!("max_unpool_blocks")],
            },
            Operation::UnpoolBackward => &[shader!("max_unpool_backward")],
            Operation::Foreign(_, overlap) => {
                let own: &[&str] = match overlap {
                    Overlap::Last => &[shader!("foreign_last")],
                    Overlap::Sum => &[shader!("sum"), shader!("foreign_sum")],
                };
                let shared = [shader!("element"), shader!("report"), shader!("foreign")];
                return [&shared[..], own].concat().join("\n");
            }
            _ => &[shader!("report"), shader!("indices")],
        };
        [&window[..], own, &[self.unrolled.as_str()]].concat().join("\n")
    }

    /// The name of the entry point in [`Program::source`].
    pub fn entry_point(&self) -> &'static str {
        match (self.operation, self.owned) {
            (Operation::Pool, _) if self.lanes == Lanes::Rows => "max_pool_rows",
            (Operation::Pool, _) => "max_pool",
            (Operation::Unpool(_), Owned::RowBlocks) => "max_unpool_rows",
            (Operation::Unpool(_), Owned::Cells) => "max_unpool_cells",
            (Operation::Unpool(_), _) => "max_unpool_blocks",
            (Operation::UnpoolBackward, _) => "max_unpool_backward",
            (Operation::TapsToIndices, _) => "taps_to_indices",
            (Operation::IndicesToTaps, _) => "indices_to_taps",
            (Operation::OpenReport, _) => "open_report",
            (Operation::CloseReport, _) => "close_report",
            (Operation::Foreign(ForeignPass::Clear, _), _) => "foreign_clear",
            (Operation::Foreign(ForeignPass::Place, _), _) => "foreign_place",
            (Operation::Foreign(ForeignPass::Count, _), _) => "foreign_count",
            (Operation::Foreign(ForeignPass::Scan, _), _) => "foreign_scan",
            (Operation::Foreign(ForeignPass::Move, _), _) => "foreign_move",
            (Operation::Foreign(ForeignPass::Mark, _), _) => "foreign_mark",
            (Operation::Foreign(ForeignPass::Accumulate, _), _) => "foreign_accumulate",
            (Operation::Foreign(ForeignPass::Close, _), _) => "foreign_close",
            (Operation::Foreign(ForeignPass::Gather, _), _) => "foreign_gather",
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

/// `KIND` of `shaders/element.wgsl`.
fn kind(element: Element) -> u32 {
    match element {
        Element::F32 => 0,
        Element::F16 => 1,
        Element::BF16 => 2,
        Element::I32 | Element::I8 => 3,
        Element::U32 | Element::U8 => 4,
    }
}

/// `REACH` of `shaders/foreign.wgsl`.
fn reach(space: IndexSpace) -> u32 {
    match space {
        IndexSpace::Plane => 0,
        IndexSpace::Image => 1,
        IndexSpace::Batch | IndexSpace::Tensor | IndexSpace::TensorColumnMajor => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::{kind, reach};
    use crate::gpu::layout::constant;
    use crate::{Element, IndexSpace};

    #[test]
    fn kinds_and_reaches_are_numbered_as_in_the_shaders() {
        let source = include_str!("../../shaders/element.wgsl");
        for (element, name) in [
            (Element::F32, "BINARY32"),
            (Element::F16, "BINARY16"),
            (Element::BF16, "BFLOAT16"),
            (Element::I32, "SIGNED"),
            (Element::U8, "UNSIGNED"),
        ] {
            assert_eq!(kind(element), constant(source, name), "{name}");
        }
        let source = [
            source,
            include_str!("../../shaders/report.wgsl"),
            include_str!("../../shaders/foreign.wgsl"),
        ];
        let source = &source.join("\n");
        for (space, name) in [
            (IndexSpace::Plane, "PLANE"),
            (IndexSpace::Image, "IMAGE"),
            (IndexSpace::Tensor, "TENSOR"),
        ] {
            assert_eq!(reach(space), constant(source, name), "{name}");
        }
    }
}
