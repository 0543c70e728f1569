//! Whether a device rounds sums of floats as the CPU does.
//!
//! IEEE 754 rounds to nearest even unless told otherwise, and so do all processors and GPUs that are
//! known to this project. WGSL leaves the rounding open ("Floating Point Accuracy" of its
//! specification), so a device could round another way; then its sums would have other bits.

use crate::argmax::{Overlap, Taps};
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::Gpu;
use crate::shape::Shape;
use crate::window::Window;

/// Half a unit in the last place of 1.
const HALF: f32 = f32::EPSILON / 2.0;

/// Terms of sums, in the order in which they are added. Each rounding of IEEE 754 other than to nearest
/// even gives another sum for some of them, and so does another order.
const SUMS: [[f32; 3]; 12] = [
    [1.0, HALF, 0.0],
    [1.0, HALF * 1.5, 0.0],
    [-1.0, -HALF, 0.0],
    [-1.0, -HALF * 1.5, 0.0],
    [1.0 + f32::EPSILON, HALF, 0.0],
    [-1.0 - f32::EPSILON, -HALF, 0.0],
    [1.0, HALF, HALF],
    [HALF, HALF, 1.0],
    [16_777_216.0, -16_777_216.0, 0.1],
    [f32::MAX, f32::MAX * HALF, 0.0],
    [f32::MIN_POSITIVE, -1e-45, 0.0],
    [1e-40, 3e-41, 1e-45],
];

impl Gpu {
    /// Checks that sums of floats are rounded to nearest even on this device, as on the CPU: the premise
    /// of [`Overlap::Sum`] having the same bits everywhere, which WGSL does not promise. Everything else
    /// that this crate does moves bits, and needs no such check.
    ///
    /// Submits one small dispatch and waits for it, once for each device: later calls return the first
    /// one's answer. [`Engine`](crate::Engine) calls this before its first sum of floats on a device.
    ///
    /// # Errors
    ///
    /// [`Error::Rounding`] with the first sum that differs; and if the device is lost or has no memory
    /// left.
    pub fn check_sums(&self) -> Result<(), Error> {
        if let Some(verdict) = self.shared.sums.get() {
            return verdict.clone();
        }
        let (geometry, values, taps) = unpooling()?;
        let found = self.unpool_unchecked(&geometry, &values, &taps, Overlap::Sum)?;
        let verdict = || match first_difference(&found[CENTER * SUMS.len()..]) {
            None => Ok(()),
            Some((terms, found)) => Err(Error::Rounding {
                adapter: self.description(),
                terms: terms.map(|term| format!("{term:?}")).join(" + "),
                found,
                expected: sum(terms),
            }),
        };
        self.shared.sums.get_or_init(verdict).clone()
    }
}

/// The cell that three windows of three cells read, at stride 1.
const CENTER: usize = 2;

/// An unpooling that adds the terms of each sum in a channel of [`CENTER`].
fn unpooling() -> Result<(Geometry, Vec<f32>, Taps), Error> {
    let shape = Shape::channels_last([1, 2 * CENTER + 1, SUMS.len()]);
    let geometry = Geometry::new(&Window::new([3]).with_stride([1]), shape)?;
    let values = (0..3).flat_map(|window| SUMS.map(|terms| terms[window])).collect();
    let taps: Vec<u8> = (0..3).rev().flat_map(|tap| [tap; SUMS.len()]).collect();
    let taps = Taps::from_bytes(&geometry, &taps)?;
    Ok((geometry, values, taps))
}

/// The sum on the CPU.
fn sum(terms: [f32; 3]) -> f32 {
    terms.into_iter().fold(0.0, |sum, term| sum + term)
}

/// The terms and the value of the first sum that differs from the CPU's.
fn first_difference(found: &[f32]) -> Option<([f32; 3], f32)> {
    let mut sums = SUMS.into_iter().zip(found.iter().copied());
    sums.find(|&(terms, found)| found.to_bits() != sum(terms).to_bits())
}

#[cfg(test)]
mod tests {
    use super::{CENTER, SUMS, first_difference, sum, unpooling};
    use crate::gpu::kernel::layout::roundings;
    use crate::{Overlap, cpu};

    #[test]
    fn the_unpooling_adds_the_terms_in_their_order() {
        let (geometry, values, taps) = unpooling().expect("it is one");
        let found = cpu::max_unpool(&geometry, &values, &taps, Overlap::Sum).expect("floats fit");
        assert_eq!(first_difference(&found[CENTER * SUMS.len()..]), None);
    }

    /// A sum rounded to the f32 that `pick` chooses of the nearest one not above and the nearest one not
    /// below.
    fn rounded(terms: [f32; 3], pick: fn(f64, f32, f32) -> f32) -> f32 {
        terms.into_iter().fold(0.0, |sum: f32, term| {
            // Exact, unless the exponents differ so much that the f32 is the same all the same.
            let exact = f64::from(sum) + f64::from(term);
            let [below, above] = roundings(exact);
            pick(exact, below, above)
        })
    }

    #[test]
    fn every_other_rounding_and_order_is_told() {
        let up = |_: f64, _: f32, above: f32| above;
        let down = |_: f64, below: f32, _: f32| below;
        let to_zero = |exact: f64, below, above| if exact < 0.0 { above } else { below };
        let half_away = |exact: f64, below: f32, above: f32| {
            let (low, high) = (exact - f64::from(below), f64::from(above) - exact);
            let away = if exact < 0.0 { low <= high } else { low < high };
            if away { below } else { above }
        };
        for pick in [up, down, to_zero, half_away] {
            let found = SUMS.map(|terms| rounded(terms, pick));
            assert!(first_difference(&found).is_some(), "{found:?}");
        }
        let from_the_end = SUMS.map(|[a, b, c]| a + (b + c));
        assert!(first_difference(&from_the_end).is_some());
        let flushed = SUMS.map(|terms| {
            let sum = sum(terms);
            if sum.is_subnormal() { 0.0 } else { sum }
        });
        assert!(first_difference(&flushed).is_some());
    }
}
