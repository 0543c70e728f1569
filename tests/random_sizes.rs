//! Sizes, padding and refusals of random geometries, for pooling and for unpooling to a size that is
//! given: compared with the definition, which counts windows.

use proptest::prelude::*;
use unpool::{Geometry, GeometryError, cpu};

use crate::engines::numbers;
use crate::support::cases::{Case, Pads};
use crate::support::compare::{same, same_bits};
use crate::support::fill::{Fill, fill};
use crate::support::oracle::{self, Plan, Refusal};
use crate::support::random_cases::{any_case, is_affordable};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_global_rejects: 1 << 20,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn sizes_and_refusals_are_those_of_the_definition(case in any_case()) {
        match (case.geometry(), Plan::new(&case)) {
            (Ok(geometry), Ok(plan)) => {
                prop_assert_eq!(geometry.pooled_shape(), &case.shape(&plan.there(plan.pooled)));
                let pads: Vec<(usize, usize)> =
                    plan.there(plan.before).into_iter().zip(plan.there(plan.after)).collect();
                prop_assert_eq!(geometry.pads(), pads);
                prop_assert_eq!(geometry.input_len(), plan.input_len());
                prop_assert_eq!(geometry.pooled_len(), plan.pooled_len());
                prop_assert_eq!(geometry.window_cells(), plan.cells());
                prop_assert_eq!(geometry.input_shape(), &case.shape(&case.spatial));
                prop_assert_eq!(geometry.window(), &case.window());
            }
            (Err(GeometryError::EmptyOutput { axis, .. }), Err(refusal)) => {
                prop_assert_eq!(refusal, Refusal::EmptyOutput { axis });
            }
            (Err(GeometryError::EmptyWindow { axis, .. }), Err(refusal)) => {
                prop_assert_eq!(refusal, Refusal::EmptyWindow { axis });
            }
            (Err(GeometryError::WindowTooLarge { found, .. }), Err(refusal)) => {
                prop_assert_eq!(refusal, Refusal::WindowTooLarge { cells: found });
            }
            // The definition knows no largest number.
            (Err(GeometryError::AxisTooLong { axis, found, allowed }), _) => {
                prop_assert!(allowed == i32::MAX as u64 && found > allowed.into());
                prop_assert!(longest(&case, axis) > i32::MAX as u64);
            }
            (found, expected) => prop_assert!(false, "{found:?}, the definition says {expected:?}"),
        }
    }

    /// Unpooling to any size that is allowed gives the result of the definition with that number of windows,
    /// those that reach outside included.
    #[test]
    fn unpooling_to_an_allowed_size_does_what_the_definition_does(
        (case, pooled) in any_case().prop_flat_map(|case| {
            let rank = case.spatial.len();
            (Just(case), prop::collection::vec(1usize..=4, rank))
        }),
        at in prop::option::of(prop::collection::vec(-4i64..=4, 3)),
        seed in any::<u64>(),
    ) {
        let case = with_size_of(case, &pooled, at.as_deref());
        let case = case.filter(is_affordable);
        prop_assume!(case.is_some());
        let case = case.unwrap();
        let size = at.is_some().then_some(&case.spatial[..]);
        let found = Geometry::for_pooled(&case.window(), case.shape(&pooled), size);
        // The definition knows no largest number.
        if let Err(GeometryError::AxisTooLong { axis, .. }) = found {
            prop_assert!(longest(&case, axis) > i32::MAX as u64);
            return Ok(());
        }
        match Plan::with_pooled(&case, &pooled) {
            Ok(plan) => {
                let geometry = found.map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(geometry.input_shape().spatial(), &case.spatial[..]);
                prop_assert_eq!(geometry.pooled_len(), plan.pooled_len());
                let input: Vec<f32> = fill(Fill::Specials, plan.input_len(), seed);
                let pooled = cpu::max_pool(&geometry, &input).unwrap();
                let expected = oracle::max_pool(&plan, &input);
                let fail = TestCaseError::fail;
                same_bits(&"values", &pooled.values, &expected.values).map_err(fail)?;
                same(&"taps", &numbers(&pooled.taps), &expected.taps).map_err(fail)?;
                let values: Vec<f32> = fill(Fill::Specials, plan.pooled_len(), seed ^ 1);
                let sum = cpu::max_pool_backward(&geometry, &values, &pooled.taps).unwrap();
                let expected = oracle::max_unpool_sum(&plan, &values, &expected.taps).unwrap();
                same_bits(&"sum", &sum, &expected).map_err(fail)?;
            }
            Err(refusal) => {
                let is_same = match (&found, refusal) {
                    (
                        &Err(GeometryError::EmptyWindow { axis: found, .. }),
                        Refusal::EmptyOutput { axis } | Refusal::EmptyWindow { axis },
                    ) => found == axis,
                    (
                        &Err(GeometryError::WindowTooLarge { found, .. }),
                        Refusal::WindowTooLarge { cells },
                    ) => found == cells,
                    _ => false,
                };
                prop_assert!(is_same, "{:?}, the definition says {:?}", found, refusal);
            }
        }
    }
}

/// No less than the largest coordinate on an axis, of which the last window spans most.
fn longest(case: &Case, axis: usize) -> u64 {
    let pads = match &case.pads {
        Pads::Explicit(pads) => 2 * pads[axis].0 + pads[axis].1,
        _ => 0,
    };
    let window = case.kernel[axis] * case.dilation[axis] + case.stride[axis];
    (2 * window + case.spatial[axis] + pads) as u64
}

/// The case with the input that `pooled` unpools to: by default, or so many cells off it. `None`
/// where that is no size or outside the range.
fn with_size_of(mut case: Case, pooled: &[usize], off: Option<&[i64]>) -> Option<Case> {
    for i in 0..pooled.len() {
        let (q, k, s) = (pooled[i] as i64, case.kernel[i] as i64, case.stride[i] as i64);
        let (default, lowest, highest) = match &case.pads {
            Pads::Same | Pads::SameLower => (q * s, q * s - s + 1, q * s),
            Pads::Valid => ((q - 1) * s + k, (q - 2) * s + k + 1, q * s + k - 1),
            Pads::Explicit(pads) => {
                let default = (q - 1) * s + k - pads[i].0 as i64 - pads[i].1 as i64;
                (default, default - s + 1, default + s - 1)
            }
        };
        let size = default + off.map_or(0, |off| off[i]);
        if size < 1 || size < lowest || size > highest {
            return None;
        }
        case.spatial[i] = size as usize;
    }
    Some(case)
}
