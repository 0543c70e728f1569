//! The errors of a device and its operations, with the numbers in the message, on a device that does nothing.

use std::ops::Range;

use unpool::operands::{
    IndicesToTaps, MaxPool, MaxPoolBackward, MaxUnpool, MaxUnpoolBackward, TapsToIndices,
};
use unpool::{Element, Error, IndexReport, IndexSpace, Overlap, Scatter, Shape, Step, wgpu};
use wgpu::BufferUsages as Usages;

use crate::support::bench::{Bench, buffer, geometry, storage};
use crate::support::devices::noop;

fn message(found: Result<Step, Error>) -> String {
    found.unwrap_err().to_string()
}

#[test]
fn an_operand_that_is_too_small_is_named_with_both_numbers() {
    let bench = Bench::on(&noop(None));
    let Bench { gpu, pooling, input, values, taps } = &bench;
    let small = storage(gpu, 44);
    assert_eq!(
        (pooling.input_bytes(), pooling.values_bytes(), pooling.taps_bytes()),
        (768, 192, 48)
    );
    let of = |operand: &str, needed: u64| format!("{operand} has 44 bytes; {needed} are needed");
    let plane = IndexSpace::Plane;
    let pool = |input, values, taps| pooling.max_pool(MaxPool { input, values, taps });
    let unpool = |values, taps, output| {
        pooling.max_unpool(MaxUnpool { values, taps, output }, Overlap::Last)
    };
    let pool_backward = |grad_output, taps, grad_input| {
        pooling.max_pool_backward(MaxPoolBackward { grad_output, taps, grad_input })
    };
    let unpool_backward = |grad_output, taps, grad_input| {
        pooling.max_unpool_backward(MaxUnpoolBackward { grad_output, taps, grad_input })
    };
    let to_indices =
        |taps, indices| pooling.taps_to_indices(TapsToIndices { taps, indices }, plane);
    let to_taps = |indices, taps, report| {
        pooling.indices_to_taps(IndicesToTaps { indices, taps, report }, plane)
    };
    for (found, operand, needed) in [
        (pool(&small, values, taps), "input", 768),
        (pool(input, &small, taps), "values", 192),
        (pool(input, values, &small), "taps", 48),
        (unpool(&small, taps, input), "values", 192),
        (unpool(values, &small, input), "taps", 48),
        (unpool(values, taps, &small), "output", 768),
        (pool_backward(&small, taps, input), "grad_output", 192),
        (pool_backward(values, &small, input), "taps", 48),
        (pool_backward(values, taps, &small), "grad_input", 768),
        (unpool_backward(&small, taps, values), "grad_output", 768),
        (unpool_backward(input, &small, values), "taps", 48),
        (unpool_backward(input, taps, &small), "grad_input", 192),
        (to_indices(&small, values), "taps", 48),
        (to_indices(taps, &small), "indices", 192),
        (to_taps(&small, taps, input), "indices", 192),
        (to_taps(values, &small, input), "taps", 48),
    ] {
        assert_eq!(message(found), of(operand, needed));
    }
    let report = storage(gpu, 8);
    assert_eq!(message(to_taps(values, taps, &report)), "report has 8 bytes; 12 are needed");
    // A range counts, not the buffer that it lies in.
    let part = |bytes: Range<u64>| {
        let (input, values, taps) = (input.slice(bytes), values.slice(..), taps.slice(..));
        pooling.max_pool(MaxPool { input, values, taps })
    };
    assert_eq!(message(part(256..1020)), "input has 764 bytes; 768 are needed");
    assert!(part(256..1024).is_ok());
}

#[test]
fn an_operand_off_the_alignment_of_the_device_is_refused() {
    let bench = Bench::on(&noop(Some(wgpu::Limits::default())));
    let Bench { pooling, input, values, taps, .. } = &bench;
    let (of_input, of_values, of_taps) = (input.slice(..), values.slice(..), taps.slice(..));
    let message = |found, operand, byte| {
        let expected =
            format!("{operand} is at byte {byte} of its buffer; a multiple of 256 is allowed");
        assert_eq!(message(found), expected);
    };
    let moved = MaxPool { input: input.slice(128..), values: of_values, taps: of_taps };
    message(pooling.max_pool(moved), "input", 128);
    let moved = MaxPool { input: of_input, values: values.slice(4..), taps: of_taps };
    message(pooling.max_pool(moved), "values", 4);
    let moved = MaxUnpool { values: of_values, taps: taps.slice(260..), output: of_input };
    message(pooling.max_unpool(moved, Overlap::Sum), "taps", 260);
}

