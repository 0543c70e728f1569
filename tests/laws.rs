//! Laws that hold whatever the geometry and the values, on the CPU, in every element type.
//!
//! Values are small integers where a law adds or compares sums, so that all of it is exact.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use unpool::{Cell, Geometry, Overlap, cpu};

use crate::engines::numbers;
use crate::support::cases::Case;
use crate::support::compare::same_bits;
use crate::support::every_element;
use crate::support::fill::{Fill, fill, integers, of_integer};
use crate::support::oracle::{Bits, Plan, is_nan, value, zero};
use crate::support::random_cases::any_geometry;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }
}

fn holds(compared: Result<(), String>) -> TestCaseResult {
    compared.map_err(TestCaseError::fail)
}

/// ⟨a, b⟩, exact for small integers.
fn dot<T: Bits>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| value(a) * value(b)).sum()
}

fn total<T: Bits>(of: &[T]) -> f64 {
    of.iter().map(|&element| value(element)).sum()
}

/// ⟨S x, y⟩ = ⟨x, Sᵀ y⟩: reading the winners is the adjoint of summing into them.
fn adjoint<T: Cell + Bits>(geometry: &Geometry, seed: u64) -> TestCaseResult {
    let z: Vec<T> = integers(3, geometry.input_len(), seed);
    let x: Vec<T> = integers(3, geometry.input_len(), seed ^ 1);
    let y: Vec<T> = integers(1, geometry.pooled_len(), seed ^ 2);
    let taps = cpu::max_pool(geometry, &z).unwrap().taps;
    let read = cpu::max_unpool_backward(geometry, &x, &taps).unwrap();
    for summed in [
        cpu::max_unpool(geometry, &y, &taps, Overlap::Sum).unwrap(),
        cpu::max_pool_backward(geometry, &y, &taps).unwrap(),
    ] {
        prop_assert_eq!(dot(&read, &y), dot(&x, &summed), "{}", T::ELEMENT.name());
    }
    Ok(())
}

/// Where no two windows share a cell, pooling an unpooled tensor gives the values back.
fn inverse<T: Cell + Bits>(geometry: &Geometry, seed: u64) -> TestCaseResult {
    // All at least 1: a zero that unpooling leaves behind must not win.
    let positive = integers::<T>(3, geometry.input_len(), seed);
    let x: Vec<T> = positive.into_iter().map(|v| of_integer(value(v).abs() as i32 + 1)).collect();
    let pooled = cpu::max_pool(geometry, &x).unwrap();
    let last = cpu::max_unpool(geometry, &pooled.values, &pooled.taps, Overlap::Last).unwrap();
    let sum = cpu::max_unpool(geometry, &pooled.values, &pooled.taps, Overlap::Sum).unwrap();
    holds(same_bits(&"last and sum without overlap", &last, &sum))?;
    let again = cpu::max_pool(geometry, &last).unwrap();
    holds(same_bits(&"values pooled again", &again.values, &pooled.values))?;
    prop_assert_eq!(again.taps, pooled.taps);
    Ok(())
}

/// What is summed into the input is what came in: nothing lost, nothing twice.
fn preserved<T: Cell + Bits>(geometry: &Geometry, seed: u64) -> TestCaseResult {
    let x: Vec<T> = integers(3, geometry.input_len(), seed);
    let gradient: Vec<T> = integers(1, geometry.pooled_len(), seed ^ 1);
    let taps = cpu::max_pool(geometry, &x).unwrap().taps;
    let spread = cpu::max_pool_backward(geometry, &gradient, &taps).unwrap();
    prop_assert_eq!(total(&spread), total(&gradient), "{}", T::ELEMENT.name());
    Ok(())
}

/// The winner is a cell of its window with the value's bits; nothing in the window is greater,
/// nothing before it equal; if the window holds a NaN, it is the last one.
fn winner<T: Cell + Bits>(geometry: &Geometry, plan: &Plan, seed: u64) -> TestCaseResult {
    for kind in Fill::ALL {
        let x: Vec<T> = fill(kind, geometry.input_len(), seed);
        let pooled = cpu::max_pool(geometry, &x).unwrap();
        let taps = numbers(&pooled.taps);
        for ((position, &found), &tap) in plan.positions().iter().zip(&pooled.values).zip(&taps) {
            let window = plan.window(position);
            let at = window.iter().position(|&(t, _)| t == tap);
            prop_assert!(at.is_some(), "tap {} is not in the window", tap);
            let cells: Vec<T> =
                window.iter().map(|&(_, cell)| x[plan.at(position, cell)]).collect();
            let at = at.unwrap();
            prop_assert_eq!(found.bits(), cells[at].bits());
            match cells.iter().rposition(|&cell| is_nan(cell)) {
                Some(last_nan) => prop_assert_eq!(at, last_nan),
                None => {
                    let best = value(found);
                    prop_assert!(cells[..at].iter().all(|&cell| value(cell) < best));
                    prop_assert!(cells[at..].iter().all(|&cell| value(cell) <= best));
                }
            }
        }
    }
    Ok(())
}

