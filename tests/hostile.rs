//! Anything a caller can pass, on every adapter: random windows, shapes, ranges, taps and indices.
//! Results have the bits of the definition; nothing panics, `wgpu`'s validation reports nothing, and nothing is
//! written outside an output.

use std::sync::{Arc, Mutex, PoisonError};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use unpool::{Cell, Error, Gpu, IndexReport, IndexSpace, Overlap, Step, operands, wgpu};

use crate::support::cases::Case;
use crate::support::compare::same_bits;
use crate::support::devices::{CASES_OF_A_DEVICE, Uncaptured, adapters, at_once, device};
use crate::support::fill::{Fill, Random, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Bits, Plan};
use crate::support::random_cases::any_geometry;

/// A device of each adapter, and the errors that it reports.
type Listening = Arc<[(Gpu, Uncaptured)]>;

/// Devices with all that an adapter can do, or with little; new ones after so many cases.
fn listening(small: bool) -> Listening {
    static KEPT: [Mutex<(usize, Option<Listening>)>; 2] = [const { Mutex::new((0, None)) }; 2];
    let mut kept = KEPT[usize::from(small)].lock().unwrap_or_else(PoisonError::into_inner);
    let (cases, devices) = &mut *kept;
    if *cases % CASES_OF_A_DEVICE == 0 {
        // The old ones go first.
        *devices = None;
    }
    *cases += 1;
    let make = |adapter: &wgpu::Adapter| {
        let little = wgpu::Limits {
            max_storage_buffer_binding_size: 2048,
            max_compute_workgroups_per_dimension: 3,
            max_compute_invocations_per_workgroup: 32,
            max_compute_workgroup_size_x: 32,
            ..adapter.limits()
        };
        let gpu = device(adapter, &if small { little } else { adapter.limits() });
        let reports = Uncaptured::on(&gpu);
        (gpu, reports)
    };
    Arc::clone(devices.get_or_insert_with(|| adapters().iter().map(make).collect()))
}

/// The same on every device, with its name where it fails.
fn on_each(
    small: bool,
    run: impl Fn(&(Gpu, Uncaptured)) -> TestCaseResult + Sync,
) -> TestCaseResult {
    let found = at_once(&listening(small), |on| match run(on) {
        Err(TestCaseError::Fail(why)) => {
            Err(TestCaseError::fail(format!("{}: {why}", on.0.description())))
        }
        other => other,
    });
    found.into_iter().collect()
}

fn silent(reports: &Uncaptured) -> TestCaseResult {
    let reports = reports.take();
    prop_assert!(reports.is_empty(), "{}", reports.join("\n"));
    Ok(())
}

fn holds<A>(found: Result<A, String>) -> Result<A, TestCaseError> {
    found.map_err(TestCaseError::fail)
}

