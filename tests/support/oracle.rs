//! The operations once more, written straight from their definition and sharing no code with the
//! library: plain loops over signed coordinates, one cell at a time. Slow, and meant to be read.
//!
//! It resolves sizes and padding itself (by counting windows, not by the formula), decodes floats
//! from their bits itself, and rounds sums by looking for the nearest number of the format.

mod elements;
mod plan;

use unpool::IndexSpace;

pub(crate) use elements::{Bits, Format, is_nan, value, zero};
pub(crate) use plan::{Plan, Position, Refusal};

/// What pooling gives.
#[derive(Clone, Debug)]
pub(crate) struct Pooled<T> {
    pub(crate) values: Vec<T>,
    pub(crate) taps: Vec<u32>,
    /// The cell `[z, y, x]` that won.
    pub(crate) winners: Vec<[i64; 3]>,
}

pub(crate) fn max_pool<T: Bits>(plan: &Plan, input: &[T]) -> Pooled<T> {
    let mut pooled = Pooled { values: Vec::new(), taps: Vec::new(), winners: Vec::new() };
    for position in plan.positions() {
        let mut best = None;
        for (tap, cell) in plan.window(&position) {
            let candidate = input[plan.at(&position, cell)];
            let takes_over = match best {
                None => true,
                Some((leader, _, _)) => is_nan(candidate) || value(candidate) > value(leader),
            };
            if takes_over {
                best = Some((candidate, tap, cell));
            }
        }
        let (leader, tap, cell) = best.expect("every window holds a cell");
        pooled.values.push(leader);
        pooled.taps.push(tap);
        pooled.winners.push(cell);
    }
    pooled
}

pub(crate) fn max_unpool_last<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<T> {
    let mut output = vec![zero(); plan.input_len()];
    for ((position, &value), &tap) in plan.positions().iter().zip(values).zip(taps) {
        if let Some(cell) = plan.cell(position, tap) {
            output[plan.at(position, cell)] = value;
        }
    }
    output
}

/// The sum, or the first element whose sum its type does not hold.
pub(crate) fn max_unpool_sum<T: Bits>(
    plan: &Plan,
    values: &[T],
    taps: &[u32],
) -> Result<Vec<T>, usize> {
    let totals = totals(plan, values, taps);
    (0..totals.len()).map(|at| if totals[at].1 { Ok(totals[at].0) } else { Err(at) }).collect()
}

/// The sum, and where its type does not hold it the nearest number that it holds.
pub(crate) fn max_unpool_saturated<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<T> {
    totals(plan, values, taps).into_iter().map(|(total, _)| total).collect()
}

/// The sums, and whether each is exactly that.
fn totals<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<(T, bool)> {
    let positions = plan.positions().into_iter().zip(taps);
    let terms = positions.zip(values).filter_map(|((position, &tap), &value)| {
        Some((plan.at(&position, plan.cell(&position, tap)?), value))
    });
    sums(plan.input_len(), terms)
}

/// The sum of the terms `(at, element)` of each of `len` elements, in the order given, and whether the
/// type can represent it.
pub(crate) fn sums<T: Bits>(len: usize, terms: impl Iterator<Item = (usize, T)>) -> Vec<(T, bool)> {
    let mut floats = vec![0f32; len];
    let mut integers = vec![0i128; len];
    for (at, element) in terms {
        // Each cast is exact.
        match T::FORMAT {
            Format::Float { .. } => floats[at] += value(element) as f32,
            Format::Integer { .. } => integers[at] += value(element) as i128,
        }
    }
    let total = |at: usize| match T::FORMAT {
        Format::Float { .. } => (T::of_bits(T::FORMAT.round(floats[at])), true),
        Format::Integer { bits, signed } => {
            let (lowest, highest) = if signed {
                (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
            } else {
                (0, (1i128 << bits) - 1)
            };
            let clamped = integers[at].clamp(lowest, highest);
            (T::of_bits(clamped as u32), clamped == integers[at])
        }
    };
    (0..len).map(total).collect()
}

pub(crate) fn max_unpool_backward<T: Bits>(plan: &Plan, cells: &[T], taps: &[u32]) -> Vec<T> {
    let read = |(position, &tap): (&Position, &u32)| match plan.cell(position, tap) {
        Some(cell) => cells[plan.at(position, cell)],
        None => zero(),
    };
    plan.positions().iter().zip(taps).map(read).collect()
}

/// The indices of taps in an index space; −1 where one names no cell.
pub(crate) fn indices(plan: &Plan, taps: &[u32], space: IndexSpace) -> Vec<i64> {
    let index = |(position, &tap): (&Position, &u32)| match plan.cell(position, tap) {
        Some(cell) => plan.index(position, cell, space),
        None => -1,
    };
    plan.positions().iter().zip(taps).map(index).collect()
}
