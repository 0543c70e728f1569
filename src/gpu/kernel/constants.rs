//! The constants of a kernel: everything that its code depends on, and their declarations in WGSL.

use std::fmt::Write as _;

use crate::element::Element;
use crate::geometry::Axis;
use crate::index_space::IndexSpace;

/// The numbers and facts that the code of a kernel depends on besides its variant: the window and the element,
/// but no extents. Kernels of one variant whose constants are equal share one pipeline, so a number that a kernel's
/// code does not depend on stays at its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Constants {
    pub(crate) element: Element,
    /// Kernel, stride and dilation per axis, and on x the padding before where the code depends on it. The
    /// extents are 0.
    pub(crate) axes: [Axis; 3],
    pub(crate) spatial_axes: u32,
    /// Whether a pixel is one element: channels come first, or there is one.
    pub(crate) one_element_per_pixel: bool,
    /// Elements of a pixel, where code depends on them: 1, 2, or 3 for any larger number.
    pub(crate) pixel: u32,
    /// Whether quotients are found in `f32`.
    pub(crate) few_rows: bool,
    /// Whether some window, or some stride block, reaches outside the input.
    pub(crate) padded: bool,
    /// Windows, or stride blocks, one below the other, that a work item owns.
    pub(crate) strip: u32,
    /// Whether a pooling stores taps besides values.
    pub(crate) with_taps: bool,
    /// Whether values that go to one cell are added; otherwise the last stays.
    pub(crate) summed: bool,
    /// Whether some cell is in several windows.
    pub(crate) overlapping: bool,
    /// Whether each stride block has one window and each window one block.
    pub(crate) blocks_are_windows: bool,
    /// The space of indices.
    pub(crate) space: IndexSpace,
}

impl Constants {
    /// The constants of a kernel that depends on the element alone.
    pub(crate) const fn new(element: Element) -> Self {
        Self {
            element,
            axes: [Axis::NONE; 3],
            spatial_axes: 3,
            one_element_per_pixel: false,
            pixel: 1,
            few_rows: false,
            padded: false,
            strip: 1,
            with_taps: true,
            summed: false,
            overlapping: false,
            blocks_are_windows: false,
            space: IndexSpace::Plane,
        }
    }

    /// Bits of an element.
    pub(crate) fn bits(&self) -> u32 {
        self.element.bytes() as u32 * 8
    }

    /// The declarations that stand in front of a module.
    pub(crate) fn declarations(&self, workgroup_size: u32) -> String {
        let cells = self.axes.iter().map(|axis| axis.kernel).product::<u32>();
        let mut numbers = vec![
            ("WORKGROUP_SIZE".to_owned(), workgroup_size),
            ("BITS".to_owned(), self.bits()),
            ("KIND".to_owned(), kind(self.element)),
            ("TAP_BYTES".to_owned(), if cells > 255 { 2 } else { 1 }),
            ("SPATIAL_AXES".to_owned(), self.spatial_axes),
        ];
        for (axis, name) in self.axes.iter().zip(["Z", "Y", "X"]) {
            let taps = axis.taps_of_cell();
            numbers.extend([
                (format!("KERNEL_{name}"), axis.kernel),
                (format!("STRIDE_{name}"), axis.stride),
                (format!("DILATION_{name}"), axis.dilation),
                (format!("STEP_{name}"), taps.step),
                (format!("INVERSE_{name}"), taps.inverse),
                (format!("TAPS_{name}"), taps.count),
            ]);
        }
        numbers.push(("PIXEL".to_owned(), self.pixel));
        numbers.push(("STRIP".to_owned(), self.strip));
        numbers.push(("REACH".to_owned(), reach(self.space)));
        let facts = [
            ("ONE_ELEMENT_PER_PIXEL", self.one_element_per_pixel),
            ("FEW_ROWS", self.few_rows),
            ("PADDED", self.padded),
            ("SUMMED", self.summed),
            ("OVERLAPPING", self.overlapping),
            ("BLOCKS_ARE_WINDOWS", self.blocks_are_windows),
            ("CHANNELS_LAST", matches!(self.space, IndexSpace::Image | IndexSpace::Batch)),
            ("COLUMN_MAJOR", self.space == IndexSpace::TensorColumnMajor),
        ];
        let mut text = "// The constants of this kernel.\n\n".to_owned();
        // Writing to a string does not fail.
        for (name, value) in numbers {
            let _ = writeln!(text, "const {name}: u32 = {value}u;");
        }
        for (name, value) in facts {
            let _ = writeln!(text, "const {name}: bool = {value};");
        }
        text
    }
}

/// `KIND` of `shaders/prelude/element.wgsl`.
fn kind(element: Element) -> u32 {
    match element {
        Element::F32 => 0,
        Element::F16 => 1,
        Element::BF16 => 2,
        Element::I32 | Element::I8 => 3,
        Element::U32 | Element::U8 => 4,
    }
}

/// `REACH` of `shaders/scatter.wgsl`.
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
    use crate::gpu::kernel::ScatterPass;
    use crate::gpu::kernel::layout::{constant, scatter_source};
    use crate::{Element, IndexSpace, Overlap};

    #[test]
    fn kinds_and_reaches_are_numbered_as_in_the_shaders() {
        let source = &scatter_source(ScatterPass::Locate, Overlap::Last);
        for (element, name) in [
            (Element::F32, "BINARY32"),
            (Element::F16, "BINARY16"),
            (Element::BF16, "BFLOAT16"),
            (Element::I32, "SIGNED"),
            (Element::U8, "UNSIGNED"),
        ] {
            assert_eq!(kind(element), constant(source, name), "{name}");
        }
        for (space, name) in [
            (IndexSpace::Plane, "PLANE"),
            (IndexSpace::Image, "IMAGE"),
            (IndexSpace::Tensor, "TENSOR"),
        ] {
            assert_eq!(reach(space), constant(source, name), "{name}");
        }
    }
}
