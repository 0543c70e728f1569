//! Unpooling adjacent cells from the windows that read them, with vectors.
//!
//! ```text
//! for each cell:
//!     accumulator = 0
//!     for each window that reads the cell, in raster order:
//!         if taps[window] == tap of the cell in the window:
//!             accumulator = values[window], or += values[window]
//!     cell = accumulator
//! ```
//!
//! 1. Twice as many lanes, where their accumulators fit the registers: `nhwc_3x3s2` `max_pool_backward` of eight images
//!    1.22 ms → 1.10, `max_unpool` 1.14 → 1.05, with u8 0.71 → 0.53; `nhwc_3x3s1` `max_unpool` with f16 2.4 → 1.7.
//!    Sums of 64 bits would take 1.7 times as long (EPYC, two threads).

use super::rule::{Rule, cells_of};
use crate::cell::Cell;
use crate::cpu::simd::{LANES, by};
use crate::cpu::tap::TapWord;

/// A window that reads some cells.
#[derive(Clone, Copy)]
pub(super) struct Source<U> {
    /// The tap of the cells in the window.
    pub(super) tap: U,
    /// The pooled element for the cell of stride block 0, which may lie before the first.
    pub(super) start: usize,
    /// The number of the window on the x axis, less that of the cell's stride block.
    pub(super) shift: i64,
}

/// Unpools adjacent cells, at least [`LANES`], whose windows' pooled elements are adjacent: `ahead` elements from those of
/// block 0 on. Returns whether every sum fits.
#[inline(always)]
pub(super) fn unpool_run<T: Cell, U: TapWord, R: Rule<T>>(
    pooled: (&[T], &[U]),
    sources: &[Source<U>],
    ahead: usize,
    cells: &mut [T],
) -> bool {
    let len = cells.len();
    if let [source] = sources {
        let from = source.start.wrapping_add(ahead);
        let (values, taps) = (&pooled.0[from..from + len], &pooled.1[from..from + len]);
        unpool_cell::<T, U, R>(cells, values, taps, source.tap);
        return true;
    }
    let mut fits = true;
    if len >= 2 * LANES && size_of::<R::Accumulator>() <= 4 {
        for at in by::<{ 2 * LANES }>(0..len) {
            fits &= unpool_lanes::<T, U, R, { 2 * LANES }>(pooled, sources, ahead, at, cells);
        }
    } else {
        for at in by::<LANES>(0..len) {
            fits &= unpool_lanes::<T, U, R, LANES>(pooled, sources, ahead, at, cells);
        }
    }
    fits
}

/// Unpools `L` cells of a run, from `at` on.
#[inline(always)]
fn unpool_lanes<T: Cell, U: TapWord, R: Rule<T>, const L: usize>(
    (values, taps): (&[T], &[U]),
    sources: &[Source<U>],
    ahead: usize,
    at: usize,
    cells: &mut [T],
) -> bool {
    let mut accumulators = [R::Accumulator::default(); L];
    for source in sources {
        let from = source.start.wrapping_add(ahead + at);
        let (values, taps) = (&values[from..from + L], &taps[from..from + L]);
        for i in 0..L {
            accumulators[i] = R::add(accumulators[i], taps[i] == source.tap, values[i]);
        }
    }
    cells_of::<T, R, L>(&accumulators, &mut cells[at..])
}

/// Unpools adjacent elements, at least [`LANES`], each of which one window reads by this tap.
#[inline(always)]
pub(super) fn unpool_cell<T: Cell, U: TapWord, R: Rule<T>>(
    cells: &mut [T],
    values: &[T],
    taps: &[U],
    tap: U,
) {
    let len = cells.len();
    let (values, taps) = (&values[..len], &taps[..len]);
    for at in by::<LANES>(0..len) {
        let (values, taps) = (&values[at..at + LANES], &taps[at..at + LANES]);
        let mut made = [T::default(); LANES];
        for i in 0..LANES {
            made[i] = R::cell_of_one(taps[i] == tap, values[i]);
        }
        cells[at..at + LANES].copy_from_slice(&made);
    }
}
