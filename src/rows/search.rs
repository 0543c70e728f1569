//! What is searched for in a window.

use crate::argmax::TapWord;
use crate::element::Cell;

/// Which cell of a window is taken, of those that are shown in order of their taps.
pub(super) trait Search<T: Cell, U: TapWord> {
    /// What is taken before any cell is shown, and its tap, where this tap `stood` beside the window,
    /// whose first one is `first_tap`.
    fn start(stood: U, first_tap: U) -> (T, U);

    /// Whether a cell is taken after `best`, whose tap is `found`.
    fn takes(cell: T, tap: U, best: T, found: U) -> bool;
}

/// The greatest cell; the first one, where no cell is greater than the lowest there is.
pub(super) struct Greatest;

impl<T: Cell, U: TapWord> Search<T, U> for Greatest {
    #[inline(always)]
    fn start(_: U, first_tap: U) -> (T, U) {
        (T::LOWEST, first_tap)
    }

    #[inline(always)]
    fn takes(cell: T, _: U, best: T, _: U) -> bool {
        cell.beats(best)
    }
}

/// The cell that the tap names which stands beside the window; zero, where no cell has it.
pub(super) struct Named;

impl<T: Cell, U: TapWord> Search<T, U> for Named {
    #[inline(always)]
    fn start(stood: U, _: U) -> (T, U) {
        (T::default(), stood)
    }

    #[inline(always)]
    fn takes(_: T, tap: U, _: T, found: U) -> bool {
        tap == found
    }
}
