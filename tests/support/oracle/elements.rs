//! What the bits of an element mean, and which number of its format is nearest to a sum.

/// What the bits of an element mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Float { exponent_bits: u32, mantissa_bits: u32 },
    Integer { bits: u32, signed: bool },
}

/// An element as its bits.
pub(crate) trait Bits: Copy {
    const FORMAT: Format;
    fn bits(self) -> u32;
    fn of_bits(bits: u32) -> Self;
}

macro_rules! float_bits {
    ($type:ty, $word:ty, $exponent_bits:expr, $mantissa_bits:expr) => {
        impl Bits for $type {
            const FORMAT: Format =
                Format::Float { exponent_bits: $exponent_bits, mantissa_bits: $mantissa_bits };
            fn bits(self) -> u32 {
                #[allow(clippy::useless_conversion, reason = "one of the words is u32 itself")]
                u32::from(self.to_bits())
            }
            fn of_bits(bits: u32) -> Self {
                Self::from_bits(bits as $word)
            }
        }
    };
}

float_bits!(f32, u32, 8, 23);
float_bits!(half::f16, u16, 5, 10);
float_bits!(half::bf16, u16, 8, 7);

macro_rules! integer_bits {
    ($type:ty, $unsigned:ty, $bits:expr, $signed:expr) => {
        impl Bits for $type {
            const FORMAT: Format = Format::Integer { bits: $bits, signed: $signed };
            fn bits(self) -> u32 {
                #[allow(clippy::useless_conversion, reason = "one of the words is u32 itself")]
                u32::from(self as $unsigned)
            }
            fn of_bits(bits: u32) -> Self {
                bits as $unsigned as Self
            }
        }
    };
}

integer_bits!(i32, u32, 32, true);
integer_bits!(u32, u32, 32, false);
integer_bits!(i8, u8, 8, true);
integer_bits!(u8, u8, 8, false);

impl Format {
    /// Sign bit, exponent field and mantissa field of a float.
    fn fields(self, bits: u32) -> (bool, u32, u32) {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => (
                bits >> (exponent_bits + mantissa_bits) & 1 == 1,
                bits >> mantissa_bits & ((1 << exponent_bits) - 1),
                bits & ((1 << mantissa_bits) - 1),
            ),
            Self::Integer { .. } => panic!("an integer has no such fields"),
        }
    }

    pub(crate) fn is_nan(self, bits: u32) -> bool {
        match self {
            Self::Float { exponent_bits, .. } => {
                let (_, exponent, mantissa) = self.fields(bits);
                exponent == (1 << exponent_bits) - 1 && mantissa != 0
            }
            Self::Integer { .. } => false,
        }
    }

    /// The number, exactly: an `f64` holds every number of every format.
    pub(crate) fn value(self, bits: u32) -> f64 {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => {
                let (negative, exponent, mantissa) = self.fields(bits);
                let bias = (1i32 << (exponent_bits - 1)) - 1;
                let unit = 0.5f64.powi(mantissa_bits as i32);
                let magnitude = if exponent == (1 << exponent_bits) - 1 {
                    if mantissa == 0 { f64::INFINITY } else { f64::NAN }
                } else if exponent == 0 {
                    f64::from(mantissa) * unit * 2f64.powi(1 - bias)
                } else {
                    (1.0 + f64::from(mantissa) * unit) * 2f64.powi(exponent as i32 - bias)
                };
                if negative { -magnitude } else { magnitude }
            }
            Self::Integer { bits: width, signed } => {
                let unsigned = i64::from(bits);
                let top = 1i64 << (width - 1);
                (if signed && unsigned >= top { unsigned - 2 * top } else { unsigned }) as f64
            }
        }
    }

    /// The bits of +∞: one more than those of the largest number.
    pub(crate) fn infinity(self) -> u32 {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => {
                ((1 << exponent_bits) - 1) << mantissa_bits
            }
            Self::Integer { .. } => panic!("an integer has no infinity"),
        }
    }

    /// The bits of the float nearest to `sum`, the even one of two; the canonical NaN.
    pub(super) fn round(self, sum: f32) -> u32 {
        let Self::Float { exponent_bits, mantissa_bits } = self else {
            panic!("only floats are rounded");
        };
        if sum.is_nan() {
            return self.infinity() | 1 << (mantissa_bits - 1);
        }
        if mantissa_bits == 23 {
            return sum.to_bits();
        }
        let sign = u32::from(sum.is_sign_negative()) << (exponent_bits + mantissa_bits);
        let magnitude = f64::from(sum.abs());
        if magnitude.is_infinite() {
            return sign | self.infinity();
        }
        // The positive floats ascend with their bits. Past the largest one comes what would be
        // the next if the exponent had room: from halfway to it on, a sum rounds to infinity.
        let number = |bits: u32| {
            if bits == self.infinity() {
                2.0 * self.value(bits - (1 << mantissa_bits))
            } else {
                self.value(bits)
            }
        };
        let (mut low, mut high) = (0, self.infinity());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if number(middle) <= magnitude {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (below, above) = (magnitude - number(low), number(high) - magnitude);
        let up = above < below || (above == below && high % 2 == 0);
        sign | if up { high } else { low }
    }
}

/// The number an element holds, exactly.
pub(crate) fn value<T: Bits>(element: T) -> f64 {
    T::FORMAT.value(element.bits())
}

pub(crate) fn is_nan<T: Bits>(element: T) -> bool {
    T::FORMAT.is_nan(element.bits())
}

/// All elements are zero when their bits are: +0 for floats.
pub(crate) fn zero<T: Bits>() -> T {
    T::of_bits(0)
}
