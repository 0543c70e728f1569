//! Operands in one buffer: a program with a single arena reads and writes disjoint ranges of it.

use std::ops::Range;

use unpool::{
    Cell, Element, Error, Gpu, IndexReport, IndexSpace, Overlap, Scatter, Shape, Step, cpu,
    operands, wgpu,
};

use crate::support::cases::parse;
use crate::support::compare::{Report, same};
use crate::support::devices::{adapters, at_once, device, gpus, noop};
use crate::support::elements_by_case;
use crate::support::fill::{Fill, fill};
use crate::support::guarded::run;
use crate::support::oracle::{self, Bits, Plan};

/// Where ranges start: every device can bind at a multiple of it.
const ALIGNMENT: u64 = 256;
/// The words of a report of no refused index.
const NOTHING_REFUSED: [u32; 3] = [0, u32::MAX, u32::MAX];
/// What lies in the arena where nothing was written.
const POISON: u8 = 0xa5;

/// A buffer, and the ranges of it that were handed out, each with the bytes it must hold at the end.
struct Arena {
    content: Vec<u8>,
    expected: Vec<u8>,
}

impl Arena {
    fn new() -> Self {
        Self { content: Vec::new(), expected: Vec::new() }
    }

    /// A range of `size` bytes with a gap behind it, and its contents before and after the steps.
    fn range(&mut self, size: u64, before: &[u8], after: &[u8]) -> Range<u64> {
        let start = self.content.len() as u64;
        let end = (start + size + 1).next_multiple_of(ALIGNMENT);
        for (bytes, given) in [(&mut self.content, before), (&mut self.expected, after)] {
            bytes.resize(end as usize, POISON);
            bytes[start as usize..][..given.len()].copy_from_slice(given);
            if !given.is_empty() {
                // What is left of the last word of a tensor is written as 0.
                bytes[start as usize + given.len()..(start + size) as usize].fill(0);
            }
        }
        start..start + size
    }

    /// A tensor that the steps read.
    fn input(&mut self, size: u64, bytes: &[u8]) -> Range<u64> {
        self.range(size, bytes, bytes)
    }

    /// A tensor that they write.
    fn output(&mut self, size: u64, expected: &[u8]) -> Range<u64> {
        self.range(size, &[], expected)
    }

    /// The buffer on a device.
    fn upload(&self, gpu: &Gpu) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE;
        let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("arena"),
            size: self.content.len() as u64,
            usage: usage | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue().write_buffer(&buffer, 0, &self.content);
        buffer
    }

    /// Runs the steps and compares every byte, gaps included.
    fn check(&self, gpu: &Gpu, name: &str, buffer: &wgpu::Buffer, steps: &[Step]) -> Vec<String> {
        run(gpu, &steps.iter().collect::<Vec<_>>());
        let found = gpu.read::<u8>(buffer).unwrap().wait().unwrap();
        let context = format!("{name} in one buffer on {}", gpu.description());
        same(&context, &found, &self.expected).err().into_iter().collect()
    }
}

/// Every operation of a geometry, all operands of all steps in one buffer: the dispatches that it takes.
fn check<T: Cell + Bits>(gpu: &Gpu, name: &str, failures: &mut Vec<String>) -> usize {
    let case = parse(name);
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    let pooling = gpu.pooling(&geometry, T::ELEMENT).unwrap();
    let space = IndexSpace::Plane;

    let cells: Vec<T> = fill(Fill::Specials, plan.input_len(), 91);
    let found = oracle::max_pool(&plan, &cells);
    let indices: Vec<u32> =
        oracle::indices(&plan, &found.taps, space).iter().map(|&index| index as u32).collect();
    let tap_bytes = plan.tap_bytes(&found.taps);
    let last = oracle::max_unpool_last(&plan, &found.values, &found.taps);
    let sum = oracle::max_unpool_saturated(&plan, &found.values, &found.taps);
    let read = oracle::max_unpool_backward(&plan, &cells, &found.taps);

    let mut arena = Arena::new();
    let bytes = |tensor: &[T]| bytemuck::cast_slice(tensor).to_vec();
    let (inputs, values) = (pooling.input_bytes(), pooling.values_bytes());
    let input = arena.input(inputs, &bytes(&cells));
    let pooled = arena.output(values, &bytes(&found.values));
    let taps = arena.output(pooling.taps_bytes(), &tap_bytes);
    let unpooled = arena.output(inputs, &bytes(&last));
    let gradient = arena.output(inputs, &bytes(&sum));
    let gathered = arena.output(values, &bytes(&read));
    let converted = arena.output(pooling.indices_bytes(), bytemuck::cast_slice(&indices));
    let back = arena.output(pooling.taps_bytes(), &tap_bytes);
    let reported = arena.output(IndexReport::BYTES, bytemuck::bytes_of(&NOTHING_REFUSED));

    let buffer = arena.upload(gpu);
    let at = |range: &Range<u64>| buffer.slice(range.clone());
    let steps = [
        pooling
            .max_pool(operands::MaxPool { input: at(&input), values: at(&pooled), taps: at(&taps) })
            .unwrap(),
        pooling
            .max_unpool(
                operands::MaxUnpool { values: at(&pooled), taps: at(&taps), output: at(&unpooled) },
                Overlap::Last,
            )
            .unwrap(),
        pooling
            .max_pool_backward(operands::MaxPoolBackward {
                grad_output: at(&pooled),
                taps: at(&taps),
                grad_input: at(&gradient),
            })
            .unwrap(),
        pooling
            .max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: at(&input),
                taps: at(&taps),
                grad_input: at(&gathered),
            })
            .unwrap(),
        pooling
            .taps_to_indices(
                operands::TapsToIndices { taps: at(&taps), indices: at(&converted) },
                space,
            )
            .unwrap(),
        pooling
            .indices_to_taps(
                operands::IndicesToTaps {
                    indices: at(&converted),
                    taps: at(&back),
                    report: at(&reported),
                },
                space,
            )
            .unwrap(),
    ];
    let name = format!("{name} {}", T::ELEMENT.name());
    failures.extend(arena.check(gpu, &name, &buffer, &steps));
    steps.iter().map(Step::dispatches).sum()
}