/// Adding a constant to every cell adds it to every maximum and moves none.
fn shift<T: Cell + Bits>(geometry: &Geometry, seed: u64) -> TestCaseResult {
    let x: Vec<T> = integers(3, geometry.input_len(), seed);
    let add = |values: &[T]| -> Vec<T> {
        values.iter().map(|&v| of_integer(value(v) as i32 + 40)).collect()
    };
    let pooled = cpu::max_pool(geometry, &x).unwrap();
    let shifted = cpu::max_pool(geometry, &add(&x)).unwrap();
    holds(same_bits(&"shifted values", &shifted.values, &add(&pooled.values)))?;
    prop_assert_eq!(shifted.taps, pooled.taps);
    Ok(())
}

/// Reading back from an unpooled tensor gives each value, where no window overwrote another's.
fn read_back<T: Cell + Bits>(geometry: &Geometry, plan: &Plan, seed: u64) -> TestCaseResult {
    let x: Vec<T> = integers(3, geometry.input_len(), seed);
    let values: Vec<T> = fill(Fill::Specials, geometry.pooled_len(), seed ^ 1);
    let taps = cpu::max_pool(geometry, &x).unwrap().taps;
    let output = cpu::max_unpool(geometry, &values, &taps, Overlap::Last).unwrap();
    let read = cpu::max_unpool_backward(geometry, &output, &taps).unwrap();
    // The last pooled element with the same winner is the one that every sharer reads.
    let positions = plan.positions();
    let mut last = vec![None; geometry.input_len()];
    let winners: Vec<usize> = positions
        .iter()
        .zip(numbers(&taps))
        .map(|(position, tap)| plan.at(position, plan.cell(position, tap).unwrap()))
        .collect();
    for (i, &at) in winners.iter().enumerate() {
        last[at] = Some(values[i]);
    }
    let expected: Vec<T> = winners.iter().map(|&at| last[at].unwrap()).collect();
    holds(same_bits(&"read back", &read, &expected))?;
    // And nothing but the winners' cells was written.
    let output_expected: Vec<T> = last.into_iter().map(|v| v.unwrap_or(zero())).collect();
    holds(same_bits(&"unpooled", &output, &output_expected))
}

/// A tensor cut into its images gives the same as the whole tensor.
fn by_image<T: Cell + Bits>(
    geometry: &Geometry,
    one: &Geometry,
    images: usize,
    seed: u64,
) -> TestCaseResult {
    let x: Vec<T> = fill(Fill::Specials, geometry.input_len(), seed);
    let whole = cpu::max_pool(geometry, &x).unwrap();
    let taps = numbers(&whole.taps);
    for i in 0..images {
        let image = &x[i * one.input_len()..][..one.input_len()];
        let pooled = cpu::max_pool(one, image).unwrap();
        let range = i * one.pooled_len()..(i + 1) * one.pooled_len();
        holds(same_bits(&"an image alone", &pooled.values, &whole.values[range.clone()]))?;
        prop_assert_eq!(&numbers(&pooled.taps)[..], &taps[range]);
    }
    Ok(())
}

/// A geometry of which so few windows share a cell that a sum of ones fits every type.
fn few_to_a_cell() -> impl Strategy<Value = (Case, Geometry)> {
    any_geometry().prop_filter("too many windows share a cell", |(case, _)| {
        Plan::new(case).unwrap().most_windows_of_a_cell() <= 127
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn reading_winners_is_the_adjoint_of_summing_into_them(
        (_case, geometry) in few_to_a_cell(), seed in any::<u64>(),
    ) {
        every_element!(adjoint(&geometry, seed)?);
    }

    #[test]
    fn pooling_undoes_unpooling_where_windows_do_not_overlap(
        (_case, geometry) in any_geometry()
            .prop_filter("windows overlap", |(_, geometry)| !geometry.windows_overlap()),
        seed in any::<u64>(),
    ) {
        every_element!(inverse(&geometry, seed)?);
    }

    #[test]
    fn the_sum_of_a_gradient_is_preserved(
        (_case, geometry) in few_to_a_cell(), seed in any::<u64>(),
    ) {
        every_element!(preserved(&geometry, seed)?);
    }

    #[test]
    fn a_winner_is_the_first_greatest_cell_of_its_window_or_its_last_nan(
        (case, geometry) in any_geometry(), seed in any::<u64>(),
    ) {
        let plan = Plan::new(&case).unwrap();
        every_element!(winner(&geometry, &plan, seed)?);
    }

    #[test]
    fn a_constant_added_moves_no_maximum(
        (_case, geometry) in any_geometry(), seed in any::<u64>(),
    ) {
        every_element!(shift(&geometry, seed)?);
    }

    #[test]
    fn every_sharer_of_a_cell_reads_the_last_value_put_there(
        (case, geometry) in any_geometry(), seed in any::<u64>(),
    ) {
        let plan = Plan::new(&case).unwrap();
        every_element!(read_back(&geometry, &plan, seed)?);
    }

    #[test]
    fn images_do_not_know_of_each_other(
        (case, geometry) in any_geometry(), seed in any::<u64>(),
    ) {
        let mut one = case.clone();
        one.batch = 1;
        let one = one.geometry().unwrap();
        every_element!(by_image(&geometry, &one, case.batch, seed)?);
    }
}
