//! The windows that are small enough to generate their code, a call for each cell.

use crate::geometry::Axis;

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
/// registers, most where the cells of four windows in a row are in them.
pub(crate) fn windows_of_strip(axes: &[Axis; 3], in_rows: bool) -> u32 {
    let y = &axes[1];
    if !has_few_cells(axes) || y.stride >= y.extent() || !y.stride.is_multiple_of(y.dilation) {
        return 1;
    }
    if y.stride == 1 && !in_rows { 4 } else { 2 }
}

/// Stride blocks of a strip, one below the other: several where rows of windows serve many rows of cells each.
/// A long strip takes many registers, which loads of few windows and sums of all are worth.
pub(crate) fn blocks_of_strip(axes: &[Axis; 3], long: bool) -> u32 {
    let y = &axes[1];
    let shared = y.stride == 1 && y.windows_per_cell() > 1 && y.dilation == 1;
    match (shared && has_small_blocks(axes), long) {
        (false, _) => 1,
        (true, false) => 2,
        (true, true) => 4,
    }
}

fn product(axes: &[Axis; 3], number: impl Fn(&Axis) -> u32) -> u64 {
    axes.iter().map(|axis| u64::from(number(axis))).fold(1, u64::saturating_mul)
}
