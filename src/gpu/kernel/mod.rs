//! Kernels: compute shaders that are specialised on window and element.

mod binding;
mod constants;
mod generated;
#[cfg(test)]
pub(crate) mod layout;
pub(crate) mod size;
pub(crate) mod uniforms;
mod variant;

use std::fmt;

use crate::argmax::Overlap;
use crate::element::Element;
use crate::geometry::{Axis, Geometry};

use crate::index_space::IndexSpace;
use crate::scatter::Scatter;
pub(crate) use binding::{Binding, BindingSet};
use constants::Constants;
use size::{blocks_of_strip, has_constant_lanes, has_few_rows, windows_of_strip};
pub(crate) use variant::{Access, Loads, Operation, Owns, ScatterPass, item_elements};
use variant::{VARIANTS, Variant};

/// A kernel before its text is written: a row of the table of variants, and the constants of its code.
///
/// A kernel is specialised on window, layout, element and operation, and on a few facts about the extents, but not on
/// the extents themselves: such as whether there is padding, and whether channels, rows or tensors are multiples of 4
/// elements, or of 8 or 16 elements of 16 or 8 bits. A [`Gpu`](crate::Gpu) keeps one pipeline for equal kernels.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Index in [`VARIANTS`].
    variant: usize,
    constants: Constants,
    /// Bindings that are read, and bound as read-write because their buffers are written at other bindings.
    read_write: BindingSet,
}

/// The operations on windows that a [`Kernel`] is made for.
#[allow(clippy::enum_variant_names, reason = "the operations have these names in every layer")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowOperation {
    MaxPool { with_taps: bool },
    MaxUnpool(Overlap),
    MaxUnpoolBackward,
}

impl Kernel {
    /// The kernel of an operation on windows.
    pub(crate) fn new(geometry: &Geometry, element: Element, operation: WindowOperation) -> Self {
        let (table_operation, overlap) = match operation {
            WindowOperation::MaxPool { .. } => (Operation::MaxPool, Overlap::Last),
            WindowOperation::MaxUnpool(overlap) => (Operation::MaxUnpool, overlap),
            WindowOperation::MaxUnpoolBackward => (Operation::MaxUnpoolBackward, Overlap::Last),
        };
        let computes = table_operation == Operation::MaxPool || overlap == Overlap::Sum;
        let element = if computes { element } else { moved_as(element) };
        let variant = Variant::index(table_operation, geometry, element);
        let mut kernel = Self::of_window(variant, geometry, element);
        let (constants, axes) = (&mut kernel.constants, &geometry.axes);
        let Variant { access, owns, .. } = VARIANTS[variant];
        constants.summed = overlap == Overlap::Sum;
        constants.strip = match owns {
            Owns::PooledStrips => windows_of_strip(axes, access == Access::Row),
            Owns::Blocks => blocks_of_strip(axes, true),
            Owns::RowCells => blocks_of_strip(axes, constants.summed),
            Owns::PooledValues | Owns::Cells => 1,
        };
        match owns {
            Owns::PooledValues | Owns::PooledStrips => {
                if let WindowOperation::MaxPool { with_taps } = operation {
                    constants.padded = axes.iter().any(|a| a.whole_windows() != (0..a.windows));
                    constants.with_taps = with_taps;
                }
            }
            Owns::Cells | Owns::RowCells => {
                constants.overlapping = axes.iter().any(|a| a.windows_per_cell() > 1);
                if owns == Owns::Cells && access != Access::Channels {
                    constants.pixel = geometry.inner.min(3);
                    constants.few_rows = has_few_rows(geometry);
                }
            }
            Owns::Blocks => {
                let whole = |a: &Axis| a.windows_per_cell() == 1 && a.blocks() == (0..a.windows);
                let cut = |a: &Axis| a.before > 0 || !a.input.is_multiple_of(a.stride);
                constants.padded = constants.strip > 1 || axes.iter().any(cut);
                constants.overlapping = axes.iter().any(|a| a.windows_per_cell() > 1);
                constants.blocks_are_windows = axes.iter().all(whole);
            }
        }
        kernel
    }

