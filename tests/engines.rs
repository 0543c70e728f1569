//! Every engine does what the oracle does: each case, element, fill and operation, every field,
//! every bit.

use unpool::{Cell, Engine, Error, Geometry, Overlap, Taps};

use crate::support::cases::{Case, parse, table};
use crate::support::compare::{Report, same, same_bits};
use crate::support::devices::{CASES_OF_A_DEVICE, engines, gpus, new_engines};
use crate::support::fill::{Fill, Random, fill};
use crate::support::oracle::{self, Bits, Plan};
use crate::support::{elements_by_case, every_element};

/// The taps as plain numbers.
pub(crate) fn numbers(taps: &Taps) -> Vec<u32> {
    (0..taps.len()).map(|i| taps.get(i).unwrap()).collect()
}

/// A sum that an engine returned against the oracle's: one that its type does not hold is an error
/// on the CPU, and saturated on a GPU.
fn same_sum<T: Cell + Bits>(
    (context, engine): (&str, &Engine),
    operand: &'static str,
    found: Result<Vec<T>, Error>,
    (expected, saturated): (&Result<Vec<T>, usize>, &[T]),
) -> Result<(), String> {
    match (found, expected) {
        (Ok(found), Err(_)) if matches!(engine, Engine::Gpu(_)) => {
            same_bits(&context, &found, saturated)
        }
        (Ok(found), Ok(expected)) => same_bits(&context, &found, expected),
        (Err(found), &Err(element)) => {
            let expected = Error::Overflow { operand, element, kind: T::ELEMENT };
            if found == expected {
                Ok(())
            } else {
                Err(format!("{context}: {found}, not {expected}"))
            }
        }
        (Ok(_), Err(element)) => Err(format!("{context}: no overflow at element {element}")),
        (Err(found), Ok(_)) => Err(format!("{context}: {found}")),
    }
}

/// Compares one engine with the oracle on everything that takes taps.
fn check_taps<T: Cell + Bits>(
    report: &mut Report,
    context: &str,
    (engine, geometry, plan): (&Engine, &Geometry, &Plan),
    taps: &[u32],
    (values, cells): (&[T], &[T]),
) {
    let ours = Taps::from_bytes(geometry, &plan.tap_bytes(taps)).unwrap();

    let last = engine.max_unpool(geometry, values, &ours, Overlap::Last);
    let expected = oracle::max_unpool_last(plan, values, taps);
    report.add(match last {
        Ok(last) => same_bits(&format!("{context} max_unpool last, output"), &last, &expected),
        Err(error) => Err(format!("{context} max_unpool last: {error}")),
    });

    let (expected, saturated) = (
        oracle::max_unpool_sum(plan, values, taps),
        oracle::max_unpool_saturated(plan, values, taps),
    );
    let expected = (&expected, &saturated[..]);
    let sum = engine.max_unpool(geometry, values, &ours, Overlap::Sum);
    let context_of = format!("{context} max_unpool sum, output");
    report.add(same_sum((&context_of, engine), "output", sum, expected));
    let sum = engine.max_pool_backward(geometry, values, &ours);
    let context_of = format!("{context} max_pool_backward, grad_input");
    report.add(same_sum((&context_of, engine), "grad_input", sum, expected));

    let read = engine.max_unpool_backward(geometry, cells, &ours);
    let expected = oracle::max_unpool_backward(plan, cells, taps);
    report.add(match read {
        Ok(read) => {
            same_bits(&format!("{context} max_unpool_backward, grad_input"), &read, &expected)
        }
        Err(error) => Err(format!("{context} max_unpool_backward: {error}")),
    });
}

/// Compares one engine with the oracle on every operation, each tensor filled with one kind of content.
pub(crate) fn check_fill<T: Cell + Bits>(
    report: &mut Report,
    case: &Case,
    (geometry, plan): (&Geometry, &Plan),
    (name, engine): &(String, Engine),
    (kind, seed): (Fill, u64),
) {
    let input: Vec<T> = fill(kind, plan.input_len(), seed);
    let values: Vec<T> = fill(kind, plan.pooled_len(), seed + 100);
    let cells: Vec<T> = fill(kind, plan.input_len(), seed + 200);
    let expected = oracle::max_pool(plan, &input);
    let context = format!("{case} {} {kind:?}, seed {seed}, on {name},", T::ELEMENT.name());
    match engine.max_pool(geometry, &input) {
        Ok(pooled) => {
            let of = format!("{context} max_pool, values");
            report.add(same_bits(&of, &pooled.values, &expected.values));
            let of = format!("{context} max_pool, taps");
            report.add(same(&of, &numbers(&pooled.taps), &expected.taps));
        }
        Err(error) => report.add(Err(format!("{context} max_pool: {error}"))),
    }
    // On a GPU this is a kernel of its own, which `agreement` compares on fewer cases.
    if let Engine::Cpu = engine {
        let of = format!("{context} max_pool_values");
        let values = engine.max_pool_values(geometry, &input).unwrap();
        report.add(same_bits(&of, &values, &expected.values));
    }
    // The oracle's taps, so that a wrong pooling is not reported five times.
    let on = (engine, geometry, plan);
    check_taps(report, &context, on, &expected.taps, (&values, &cells));
}

