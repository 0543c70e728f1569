//! Windows that reach far: dilations and padding of tens of thousands over inputs of few cells.

use unpool::{Cell, Engine, Geometry};

use crate::engines::{check_fill, check_untrusted};
use crate::support::cases::{Case, FAR, parse};
use crate::support::compare::Report;
use crate::support::devices::engines;
use crate::support::elements_by_case;
use crate::support::fill::Fill;
use crate::support::oracle::{Bits, Plan};

fn check<T: Cell + Bits>(
    report: &mut Report,
    case: &Case,
    of: (&Geometry, &Plan),
    on: &(String, Engine),
) {
    for kind in [Fill::Permutation, Fill::Specials] {
        check_fill::<T>(report, case, of, on, (kind, 51));
    }
    check_untrusted::<T>(report, case, of, on, 52);
}

#[test]
fn windows_that_reach_far_give_the_bits_of_the_definition() {
    Report::of_each(&engines(), |engine, report| {
        for (number, name) in FAR.iter().enumerate() {
            let case = parse(name);
            let of = (&case.geometry().unwrap(), &Plan::new(&case).unwrap());
            elements_by_case!(number, engine.1, check(report, &case, of, engine));
        }
    });
}
