//! Devices with low limits: tensors are cut and grids fold, and every bit stays the same.

use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::sync::Mutex;

use unpool::{
    Cell, Element, Error, Geometry, Gpu, IndexReport, IndexSpace, Overlap, Scatter, Shape, Window,
    cpu, operands, wgpu,
};

use crate::gpu_indices::step_to_taps;
use crate::recording::Tensors;
use crate::support::bench::storage;
use crate::support::cases::{parse, table};
use crate::support::compare::{Report, same};
use crate::support::devices::{CASES_OF_A_DEVICE, adapters, device, noop};
use crate::support::fill::{Fill, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Bits, Plan};

/// The adapter's limits, made small: bindings of so many bytes, grids of so many workgroups a side.
fn little(adapter: &wgpu::Adapter, binding: u64, workgroups: u32, threads: u32) -> wgpu::Limits {
    wgpu::Limits {
        max_storage_buffer_binding_size: binding,
        max_compute_workgroups_per_dimension: workgroups,
        max_compute_invocations_per_workgroup: threads,
        max_compute_workgroup_size_x: threads,
        ..adapter.limits()
    }
}

/// What became of the cases on a device of little.
#[derive(Debug, Default)]
struct Tally {
    whole: usize,
    cut: usize,
    refused: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.cut += other.cut;
        self.refused += other.refused;
    }
}

fn check<T: Cell + Bits>(gpu: &Gpu, name: &str, tally: &mut Tally, report: &mut Report) {
    let case = parse(name);
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    let context = format!("{name} {} on a small {}:", T::ELEMENT.name(), gpu.description());
    let tensors = Tensors::<T>::new(gpu, &geometry, &plan, 81, 0xa5);
    match tensors.steps(gpu, &geometry) {
        Ok(steps) => {
            if steps.iter().any(|step| step.dispatches() > 1) {
                tally.cut += 1;
            } else {
                tally.whole += 1;
            }
            run(gpu, &steps.each_ref());
            tensors.check(gpu, &context, report);
        }
        Err(Error::Limit { limit, needed, allowed }) => {
            tally.refused += 1;
            report.add(if needed > allowed && limit.starts_with("max_") {
                Ok(())
            } else {
                Err(format!("{context} {limit} is {allowed}, and {needed} is needed"))
            });
        }
        Err(error) => report.add(Err(format!("{context} {error}"))),
    }
}

/// Every case of the table on one of the adapters, alternately: a device of its own compiles everything
/// anew, and operations are cut before a driver sees them.
fn check_table(limits: impl Fn(&wgpu::Adapter) -> wgpu::Limits + Sync) -> Tally {
    let all = Mutex::new(Tally::default());
    let adapters: Vec<_> = adapters().iter().enumerate().collect();
    Report::of_each(&adapters, |&(adapter_number, adapter), report| {
        let mut tally = Tally::default();
        // Cases come in pairs of layouts.
        let is_on = |number: usize| number / 2 % adapters.len() == adapter_number;
        let mut gpu = None;
        let cases = table().into_iter().enumerate().filter(|&(number, _)| is_on(number));
        for (done, (number, case)) in cases.enumerate() {
            if done % CASES_OF_A_DEVICE == 0 {
                gpu = None;
            }
            let gpu = gpu.get_or_insert_with(|| device(adapter, &limits(adapter)));
            let name = case.to_string();
            check::<f32>(gpu, &name, &mut tally, report);
            match number % 3 {
                0 => check::<half::f16>(gpu, &name, &mut tally, report),
                1 => check::<u8>(gpu, &name, &mut tally, report),
                _ => {}
            }
        }
        all.lock().unwrap().add(&tally);
    });
    all.into_inner().unwrap()
}

#[test]
fn tensors_cut_into_pieces_give_the_same_bits() {
    let tally = check_table(|adapter| little(adapter, 1024, 3, 16));
    assert!(tally.cut > 30 && tally.refused < tally.cut, "{tally:?}");
}

#[test]
fn grids_of_two_workgroups_a_side_give_the_same_bits() {
    let tally = check_table(|adapter| little(adapter, 4096, 2, 8));
    assert!(tally.cut > 60 && tally.refused < tally.cut / 8, "{tally:?}");
}

/// The sizes that the browser and old devices promise.
#[test]
fn the_limits_of_webgpu_and_the_lowest_of_wgpu_are_enough() {
    let mut report = Report::default();
    let mut tally = Tally::default();
    for adapter in adapters() {
        for limits in [wgpu::Limits::default(), wgpu::Limits::downlevel_defaults()] {
            if !limits.check_limits(&adapter.limits()) {
                eprintln!("{} has not the limits of WebGPU", adapter.get_info().name);
                continue;
            }
            let gpu = device(adapter, &limits);
            for name in [
                "n2c3h9w8_k3s2p1_last",
                "n2c4h9w16_k3s2p1_first",
                "n2c4d5h6w8_k3s2p1_last",
                "n1c2h33w20_k16s8_last",
            ] {
                check::<f32>(&gpu, name, &mut tally, &mut report);
                check::<i8>(&gpu, name, &mut tally, &mut report);
            }
        }
    }
    assert!(tally.whole > 0 && tally.refused == 0, "{tally:?}");
    report.finish();
}

