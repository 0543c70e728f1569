//! Sizes that decide between kernels: which windows are small enough to generate their code, a call for each cell,
//! how long strips are, and which rows are processed as vec4s (`shaders/max_pool_row.wgsl`,
//! `shaders/max_unpool_row.wgsl`).

use crate::geometry::{Axis, Geometry};
use crate::gpu::kernel::uniforms::FEW;

/// Cells of the largest window and of the largest stride block for which code is generated.
const MOST_CELLS: u64 = 64;
/// Windows over a cell for which code is generated.
const MOST_WINDOWS: u64 = 9;
/// Rows of the largest stride block whose rows a work item owns.
pub(crate) const MOST_ROWS: u64 = 16;

/// Whether the cells of a window are few enough to generate a comparison for each.
pub(crate) fn has_few_cells(axes: &[Axis; 3]) -> bool {
    product(axes, |axis| axis.kernel) <= MOST_CELLS
}

/// Whether the cells of a stride block, and the windows over each, are few enough to generate their code.
pub(crate) fn has_small_blocks(axes: &[Axis; 3]) -> bool {
    has_few_cells(axes)
        && product(axes, |axis| axis.stride) <= MOST_CELLS
        && product(axes, Axis::windows_per_cell) <= MOST_WINDOWS
}

/// Windows of a strip, one below the other: several where neighbours share rows of cells. A long strip takes many
/// registers, and more of them where a work item keeps the cells of four windows of a row (`in_rows`).
pub(crate) fn windows_of_strip(axes: &[Axis; 3], in_rows: bool) -> u32 {
    let y = &axes[1];
    if !has_few_cells(axes) || y.stride >= y.extent() || !y.stride.is_multiple_of(y.dilation) {
        return 1;
    }
    if y.stride == 1 && !in_rows { 4 } else { 2 }
}

/// Stride blocks of a strip, one below the other: several where each row of windows covers several rows of cells. A
/// long strip loads fewer windows for each cell and takes more registers. `long` is whether the caller's kernel gains
/// more from the fewer loads than it loses by the registers.
pub(crate) fn blocks_of_strip(axes: &[Axis; 3], long: bool) -> u32 {
    let y = &axes[1];
    let shared = y.stride == 1 && y.windows_per_cell() > 1 && y.dilation == 1;
    match (shared && has_small_blocks(axes), long) {
        (false, _) => 1,
        (true, false) => 2,
        (true, true) => 4,
    }
}

/// The elements of a row of the input: its cells times the channels.
pub(crate) fn row_elements(geometry: &Geometry) -> u64 {
    u64::from(geometry.axes[2].input) * u64::from(geometry.inner)
}

/// Whether rows, and the elements of a row, are so few that shaders find quotients in `f32`.
pub(crate) fn has_few_rows(geometry: &Geometry) -> bool {
    let [z, y, _] = geometry.axes.map(|axis| u64::from(axis.input));
    row_elements(geometry) < FEW && u64::from(geometry.outer) * z * y < FEW
}

/// Whether the windows of each lane of `max_unpool_row` are constants, counted from a window that the number of the
/// work item gives: pixels are single elements, and the stride divides the four lanes.
pub(crate) fn has_constant_lanes(one_element_per_pixel: bool, x: &Axis) -> bool {
    one_element_per_pixel && 4 % x.stride == 0
}

/// Whether `max_pool_row` serves a geometry: a pixel is one element, the lengths of rows are multiples of
/// four, and the cells of four windows fit the registers of an invocation.
pub(crate) fn pools_rows(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    let divide = x.input.is_multiple_of(4) && x.windows.is_multiple_of(4);
    if geometry.inner > 1 || !divide || x.stride > 4 || x.before > 16 {
        return false;
    }
    let span = 3 * x.stride + x.extent().min(64) + 3;
    span <= 32 && has_few_cells(&geometry.axes)
}

fn product(axes: &[Axis; 3], number: impl Fn(&Axis) -> u32) -> u64 {
    axes.iter().map(|axis| u64::from(number(axis))).fold(1, u64::saturating_mul)
}
