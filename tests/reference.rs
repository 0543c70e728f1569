//! The definition as plain loops, `cpu::reference`, against the oracle, which shares no code with it.

use unpool::cpu::reference;
use unpool::{Cell, Error, Overlap, Taps};

use crate::engines::numbers;
use crate::support::cases::{Case, FAR, parse, table};
use crate::support::compare::{Report, same, same_bits};
use crate::support::every_element;
use crate::support::fill::{Fill, fill};
use crate::support::oracle::{self, Bits, Plan};

fn check<T: Cell + Bits>(report: &mut Report, case: &Case) {
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(case).unwrap());
    for kind in [Fill::Specials, Fill::Permutation] {
        let of = |what: &str| format!("{case} {} {kind:?}: {what}", T::ELEMENT.name());
        let input: Vec<T> = fill(kind, plan.input_len(), 101);
        let expected = oracle::max_pool(&plan, &input);
        let (values, taps) = (&expected.values, &expected.taps);
        let found = reference::max_pool(&geometry, &input).unwrap();
        report.add(same_bits(&of("values"), &found.values, values));
        report.add(same(&of("taps"), &numbers(&found.taps), taps));

        let last = reference::max_unpool(&geometry, values, &found.taps, Overlap::Last).unwrap();
        report.add(same_bits(&of("last"), &last, &oracle::max_unpool_last(&plan, values, taps)));
        let sum = reference::max_unpool(&geometry, values, &found.taps, Overlap::Sum);
        report.add(match (sum, oracle::max_unpool_sum(&plan, values, taps)) {
            (Ok(sum), Ok(expected)) => same_bits(&of("sum"), &sum, &expected),
            (Err(Error::Overflow { element, .. }), Err(expected)) => {
                same(&of("overflow"), &[element], &[expected])
            }
            (sum, expected) => Err(of(&format!("{:?}, not {:?}", sum.err(), expected.err()))),
        });
        let read = reference::max_unpool_backward(&geometry, &input, &found.taps).unwrap();
        let expected = oracle::max_unpool_backward(&plan, &input, taps);
        report.add(same_bits(&of("read"), &read, &expected));
    }
}

#[test]
fn the_reference_gives_the_bits_of_the_oracle() {
    let mut report = Report::default();
    for case in table().into_iter().chain(FAR.iter().map(|name| parse(name))) {
        every_element!(check(&mut report, &case));
    }
    report.finish();
}

#[test]
fn the_reference_refuses_what_the_operations_refuse() {
    let geometry = parse("n1c1h4w4_k2_first").geometry().unwrap();
    let of = |operand, found, allowed| Some(Error::Length { operand, found, allowed });
    let taps = reference::max_pool(&geometry, &[1f32; 16]).unwrap().taps;
    let wide = Taps::zeroed(&parse("n1c1h32w32_k16_first").geometry().unwrap());
    let last = Overlap::Last;
    assert_eq!(reference::max_pool(&geometry, &[0f32; 15]).err(), of("input", 15, 16));
    let found = reference::max_unpool(&geometry, &[0f32; 5], &taps, last).err();
    assert_eq!(found, of("values", 5, 4));
    let found = reference::max_unpool_backward(&geometry, &[0f32; 4], &taps).err();
    assert_eq!(found, of("grad_output", 4, 16));
    let found = reference::max_unpool(&geometry, &[0f32; 4], &wide, last).err();
    assert_eq!(found, Some(Error::TapWidth { found: 2, allowed: 1 }));
    // A tap that names no cell puts nothing anywhere, and reads zero.
    let none = Taps::from_bytes(&geometry, &[255, 4, 0, 200]).unwrap();
    let output = reference::max_unpool(&geometry, &[1f32, 2.0, 3.0, 4.0], &none, last).unwrap();
    assert_eq!(output.iter().sum::<f32>(), 3.0);
    let read = reference::max_unpool_backward(&geometry, &[7f32; 16], &none).unwrap();
    assert_eq!(read, [0.0, 0.0, 7.0, 0.0]);
}