/// Unpooling by indices that are given, all operands in one buffer.
fn check_scatter(gpu: &Gpu, failures: &mut Vec<String>) {
    let of = |n| Shape::channels_first([2, 3, n]);
    let scatter = Scatter::new(of(40), of(70), IndexSpace::Plane).unwrap();
    let scattering = gpu.scattering(&scatter, Element::F32).unwrap();
    let len = scatter.pooled_shape().len().unwrap();
    let values: Vec<f32> = fill(Fill::Specials, len, 93);
    // Some cells get several values, some none.
    let indices: Vec<u32> = (0..len as u32).map(|i| i * i % 67).collect();
    for overlap in [Overlap::Last, Overlap::Sum] {
        let expected = cpu::scatter(&scatter, &values, &indices, overlap).unwrap();
        let mut arena = Arena::new();
        let bytes = bytemuck::cast_slice(&values);
        let values = arena.input(scattering.values_bytes(), bytes);
        let indices = arena.input(scattering.indices_bytes(), bytemuck::cast_slice(&indices));
        let output = arena.output(scattering.output_bytes(), bytemuck::cast_slice(&expected));
        let report = arena.output(IndexReport::BYTES, bytemuck::bytes_of(&NOTHING_REFUSED));
        let buffer = arena.upload(gpu);
        let [values, indices, output, report] =
            [values, indices, output, report].map(|range| buffer.slice(range));
        let step = scattering
            .scatter(operands::Scatter { values, indices, output, report }, overlap)
            .unwrap();
        failures.extend(arena.check(gpu, &format!("indices, {overlap:?}"), &buffer, &[step]));
    }
}

/// A window of each kernel: blocks, rows and cells, lanes of every kind, windows that overlap. The
/// numbers of pooled values divide by four: the rest of a last word of taps is not told.
const NAMES: &[&str] = &[
    "n2c8h6w8_k2_last",
    "n2c4h6w16_k2_first",
    "n1c3h7w5_k2psame_last",
    "n2c4h9w8_k3s2p1_last",
    "n2c3h9w8_k3s2p1_first",
    "n1c2h10w10_k5s1p2_first",
    "n1c2h33w20_k16s8_last",
    "n1c4d5h6w8_k3s2p1_last",
    "n1c4h9w9_k2s1d2_first",
    "n2c3w11_k3s2p1_first",
];

#[test]
fn one_buffer_holds_every_operand_of_every_operation() {
    let failures = at_once(&gpus(), |gpu| {
        let mut failures = Vec::new();
        let engine = unpool::Engine::Gpu(gpu.clone());
        for (number, name) in NAMES.iter().enumerate() {
            elements_by_case!(number, &engine, check(gpu, name, &mut failures));
        }
        check_scatter(gpu, &mut failures);
        failures
    });
    assert!(failures.concat().is_empty(), "{}", failures.concat().join("\n"));
}

