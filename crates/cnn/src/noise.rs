//! Noise by number: the same on every machine, in any order.

use std::f64::consts::TAU;

/// Number `k` of a seed's sequence, of mean 0 and deviation 1: two numbers of SplitMix64 (Steele, Lea
/// and Flood 2014) by the transformation of Box and Muller.
pub(crate) fn normal(seed: u64, k: u64) -> f64 {
    // Above 0, whose logarithm is none.
    let first = uniform(seed, 2 * k + 1) + SMALLEST;
    let second = uniform(seed, 2 * k + 2);
    (-2.0 * first.ln()).sqrt() * (TAU * second).cos()
}

/// The distance of two numbers of [`uniform`].
const SMALLEST: f64 = 1.0 / (1u64 << 53) as f64;

/// Number `k` of a seed's sequence, from 0 up to 1.
pub(crate) fn uniform(seed: u64, k: u64) -> f64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    (mix(k.wrapping_mul(STEP).wrapping_add(seed)) >> 11) as f64 * SMALLEST
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixing_function_is_that_of_splitmix64() {
        // The first numbers of its reference implementation with a state of 1234567.
        let next = |k: u64| mix(k.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1_234_567));
        assert_eq!(next(1), 6_457_827_717_110_365_317);
        assert_eq!(next(2), 3_203_168_211_198_807_973);
    }

    #[test]
    fn noise_is_normal() {
        let all: Vec<f64> = (0..40_000).map(|k| normal(7, k)).collect();
        let moment = |power| all.iter().map(|x| x.powi(power)).sum::<f64>() / all.len() as f64;
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.2, "{}", moment(4));
    }
}