fn check_case<T: Cell + Bits>(
    report: &mut Report,
    case: &Case,
    of: (&Geometry, &Plan),
    on: &(String, Engine),
) {
    for (seed, kind) in (1..).zip(Fill::ALL) {
        check_fill::<T>(report, case, of, on, (kind, seed));
    }
}

/// Every engine, all at once, on every case of the table.
fn on_the_table(
    check: impl Fn(usize, &Case, (&Geometry, &Plan), &(String, Engine), &mut Report) + Sync,
) {
    let cases: Vec<_> = table().into_iter().enumerate().collect();
    let mut report = Report::default();
    for cases in cases.chunks(CASES_OF_A_DEVICE) {
        report.add_each(&new_engines(), |engine, report| {
            for (number, case) in cases {
                let of = (&case.geometry().unwrap(), &Plan::new(case).unwrap());
                check(*number, case, of, engine, report);
            }
        });
    }
    report.finish();
}

#[test]
fn every_engine_gives_the_bits_of_the_definition() {
    on_the_table(|number, case, of, on, report| {
        elements_by_case!(number, on.1, check_case(report, case, of, on));
    });
}

/// Taps of any numbers: cells of the window, cells in the padding, numbers past the window, the
/// tap of no cell.
fn any_taps(plan: &Plan, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed);
    let (cells, none) = (plan.cells(), if plan.cells() > 255 { 65_535 } else { 255 });
    let tap = |_| match random.below(8) {
        0 => none,
        1 => random.below(none as usize + 1) as u32,
        2 => (cells as u32).min(none),
        _ => random.below(cells) as u32,
    };
    (0..plan.pooled_len()).map(tap).collect()
}

/// The same with taps that are no pooling's.
pub(crate) fn check_untrusted<T: Cell + Bits>(
    report: &mut Report,
    case: &Case,
    (geometry, plan): (&Geometry, &Plan),
    (name, engine): &(String, Engine),
    seed: u64,
) {
    let taps = any_taps(plan, seed);
    let values: Vec<T> = fill(Fill::Permutation, plan.pooled_len(), seed + 1);
    let cells: Vec<T> = fill(Fill::Permutation, plan.input_len(), seed + 2);
    let context = format!("{case} {} with any taps, seed {seed}, on {name},", T::ELEMENT.name());
    check_taps(report, &context, (engine, geometry, plan), &taps, (&values, &cells));
}

#[test]
fn taps_that_name_no_cell_unpool_to_nothing_on_every_engine() {
    on_the_table(|number, case, of, on, report| {
        elements_by_case!(number, on.1, check_untrusted(report, case, of, on, 5));
    });
}

/// Every window takes its first cell, or its last: where they overlap most, sums are longest.
fn check_corners<T: Cell + Bits>(
    report: &mut Report,
    case: &Case,
    (geometry, plan): (&Geometry, &Plan),
    (name, engine): &(String, Engine),
) {
    let windows: Vec<_> = plan.positions().iter().map(|position| plan.window(position)).collect();
    let first = windows.iter().map(|w| w[0].0).collect::<Vec<_>>();
    let last = windows.iter().map(|w| w[w.len() - 1].0).collect::<Vec<_>>();
    let values: Vec<T> = fill(Fill::Specials, plan.pooled_len(), 8);
    let cells: Vec<T> = fill(Fill::Permutation, plan.input_len(), 9);
    for (corner, taps) in [("first", &first), ("last", &last)] {
        let element = T::ELEMENT.name();
        let context = format!("{case} {element} each window's {corner} cell on {name},");
        check_taps(report, &context, (engine, geometry, plan), taps, (&values, &cells));
    }
}

#[test]
fn the_first_and_the_last_cell_of_every_window_are_reached_on_every_engine() {
    on_the_table(|number, case, of, on, report| {
        elements_by_case!(number, on.1, check_corners(report, case, of, on));
    });
}

