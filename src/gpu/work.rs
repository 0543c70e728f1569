//! What a thread does: which elements it owns, and how they lie.

use crate::geometry::Geometry;
use crate::geometry::{Axis, clamped};
use crate::gpu::operation::Operation;
use crate::gpu::unrolled;

/// How the four elements of a unit lie: `shaders/together.wgsl` and `shaders/apart.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lanes {
    /// Four channels of one pixel.
    Together,
    /// Four elements adjacent in memory, wherever they are.
    Apart,
    /// Four elements adjacent in a row of channels that come first: the preludes of `Together`,
    /// and shaders of their own.
    Rows,
}

impl Lanes {
    pub(crate) fn of(geometry: &Geometry, operation: Operation) -> Self {
        if geometry.inner.is_multiple_of(4) {
            Self::Together
        } else if Fours::fit(geometry, operation) {
            Self::Rows
        } else {
            Self::Apart
        }
    }
}

/// Fours of windows in a row that hold the cells of a unit of `max_unpool_rows`.
pub(crate) struct Fours {
    pub(crate) count: u32,
    /// How many of them lie before the unit's own number.
    pub(crate) before: u32,
}

impl Fours {
    pub(crate) fn new(axis: &Axis) -> Self {
        // How many windows before the unit's first still hold its first cell.
        let earlier = (axis.extent() - 1).saturating_sub(axis.before) / axis.stride;
        let before = earlier.div_ceil(4);
        let last = (4 * axis.stride - 1 + axis.before) / axis.stride;
        Self { count: before + last / 4 + 1, before }
    }

    /// Fours of stride blocks that hold a row of the input, counted without padding.
    pub(crate) fn of_blocks(axis: &Axis) -> u32 {
        axis.input.div_ceil(4 * axis.stride)
    }

    /// First and last cell of a row in four stride blocks, the fours counted from the row's start.
    pub(crate) fn cells_of_blocks(axis: &Axis, four: u32) -> (u32, u32) {
        let cells = i64::from(4 * axis.stride);
        clamped(axis.input, i64::from(four) * cells, (i64::from(four) + 1) * cells - 1)
    }

    /// First and last window of a row that these blocks ask, in whole fours.
    pub(crate) fn windows_of_blocks(axis: &Axis, four: u32) -> (u32, u32) {
        let fours = Self::new(axis);
        let first = i64::from(four) - i64::from(fours.before);
        let last = first + i64::from(fours.count) - 1;
        let (first, last) = clamped(axis.pooled / 4, first, last);
        (first * 4, last * 4 + 3)
    }

    /// Whether rows divide by four and what a unit looks at fits a thread's registers.
    fn fit(geometry: &Geometry, operation: Operation) -> bool {
        let [az, ay, ax] = &geometry.axes;
        let pooled = geometry.inner == 1 && ax.pooled.is_multiple_of(4);
        let rows = pooled && ax.input.is_multiple_of(4) && ax.stride <= 4 && ax.before <= 16;
        match operation {
            Operation::Pool => {
                let segment = 3 * ax.stride + ax.extent().min(64) + 3;
                rows && segment <= 32 && unrolled::is_searched(&geometry.axes)
            }
            Operation::Unpool(_) => {
                let lines = az.windows_per_cell().min(64) * ay.windows_per_cell().min(64);
                let stores = az.stride.min(64) * ay.stride.min(64) * ax.stride;
                let held = lines * Self::new(ax).count.min(64);
                let fits = held <= 8 && stores <= 8;
                rows && geometry.tap_width() == 1 && fits && unrolled::is_unpooled(&geometry.axes)
            }
            // Cells are read one by one, wherever they lie.
            Operation::UnpoolBackward => pooled,
            _ => false,
        }
    }
}

/// What a unit owns; a thread makes one, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owned {
    /// Four adjacent pooled values.
    Pooled,
    /// Four adjacent stride blocks of the input.
    Blocks,
    /// Four adjacent stride blocks of a row, counted without padding on x.
    RowBlocks,
    /// Four adjacent cells of the input.
    Cells,
}

impl Owned {
    pub(crate) fn of(geometry: &Geometry, operation: Operation, lanes: Lanes, bits: u32) -> Self {
        match operation {
            // A block of smaller cells would share words with its neighbours.
            Operation::Unpool(_) if lanes == Lanes::Apart && bits < 32 => Self::Cells,
            Operation::Unpool(_) if lanes == Lanes::Rows => Self::RowBlocks,
            Operation::Unpool(_) if unrolled::is_unpooled(&geometry.axes) => Self::Blocks,
            Operation::Unpool(_) => Self::Cells,
            _ => Self::Pooled,
        }
    }
}

/// How many units a thread makes: two of small cells, where they lie side by side in a pixel or in a
/// row. One place serves both, and two of 16 bits are as many bytes as one of 32. Windows that overlap
/// fill a thread's registers as it is, large ones may take all the turns of loops that Mesa's llvmpipe
/// allows a thread, and the gradient of unpooling is bound by loads at scattered addresses, one for each
/// value.
pub(crate) fn units_of_thread(
    geometry: &Geometry,
    operation: Operation,
    lanes: Lanes,
    owned: Owned,
    bits: u32,
) -> usize {
    let written_out = match operation {
        Operation::Pool => unrolled::is_searched(&geometry.axes),
        Operation::Unpool(_) => owned != Owned::Cells,
        _ => false,
    };
    let x = &geometry.axes[2];
    let even = match (lanes, owned) {
        (Lanes::Apart, _) => false,
        (Lanes::Together, _) => geometry.inner.is_multiple_of(8),
        (Lanes::Rows, Owned::RowBlocks) => Fours::of_blocks(x).is_multiple_of(2),
        (Lanes::Rows, _) => x.pooled.is_multiple_of(8),
    };
    let apart = geometry.axes.iter().all(|a| a.windows_per_cell() == 1);
    if bits < 32 && written_out && even && apart { 2 } else { 1 }
}
