//! Gauss–Legendre quadrature.

use std::f64::consts::PI;

/// The points of a rule of `n` points between 0 and 1, with their weights, which add up to 1. Exact
/// for polynomials of degree `2n - 1` (Abramowitz and Stegun, formula 25.4.29).
pub(super) fn points(n: usize) -> Vec<(f64, f64)> {
    let root = |i: usize| {
        // Close to the root already; Newton's steps double the digits.
        let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        for _ in 0..6 {
            let (value, slope) = legendre(n, x);
            x -= value / slope;
        }
        let (_, slope) = legendre(n, x);
        (0.5 - 0.5 * x, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(root).collect()
}

/// The Legendre polynomial of degree `n`, and its derivative, by its recurrence.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for n in [1, 2, 3, 7, 50, 1000] {
            for power in [0, 1, 2, 5, 13, 99] {
                let sum: f64 = points(n).iter().map(|&(x, weight)| weight * x.powi(power)).sum();
                if 2 * n > power as usize {
                    let exact = 1.0 / f64::from(power + 1);
                    assert!((sum - exact).abs() < 1e-12, "{n} points, power {power}: {sum}");
                }
            }
        }
    }
}