/// The step, or `None` where a limit stands in its way.
fn made(found: Result<Step, Error>) -> Result<Option<Step>, TestCaseError> {
    match found {
        Ok(step) => Ok(Some(step)),
        Err(Error::Limit { needed, allowed, .. }) if needed > allowed => Ok(None),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

/// Taps of any bytes at all: nothing is written outside, and they name the cells of the definition.
fn any_taps<T: Cell + Bits>(
    (gpu, reports): &(Gpu, Uncaptured),
    case: &Case,
    threads: u32,
    seed: u64,
) -> TestCaseResult {
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(case).unwrap());
    let pooling = gpu.pooling(&geometry, T::ELEMENT).unwrap();
    let pooling = pooling.with_workgroup_size(threads).unwrap();
    let mut random = Random::new(seed);
    let tap = |random: &mut Random| match random.below(3) {
        0 => random.next() as u32 & if plan.cells() > 255 { 0xffff } else { 0xff },
        _ => random.below(plan.cells()) as u32,
    };
    let taps: Vec<u32> = (0..plan.pooled_len()).map(|_| tap(&mut random)).collect();
    let values: Vec<T> = fill(Fill::Specials, plan.pooled_len(), seed);
    let cells: Vec<T> = fill(Fill::Specials, plan.input_len(), seed ^ 1);
    let poison = seed as u8;
    let t = Guarded::of(gpu, "taps", &plan.tap_bytes(&taps), poison);
    let v = Guarded::of(gpu, "values", &values, poison);
    let x = Guarded::of(gpu, "cells", &cells, poison);
    let output = Guarded::poisoned(gpu, "output", pooling.input_bytes(), poison);
    let read = Guarded::poisoned(gpu, "grad_input", pooling.values_bytes(), poison);
    let won = Guarded::poisoned(gpu, "winners", pooling.taps_bytes(), poison);
    for (overlap, expected) in [
        (Overlap::Last, oracle::max_unpool_last(&plan, &values, &taps)),
        (Overlap::Sum, oracle::max_unpool_saturated(&plan, &values, &taps)),
    ] {
        let step = pooling.max_unpool(
            operands::MaxUnpool { values: v.slice(), taps: t.slice(), output: output.slice() },
            overlap,
        );
        if let Some(step) = made(step)? {
            run(gpu, &[&step]);
            let found = holds(output.elements::<T>(gpu, expected.len()))?;
            holds(same_bits(&format!("{overlap:?}"), &found, &expected))?;
        }
    }
    if let Some(step) = made(pooling.max_unpool_backward(operands::MaxUnpoolBackward {
        grad_output: x.slice(),
        taps: t.slice(),
        grad_input: read.slice(),
    }))? {
        run(gpu, &[&step]);
        let expected = oracle::max_unpool_backward(&plan, &cells, &taps);
        let found = holds(read.elements::<T>(gpu, expected.len()))?;
        holds(same_bits(&"backward", &found, &expected))?;
    }
    if let Some(step) = made(pooling.max_pool(operands::MaxPool {
        input: x.slice(),
        values: read.slice(),
        taps: won.slice(),
    }))? {
        run(gpu, &[&step]);
        let expected = oracle::max_pool(&plan, &cells);
        let found = holds(read.elements::<T>(gpu, expected.values.len()))?;
        holds(same_bits(&"values", &found, &expected.values))?;
        let taps = plan.tap_bytes(&expected.taps);
        prop_assert_eq!(&holds(won.bytes(gpu))?[..taps.len()], &taps[..]);
    }
    for tensor in [&t, &v, &x] {
        holds(tensor.bytes(gpu))?;
    }
    silent(reports)
}

/// Any words for indices.
fn any_indices(
    (gpu, reports): &(Gpu, Uncaptured),
    case: &Case,
    space: IndexSpace,
    seed: u64,
) -> TestCaseResult {
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(case).unwrap());
    let pooling = gpu.pooling(&geometry, unpool::Element::U8).unwrap();
    let mut random = Random::new(seed);
    let size = plan.input_len() + 2;
    let index = |random: &mut Random| match random.below(4) {
        0 => random.next() as u32,
        _ => random.below(size) as u32,
    };
    let indices: Vec<u32> = (0..plan.pooled_len()).map(|_| index(&mut random)).collect();
    let i = Guarded::of(gpu, "indices", &indices, 0xa5);
    let t = Guarded::poisoned(gpu, "taps", pooling.taps_bytes(), 0xa5);
    let r = Guarded::poisoned(gpu, "report", IndexReport::BYTES, 0xa5);
    let back = Guarded::poisoned(gpu, "indices again", pooling.indices_bytes(), 0xa5);
    let to_taps = made(pooling.indices_to_taps(
        operands::IndicesToTaps { indices: i.slice(), taps: t.slice(), report: r.slice() },
        space,
    ))?;
    let to_indices = made(pooling.taps_to_indices(
        operands::TapsToIndices { taps: t.slice(), indices: back.slice() },
        space,
    ))?;
    if let (Some(to_taps), Some(to_indices)) = (to_taps, to_indices) {
        run(gpu, &[&to_taps, &to_indices]);
        let report: Vec<u32> = holds(r.elements(gpu, 3))?;
        let found: Vec<u32> = holds(back.elements(gpu, indices.len()))?;
        // Right indices come back, and the report counts the others.
        let wrong = (0..indices.len()).filter(|&n| found[n] != indices[n]);
        prop_assert!(wrong.clone().all(|n| found[n] == u32::MAX));
        prop_assert_eq!(report[0] as usize, wrong.clone().count());
        prop_assert_eq!(report[1], wrong.clone().next().map_or(u32::MAX, |n| n as u32));
        holds(t.bytes(gpu))?;
        holds(i.bytes(gpu))?;
    }
    silent(reports)
}

proptest! {
    // A failure prints the case and the seed of its contents.
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_taps_nothing_is_written_outside(
        (case, _) in any_geometry(),
        element in 0usize..7,
        small in any::<bool>(),
        threads in 1u32..=32,
        seed in any::<u64>(),
    ) {
        // Every number of threads is another pipeline: two of them.
        let threads = if threads > 24 { threads } else { 32 };
        on_each(small, |on| match element {
            0 => any_taps::<f32>(on, &case, threads, seed),
            1 => any_taps::<half::f16>(on, &case, threads, seed),
            2 => any_taps::<half::bf16>(on, &case, threads, seed),
            3 => any_taps::<i32>(on, &case, threads, seed),
            4 => any_taps::<u32>(on, &case, threads, seed),
            5 => any_taps::<i8>(on, &case, threads, seed),
            _ => any_taps::<u8>(on, &case, threads, seed),
        })?;
    }

    #[test]
    fn whatever_the_indices_what_is_wrong_is_counted_and_goes_nowhere(
        (case, _) in any_geometry(),
        space in prop::sample::select(&IndexSpace::ALL[..]),
        small in any::<bool>(),
        seed in any::<u64>(),
    ) {
        on_each(small, |on| any_indices(on, &case, space, seed))?;
    }

    #[test]
    fn whatever_the_range_a_step_is_made_or_refused_and_wgpu_is_silent(
        (case, geometry) in any_geometry(),
        offsets in prop::array::uniform3(0u64..1024),
        sizes in prop::array::uniform3(1u64..8192),
        threads in 0u32..2000,
    ) {
        let _ = case;
        on_each(false, |(gpu, reports)| {
            let whole = [(); 3].map(|()| Guarded::poisoned(gpu, "any", 16_384, 0));
            let range = |i: usize| {
                let all = whole[i].slice();
                let (offset, size) = (offsets[i] & !3, sizes[i]);
                all.buffer().slice(offset..offset + size)
            };
            if let Ok(pooling) = gpu.pooling(&geometry, unpool::Element::F32)
                .and_then(|pooling| pooling.with_workgroup_size(threads))
            {
                let _ = pooling.max_pool(operands::MaxPool { input: range(0), values: range(1), taps: range(2) }).map(|s| run(gpu, &[&s]));
                let _ = pooling
                    .max_unpool(operands::MaxUnpool { values: range(0), taps: range(1), output: range(2) }, Overlap::Sum)
                    .map(|s| run(gpu, &[&s]));
            }
            let _ = gpu.read::<u16>(range(0)).map(unpool::Readback::wait);
            silent(reports)
        })?;
    }
}
