//! Which cell of a window is taken: the greatest for pooling, the one that a tap names for the gradient of
//! unpooling.

use super::tap::Tap;
use crate::cell::Cell;

/// How a cell of a window is found, among its cells in order of their taps.
pub(super) trait Search<T: Cell, U: Tap> {
    /// Bytes of the smallest cells that are searched in twice as many lanes.
    const LEAST_BYTES: usize;

    /// The value and the tap before any cell. `tap` is the one that is stored for the window already, and `first` the
    /// window's first tap inside the input.
    fn start(tap: U, first: U) -> (T, U);

    /// Whether a cell takes over from the `best` so far, whose tap is `found`.
    fn takes(cell: T, tap: U, best: T, found: U) -> bool;

    /// The state of the search in a tile of single elements: the best cell, and its tap or its number.
    type State: Copy;

    /// The state before some rows of a tile, `first` or after others that gave `best` and `tap`.
    fn begin(first: bool, best: T, tap: U) -> Self::State;

    /// The state after one cell more: its number in these rows, and its tap.
    fn next(state: Self::State, cell: T, number: u8, tap: U) -> Self::State;

    /// The best cell and its tap: `tap` where no cell of these rows, whose first tap is `first_tap`, took
    /// over.
    fn end(state: Self::State, tap: U, first_tap: u32) -> (T, U);
}

/// The greatest cell; the first one, where no cell is greater than the lowest there is.
pub(super) struct Greatest;

impl<T: Cell, U: Tap> Search<T, U> for Greatest {
    const LEAST_BYTES: usize = 2;

    #[inline(always)]
    fn start(_: U, first: U) -> (T, U) {
        (T::LOWEST, first)
    }

    #[inline(always)]
    fn takes(cell: T, _: U, best: T, _: U) -> bool {
        cell.beats(best)
    }

    /// The cell, and its number, or `u8::MAX` for a cell of none of these rows. Compilers make no vectors of AVX2 of a
    /// tap, whose width is not that of the cell with which it is selected (13 times slower).
    type State = (T, T::Number);

    #[inline(always)]
    fn begin(first: bool, best: T, _: U) -> Self::State {
        if first { (T::LOWEST, 0.into()) } else { (best, u8::MAX.into()) }
    }

    #[inline(always)]
    fn next((best, found): Self::State, cell: T, number: u8, _: U) -> Self::State {
        let takes = cell.beats(best);
        (cell.over(best, takes), if takes { number.into() } else { found })
    }

    #[inline(always)]
    fn end((best, number): Self::State, tap: U, first_tap: u32) -> (T, U) {
        let found = U::new(first_tap + number.into());
        (best, if number == u8::MAX.into() { tap } else { found })
    }
}

/// The cell that the stored tap names; zero, where no cell has the tap.
pub(super) struct Named;

impl<T: Cell, U: Tap> Search<T, U> for Named {
    const LEAST_BYTES: usize = 1;

    #[inline(always)]
    fn start(tap: U, _: U) -> (T, U) {
        (T::default(), tap)
    }

    #[inline(always)]
    fn takes(_: T, tap: U, _: T, found: U) -> bool {
        tap == found
    }

    type State = (T, U);

    #[inline(always)]
    fn begin(first: bool, best: T, tap: U) -> Self::State {
        (if first { T::default() } else { best }, tap)
    }

    #[inline(always)]
    fn next((best, named): Self::State, cell: T, _: u8, tap: U) -> Self::State {
        (cell.over(best, tap == named), named)
    }

    #[inline(always)]
    fn end(state: Self::State, _: U, _: u32) -> (T, U) {
        state
    }
}
