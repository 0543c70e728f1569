//! Failures of a device in use, on every adapter: always an error or `wgpu`'s own report, never a panic, a hang
//! or a wrong result.

use unpool::operands::MaxPool;
use unpool::{Element, Engine, Error, Gpu, IndexSpace, Overlap, Scatter, Shape, cpu, wgpu};
use wgpu::BufferUsages as Usages;

use crate::support::bench::{Bench, geometry, storage};
use crate::support::devices::{Uncaptured, adapters, device, gpus, noop};
use crate::support::fill::{Fill, fill};

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
            let Bench { input, values, taps, .. } = &bench;
            p.max_pool(MaxPool { input, values, taps })
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
        let step = Bench { input: mapped.clone(), ..bench }.pool().unwrap();
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
