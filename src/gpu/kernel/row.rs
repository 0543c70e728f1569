//! Rows that are worked on as vec4s: `shaders/max_pool_row.wgsl` and `shaders/max_unpool_row.wgsl`.

use crate::geometry::{Axis, Geometry};
use crate::gpu::kernel::size::has_few_cells;
use crate::gpu::kernel::uniforms::FEW;

/// The elements of a row of the input: its cells times the channels.
pub(crate) fn row_elements(geometry: &Geometry) -> u64 {
    u64::from(geometry.axes[2].input) * u64::from(geometry.inner)
}

/// Whether rows, and the elements of a row, are so few that shaders find quotients in `f32`.
pub(crate) fn has_few_rows(geometry: &Geometry) -> bool {
    let [z, y, _] = geometry.axes.map(|axis| u64::from(axis.input));
    row_elements(geometry) < FEW && u64::from(geometry.outer) * z * y < FEW
}

/// Whether `max_unpool_row` knows the windows of each lane by number: pixels are single elements, and the
/// stride divides the four lanes.
pub(crate) fn has_constant_lanes(one_element_per_pixel: bool, x: &Axis) -> bool {
    one_element_per_pixel && 4 % x.stride == 0
}

/// Whether `max_pool_row` serves a geometry: a pixel is one element, rows divide by four, and the cells of four
/// windows fit the registers of an invocation.
pub(crate) fn pools_rows(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    let divide = x.input.is_multiple_of(4) && x.pooled.is_multiple_of(4);
    if geometry.inner > 1 || !divide || x.stride > 4 || x.before > 16 {
        return false;
    }
    let span = 3 * x.stride + x.extent().min(64) + 3;
    span <= 32 && has_few_cells(&geometry.axes)
}
