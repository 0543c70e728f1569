//! How a cell is stored, and the few things that depend on it: which of two cells is greater, and
//! how cells are summed.

use half::{bf16, f16};

/// The type of a tensor's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// bfloat16: the upper half of a binary32.
    BF16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
}

impl Element {
    /// Every element type.
    pub const ALL: [Self; 7] =
        [Self::F32, Self::F16, Self::BF16, Self::I32, Self::U32, Self::I8, Self::U8];

    /// Bytes of one cell: 4, 2 or 1.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }

    /// The usual short name, such as `f32` or `bf16`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I8 => "i8",
            Self::U8 => "u8",
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that a tensor's cells can have: `f32`, [`half::f16`], [`half::bf16`], `i32`, `u32`,
/// `i8`, `u8`.
pub trait Cell:
    bytemuck::Pod + PartialEq + Default + Send + Sync + std::fmt::Debug + sealed::Sealed + 'static
{
    /// Which element this is.
    const ELEMENT: Element;

    /// What sums are accumulated in.
    #[doc(hidden)]
    type Sum: Copy + Default + Send + Sync;

    /// Whether this cell takes over from the `best` so far: it is greater, or it is NaN
    /// (PyTorch's rule). −0 and +0 tie.
    #[doc(hidden)]
    fn beats(self, best: Self) -> bool;

    /// `sum` and this cell.
    #[doc(hidden)]
    fn add_to(self, sum: Self::Sum) -> Self::Sum;

    /// The sum as a cell: rounded to nearest even, a NaN in its canonical form; `None` where an
    /// integer does not hold it.
    #[doc(hidden)]
    fn total(sum: Self::Sum) -> Option<Self>;
}

macro_rules! float_cell {
    ($type:ty, $element:ident) => {
        impl sealed::Sealed for $type {}
        impl Cell for $type {
            const ELEMENT: Element = Element::$element;
            type Sum = f32;

            #[inline(always)]
            fn beats(self, best: Self) -> bool {
                (self > best) | self.is_nan()
            }

            #[inline(always)]
            fn add_to(self, sum: f32) -> f32 {
                sum + f32::from(self)
            }

            #[inline(always)]
            fn total(sum: f32) -> Option<Self> {
                Some(if sum.is_nan() { <$type>::NAN } else { <$type>::from_sum(sum) })
            }
        }
    };
}

/// Rounding a sum to its element, to nearest even.
trait FromSum {
    fn from_sum(sum: f32) -> Self;
}

impl FromSum for f32 {
    #[inline(always)]
    fn from_sum(sum: f32) -> Self {
        sum
    }
}

impl FromSum for f16 {
    #[inline(always)]
    fn from_sum(sum: f32) -> Self {
        Self::from_f32(sum)
    }
}

impl FromSum for bf16 {
    #[inline(always)]
    fn from_sum(sum: f32) -> Self {
        Self::from_f32(sum)
    }
}

float_cell!(f32, F32);
float_cell!(f16, F16);
float_cell!(bf16, BF16);

macro_rules! integer_cell {
    ($type:ty, $element:ident) => {
        impl sealed::Sealed for $type {}
        impl Cell for $type {
            const ELEMENT: Element = Element::$element;
            type Sum = i64;

            #[inline(always)]
            fn beats(self, best: Self) -> bool {
                self > best
            }

            #[inline(always)]
            fn add_to(self, sum: i64) -> i64 {
                sum + i64::from(self)
            }

            #[inline(always)]
            fn total(sum: i64) -> Option<Self> {
                Self::try_from(sum).ok()
            }
        }
    };
}

integer_cell!(i32, I32);
integer_cell!(u32, U32);
integer_cell!(i8, I8);
integer_cell!(u8, U8);