#[test]
fn operands_of_the_wrong_length_are_refused_by_every_engine() {
    let case = crate::support::cases::parse("n1c2h4w4_k2_last");
    let geometry = case.geometry().unwrap();
    let wide = crate::support::cases::parse("n1c2h32w32_k16_last").geometry().unwrap();
    let length = |operand, found, allowed| Err(Error::Length { operand, found, allowed });
    for (name, engine) in engines() {
        let taps = Taps::from_bytes(&geometry, &[0; 8]).unwrap();
        let (few, many) = ([0f32; 7], [0f32; 33]);
        let found = engine.max_pool(&geometry, &many).map(|p| p.values);
        assert_eq!(found, length("input", 33, 32), "{name}");
        for overlap in [Overlap::Last, Overlap::Sum] {
            let found = engine.max_unpool(&geometry, &few, &taps, overlap);
            assert_eq!(found, length("values", 7, 8), "{name}");
        }
        let found = engine.max_pool_backward(&geometry, &few, &taps);
        assert_eq!(found, length("grad_output", 7, 8), "{name}");
        let found = engine.max_unpool_backward(&geometry, &many, &taps);
        assert_eq!(found, length("grad_output", 33, 32), "{name}");

        // Taps of a window with another width, and of another number of windows.
        let two_bytes = Taps::from_bytes(&wide, &[0; 16]).unwrap();
        let width = Error::TapWidth { found: 2, allowed: 1 };
        let last = Overlap::Last;
        assert_eq!(engine.max_unpool(&geometry, &[0f32; 8], &two_bytes, last), Err(width.clone()));
        assert_eq!(width.to_string(), "taps have 2 bytes each; the taps of this window have 1");
        let other = crate::support::cases::parse("n1c2h4w6_k2_last").geometry().unwrap();
        let others = Taps::from_bytes(&other, &[0; 12]).unwrap();
        let found = engine.max_unpool_backward(&geometry, &[0f32; 32], &others);
        assert_eq!(found, length("taps", 12, 8), "{name}");
    }
}

/// Rows that are much longer than a chunk of the CPU path.
const LONG_ROWS: &[&str] = &[
    "n1c1w100000_k2_first",
    "n2c1w65539_k4_first",
    "n1c1w100000_k3s2_first",
    "n1c2w70001_k5s3d2p4_first",
    "n1c1w50000_k9s1p4_first",
    "n1c1w80000_k300s7p150_first",
    "n1c1h3w60000_k2x3s1x2p1_ceil_first",
    // Cells that no window holds lie on both sides of where rows are cut.
    "n1c1w100003_k2s50_first",
    "n1c1w100003_k2s9d3_first",
    "n1c40w3000_k2s5_last",
    "n1c1w120000_k2s40000_first",
    "n1c3w30001_k3s2psame_last",
    "n1c16w9001_k3s2p1_last",
    // Tiles, narrow and wide; many rows for several threads, of which the last chunk has fewer.
    "n1c1w300000_k2_first",
    "n1c16w9001_k3_last",
    "n1c16h301w301_k2_last",
    "n1c5w20003_k2_last",
    "n1c70001w3_k2s1_last",
];

#[test]
fn the_cpu_cuts_long_rows_without_a_trace() {
    let cpu = ("cpu".to_owned(), Engine::Cpu);
    Report::of_each(LONG_ROWS, |name, report| {
        let case = parse(name);
        let of = (&case.geometry().unwrap(), &Plan::new(&case).unwrap());
        every_element!(check_case(report, &case, of, &cpu));
    });
}

/// Rows, and elements of a row, around 2^20, up to which kernels find quotients by floats; none divides by four.
const MANY_ROWS: &[&str] = &[
    "n1c1h1048575w5_k2psame_first",
    "n1c1h1048577w5_k2psame_first",
    "n1c1w1048575_k2psame_first",
    "n1c1w1048577_k2psame_first",
    "n1c3w349525_k3s2_last",
    "n1c3w349527_k3s2_last",
];

#[test]
fn many_rows_and_long_ones_unpool_to_the_bits_of_the_cpu() {
    Report::of_each(MANY_ROWS, |name, report| {
        let geometry = parse(name).geometry().unwrap();
        let values: Vec<u8> = fill(Fill::Permutation, geometry.pooled_len(), 46);
        let input: Vec<u8> = fill(Fill::Permutation, geometry.input_len(), 47);
        let taps = Engine::Cpu.max_pool(&geometry, &input).unwrap().taps;
        let unpool =
            |engine: &Engine| engine.max_unpool(&geometry, &values, &taps, Overlap::Last).unwrap();
        let expected = unpool(&Engine::Cpu);
        for (device, engine) in engines().iter() {
            report.add(same(&format!("{name} on {device}"), &unpool(engine), &expected));
        }
    });
}

/// The premise of sums that have the same bits everywhere.
#[test]
fn every_device_rounds_sums_as_the_cpu_does() {
    for gpu in gpus().iter() {
        // Once, and remembered.
        assert_eq!([gpu.check_sums(), gpu.check_sums()], [Ok(()), Ok(())], "{}", gpu.description());
    }
}
