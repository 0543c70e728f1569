//! The types of taps.

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
pub(super) trait TapWord: Tap + Into<u32> {
    /// The taps, if they have one byte each.
    fn bytes(taps: &[Self]) -> Option<&[u8]>;
}

impl Tap for u8 {
    #[inline(always)]
    fn new(tap: u32) -> Self {
        tap as Self
    }
}

impl TapWord for u8 {
    #[inline(always)]
    fn bytes(taps: &[Self]) -> Option<&[u8]> {
        Some(taps)
    }
}

/// Of windows with more than 255 cells, which are rare: compiled for the oldest processors only.
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

impl TapWord for u16 {
    #[inline(always)]
    fn bytes(_: &[Self]) -> Option<&[u8]> {
        None
    }
}

/// Of pooling without argmax.
impl Tap for () {
    #[inline(always)]
    fn new(_: u32) {}
}
