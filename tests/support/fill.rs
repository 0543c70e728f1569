//! Contents of tensors: the same bits for the same seed on every machine.

use super::oracle::{Bits, Format};

/// A kind of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Integers near zero: full of ties.
    Ties,
    /// No two elements alike, where the type has as many.
    Permutation,
    /// NaNs with payloads and both signs, infinities, zeros of both signs, subnormals, the largest
    /// and the lowest.
    Specials,
    /// Mostly the lowest numbers of the type, −∞ included, which a sentinel would beat.
    Lowest,
}

impl Fill {
    pub(crate) const ALL: [Self; 4] = [Self::Ties, Self::Permutation, Self::Specials, Self::Lowest];
}

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn pick(&mut self, from: &[u32]) -> u32 {
        from[self.below(from.len())]
    }
}

/// `len` elements.
pub(crate) fn fill<T: Bits>(kind: Fill, len: usize, seed: u64) -> Vec<T> {
    let mut random = Random::new(seed);
    match kind {
        Fill::Ties => integers(3, len, seed),
        Fill::Permutation => permutation(len, &mut random),
        Fill::Specials => {
            let (specials, plain) = (specials::<T>(), integers::<T>(3, len, seed));
            // Mostly plain, or every window would hold a NaN.
            let mut element =
                |plain: T| if random.below(3) == 0 { random.pick(&specials) } else { plain.bits() };
            plain.into_iter().map(|plain| T::of_bits(element(plain))).collect()
        }
        Fill::Lowest => {
            let lowest = lowest::<T>();
            (0..len).map(|_| T::of_bits(random.pick(&lowest))).collect()
        }
    }
}

/// Integers from −`magnitude` to `magnitude`, or from 0 where the type has no sign.
pub(crate) fn integers<T: Bits>(magnitude: i32, len: usize, seed: u64) -> Vec<T> {
    let mut random = Random::new(seed);
    let lowest = if T::FORMAT == unsigned::<T>() { 0 } else { -magnitude };
    let span = (magnitude - lowest + 1) as usize;
    (0..len).map(|_| of_integer(lowest + random.below(span) as i32)).collect()
}

fn unsigned<T: Bits>() -> Format {
    match T::FORMAT {
        Format::Integer { bits, .. } => Format::Integer { bits, signed: false },
        Format::Float { .. } => Format::Integer { bits: 0, signed: false },
    }
}

/// A small integer as an element.
pub(crate) fn of_integer<T: Bits>(integer: i32) -> T {
    match T::FORMAT {
        // Cut off above, a negative number is the same one in fewer bits.
        Format::Integer { .. } => T::of_bits(integer as u32),
        Format::Float { exponent_bits, mantissa_bits } => {
            let magnitude = integer.unsigned_abs();
            let bits = if magnitude == 0 {
                0
            } else {
                let exponent = magnitude.ilog2();
                assert!(exponent <= mantissa_bits, "{integer} is too large to be exact");
                let bias = (1u32 << (exponent_bits - 1)) - 1;
                let mantissa = (magnitude - (1 << exponent)) << (mantissa_bits - exponent);
                (exponent + bias) << mantissa_bits | mantissa
            };
            T::of_bits(bits | u32::from(integer < 0) << (exponent_bits + mantissa_bits))
        }
    }
}

/// Numbers without a tie in shuffled order; they come round again where the type has too few.
fn permutation<T: Bits>(len: usize, random: &mut Random) -> Vec<T> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    for i in (1..len).rev() {
        order.swap(i, random.below(i + 1));
    }
    let element = |i: u32| match T::FORMAT {
        Format::Integer { .. } => i,
        Format::Float { exponent_bits, mantissa_bits } => {
            // From 1 upwards, every other one negative.
            let one = ((1 << (exponent_bits - 1)) - 1) << mantissa_bits;
            let magnitude = one + (i / 2) % (T::FORMAT.infinity() - one);
            magnitude | (i % 2) << (exponent_bits + mantissa_bits)
        }
    };
    order.into_iter().map(|i| T::of_bits(element(i))).collect()
}

/// The elements at which operations go wrong.
pub(crate) fn specials<T: Bits>() -> Vec<u32> {
    match T::FORMAT {
        Format::Integer { bits, signed } => {
            let all = u32::MAX >> (32 - bits);
            let top = 1 << (bits - 1);
            if signed {
                vec![0, 1, all, all - 1, top, top + 1, top - 1, top - 2]
            } else {
                vec![0, 1, 2, all, all - 1, top, top - 1]
            }
        }
        Format::Float { exponent_bits, mantissa_bits } => {
            let sign = 1 << (exponent_bits + mantissa_bits);
            let infinity = T::FORMAT.infinity();
            let quiet = 1 << (mantissa_bits - 1);
            let magnitudes = [
                0,
                0,
                1,             // smallest subnormal
                2 * quiet - 1, // largest subnormal
                2 * quiet,     // smallest normal
                infinity - 1,  // largest
                infinity,
                infinity | quiet,        // canonical NaN
                infinity | quiet | 0x15, // quiet, with a payload
                infinity | 1,            // signalling
            ];
            magnitudes.iter().flat_map(|&m| [m, m | sign]).collect()
        }
    }
}

fn lowest<T: Bits>() -> Vec<u32> {
    match T::FORMAT {
        Format::Integer { bits, signed: true } => {
            let top = 1 << (bits - 1);
            vec![top, top, top + 1]
        }
        Format::Integer { .. } => vec![0, 0, 1],
        Format::Float { exponent_bits, mantissa_bits } => {
            let sign = 1 << (exponent_bits + mantissa_bits);
            let infinity = sign | T::FORMAT.infinity();
            vec![infinity, infinity, infinity, infinity - 1]
        }
    }
}