#[test]
fn index_steps_that_are_cut_convert_and_report_the_same() {
    let case = parse("n2c3h29w23_k3s2p1_first");
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    let input: Vec<f32> = fill(Fill::Permutation, plan.input_len(), 82);
    let expected = oracle::max_pool(&plan, &input).taps;
    let bytes = plan.tap_bytes(&expected);
    for adapter in adapters() {
        let gpu = device(adapter, &little(adapter, 1024, 3, 16));
        let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
        for space in IndexSpace::ALL {
            let mut good: Vec<u32> =
                oracle::indices(&plan, &expected, space).iter().map(|&i| i as u32).collect();
            let taps = Guarded::of(&gpu, "taps", &bytes, 0xa5);
            let indices = Guarded::poisoned(&gpu, "indices", pooling.indices_bytes(), 0xa5);
            let step = pooling
                .taps_to_indices(
                    operands::TapsToIndices { taps: taps.slice(), indices: indices.slice() },
                    space,
                )
                .unwrap();
            assert!(step.dispatches() > 2);
            run(&gpu, &[&step]);
            let found: Vec<u32> = indices.elements(&gpu, good.len()).unwrap();
            same(&space.name(), &found, &good).unwrap();

            // The first wrong one lies in the last piece but one, and there are three.
            let at = good.len() * 3 / 4;
            for wrong in [at, at + 1, good.len() - 1] {
                good[wrong] = u32::MAX - 7;
            }
            let indices = Guarded::of(&gpu, "indices", &good, 0xa5);
            let taps = Guarded::poisoned(&gpu, "taps", pooling.taps_bytes(), 0xa5);
            let report = Guarded::poisoned(&gpu, "report", IndexReport::BYTES, 0xa5);
            let step = step_to_taps(&pooling, [&indices, &taps, &report], space);
            assert!(step.dispatches() > 2);
            run(&gpu, &[&step]);
            let found: Vec<u32> = report.elements(&gpu, 3).unwrap();
            assert_eq!(found, [3, at as u32, u32::MAX - 7], "{}", space.name());
            let mut expected = bytes.clone();
            for wrong in [at, at + 1, good.len() - 1] {
                expected[wrong] = 255;
            }
            same(&space.name(), &taps.bytes(&gpu).unwrap()[..bytes.len()], &expected).unwrap();
        }
    }
}

// ---- refusals, on a device that does nothing ------------------------------------------------

#[test]
fn a_window_that_cannot_be_cut_is_refused_with_the_limit_and_both_numbers() {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1024, ..Default::default() };
    let gpu = noop(Some(limits));
    // One window of 64 × 64 cells spans more than 1,024 bytes.
    let geometry =
        Geometry::new(&Window::new([64, 64]), Shape::channels_first([1, 1, 64, 64])).unwrap();
    let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
    let (x, v, t) = (storage(&gpu, 16_384), storage(&gpu, 256), storage(&gpu, 256));
    let limit = "max_storage_buffer_binding_size";
    let error =
        pooling.max_pool(operands::MaxPool { input: &x, values: &v, taps: &t }).unwrap_err();
    assert_eq!(error, Error::Limit { limit, needed: 16_384, allowed: 1024 });
    assert_eq!(
        error.to_string(),
        "max_storage_buffer_binding_size is 1024 on this device; 16384 is needed"
    );
}

#[test]
fn arbitrary_indices_past_a_binding_or_a_grid_are_refused() {
    let scatter = Scatter::new(
        Shape::channels_first([1, 1, 40, 40]),
        Shape::channels_first([1, 1, 80, 80]),
        IndexSpace::Plane,
    )
    .unwrap();
    let refused = |limits: wgpu::Limits| {
        let gpu = noop(Some(limits));
        let scattering = gpu.scattering(&scatter, Element::F32).unwrap();
        let (v, i, o, r) =
            (storage(&gpu, 6_400), storage(&gpu, 6_400), storage(&gpu, 25_600), storage(&gpu, 16));
        scattering
            .scatter(
                operands::Scatter { values: &v, indices: &i, output: &o, report: &r },
                Overlap::Sum,
            )
            .unwrap_err()
    };
    let limit = "max_storage_buffer_binding_size";
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 16_384, ..Default::default() };
    // A word for each cell, three for each value, 16 counts for the one tile.
    let needed = (6_400 + 3 * 1_600 + 16) * 4;
    assert_eq!(refused(limits), Error::Limit { limit, needed, allowed: 16_384 });
    // 6,400 threads are 50 workgroups of 128: a grid of 7 a side has not as many.
    let limit = "max_compute_workgroups_per_dimension";
    let limits = wgpu::Limits { max_compute_workgroups_per_dimension: 7, ..Default::default() };
    assert_eq!(refused(limits), Error::Limit { limit, needed: 8, allowed: 7 });
}

