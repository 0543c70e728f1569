//! What is refused, on a device that does nothing; and what goes wrong under way, on every adapter:
//! always an error or `wgpu`'s own report, never a panic, a hang or a wrong answer.

use unpool::{
    Element, Engine, Error, Geometry, Gpu, IndexReport, IndexSpace, Overlap, Pooling, Scatter,
    Shape, Step, cpu, operands, wgpu,
};
use wgpu::BufferUsages as Usages;

use crate::support::cases::parse;
use crate::support::devices::{Uncaptured, adapters, device, gpus, noop};
use crate::support::fill::{Fill, fill};

fn buffer(gpu: &Gpu, size: u64, usage: Usages) -> wgpu::Buffer {
    let mapped_at_creation = false;
    let label = Some("a test's own");
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation })
}

fn storage(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    buffer(gpu, size, Usages::STORAGE | Usages::COPY_SRC | Usages::COPY_DST)
}

fn geometry() -> Geometry {
    parse("n1c3h8w8_k2_last").geometry().unwrap()
}

/// A pooling of 192 cells to 48 values, and buffers for it with room to spare.
struct Bench {
    gpu: Gpu,
    pooling: Pooling,
    input: wgpu::Buffer,
    values: wgpu::Buffer,
    taps: wgpu::Buffer,
}

impl Bench {
    fn on(gpu: &Gpu) -> Self {
        let pooling = gpu.pooling(&geometry(), Element::F32).unwrap();
        Self {
            input: storage(gpu, 4096),
            values: storage(gpu, 4096),
            taps: storage(gpu, 4096),
            pooling,
            gpu: gpu.clone(),
        }
    }

    fn pool(&self) -> Result<Step, Error> {
        self.pooling.max_pool(operands::MaxPool {
            input: &self.input,
            values: &self.values,
            taps: &self.taps,
        })
    }
}

fn message(found: Result<Step, Error>) -> String {
    found.unwrap_err().to_string()
}

// ---- refusals -------------------------------------------------------------------------------

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
    let last = Overlap::Last;
    for (found, operand, needed) in [
        (pooling.max_pool(operands::MaxPool { input: &small, values, taps }), "input", 768),
        (pooling.max_pool(operands::MaxPool { input, values: &small, taps }), "values", 192),
        (pooling.max_pool(operands::MaxPool { input, values, taps: &small }), "taps", 48),
        (
            pooling.max_unpool(operands::MaxUnpool { values: &small, taps, output: input }, last),
            "values",
            192,
        ),
        (
            pooling.max_unpool(operands::MaxUnpool { values, taps: &small, output: input }, last),
            "taps",
            48,
        ),
        (
            pooling.max_unpool(operands::MaxUnpool { values, taps, output: &small }, last),
            "output",
            768,
        ),
        (
            pooling.max_pool_backward(operands::MaxPoolBackward {
                grad_output: &small,
                taps,
                grad_input: input,
            }),
            "grad_output",
            192,
        ),
        (
            pooling.max_pool_backward(operands::MaxPoolBackward {
                grad_output: values,
                taps: &small,
                grad_input: input,
            }),
            "taps",
            48,
        ),
        (
            pooling.max_pool_backward(operands::MaxPoolBackward {
                grad_output: values,
                taps,
                grad_input: &small,
            }),
            "grad_input",
            768,
        ),
        (
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: &small,
                taps,
                grad_input: values,
            }),
            "grad_output",
            768,
        ),
        (
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: input,
                taps: &small,
                grad_input: values,
            }),
            "taps",
            48,
        ),
        (
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: input,
                taps,
                grad_input: &small,
            }),
            "grad_input",
            192,
        ),
        (
            pooling.taps_to_indices(
                operands::TapsToIndices { taps: &small, indices: values },
                IndexSpace::Plane,
            ),
            "taps",
            48,
        ),
        (
            pooling.taps_to_indices(
                operands::TapsToIndices { taps, indices: &small },
                IndexSpace::Plane,
            ),
            "indices",
            192,
        ),
        (
            pooling.indices_to_taps(
                operands::IndicesToTaps { indices: &small, taps, report: input },
                IndexSpace::Plane,
            ),
            "indices",
            192,
        ),
        (
            pooling.indices_to_taps(
                operands::IndicesToTaps { indices: values, taps: &small, report: input },
                IndexSpace::Plane,
            ),
            "taps",
            48,
        ),
    ] {
        assert_eq!(message(found), of(operand, needed));
    }
    let report = storage(gpu, 8);
    let found = pooling.indices_to_taps(
        operands::IndicesToTaps { indices: values, taps, report: &report },
        IndexSpace::Plane,
    );
    assert_eq!(message(found), "report has 8 bytes; 12 are needed");
    // A range counts, not the buffer that it lies in.
    let found = pooling.max_pool(operands::MaxPool {
        input: input.slice(256..1020),
        values: values.slice(..),
        taps: taps.slice(..),
    });
    assert_eq!(message(found), "input has 764 bytes; 768 are needed");
    assert!(
        pooling
            .max_pool(operands::MaxPool {
                input: input.slice(256..1024),
                values: values.slice(..),
                taps: taps.slice(..)
            })
            .is_ok()
    );
}

