//! Index conversion on every adapter against the CPU: taps to indices, indices to taps with a report of
//! refused ones, in every space.

use unpool::{Gpu, IndexReport, IndexSpace, Overlap, Pooling, RefusedIndex, Step, Taps, operands};

use crate::support::cases::{Case, parse};
use crate::support::compare::{Report, same};
use crate::support::devices::gpus;
use crate::support::fill::{Fill, Random, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Plan};

const CASES: &[&str] = &[
    "n2c3h6w8_k2_last",
    "n2c3h6w8_k2_first",
    "n2c4h9w8_k3s2p1_last",
    "n2c3h9w8_k3s2p1_first",
    "n1c5h8w11_k3x2s1x2d2x3p2x1_last",
    "n1c2h33w20_k16s8_last",
    "n1c1w300_k256s22_first",
    "n2c3w11_k3s2p1_last",
    "n2c3d4h5w6_k2_first",
    "n2c8d4h5w6_k2s1_last",
    "n1c1d6h5w7_k2x3x2s1x2x3d3x1x2_last",
    "n0c3h5w5_k3s2p1_last",
];

/// Taps to indices, by one step.
fn to_indices(gpu: &Gpu, case: &Case, plan: &Plan, taps: &[u8], space: IndexSpace) -> Vec<u32> {
    let geometry = case.geometry().unwrap();
    let pooling = gpu.pooling(&geometry, unpool::Element::F16).unwrap();
    let taps = Guarded::of(gpu, "taps", taps, 0xa5);
    let indices = Guarded::poisoned(gpu, "indices", pooling.indices_bytes(), 0xa5);
    run(
        gpu,
        &[&pooling
            .taps_to_indices(
                operands::TapsToIndices { taps: taps.slice(), indices: indices.slice() },
                space,
            )
            .unwrap()],
    );
    taps.bytes(gpu).unwrap();
    indices.elements(gpu, plan.pooled_len()).unwrap()
}

/// The step from indices to taps.
pub(crate) fn step_to_taps(
    pooling: &Pooling,
    [indices, taps, report]: [&Guarded; 3],
    space: IndexSpace,
) -> Step {
    let (indices, taps, report) = (indices.slice(), taps.slice(), report.slice());
    pooling.indices_to_taps(operands::IndicesToTaps { indices, taps, report }, space).unwrap()
}

/// Indices to taps, by one step: the bytes of the taps, and the report.
fn to_taps(gpu: &Gpu, case: &Case, indices: &[u32], space: IndexSpace) -> (Vec<u8>, IndexReport) {
    let geometry = case.geometry().unwrap();
    let pooling = gpu.pooling(&geometry, unpool::Element::I8).unwrap();
    let indices = Guarded::of(gpu, "indices", indices, 0xa5);
    let taps = Guarded::poisoned(gpu, "taps", pooling.taps_bytes(), 0xa5);
    let report = Guarded::poisoned(gpu, "report", IndexReport::BYTES, 0xa5);
    let step = step_to_taps(&pooling, [&indices, &taps, &report], space);
    run(gpu, &[&step]);
    indices.bytes(gpu).unwrap();
    let words: Vec<u32> = report.elements(gpu, 3).unwrap();
    let report = bytemuck::cast([words[0], words[1], words[2]]);
    (taps.bytes(gpu).unwrap(), report)
}

/// A report of no refused index.
fn nothing_refused() -> IndexReport {
    bytemuck::cast([0, u32::MAX, u32::MAX])
}

#[test]
fn taps_become_the_indices_of_the_definition_on_every_adapter_and_come_back() {
    let mut report = Report::default();
    for name in CASES {
        let case = parse(name);
        let plan = Plan::new(&case).unwrap();
        let input: Vec<f32> = fill(Fill::Permutation, plan.input_len(), 51);
        let taps = oracle::max_pool(&plan, &input).taps;
        let bytes = plan.tap_bytes(&taps);
        let gpus = gpus();
        for (gpu, space) in gpus.iter().flat_map(|g| IndexSpace::ALL.map(|s| (g, s))) {
            let context = format!("{name} {} on {}", space.name(), gpu.description());
            let expected: Vec<u32> =
                oracle::indices(&plan, &taps, space).iter().map(|&i| i as u32).collect();
            let found = to_indices(gpu, &case, &plan, &bytes, space);
            report.add(same(&context, &found, &expected));
            let (back, wrong) = to_taps(gpu, &case, &expected, space);
            report.add(same(&context, &back[..bytes.len()], &bytes));
            report.add(same(&format!("{context}, report"), &[wrong], &[nothing_refused()]));
        }
    }
    report.finish();
}