#[test]
fn a_scratch_buffer_past_the_largest_is_refused_before_anything_is_made() {
    let scatter = Scatter::new(
        Shape::channels_first([1, 1, 1, 1]),
        Shape::channels_first([1, 1, 8192, 8192]),
        IndexSpace::Plane,
    )
    .unwrap();
    let gpu = noop(None);
    let scattering = gpu.scattering(&scatter, Element::F32).unwrap();
    let few = storage(&gpu, 256);
    let most = storage(&gpu, 8192 * 8192 * 4);
    let error = scattering.scatter(
        operands::Scatter {
            values: &few,
            indices: &storage(&gpu, 4),
            output: &most,
            report: &storage(&gpu, 16),
        },
        Overlap::Last,
    );
    assert!(matches!(error, Err(Error::Limit { .. })), "{error:?}");
}

// ---- a real one -----------------------------------------------------------------------------

/// Bytes that are uploaded, read and compared at a time: a tensor of a gibibyte is there once, on the
/// device or here.
const PART: usize = 64 << 20;

/// What tells one part of a tensor from another, for each.
fn digests<T: Cell>(elements: &[T]) -> Vec<u64> {
    let bytes: &[u8] = bytemuck::cast_slice(elements);
    bytes.chunks(PART).map(digest).collect()
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Compares a buffer of so many bytes with the digest that each part of them must have.
fn same_buffer(gpu: &Gpu, what: &str, buffer: &wgpu::Buffer, bytes: usize, expected: &[u64]) {
    assert_eq!(expected.len(), bytes.div_ceil(PART), "{what}");
    for (i, &expected) in expected.iter().enumerate() {
        let (start, end) = (i * PART, bytes.min((i + 1) * PART));
        let read = buffer.slice(start as u64..end.next_multiple_of(4) as u64);
        let found = gpu.read::<u8>(read).unwrap().wait().unwrap();
        assert!(digest(&found[..end - start]) == expected, "{what} differs after byte {start}");
    }
}

/// A tensor of more than 1 GiB, which a binding of 128 MiB does not hold: pooled, and summed back
/// where windows overlap.
#[test]
fn a_tensor_of_more_than_a_gibibyte_gives_the_bits_of_the_cpu() {
    let window = Window::new([3, 3]).with_stride([2, 2]).with_padding(unpool::Padding::Same);
    let geometry = Geometry::new(&window, Shape::channels_last([1, 8209, 8192, 4])).unwrap();
    let bytes = 4 * geometry.input_len() as u64;
    assert!(bytes > 1 << 30);
    let adapter = adapters().iter().find(|adapter| adapter.limits().max_buffer_size >= bytes);
    let adapter = adapter.expect("no adapter has buffers of more than 1 GiB");
    // As WebGPU promises it, whatever this adapter has.
    let binding = wgpu::Limits::default().max_storage_buffer_binding_size;
    let limits = adapter.limits();
    let max_storage_buffer_binding_size = binding.min(limits.max_storage_buffer_binding_size);
    let gpu = device(adapter, &wgpu::Limits { max_storage_buffer_binding_size, ..limits });
    let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
    let cell = |i: usize| f32::from_bits((i as u32).wrapping_mul(2_654_435_761) >> 2);
    let cells = |part: Range<usize>| part.map(cell).collect::<Vec<f32>>();
    let expected = cpu::max_pool(&geometry, &cells(0..geometry.input_len())).unwrap();
    let sum = cpu::max_unpool(&geometry, &expected.values, &expected.taps, Overlap::Sum);
    // The sums themselves go here.
    let sum = digests(&{ sum }.unwrap());
    let (values_digests, taps_digests) =
        (digests(&expected.values), digests(expected.taps.as_bytes()));
    drop(expected);
    let make = |size| {
        gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("large"),
            size,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    };
    let x = make(pooling.input_bytes());
    for start in (0..geometry.input_len()).step_by(PART / 4) {
        let part = cells(start..geometry.input_len().min(start + PART / 4));
        gpu.queue().write_buffer(&x, 4 * start as u64, bytemuck::cast_slice(&part));
        // What it went through is let go.
        gpu.queue().submit([]);
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    }
    let values = make(pooling.values_bytes());
    let taps = make(pooling.taps_bytes());
    let pool =
        pooling.max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps }).unwrap();
    assert!(pool.dispatches() > 1);
    run(&gpu, &[&pool]);
    let (pooled, taps_len) = (4 * geometry.pooled_len(), geometry.pooled_len());
    same_buffer(&gpu, "values", &values, pooled, &values_digests);
    same_buffer(&gpu, "taps", &taps, taps_len, &taps_digests);
    // The input's own buffer is the output of the unpooling.
    let unpool = pooling
        .max_unpool(operands::MaxUnpool { values: &values, taps: &taps, output: &x }, Overlap::Sum)
        .unwrap();
    assert!(unpool.dispatches() > 1);
    run(&gpu, &[&unpool]);
    same_buffer(&gpu, "sum", &x, 4 * geometry.input_len(), &sum);
}
