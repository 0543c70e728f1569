//! Sums in sixteen lanes, and an exponential without branches: loops that compilers vectorise, for the
//! vector instructions of the processor at hand.

use fearless_simd::{Level, Simd, dispatch, prelude::*};

pub(super) const LANES: usize = 16;

/// Runs `work`, compiled for the vectors of the processor at hand. Closures and functions in it must be
/// `#[inline(always)]`, or they are compiled without.
#[inline(always)]
pub(super) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    match Level::new() {
        Level::Avx512(avx512) => return avx512.vectorize(work),
        Level::Avx2(avx2) => return avx2.vectorize(work),
        _ => {}
    }
    work()
}

/// The sum of `term` over the elements of a slice.
pub(super) fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    vectorized(
        #[inline(always)]
        || {
            let mut lanes = [0.0f32; LANES];
            let (chunks, rest) = x.as_chunks::<LANES>();
            for chunk in chunks {
                lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane += term(x));
            }
            let rest: f32 = rest.iter().map(|&x| term(x)).sum();
            lanes.iter().sum::<f32>() + rest
        },
    )
}

/// The sum of the products of two slices of one length.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    dots([a], b)[0]
}

/// The sums of the products of each of some slices and one, all of one length: as [`dot`] has them.
pub(super) fn dots<const N: usize>(all: [&[f32]; N], b: &[f32]) -> [f32; N] {
    dispatch!(Level::new(), simd => dots_by(simd, all, b))
}

#[inline(always)]
fn dots_by<S: Simd, const N: usize>(simd: S, all: [&[f32]; N], b: &[f32]) -> [f32; N] {
    let vector = S::f32s::LEN;
    let whole = b.len() / (2 * vector) * (2 * vector);
    let mut lanes = [[S::f32s::splat(simd, 0.0); 2]; N];
    for at in (0..whole).step_by(2 * vector) {
        for (n, lanes) in lanes.iter_mut().enumerate() {
            let (a, b) = (&all[n][at..][..2 * vector], &b[at..][..2 * vector]);
            for (half, lanes) in lanes.iter_mut().enumerate() {
                let part = half * vector..(half + 1) * vector;
                let a = S::f32s::from_slice(simd, &a[part.clone()]);
                *lanes = a.mul_add(S::f32s::from_slice(simd, &b[part]), *lanes);
            }
        }
    }
    let mut sums = [0.0; N];
    for (n, sum) in sums.iter_mut().enumerate() {
        for at in whole..b.len() {
            *sum += all[n][at] * b[at];
        }
        for lane in (lanes[n][0] + lanes[n][1]).as_slice() {
            *sum += lane;
        }
    }
    sums
}

/// The exponential, within two units in the last place.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (series, n) = parts(x.clamp(-87.3, 88.73));
    // Two halves of the power, for one of them alone may not be a number of this type.
    let half = n >> 1;
    let value = series * power(half) * power(n - half);
    if x < -87.3 { 0.0 } else { value }
}

/// 1 / (1 + e⁻ˣ), to 3 units in the last place from -87 on; below that it is that of -87, 1.6e-38.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let (series, n) = parts((-x).clamp(-87.0, 87.0));
    1.0 / (1.0 + series * power(n))
}

/// 2 to a whole number.
#[inline(always)]
fn power(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// The exponential as a series and a power of 2: the series of what is left of `x`, between −½·ln 2 and ½·ln 2,
/// without the whole number of ln 2.
#[inline(always)]
fn parts(x: f32) -> (f32, i32) {
    // ln 2 in two parts, so that the remainder loses no digits.
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    // Adding it leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * HIGH) - n * LOW;
    let series = 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = series * r * r + r + 1.0;
    (series, shifted.to_bits() as i32 - ROUND.to_bits() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_f64() {
        for i in -87_000..88_700 {
            let x = i as f32 * 1e-3;
            let expected = f64::from(x).exp();
            let off = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(off < 2.5e-7, "{x}: {off:e}");
        }
        assert_eq!(
            [exp(f32::NEG_INFINITY), exp(0.0), exp(f32::INFINITY)],
            [0.0, 1.0, f32::INFINITY]
        );
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn the_sigmoid_is_that_of_f64() {
        for i in -86_999..120_000 {
            let x = i as f32 * 1e-3;
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            let off = (f64::from(sigmoid(x)) - expected).abs() / expected;
            assert!(off < 4e-7, "{x}: {off:e}");
        }
        assert_eq!([sigmoid(0.0), sigmoid(f32::INFINITY)], [0.5, 1.0]);
        assert!(sigmoid(f32::NEG_INFINITY) < 2e-38);
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn sums_have_every_element() {
        let x: Vec<f32> = (0..37).map(|i| i as f32).collect();
        assert_eq!(sum(&x, |x| x), 666.0);
        assert_eq!(dot(&x, &x), x.iter().map(|x| x * x).sum::<f32>());
    }
}
