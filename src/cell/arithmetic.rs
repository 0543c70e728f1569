//! The order and the sums of element types, for the operations alone.
//!
//! [`Arithmetic`] is a supertrait of [`Cell`](super::Cell) in a private module, which seals `Cell`
//! and keeps these functions out of the public interface.

use bytemuck::Pod;
use half::{bf16, f16};

/// Comparison and summation of an element type.
pub trait Arithmetic: Copy {
    /// The value that no other value is less than.
    const LOWEST: Self;

    /// The type in which sums are accumulated.
    type Sum: Copy + Default + Send + Sync;

    /// An unsigned integer as wide as the element, which numbers cells, or stands for an element that is only moved.
    type Number: Pod + PartialEq + Default + From<u8> + Into<u32>;

    /// Whether this value takes over from the `best` so far: it is greater, or it is NaN
    /// (PyTorch's rule). −0 and +0 tie.
    fn beats(self, best: Self) -> bool;

    /// This value if it `takes` over, else `other`.
    #[inline(always)]
    fn over(self, other: Self, takes: bool) -> Self {
        if takes { self } else { other }
    }

    /// `sum` plus this value.
    fn add_to(self, sum: Self::Sum) -> Self::Sum;

    /// The sum of this value alone: −0 becomes +0, and a NaN becomes the canonical NaN.
    fn alone(self) -> Self;

    /// The sum as an element: rounded to nearest even, with NaN in its canonical form, or `None` on
    /// integer overflow.
    fn total(sum: Self::Sum) -> Option<Self>;
}

impl Arithmetic for f32 {
    const LOWEST: Self = Self::NEG_INFINITY;
    type Sum = Self;
    type Number = u32;

    #[inline(always)]
    fn beats(self, best: Self) -> bool {
        (self > best) | self.is_nan()
    }

    #[inline(always)]
    fn add_to(self, sum: Self) -> Self {
        sum + self
    }

    #[inline(always)]
    fn total(sum: Self) -> Option<Self> {
        Some(if sum.is_nan() { Self::NAN } else { sum })
    }

    #[inline(always)]
    fn alone(self) -> Self {
        let sum = self + 0.0;
        if sum.is_nan() { Self::NAN } else { sum }
    }
}

/// The 16-bit floats. They are compared as integers, which vector instructions do.
macro_rules! half {
    ($type:ty, $widen:path, $round:path) => {
        impl Arithmetic for $type {
            const LOWEST: Self = Self::NEG_INFINITY;
            type Sum = f32;
            type Number = u16;

            #[inline(always)]
            fn beats(self, best: Self) -> bool {
                /// The magnitude with its sign as an integer, which orders as the float does; both zeros
                /// are 0.
                #[inline(always)]
                fn ordered(bits: u16) -> i16 {
                    let sign = bits as i16 >> 15;
                    ((bits & 0x7fff) as i16 ^ sign) - sign
                }
                #[inline(always)]
                fn is_nan(bits: u16) -> bool {
                    bits & 0x7fff > <$type>::INFINITY.to_bits()
                }
                let (bits, best) = (self.to_bits(), best.to_bits());
                is_nan(bits) | (!is_nan(best) & (ordered(bits) > ordered(best)))
            }

            /// By a mask: compilers branch on a choice of two such cells.
            #[inline(always)]
            fn over(self, other: Self, takes: bool) -> Self {
                let (bits, other) = (self.to_bits(), other.to_bits());
                Self::from_bits(other ^ ((bits ^ other) & u16::from(takes).wrapping_neg()))
            }

            #[inline(always)]
            fn add_to(self, sum: f32) -> f32 {
                sum + $widen(self)
            }

            #[inline(always)]
            fn total(sum: f32) -> Option<Self> {
                Some(if sum.is_nan() { <$type>::NAN } else { $round(sum) })
            }

            #[inline(always)]
            fn alone(self) -> Self {
                let magnitude = self.to_bits() & 0x7fff;
                let nan = magnitude > <$type>::INFINITY.to_bits();
                let number = if magnitude == 0 { 0 } else { self.to_bits() };
                Self::from_bits(if nan { <$type>::NAN.to_bits() } else { number })
            }
        }
    };
}

half!(f16, widen, round_to_f16);
half!(bf16, bf16::to_f32, bf16::from_f32);

/// The f32 of an f16, of a NaN with its payload. Without branches, so that loops become vector
/// instructions: `half` converts one number at a time.
#[inline(always)]
fn widen(half: f16) -> f32 {
    let sign = u32::from(half.to_bits() & 0x8000) << 16;
    let magnitude = u32::from(half.to_bits() & 0x7fff) << 13;
    // The exponents are biased by 15 and 127; a product moves subnormals, too.
    let number = (f32::from_bits(magnitude) * f32::from_bits((127 + 127 - 15) << 23)).to_bits();
    let special = magnitude | f32::INFINITY.to_bits();
    let is_special = magnitude >= u32::from(f16::INFINITY.to_bits()) << 13;
    f32::from_bits(sign | if is_special { special } else { number })
}

