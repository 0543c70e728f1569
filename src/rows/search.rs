//! What is searched for in a window.

use crate::argmax::TapWord;
use crate::element::Cell;

/// Which cell of a window is taken, of those that are shown in order of their taps.
pub(super) trait Search<T: Cell, U: TapWord> {
    /// Whether few of the cells that are shown are taken.
    const TAKES_FEW: bool;

    // For lanes: adjacent cells that windows side by side hold at one tap.

    /// What is taken before any cell is shown, and its tap, where this tap `stood` beside the window,
    /// whose first one is `first_tap`.
    fn start(stood: U, first_tap: U) -> (T, U);

    /// Whether a cell is taken after `best`, whose tap is `found`.
    fn takes(cell: T, tap: U, best: T, found: U) -> bool;

    // For narrow tiles, whose cells are adjacent.

    /// The best cell so far, and what tells its tap.
    type Seen: Copy;

    /// Before cells are shown: `best` and its tap, which `stood` beside the tile; if these cells are the
    /// `first`, as [`Self::start`] says.
    fn seen(first: bool, best: T, stood: U) -> Self::Seen;

    /// With one cell more, its number among those shown and its tap.
    fn see(seen: Self::Seen, cell: T, number: u8, tap: U) -> Self::Seen;

    /// The best cell and its tap: the one that stood, if none of those shown was taken, of which the
    /// first has `first_tap`.
    fn found(seen: Self::Seen, stood: U, first_tap: u32) -> (T, U);
}

/// The greatest cell; the first one, where no cell is greater than the lowest there is.
pub(super) struct Greatest;

impl<T: Cell, U: TapWord> Search<T, U> for Greatest {
    const TAKES_FEW: bool = false;

    #[inline(always)]
    fn start(_: U, first_tap: U) -> (T, U) {
        (T::LOWEST, first_tap)
    }

    #[inline(always)]
    fn takes(cell: T, _: U, best: T, _: U) -> bool {
        cell.beats(best)
    }

    /// The cell, and its number or `u8::MAX` for none of those shown. A tap would have another width than
    /// the cell that it is chosen with: of tiles, compilers make no vectors of AVX2 then.
    type Seen = (T, T::Number);

    #[inline(always)]
    fn seen(first: bool, best: T, _: U) -> Self::Seen {
        if first { (T::LOWEST, 0.into()) } else { (best, u8::MAX.into()) }
    }

    #[inline(always)]
    fn see((best, found): Self::Seen, cell: T, number: u8, _: U) -> Self::Seen {
        let takes = cell.beats(best);
        (cell.over(best, takes), if takes { number.into() } else { found })
    }

    #[inline(always)]
    fn found((best, number): Self::Seen, stood: U, first_tap: u32) -> (T, U) {
        let tap = U::new(first_tap + number.into());
        (best, if number == u8::MAX.into() { stood } else { tap })
    }
}

/// The cell that the tap names which stands beside the window; zero, where no cell has it.
pub(super) struct Named;

impl<T: Cell, U: TapWord> Search<T, U> for Named {
    const TAKES_FEW: bool = true;

    #[inline(always)]
    fn start(stood: U, _: U) -> (T, U) {
        (T::default(), stood)
    }

    #[inline(always)]
    fn takes(_: T, tap: U, _: T, found: U) -> bool {
        tap == found
    }

    /// The cell and the tap that names it.
    type Seen = (T, U);

    #[inline(always)]
    fn seen(first: bool, best: T, stood: U) -> Self::Seen {
        (if first { T::default() } else { best }, stood)
    }

    #[inline(always)]
    fn see((best, named): Self::Seen, cell: T, _: u8, tap: U) -> Self::Seen {
        (cell.over(best, tap == named), named)
    }

    #[inline(always)]
    fn found(seen: Self::Seen, _: U, _: u32) -> (T, U) {
        seen
    }
}