#[test]
fn an_operand_that_is_no_storage_buffer_is_refused() {
    let bench = Bench::on(&noop(None));
    let Bench { gpu, pooling, input, values, taps } = &bench;
    let other = buffer(gpu, 4096, Usages::COPY_SRC | Usages::UNIFORM);
    let found = pooling.max_pool(MaxPool { input: &other, values, taps }).unwrap_err();
    let expected = Error::Usage { operand: "input", found: other.usage(), needed: Usages::STORAGE };
    assert_eq!(found, expected);
    let found = pooling.max_pool(MaxPool { input, values, taps: &other }).unwrap_err();
    assert!(matches!(found, Error::Usage { operand: "taps", .. }));
}

#[test]
fn a_workgroup_of_no_or_too_many_threads_is_refused() {
    let bench = Bench::on(&noop(Some(wgpu::Limits::default())));
    let pooling = || bench.pooling.clone();
    assert_eq!(pooling().with_workgroup_size(0).unwrap_err(), Error::ZeroWorkgroup);
    let limit = "max_compute_invocations_per_workgroup";
    let found = pooling().with_workgroup_size(257).unwrap_err();
    assert_eq!(found, Error::Limit { limit, needed: 257, allowed: 256 });
    assert!(pooling().with_workgroup_size(u32::MAX).is_err());
    let bench = Bench { pooling: pooling().with_workgroup_size(256).unwrap(), ..bench };
    assert!(bench.pool().is_ok());
}

#[test]
fn a_buffer_of_another_device_is_refused() {
    let (bench, other) = (Bench::on(&noop(None)), noop(None));
    let theirs = storage(&other, 4096);
    let bench = Bench { input: theirs.clone(), ..bench };
    let found = bench.pool();
    assert!(matches!(found, Err(Error::Wgpu { .. })), "{found:?}");
    assert!(matches!(bench.gpu.read::<u8>(&theirs), Err(Error::Wgpu { .. })));
}

#[test]
fn a_device_without_compute_shaders_makes_no_pooling() {
    let limits = wgpu::Limits {
        max_compute_invocations_per_workgroup: 0,
        max_compute_workgroup_size_x: 0,
        ..Default::default()
    };
    let gpu = noop(Some(limits));
    let limit = "max_compute_invocations_per_workgroup";
    let found = gpu.pooling(&geometry(), Element::F32).unwrap_err();
    assert_eq!(found, Error::Limit { limit, needed: 1, allowed: 0 });
    let of = |n| Shape::channels_first([1, 1, n]);
    let scatter = Scatter::new(of(2), of(4), IndexSpace::Plane).unwrap();
    let found = gpu.scattering(&scatter, Element::F32).unwrap_err();
    assert_eq!(found, Error::Limit { limit, needed: 1, allowed: 0 });
}

#[test]
fn a_readback_of_what_cannot_be_copied_is_refused() {
    let gpu = noop(None);
    let private = buffer(&gpu, 64, Usages::STORAGE);
    let found = gpu.read::<u8>(&private).map(drop).unwrap_err();
    assert!(matches!(found, Error::Usage { needed: Usages::COPY_SRC, .. }));
    let odd = storage(&gpu, 64);
    assert!(matches!(gpu.read::<u8>(odd.slice(2..)), Err(Error::Alignment { found: 2, .. })));
    let size = |found, multiple| Error::ReadSize { operand: "the buffer to read", found, multiple };
    assert_eq!(gpu.read::<u64>(odd.slice(..12)).err(), Some(size(12, 8)));
    assert_eq!(gpu.read::<[u8; 24]>(&odd).err(), Some(size(64, 24)));
    assert_eq!(gpu.read::<[u8; 3]>(&odd).err(), Some(size(64, 3)));
    assert_eq!(gpu.read::<[u8; 6]>(odd.slice(..6)).err(), Some(size(6, 4)));
    assert!(gpu.read::<u8>(odd.slice(4..8)).is_ok());
    assert_eq!(size_of::<IndexReport>() as u64, IndexReport::BYTES);
}

#[test]
fn what_wgpu_says_against_an_object_is_an_error() {
    let gpu = noop(None);
    let made = |usage| {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: 64, usage, mapped_at_creation: false };
        gpu.scoped(|| gpu.device().create_buffer(&descriptor)).map(drop)
    };
    assert_eq!(made(Usages::STORAGE), Ok(()));
    let found = made(Usages::MAP_READ | Usages::STORAGE);
    assert!(
        matches!(&found, Err(Error::Wgpu(error)) if !error.to_string().is_empty()),
        "{found:?}"
    );
}
