//! Rows that are worked on as vec4s: `shaders/max_pool_row.wgsl` and `shaders/max_unpool_row.wgsl`.

use crate::geometry::{Axis, Geometry, clamped};

use crate::gpu::kernel::size::{has_few_cells, has_small_blocks};

/// The vec4s of windows in a row that cover the cells of a work item of `max_unpool_row`.
pub(crate) struct WindowVec4s {
    pub(crate) count: u32,
    /// How many of them lie before the vec4 with the work item's own number.
    pub(crate) before: u32,
}

impl WindowVec4s {
    pub(crate) fn new(axis: &Axis) -> Self {
        // How many windows before the first of the work item's own still cover its first cell.
        let earlier = (axis.extent() - 1).saturating_sub(axis.before) / axis.stride;
        let before = earlier.div_ceil(4);
        let last = (4 * axis.stride - 1 + axis.before) / axis.stride;
        Self { count: before + last / 4 + 1, before }
    }
}

/// Work items in a row: vec4s of stride blocks that cover a row of the input, counted without the padding.
pub(crate) fn items_in_row(axis: &Axis) -> u32 {
    axis.input.div_ceil(4 * axis.stride)
}

/// First and last cell of a row in the stride blocks of a work item of the row.
pub(crate) fn cells_of_item(axis: &Axis, item: u32) -> (u32, u32) {
    let cells = i64::from(4 * axis.stride);
    clamped(axis.input, i64::from(item) * cells, (i64::from(item) + 1) * cells - 1)
}

/// First and last window of a row that a work item of the row loads, in whole vec4s.
pub(crate) fn windows_of_item(axis: &Axis, item: u32) -> (u32, u32) {
    let vec4s = WindowVec4s::new(axis);
    let first = i64::from(item) - i64::from(vec4s.before);
    let last = first + i64::from(vec4s.count) - 1;
    let (first, last) = clamped(axis.pooled / 4, first, last);
    (first * 4, last * 4 + 3)
}

/// Whether a pixel is one element and rows divide by four.
fn has_whole_rows(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    let divide = x.input.is_multiple_of(4) && x.pooled.is_multiple_of(4);
    geometry.inner == 1 && divide && x.stride <= 4 && x.before <= 16
}

/// Whether `max_pool_row` serves a geometry: the cells of four windows fit the registers of an invocation.
pub(crate) fn pools_rows(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    let span = 3 * x.stride + x.extent().min(64) + 3;
    has_whole_rows(geometry) && span <= 32 && has_few_cells(&geometry.axes)
}

/// Whether `max_unpool_row` serves a geometry: its windows and stores are few.
pub(crate) fn unpools_rows(geometry: &Geometry) -> bool {
    let [z, y, x] = &geometry.axes;
    if !has_whole_rows(geometry) || geometry.tap_width() > 1 || !has_small_blocks(&geometry.axes) {
        return false;
    }
    let rows = z.windows_per_cell() * y.windows_per_cell();
    let loads = rows * WindowVec4s::new(x).count;
    loads <= 8 && z.stride * y.stride * x.stride <= 8
}