#[test]
fn an_operand_off_the_alignment_of_the_device_is_refused() {
    let bench = Bench::on(&noop(Some(wgpu::Limits::default())));
    let Bench { pooling, input, values, taps, .. } = &bench;
    let found = pooling.max_pool(operands::MaxPool {
        input: input.slice(128..),
        values: values.slice(..),
        taps: taps.slice(..),
    });
    assert_eq!(message(found), "input is at byte 128 of its buffer; a multiple of 256 is allowed");
    let found = pooling.max_pool(operands::MaxPool {
        input: input.slice(..),
        values: values.slice(4..),
        taps: taps.slice(..),
    });
    assert_eq!(message(found), "values is at byte 4 of its buffer; a multiple of 256 is allowed");
    let found = pooling.max_unpool(
        operands::MaxUnpool {
            values: values.slice(..),
            taps: taps.slice(260..),
            output: input.slice(..),
        },
        Overlap::Sum,
    );
    assert_eq!(message(found), "taps is at byte 260 of its buffer; a multiple of 256 is allowed");
}

#[test]
fn an_operand_that_is_no_storage_buffer_is_refused() {
    let bench = Bench::on(&noop(None));
    let Bench { gpu, pooling, input, values, taps } = &bench;
    let other = buffer(gpu, 4096, Usages::COPY_SRC | Usages::UNIFORM);
    let found = pooling.max_pool(operands::MaxPool { input: &other, values, taps }).unwrap_err();
    let expected = Error::Usage { operand: "input", found: other.usage(), needed: Usages::STORAGE };
    assert_eq!(found, expected);
    let found = pooling.max_pool(operands::MaxPool { input, values, taps: &other }).unwrap_err();
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
    assert!(
        pooling()
            .with_workgroup_size(256)
            .unwrap()
            .max_pool(operands::MaxPool {
                input: &bench.input,
                values: &bench.values,
                taps: &bench.taps
            })
            .is_ok()
    );
}

#[test]
fn a_buffer_of_another_device_is_refused() {
    let (bench, other) = (Bench::on(&noop(None)), noop(None));
    let theirs = storage(&other, 4096);
    let found = bench.pooling.max_pool(operands::MaxPool {
        input: &theirs,
        values: &bench.values,
        taps: &bench.taps,
    });
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

// ---- under way ------------------------------------------------------------------------------

/// Whether it is an error, not a panic and not an answer.
fn fails<A: std::fmt::Debug>(on: &str, what: &str, found: Result<A, Error>) {
    assert!(found.is_err(), "{what} on {on}: {found:?}");
}

/// A device of its own on every adapter, and on none.
fn devices() -> Vec<(String, Gpu)> {
    let own = adapters().iter().map(|a| device(a, &a.limits()));
    own.chain([noop(None)]).map(|gpu| (gpu.description(), gpu)).collect()
}

#[test]
fn a_lost_device_ends_in_an_error_whenever_it_is_lost() {
    for (on, gpu) in devices() {
        // While a readback is under way.
        let reports = Uncaptured::on(&gpu);
        let bench = Bench::on(&gpu);
        let step = bench.pool().unwrap();
        let pending = gpu.read::<f32>(&bench.values).unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        gpu.device().destroy();
        // It had been submitted: it may arrive or not, but it ends.
        let _ = pending.wait();
        // Before submitting, recording, making, reading; whatever is reported is wgpu's to report.
        gpu.queue().submit([encoder.finish()]);
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        gpu.queue().submit([encoder.finish()]);
        fails(&on, "reading", gpu.read::<f32>(&bench.values).and_then(unpool::Readback::wait));
        let _ = bench.pool();
        let _ = gpu.pooling(&geometry(), Element::BF16).map(|p| {
            p.max_pool(operands::MaxPool {
                input: &bench.input,
                values: &bench.values,
                taps: &bench.taps,
            })
        });
        let engine = Engine::Gpu(gpu);
        let input = vec![1f32; geometry().input_len()];
        fails(&on, "an engine's max_pool", engine.max_pool(&geometry(), &input));
        let taps = cpu::max_pool(&geometry(), &input).unwrap().taps;
        let values = vec![1f32; geometry().pooled_len()];
        let found = engine.max_unpool(&geometry(), &values, &taps, Overlap::Last);
        fails(&on, "an engine's max_unpool", found);
        drop(reports);
    }
}

#[test]
fn a_destroyed_buffer_is_refused_or_reported() {
    for (on, gpu) in devices() {
        let reports = Uncaptured::on(&gpu);
        let bench = Bench::on(&gpu);
        let step = bench.pool().unwrap();
        bench.values.destroy();
        fails(&on, "a step", bench.pool());
        fails(&on, "a readback", gpu.read::<f32>(&bench.values).and_then(unpool::Readback::wait));
        assert!(reports.take().is_empty(), "{on}");
        // The step was made before: its submission is what wgpu refuses.
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        gpu.queue().submit([encoder.finish()]);
        assert!(!reports.take().is_empty(), "{on}");
        // The device goes on.
        let engine = Engine::Gpu(gpu);
        let input = vec![1f32; geometry().input_len()];
        assert!(engine.max_pool(&geometry(), &input).is_ok(), "{on}");
    }
}

#[test]
fn a_mapped_buffer_is_refused_or_reported() {
    for (on, gpu) in devices() {
        let reports = Uncaptured::on(&gpu);
        let bench = Bench::on(&gpu);
        let mapped = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4096,
            usage: Usages::STORAGE | Usages::COPY_SRC,
            mapped_at_creation: true,
        });
        fails(&on, "a readback", gpu.read::<f32>(&mapped).and_then(unpool::Readback::wait));
        assert!(reports.take().is_empty(), "{on}");
        let step = bench
            .pooling
            .max_pool(operands::MaxPool {
                input: &mapped,
                values: &bench.values,
                taps: &bench.taps,
            })
            .unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        gpu.queue().submit([encoder.finish()]);
        assert!(!reports.take().is_empty(), "{on}");
    }
}

