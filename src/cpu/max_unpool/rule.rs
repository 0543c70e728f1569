//! How a cell is made of the values that go to it.

use crate::cell::Cell;

/// How a cell is made of the values of the windows that read it, in raster order.
pub(in crate::cpu) trait Rule<T: Cell> {
    /// The cell after some of the values; by default, after none.
    type Accumulator: Copy + Default;

    /// The cell after one value more, if the value's tap `names` the cell.
    fn add(accumulator: Self::Accumulator, names: bool, value: T) -> Self::Accumulator;

    /// The cell, or `None` on integer overflow.
    fn cell(accumulator: Self::Accumulator) -> Option<T>;

    /// The cell that one window reads.
    fn cell_of_one(names: bool, value: T) -> T;
}

/// The sum.
pub(in crate::cpu) struct Sum;

impl<T: Cell> Rule<T> for Sum {
    type Accumulator = T::Sum;

    #[inline(always)]
    fn add(sum: T::Sum, names: bool, value: T) -> T::Sum {
        // No sum is −0, so adding 0 leaves every sum as it is, and nothing here is a branch.
        value.over(T::default(), names).add_to(sum)
    }

    #[inline(always)]
    fn cell(sum: T::Sum) -> Option<T> {
        T::total(sum)
    }

    #[inline(always)]
    fn cell_of_one(names: bool, value: T) -> T {
        value.alone().over(T::default(), names)
    }
}

/// The last value.
pub(in crate::cpu) struct Last;

impl<T: Cell> Rule<T> for Last {
    type Accumulator = T;

    #[inline(always)]
    fn add(cell: T, names: bool, value: T) -> T {
        value.over(cell, names)
    }

    #[inline(always)]
    fn cell(cell: T) -> Option<T> {
        Some(cell)
    }

    #[inline(always)]
    fn cell_of_one(names: bool, value: T) -> T {
        value.over(T::default(), names)
    }
}

/// Makes the first `L` cells of their accumulators. Returns `true` only if every sum fits.
#[inline(always)]
pub(super) fn cells_of<T: Cell, R: Rule<T>, const L: usize>(
    accumulators: &[R::Accumulator],
    cells: &mut [T],
) -> bool {
    let (accumulators, cells, mut fits) = (&accumulators[..L], &mut cells[..L], true);
    for i in 0..L {
        let cell = R::cell(accumulators[i]);
        fits &= cell.is_some();
        cells[i] = cell.unwrap_or_default();
    }
    fits
}
