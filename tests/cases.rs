//! The table of cases itself: names are parsed and written alike, and every kind of window is among them.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::support::cases::{Case, FAR, Pads, TABLE, parse, table};
use crate::support::oracle::Plan;
use crate::support::random_cases::any_case;

#[test]
fn a_case_is_called_what_it_is() {
    for name in TABLE.iter().chain(FAR) {
        assert_eq!(parse(&parse(name).to_string()), parse(name), "{name}");
    }
}

#[test]
fn no_case_is_there_twice() {
    let cases = || TABLE.iter().chain(FAR).map(|name| parse(name));
    let names: HashSet<String> = cases().map(|case| case.to_string()).collect();
    assert_eq!(names.len(), cases().count());
}

#[test]
fn every_case_is_a_geometry() {
    for case in TABLE.iter().chain(FAR).map(|name| parse(name)) {
        let geometry = case.geometry().unwrap_or_else(|error| panic!("{case}: {error}"));
        let plan = Plan::new(&case).unwrap_or_else(|refusal| panic!("{case}: {refusal:?}"));
        assert_eq!(geometry.pooled_shape(), &case.shape(&plan.there(plan.pooled)), "{case}");
    }
}

/// A kind of geometry and whether a case is of it.
type Kind = (&'static str, fn(&Case, &Plan) -> bool);

#[test]
fn the_table_has_every_kind_of_geometry_in_both_layouts() {
    fn span(plan: &Plan, i: usize) -> i64 {
        (plan.kernel[i] - 1) * plan.dilation[i] + 1
    }
    let kinds: &[Kind] = &[
        ("one axis", |_, p| p.rank == 1),
        ("two axes", |_, p| p.rank == 2),
        ("three axes", |_, p| p.rank == 3),
        ("an empty batch", |c, _| c.batch == 0),
        ("windows that do not overlap", |_, p| (0..3).all(|i| span(p, i) <= p.stride[i])),
        ("windows that overlap", |_, p| (0..3).any(|i| span(p, i) > p.stride[i])),
        ("gaps", |_, p| (0..3).any(|i| span(p, i) < p.stride[i])),
        ("three windows and more to a cell", |_, p| {
            (0..3).any(|i| span(p, i) > 2 * p.stride[i] && p.pooled[i] > 2)
        }),
        ("holes wider than the stride", |_, p| (0..3).any(|i| p.dilation[i] > p.stride[i])),
        ("padding as much as the stride", |_, p| (0..3).any(|i| p.before[i] >= p.stride[i])),
        ("more padding before", |_, p| (0..3).any(|i| p.before[i] > p.after[i])),
        ("more padding after", |_, p| (0..3).any(|i| p.before[i] < p.after[i])),
        ("the odd cell before", |c, _| c.pads == Pads::SameLower),
        ("the odd cell after", |c, _| c.pads == Pads::Same),
        ("ceil mode", |c, _| c.ceil),
        ("two bytes to a tap", |_, p| p.cells() > 255),
        ("a window larger than the input", |_, p| (0..3).any(|i| span(p, i) > p.input[i])),
        ("rows divisible by four", |c, p| {
            let inside = if c.channels_last { p.channels } else { 1 };
            p.pooled[2] * inside % 4 == 0
        }),
        ("rows not divisible by four", |c, p| {
            let inside = if c.channels_last { p.channels } else { 1 };
            p.pooled[2] * inside % 4 != 0
        }),
    ];
    for last in [false, true] {
        for (kind, is) in kinds {
            let found = table()
                .iter()
                .filter(|case| case.channels_last == last)
                .any(|case| is(case, &Plan::new(case).unwrap()));
            assert!(found, "no case has {kind}, channels {}", if last { "last" } else { "first" });
        }
    }
    for channels in [1, 2, 3, 4, 5, 8, 67] {
        assert!(table().iter().any(|case| case.channels == channels), "{channels} channels");
    }
    assert!(table().iter().any(|case| Plan::new(case).unwrap().cells() == 255));
    assert!(table().iter().any(|case| Plan::new(case).unwrap().cells() == 256));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_case_is_read_back_from_its_name(case in any_case()) {
        prop_assert_eq!(parse(&case.to_string()), case);
    }
}
