//! Random geometries, small and far-reaching, on every engine against the definition: pooling,
//! unpooling both ways, both gradients, taps of any numbers, and arbitrary indices.
//!
//! The suite takes the first hundred or so. `UNPOOL_CASES=10000` takes the first ten thousand, and
//! `UNPOOL_CASES=731..732` the one that a failure names as seed 731:
//!
//! ```text
//! UNPOOL_CASES=10000 cargo test --release --test unpool random_geometry
//! ```

use std::ops::Range;

use unpool::{Cell, Engine, IndexSpace, Scatter};

use crate::engines::{check_fill, check_untrusted};
use crate::scatter;
use crate::support::cases::Case;
use crate::support::compare::Report;
use crate::support::devices::{CASES_OF_A_DEVICE, new_engines};
use crate::support::elements_by_case;
use crate::support::fill::{Fill, Random};
use crate::support::oracle::{Bits, Plan};
use crate::support::random_cases::{any_geometry, draw, same_window};

/// Inputs of each window, one after another: extents are data, and a window is compiled once.
const INPUTS: u64 = 4;

/// What the suite takes.
const FEW: Range<u64> = 0..120;

/// The numbers of the cases to take.
fn wanted() -> Range<u64> {
    let Ok(text) = std::env::var("UNPOOL_CASES") else { return FEW };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((first, end)) => number(first).zip(number(end)).map(|(first, end)| first..end),
        None => number(&text).map(|end| 0..end),
    };
    range
        .filter(|range| !range.is_empty())
        .unwrap_or_else(|| panic!("UNPOOL_CASES is {text:?}: a count such as 10000, or 731..732"))
}

/// Case number `number`: the window of its group, over an input of its own.
fn case(number: u64) -> Case {
    let (first, _) = draw(&any_geometry(), number / INPUTS);
    if number.is_multiple_of(INPUTS) { first } else { draw(&same_window(&first), number) }
}

fn check<T: Cell + Bits>(report: &mut Report, case: &Case, on: &(String, Engine), number: u64) {
    let of = (&case.geometry().unwrap(), &Plan::new(case).unwrap());
    let kind = Fill::ALL[(number / 2 % 4) as usize];
    check_fill::<T>(report, case, of, on, (kind, number));
    check_untrusted::<T>(report, case, of, on, number);
}

#[test]
fn random_geometries_give_the_bits_of_the_definition() {
    let mut report = Report::default();
    let mut engines = Vec::new();
    for number in wanted() {
        let case = case(number);
        if engines.is_empty() || number % (INPUTS * CASES_OF_A_DEVICE as u64) == 0 {
            engines.clear();
            engines = new_engines();
        }
        report.add_each(&engines, |engine, report| {
            // Inputs of a window have the same elements, so that one compilation serves them all.
            let window = (number / INPUTS) as usize;
            elements_by_case!(window, engine.1, check(report, &case, engine, number));
        });
        if report.is_full() {
            break;
        }
    }
    report.finish();
}

/// Indices of any kind, from the pooled shape of a random geometry into its input.
#[test]
fn arbitrary_indices_of_random_geometries_give_the_bits_of_the_definition() {
    let mut report = Report::default();
    for number in wanted() {
        let case = case(number);
        let geometry = case.geometry().unwrap();
        let space = IndexSpace::ALL[(number % 5) as usize];
        let (pooled, input) = (*geometry.pooled_shape(), *geometry.input_shape());
        let scatter = Scatter::new(pooled, input, space).unwrap();
        let mut random = Random::new(number);
        let kind = scatter::KINDS[(number / INPUTS % 4) as usize];
        // An empty batch has no index, and nothing that has one.
        let size = scatter::size(&scatter).max(1);
        let indices = scatter::indices(kind, geometry.pooled_len(), size, &mut random);
        let name = format!("{case}, case {number}, {} {kind}", space.name());
        macro_rules! check {
            ($type:ty) => {
                scatter::check::<$type>(&mut report, &name, &scatter, &indices)
            };
        }
        match number % 7 {
            0 => check!(f32),
            1 => check!(half::f16),
            2 => check!(half::bf16),
            3 => check!(i32),
            4 => check!(u32),
            5 => check!(i8),
            _ => check!(u8),
        }
        if report.is_full() {
            break;
        }
    }
    report.finish();
}
