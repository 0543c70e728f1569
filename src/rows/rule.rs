//! What becomes of the values that go to one cell.

use crate::element::Cell;

/// How a cell is made of the values that go to it, which come in raster order of the pooled
/// elements, among others that do not.
pub(super) trait Rule<T: Cell> {
    /// What is known of a cell so far; by default, that no value came.
    type Known: Copy + Default;

    /// What is known once `value` came, if it `goes` there.
    fn know(known: Self::Known, goes: bool, value: T) -> Self::Known;

    /// The cell, if its type holds it, which one that is made of one value always does.
    fn cell(known: Self::Known) -> Option<T>;

    /// The cell of a window alone, whose value may go there.
    #[inline(always)]
    fn of_one(goes: bool, value: T) -> T {
        Self::cell(Self::know(Self::Known::default(), goes, value)).unwrap_or_default()
    }
}

/// The sum.
pub(super) struct Sums;

impl<T: Cell> Rule<T> for Sums {
    type Known = T::Sum;

    #[inline(always)]
    fn know(sum: T::Sum, goes: bool, value: T) -> T::Sum {
        // No sum is -0, so that adding 0 changes none, and nothing here is a branch.
        value.over(T::default(), goes).add_to(sum)
    }

    #[inline(always)]
    fn cell(sum: T::Sum) -> Option<T> {
        T::total(sum)
    }
}

/// The sum, where one value at most goes to a cell.
pub(super) struct Alone;

impl<T: Cell> Rule<T> for Alone {
    type Known = T;

    #[inline(always)]
    fn know(known: T, goes: bool, value: T) -> T {
        value.alone().over(known, goes)
    }

    #[inline(always)]
    fn cell(known: T) -> Option<T> {
        Some(known)
    }
}

/// The last one.
pub(super) struct Last;

impl<T: Cell> Rule<T> for Last {
    type Known = T;

    #[inline(always)]
    fn know(known: T, goes: bool, value: T) -> T {
        value.over(known, goes)
    }

    #[inline(always)]
    fn cell(known: T) -> Option<T> {
        Some(known)
    }
}