#[test]
fn a_readback_may_be_dropped_at_any_time() {
    for gpu in gpus().iter() {
        let bench = Bench::on(gpu);
        drop(gpu.read::<f32>(&bench.values).unwrap());
        let polled = gpu.read::<f32>(&bench.values).unwrap();
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
        drop(polled);
        let found = gpu.read::<f32>(&bench.values).unwrap().wait().unwrap();
        assert_eq!(found, [0.0; 1024]);
    }
}

#[test]
fn a_readback_is_awaited_while_someone_else_polls() {
    for gpu in gpus().iter() {
        let bench = Bench::on(gpu);
        gpu.queue().write_buffer(&bench.values, 0, &[7; 4096]);
        let reading = gpu.read::<u8>(&bench.values).unwrap();
        let device = gpu.device().clone();
        let polling = std::thread::spawn(move || {
            device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        });
        assert_eq!(pollster::block_on(reading).unwrap(), [7; 4096]);
        polling.join().unwrap();
    }
}

/// Each thread's wait may take the answer of another's.
#[test]
fn eight_threads_wait_for_their_own_readbacks() {
    for gpu in gpus().iter() {
        let input: Vec<f32> = fill(Fill::Permutation, geometry().input_len(), 91);
        let expected = cpu::max_pool(&geometry(), &input).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let engine = Engine::Gpu(gpu.clone());
                    for _ in 0..40 {
                        assert_eq!(engine.max_pool(&geometry(), &input), Ok(expected.clone()));
                    }
                });
            }
        });
    }
}

/// The largest tensor that there is has 17 gigabytes, more than any binding of Vulkan or GL.
#[test]
fn memory_that_is_not_there_is_an_error() {
    let of = |n| Shape::channels_first([1, 1, n, n]);
    let scatter = Scatter::new(of(1), of(65_535), IndexSpace::Plane).unwrap();
    let bytes = 4 * scatter.output_shape().len().unwrap() as u64;
    for (on, gpu) in devices() {
        let limits = gpu.device().limits();
        // 64 tebibytes: no device has as many, though it may allow a buffer of them.
        if limits.max_buffer_size >= 1 << 46 {
            let found = gpu.scoped(|| storage(&gpu, limits.max_buffer_size));
            fails(&on, "a buffer past all memory", found.map(|buffer| buffer.size()));
        }
        if limits.max_storage_buffer_binding_size >= bytes {
            eprintln!("{on} may have room for {bytes} bytes in one binding");
            continue;
        }
        let engine = Engine::Gpu(gpu);
        let found = engine.scatter(&scatter, &[1f32], &[0u32], Overlap::Last);
        fails(&on, "an output that is too large", found.map(|output| output.len()));
    }
}