#[test]
fn one_buffer_may_be_cut_into_pieces() {
    let failures = at_once(adapters(), |adapter| {
        let limits = wgpu::Limits {
            max_storage_buffer_binding_size: 1 << 16,
            max_compute_workgroups_per_dimension: 3,
            max_compute_invocations_per_workgroup: 32,
            max_compute_workgroup_size_x: 32,
            ..adapter.limits()
        };
        let (gpu, mut failures) = (device(adapter, &limits), Vec::new());
        for name in ["n3c4h33w40_k3s2p1_last", "n3c5h33w40_k2_first"] {
            // Whole, the six steps take eight: one of them opens and closes a report.
            assert!(check::<f32>(&gpu, name, &mut failures) > 16, "{name} was not cut");
        }
        failures
    });
    assert!(failures.concat().is_empty(), "{}", failures.concat().join("\n"));
}

/// Only one of the tensors that are read lies in the buffer that is written.
#[test]
fn some_operands_may_lie_in_other_buffers() {
    let (name, mut report) = ("n2c4h9w8_k3s2p1_last", Report::default());
    let geometry = parse(name).geometry().unwrap();
    let cells: Vec<f32> = fill(Fill::Permutation, geometry.input_len(), 92);
    let pooled = cpu::max_pool(&geometry, &cells).unwrap();
    let sum = cpu::max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Sum).unwrap();
    for gpu in gpus().iter() {
        let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
        for values_apart in [false, true] {
            let (mut arena, mut other) = (Arena::new(), Arena::new());
            let (values, taps) = (bytemuck::cast_slice(&pooled.values), pooled.taps.as_bytes());
            let (first, second) =
                if values_apart { (&mut other, &mut arena) } else { (&mut arena, &mut other) };
            let values = first.input(pooling.values_bytes(), values);
            let taps = second.input(pooling.taps_bytes(), taps);
            let output = arena.output(pooling.input_bytes(), bytemuck::cast_slice(&sum));
            let (buffer, second) = (arena.upload(gpu), other.upload(gpu));
            let (values, taps) = if values_apart {
                (second.slice(values), buffer.slice(taps))
            } else {
                (buffer.slice(values), second.slice(taps))
            };
            let step = pooling.max_unpool(
                operands::MaxUnpool { values, taps, output: buffer.slice(output) },
                Overlap::Sum,
            );
            for failure in arena.check(gpu, name, &buffer, &[step.unwrap()]) {
                report.add(Err(failure));
            }
            report.add(Ok(()));
        }
    }
    report.finish();
}

#[test]
fn ranges_that_overlap_where_something_is_written_are_refused() {
    let gpu = noop(None);
    let geometry = parse("n1c4h8w8_k2_last").geometry().unwrap();
    let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
    let usage = wgpu::BufferUsages::STORAGE;
    let buffer = |size| {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        gpu.device().create_buffer(&descriptor)
    };
    // 1,024 bytes of input, 256 of values, 64 of taps.
    let (arena, own) = (buffer(4096), buffer(4096));
    let overlapping = |operand, bytes, other, other_bytes| {
        Some(Error::Overlapping { operand, bytes, other, other_bytes })
    };
    let found = pooling
        .max_pool(operands::MaxPool {
            input: arena.slice(..),
            values: arena.slice(768..),
            taps: own.slice(..),
        })
        .err();
    assert_eq!(found, overlapping("input", 0..1024, "values", 768..1024));
    assert_eq!(
        found.unwrap().to_string(),
        "input at bytes 0..1024 and values at bytes 768..1024 overlap in a buffer that is written; \
         each needs bytes of its own"
    );
    // A clone is the same buffer.
    let clone = arena.clone();
    let found = pooling
        .max_unpool(
            operands::MaxUnpool { values: &own, taps: &clone, output: &arena },
            Overlap::Last,
        )
        .err();
    assert_eq!(found, overlapping("taps", 0..64, "output", 0..1024));
    // Neither is written, but the buffer is: both would be bound for writing.
    let values = arena.slice(..);
    let found = pooling
        .max_unpool(
            operands::MaxUnpool { values, taps: arena.slice(..), output: arena.slice(1024..) },
            Overlap::Last,
        )
        .err();
    assert_eq!(found, overlapping("values", 0..256, "taps", 0..64));
    // Behind each other they are fine, and so is reading twice what nobody writes. Of a slice that is
    // larger than the tensor the rest is not used.
    assert!(
        pooling
            .max_pool(operands::MaxPool {
                input: arena.slice(..),
                values: arena.slice(1024..),
                taps: arena.slice(1280..)
            })
            .is_ok()
    );
    assert!(
        pooling
            .max_pool(operands::MaxPool {
                input: arena.slice(320..1344),
                values: arena.slice(..),
                taps: arena.slice(256..)
            })
            .is_err()
    );
    assert!(
        pooling
            .max_unpool(
                operands::MaxUnpool { values: &own, taps: &own, output: &arena },
                Overlap::Last
            )
            .is_ok()
    );
}
