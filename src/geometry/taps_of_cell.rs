//! The taps by which windows can cover a given cell: `shaders/prelude/gather.wgsl` iterates over them.

use super::Axis;

/// The taps by which windows can read a cell: every `step`-th of a window's taps, `count` at most. The
/// first is `p / (stride / step) · inverse` modulo `step`, where `p` is the cell's number in the padded
/// input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TapsOfCell {
    pub(crate) step: u32,
    pub(crate) inverse: u32,
    pub(crate) count: u32,
}

impl Axis {
    /// The taps by which windows can read one cell.
    ///
    /// Window `q` reads the cell `p` of the padded input by tap `t` where `q·stride + t·dilation = p`.
    /// With `g = gcd(stride, dilation)` such a `t` exists only where `g` divides `p`, and then
    /// `t = p/g · (dilation/g)⁻¹` modulo `stride/g`.
    pub(crate) fn taps_of_cell(&self) -> TapsOfCell {
        let common = gcd(self.stride, self.dilation);
        let step = self.stride / common;
        let (step, inverse) = match inverse(self.dilation / common, step) {
            // Numbers below `step` are multiplied by it in 32 bits.
            Some(inverse) if inverse == 1 || step <= 1 << 16 => (step, inverse),
            // Every tap is tried.
            _ => (1, 1),
        };
        TapsOfCell { step, inverse, count: self.kernel.div_ceil(step) }
    }
}

/// The greatest common divisor of two numbers that are not 0, by Euclid's steps.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The number below `modulus` whose product with `a` is 1 modulo `modulus`, by Euclid's extended algorithm
/// (Knuth, The Art of Computer Programming 2, 4.5.2): 0 modulo 1; `None` where the two have a common
/// divisor.
fn inverse(a: u32, modulus: u32) -> Option<u32> {
    let (mut rest, mut next) = (i64::from(modulus), i64::from(a % modulus));
    let (mut factor, mut next_factor) = (0, 1 % i64::from(modulus));
    while next != 0 {
        let quotient = rest / next;
        (rest, next) = (next, rest - quotient * next);
        (factor, next_factor) = (next_factor, factor - quotient * next_factor);
    }
    (rest == 1).then(|| factor.rem_euclid(modulus.into()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of `first_tap_of_cell` of `shaders/prelude/gather.wgsl` in 32 bits.
    fn first_tap(p: u32, stride: u32, TapsOfCell { step, inverse, .. }: TapsOfCell) -> u32 {
        (p / (stride / step) % step).checked_mul(inverse).expect("it fits 32 bits") % step
    }

    #[test]
    fn the_taps_of_a_cell_are_those_that_leave_a_multiple_of_the_stride() {
        let axis = |kernel, stride, dilation| Axis { kernel, stride, dilation, ..Axis::NONE };
        let small = (1..8u32)
            .flat_map(|k| (1..13).flat_map(move |s| (1..13).map(move |d| axis(k, s, d))))
            .map(|axis| (axis, 0..200u32));
        let large = [
            axis(7, 65_536, 65_535),
            axis(5, 65_537, 3),
            axis(3, 60_000, 44_444),
            axis(2, 1 << 30, 1 << 29),
            axis(9, (1 << 31) - 1, 1),
        ];
        let large = large.map(|axis| (axis, 0..0));
        for (axis, cells) in small.chain(large) {
            let Axis { kernel, stride, dilation, .. } = axis;
            let found = axis.taps_of_cell();
            assert_eq!(found.count, kernel.div_ceil(found.step), "{axis:?}");
            // Cells that a window reads, besides those from the start on.
            let read = (0..kernel).map(|tap| tap * dilation + stride);
            for p in cells.chain(read) {
                let leaves_a_multiple =
                    |tap: &u32| tap * dilation <= p && (p - tap * dilation).is_multiple_of(stride);
                let expected: Vec<u32> = (0..kernel).filter(leaves_a_multiple).collect();
                let first = first_tap(p, stride, found);
                let taps = (0..found.count).map(|number| first + number * found.step);
                let taps: Vec<u32> =
                    taps.filter(|tap| *tap < kernel && leaves_a_multiple(tap)).collect();
                assert_eq!(taps, expected, "{axis:?}, cell {p}");
            }
        }
    }
}