#[test]
fn a_tap_that_names_no_cell_becomes_the_largest_index_on_every_adapter() {
    let case = parse("n1c1h4w4_k3s2p1_first");
    let plan = Plan::new(&case).unwrap();
    let gpus = gpus();
    for (gpu, space) in gpus.iter().flat_map(|g| IndexSpace::ALL.map(|s| (g, s))) {
        let index = if space == IndexSpace::TensorColumnMajor { 14 } else { 11 };
        let found = to_indices(gpu, &case, &plan, &[0, 255, 9, 5], space);
        assert_eq!(found, [u32::MAX, u32::MAX, u32::MAX, index], "{}", space.name());
    }
}

/// Indices some of which are wrong: by a little, by a lot, and of another window.
fn spoiled(good: &[u32], random: &mut Random) -> Vec<u32> {
    let spoil = |&index: &u32| match random.below(8) {
        0 => index.wrapping_add(1),
        1 => index.wrapping_sub(1),
        2 => u32::MAX,
        3 => u32::MAX - random.below(5) as u32,
        4 => good[random.below(good.len())],
        5 => random.next() as u32,
        _ => index,
    };
    good.iter().map(spoil).collect()
}

#[test]
fn a_wrong_index_is_counted_the_first_named_and_none_put_anywhere() {
    let mut report = Report::default();
    let mut random = Random::new(52);
    for name in CASES {
        let case = parse(name);
        let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
        if plan.pooled_len() == 0 {
            continue;
        }
        let input: Vec<f32> = fill(Fill::Ties, plan.input_len(), 53);
        let taps = oracle::max_pool(&plan, &input).taps;
        for space in IndexSpace::ALL {
            let good: Vec<u32> =
                oracle::indices(&plan, &taps, space).iter().map(|&i| i as u32).collect();
            let indices = spoiled(&good, &mut random);
            // Which are right is decided by the definition: some tap of the window has the index.
            let none = if plan.cells() > 255 { 65_535 } else { 255 };
            let expected: Vec<u32> = plan
                .positions()
                .iter()
                .zip(&indices)
                .map(|(position, &index)| {
                    let mut window = plan.window(position).into_iter();
                    let own = |&(_, cell): &(u32, [i64; 3])| {
                        plan.index(position, cell, space) == i64::from(index)
                    };
                    window.find(own).map_or(none, |(tap, _)| tap)
                })
                .collect();
            let wrong: Vec<usize> = (0..expected.len()).filter(|&i| expected[i] == none).collect();
            let expected_report: IndexReport = bytemuck::cast([
                wrong.len() as u32,
                wrong.first().map_or(u32::MAX, |&i| i as u32),
                wrong.first().map_or(u32::MAX, |&i| indices[i]),
            ]);
            let first =
                wrong.first().map(|&i| RefusedIndex { element: i as u32, index: indices[i] });
            assert_eq!(expected_report.first(), first);
            assert_eq!(expected_report.refused() as usize, wrong.len());
            let bytes = plan.tap_bytes(&expected);
            for gpu in gpus().iter() {
                let context = format!("{name} {} on {}", space.name(), gpu.description());
                let (found, found_report) = to_taps(gpu, &case, &indices, space);
                report.add(same(&context, &found[..bytes.len()], &bytes));
                let context = format!("{context}, report");
                report.add(same(&context, &[found_report], &[expected_report]));
            }
            // The adapters report the element that the CPU's error names.
            match (Taps::from_indices(&geometry, space, &indices), wrong.first()) {
                (Ok(_), None) => {}
                (Err(unpool::Error::IndexOutside { element, .. }), Some(&first)) => {
                    assert_eq!(element, first, "{name} {}", space.name());
                }
                (found, first) => panic!("{name} {}: {found:?}, {first:?}", space.name()),
            }
            let ours = Taps::from_bytes(&geometry, &bytes).unwrap();
            let ones = vec![1i32; plan.pooled_len()];
            let output = unpool::cpu::max_unpool(&geometry, &ones, &ours, Overlap::Sum).unwrap();
            let right = plan.pooled_len() - wrong.len();
            assert_eq!(output.iter().sum::<i32>(), right as i32, "{name} {}", space.name());
        }
    }
    report.finish();
}

#[test]
fn a_report_of_one_run_does_not_reach_the_next() {
    let case = parse("n1c1h4w6_k2_first");
    let geometry = case.geometry().unwrap();
    for gpu in gpus().iter() {
        let pooling = gpu.pooling(&geometry, unpool::Element::F32).unwrap();
        let indices = Guarded::of(gpu, "indices", &[0u32, 2, 99, 7, 14, 16], 0xa5);
        let taps = Guarded::poisoned(gpu, "taps", pooling.taps_bytes(), 0xa5);
        let report = Guarded::poisoned(gpu, "report", IndexReport::BYTES, 0xa5);
        let step = step_to_taps(&pooling, [&indices, &taps, &report], IndexSpace::Plane);
        run(gpu, &[&step, &step, &step]);
        let found: Vec<u32> = report.elements(gpu, 3).unwrap();
        assert_eq!(found, [2, 2, 99], "{}", gpu.description());
    }
}
