//! The types of taps.

use bytemuck::Pod;
use fearless_simd::Level;

use super::simd;

/// The type that is stored with a pooled value: a tap, or nothing.
pub(super) trait Tap: Copy + Default + PartialEq + Send + Sync {
    fn new(tap: u32) -> Self;

    /// Runs a loop over such taps, compiled for the vectors of a level.
    #[inline(always)]
    fn vectorized<R>(level: Level, work: impl FnOnce() -> R) -> R {
        simd::vectorized(level, work)
    }
}

/// A tap that is stored, in one byte or two.
pub(super) trait TapWord: Tap + Into<u32> + Pod {}

impl TapWord for u8 {}
impl TapWord for u16 {}

impl Tap for u8 {
    #[inline(always)]
    fn new(tap: u32) -> Self {
        tap as Self
    }
}

/// The tap of a window with more than 255 cells. Such windows are rare, so that their loops are compiled for the oldest
/// processors only.
impl Tap for u16 {
    #[inline(always)]
    fn new(tap: u32) -> Self {
        tap as Self
    }

    #[inline(always)]
    fn vectorized<R>(_: Level, work: impl FnOnce() -> R) -> R {
        simd::baseline(work)
    }
}

/// Pooling without argmax stores no tap.
impl Tap for () {
    #[inline(always)]
    fn new(_: u32) {}
}