/// The f16 nearest to a number or an infinity; of two that are as near, the even one.
#[inline(always)]
fn round_to_f16(number: f32) -> f16 {
    let sign = (number.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = number.to_bits() & 0x7fff_ffff;
    // Half a unit in the last place is added, less one bit where that place is even, and the rest is cut off.
    let odd = magnitude >> 13 & 1;
    let normal = magnitude.wrapping_sub((127 - 15) << 23).wrapping_add(0xfff + odd) >> 13;
    // Next to 0.5 an f32 has the steps of a subnormal f16: the sum is rounded to them.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits());
    let is_subnormal = magnitude < (127 - 14) << 23;
    let rounded = if is_subnormal { subnormal } else { normal };
    f16::from_bits(sign | rounded.min(f16::INFINITY.to_bits().into()) as u16)
}

/// Integers, summed in 64 bits of their own sign. A tensor has fewer than 2³² elements, and so many of
/// the largest or the least integer make a sum that 64 bits hold.
macro_rules! integer {
    ($type:ty, $number:ty, $sum:ty) => {
        impl Arithmetic for $type {
            const LOWEST: Self = Self::MIN;
            type Sum = $sum;
            type Number = $number;

            #[inline(always)]
            fn beats(self, best: Self) -> bool {
                self > best
            }

            /// By a mask, as for 16-bit floats.
            #[inline(always)]
            fn over(self, other: Self, takes: bool) -> Self {
                other ^ ((self ^ other) & Self::from(takes).wrapping_neg())
            }

            #[inline(always)]
            fn add_to(self, sum: $sum) -> $sum {
                sum + <$sum>::from(self)
            }

            #[inline(always)]
            fn total(sum: $sum) -> Option<Self> {
                let cell = sum as Self;
                (<$sum>::from(cell) == sum).then_some(cell)
            }

            #[inline(always)]
            fn alone(self) -> Self {
                self
            }
        }
    };
}

integer!(i32, u32, i64);
integer!(u32, u32, u64);
integer!(i8, u8, i64);
integer!(u8, u8, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_as_many_integers_as_a_tensor_can_have_is_exact() {
        /// The sum of `terms` times `cell`: all but one at once, the last by itself.
        macro_rules! sum_of {
            ($terms:expr, $cell:expr, $type:ty) => {{
                let most = (<$type as Arithmetic>::Sum::from($cell)).checked_mul($terms - 1);
                $cell.add_to(most.expect("64 bits hold it"))
            }};
        }
        // One less than 2³² elements, the most that a tensor has.
        let sum = sum_of!(u64::from(u32::MAX), u32::MAX, u32);
        assert_eq!(u128::from(sum), u128::from(u32::MAX) * u128::from(u32::MAX));
        assert_eq!(u32::total(sum), None);
        for cell in [i32::MIN, i32::MAX] {
            let sum = sum_of!(i64::from(u32::MAX), cell, i32);
            assert_eq!(i128::from(sum), i128::from(cell) * i128::from(u32::MAX));
            assert_eq!(i32::total(sum), None);
        }
        assert_eq!(u8::total(sum_of!(u64::from(u32::MAX), u8::MAX, u8)), None);
        assert_eq!(i8::total(sum_of!(i64::from(u32::MAX), i8::MIN, i8)), None);
        assert_eq!(u32::total(u32::MAX.add_to(0)), Some(u32::MAX));
        assert_eq!(i32::total(i32::MIN.add_to(0)), Some(i32::MIN));
    }

    #[test]
    fn every_f16_is_widened_and_numbers_between_two_are_rounded_to_nearest_even() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            let wide = widen(half);
            if half.is_nan() {
                assert!(wide.is_nan(), "{bits:#x}");
                continue;
            }
            assert_eq!(wide.to_bits(), half.to_f32().to_bits(), "{bits:#x}");
            // The number itself, the middle between it and the next, and their neighbours; past the
            // largest number, what would be the next.
            let next = if half.is_infinite() { wide } else { widen(f16::from_bits(bits + 1)) };
            let next = if next.is_infinite() { 65_536_f32.copysign(wide) } else { next };
            for near in [wide, (wide + next) / 2.0] {
                for number in [near.next_down(), near, near.next_up()] {
                    let expected = f16::from_f32(number).to_bits();
                    assert_eq!(round_to_f16(number).to_bits(), expected, "{number:e}");
                }
            }
        }
    }
}