    /// The conversion of taps to indices or back. Indices have 32 bits, whatever the element.
    pub(crate) fn of_indices(geometry: &Geometry, operation: Operation, space: IndexSpace) -> Self {
        let variant = Variant::index(operation, geometry, Element::U32);
        let mut kernel = Self::of_window(variant, geometry, Element::U32);
        kernel.constants.space = space;
        kernel
    }

    fn of_window(variant: usize, geometry: &Geometry, element: Element) -> Self {
        let Variant { access, owns, .. } = VARIANTS[variant];
        let constant_lanes = has_constant_lanes(geometry.inner == 1, &geometry.axes[2]);
        let in_rows = match owns {
            Owns::PooledStrips => access == Access::Row,
            Owns::RowCells => constant_lanes,
            Owns::PooledValues | Owns::Cells | Owns::Blocks => false,
        };
        let mut constants = Constants::new(element);
        constants.axes =
            geometry.axes.map(|axis| Axis { input: 0, windows: 0, before: 0, after: 0, ..axis });
        if in_rows {
            constants.axes[2].before = geometry.axes[2].before;
        }
        constants.spatial_axes = geometry.spatial_axes().len() as u32;
        constants.one_element_per_pixel = geometry.inner == 1;
        Self { variant, constants, read_write: BindingSet::default() }
    }

    /// One pass of unpooling by arbitrary indices.
    pub(crate) fn of_scatter(
        scatter: &Scatter,
        element: Element,
        overlap: Overlap,
        pass: ScatterPass,
    ) -> Self {
        // Only the constants that the pass depends on, so that passes of other elements and spaces share its pipeline.
        let mut constants = Constants::new(match (pass, overlap) {
            (ScatterPass::Accumulate | ScatterPass::Gather, Overlap::Sum) => element,
            (ScatterPass::Gather, Overlap::Last) => moved_as(element),
            _ => Element::U32,
        });
        if pass == ScatterPass::Locate {
            constants.space = scatter.index_space();
        }
        let variant = Variant::only(Operation::Scatter(pass, overlap));
        Self { variant, constants, read_write: BindingSet::default() }
    }

    /// Another kernel of the same module.
    pub(crate) fn with_operation(self, operation: Operation) -> Self {
        Self { variant: Variant::only(operation), ..self }
    }

    /// The kernel for operands that lie in one buffer, which it reads and writes: everything is bound as
    /// read-write, since `wgpu` allows a buffer that a dispatch writes no other use in it.
    #[must_use]
    pub fn in_one_buffer(self) -> Self {
        self.with_read_write(self.bindings().collect())
    }

    /// The kernel with those of some bindings that it reads bound as read-write.
    pub(crate) fn with_read_write(mut self, bindings: BindingSet) -> Self {
        let read_write = |&b: &Binding| b.is_read() && bindings.contains(b);
        self.read_write = self.bindings().filter(read_write).collect();
        self
    }

    /// The bindings of the kernel.
    pub(crate) fn bindings(self) -> impl Iterator<Item = Binding> {
        let with_taps = self.constants.with_taps;
        let all = self.row().bindings.iter().copied();
        all.filter(move |&binding| binding != Binding::TapsOut || with_taps)
    }

    /// How a buffer is bound at a binding.
    pub(crate) fn binding_type(self, binding: Binding) -> wgpu::BufferBindingType {
        if self.read_write.contains(binding) {
            wgpu::BufferBindingType::Storage { read_only: false }
        } else {
            binding.kind()
        }
    }

    /// Windows, or stride blocks, one below the other, that a work item owns.
    pub(crate) fn strip(self) -> u32 {
        self.constants.strip
    }

