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

fn product(axes: &[Axis; 3], number: impl Fn(&Axis) -> u32) -> u64 {
    axes.iter().map(|axis| u64::from(number(axis))).fold(1, u64::saturating_mul)
}