    /// The row of the table of variants.
    pub(crate) fn row(self) -> &'static Variant {
        &VARIANTS[self.variant]
    }

    /// The name of the entry point in [`Kernel::source`].
    pub fn entry_point(self) -> &'static str {
        self.row().entry_point
    }

    /// The WGSL module: the constants, the preludes of the variant's access, its shaders, and the functions
    /// that are written for the window.
    pub fn source(self, workgroup_size: u32) -> String {
        macro_rules! prelude {
            ($name:literal) => {
                include_str!(concat!("../../../shaders/prelude/", $name, ".wgsl"))
            };
        }
        let row = self.row();
        let packed = match self.constants.bits() {
            32 => prelude!("packed_32"),
            16 => prelude!("packed_16"),
            _ => prelude!("packed_8"),
        };
        let loads = match row.loads {
            Loads::Vec4s => prelude!("load_vec4"),
            _ => prelude!("load_words"),
        };
        let half = row.access == Access::RowWords && self.constants.axes[2].stride == 2;
        let [vector, words] = match (self.constants.bits(), half) {
            (16, false) => [prelude!("words_vec4"), prelude!("words_16_vec4")],
            (16, true) => [prelude!("words_vec2"), prelude!("words_16_vec2")],
            (_, false) => [prelude!("words_vec4"), prelude!("words_8")],
            (_, true) => [prelude!("words_vec2"), prelude!("words_8")],
        };
        let (tensor, taps) = (prelude!("tensor"), prelude!("taps"));
        let (vec4, flat, tap_words) = (prelude!("vec4"), prelude!("flat"), prelude!("tap_words"));
        let (packed_32, store_vec4) = (prelude!("packed_32"), prelude!("store_vec4"));
        let preludes: &[&str] = match row.access {
            Access::Channels | Access::Row => &[tensor, taps, packed, vec4, store_vec4],
            Access::ChannelWords => {
                &[tensor, vector, words, tap_words, packed_32, vec4, store_vec4]
            }
            Access::RowWords => &[tensor, vector, words, tap_words, packed_32, store_vec4],
            Access::FlatVec4 => &[tensor, taps, packed, loads, flat, store_vec4],
            Access::Flat => &[tensor, taps, loads, flat, prelude!("flat_words")],
            Access::Words => &[],
        };
        let constants = self.constants.declarations(workgroup_size);
        let generated = (row.generate)(&self.constants);
        let shaders = [&[constants.as_str(), prelude!("element")], preludes, row.shaders].concat();
        let source = shaders.join("\n") + &generated;
        self.bindings().filter(|&b| self.read_write.contains(b)).fold(source, |source, binding| {
            let number = binding.number();
            let read_only = format!("@binding({number}) var<storage, read>");
            let read_write = format!("@binding({number}) var<storage, read_write>");
            source.replace(&read_only, &read_write)
        })
    }

    /// The kernels of the four operations on a geometry and an element: `max_pool` with and without taps,
    /// `max_unpool` with either [`Overlap`], and `max_unpool_backward`.
    pub fn all(geometry: &Geometry, element: Element) -> Vec<Self> {
        [
            WindowOperation::MaxPool { with_taps: true },
            WindowOperation::MaxPool { with_taps: false },
            WindowOperation::MaxUnpool(Overlap::Last),
            WindowOperation::MaxUnpool(Overlap::Sum),
            WindowOperation::MaxUnpoolBackward,
        ]
        .map(|operation| Self::new(geometry, element, operation))
        .into()
    }

    /// The kernels that convert between taps and the indices of a space.
    pub fn all_of_indices(geometry: &Geometry, space: IndexSpace) -> Vec<Self> {
        use Operation::{CloseReport, IndicesToTaps, OpenReport, TapsToIndices};
        [TapsToIndices, IndicesToTaps, OpenReport, CloseReport]
            .map(|operation| Self::of_indices(geometry, operation, space))
            .into()
    }

    /// The kernels that unpool by arbitrary indices.
    pub fn all_of_scatter(scatter: &Scatter, element: Element) -> Vec<Self> {
        let passes = VARIANTS.iter().filter_map(|variant| match variant.operation {
            Operation::Scatter(pass, overlap) => Some((pass, overlap)),
            _ => None,
        });
        passes.map(|(pass, overlap)| Self::of_scatter(scatter, element, overlap, pass)).collect()
    }
}

/// An element as wide as another, for kernels that move elements and neither compare nor add them.
fn moved_as(element: Element) -> Element {
    match element.bytes() {
        4 => Element::U32,
        2 => Element::F16,
        _ => Element::U8,
    }
}

impl fmt::Display for Kernel {
    /// The label of the pipeline and of all that is made for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unpool {}", self.entry_point())
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.entry_point()).field("constants", &self.constants).finish()
    }
}
