//! Times on a device: timestamps around a pass of several dispatches where it has them, else the time from
//! submission to completion.

use std::time::{Duration, Instant};
use unpool::operands;

use unpool::cpu::reference;
use unpool::{Gpu, Overlap, Step, wgpu};

use crate::case::Case;
use crate::cpu::FromFloat;
use crate::measure::{BenchError, Row, Timed, fill, rows};
use crate::op::Op;
use crate::runs::Runs;

pub(crate) fn run<T: FromFloat>(
    gpu: &Gpu,
    case: &Case,
    runs: Runs,
) -> Result<Vec<Row>, BenchError> {
    let geometry = &case.geometry;
    let pooling = gpu.pooling(geometry, T::ELEMENT)?;
    let x: Vec<T> = (0..geometry.input_len()).map(|i| T::from_float(fill(i))).collect();
    let buffer = |label, size: u64, bytes: &[u8]| buffer(gpu, label, size, bytes);
    let input = buffer("input", pooling.input_bytes(), bytemuck::cast_slice(&x));
    let output = buffer("output", pooling.input_bytes(), &[]);
    let values = buffer("values", pooling.values_bytes(), &[]);
    let gathered = buffer("gathered", pooling.values_bytes(), &[]);
    let taps = buffer("taps", pooling.taps_bytes(), &[]);

    let mut compile_ms = [0.0; Op::ALL.len()];
    let mut make = |op: Op, make: &dyn Fn() -> Result<Step, unpool::Error>| {
        let start = Instant::now();
        let step = make();
        compile_ms[op as usize] = start.elapsed().as_secs_f64() * 1e3;
        step
    };
    let steps = [
        make(Op::MaxPool, &|| {
            pooling.max_pool(operands::MaxPool { input: &input, values: &values, taps: &taps })
        })?,
        make(Op::MaxUnpool, &|| {
            let operands = operands::MaxUnpool { values: &values, taps: &taps, output: &output };
            pooling.max_unpool(operands, Overlap::Last)
        })?,
        make(Op::MaxPoolBackward, &|| {
            pooling.max_pool_backward(operands::MaxPoolBackward {
                grad_output: &values,
                taps: &taps,
                grad_input: &output,
            })
        })?,
        make(Op::MaxUnpoolBackward, &|| {
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: &input,
                taps: &taps,
                grad_input: &gathered,
            })
        })?,
    ];
    let copy = Copy::new(gpu, &input, &output, pooling.input_bytes());
    let clock = Clock::new(gpu);

    let outputs = [&values, &output, &output, &gathered];
    // Every bit is compared with the reference before timing starts.
    let pooled = reference::max_pool(geometry, &x)?;
    let (values, taps) = (&pooled.values, &pooled.taps);
    let expected = [
        values.clone(),
        reference::max_unpool(geometry, values, taps, Overlap::Last)?,
        reference::max_unpool(geometry, values, taps, Overlap::Sum)?,
        reference::max_unpool_backward(geometry, &x, taps)?,
    ];
    for (i, op) in Op::ALL.into_iter().enumerate() {
        clock.time(gpu, 1, |pass| steps[i].record(pass));
        let found: Vec<T> = gpu.read(outputs[i])?.wait()?;
        let bytes: &[u8] = bytemuck::cast_slice(&found);
        let expected: &[u8] = bytemuck::cast_slice(&expected[i]);
        if bytes[..expected.len()] != *expected {
            return Err(BenchError::Wrong { case: case.name, op });
        }
    }

    let dispatches = if gpu.is_software() { 1 } else { DISPATCHES };
    if !gpu.is_software() {
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            clock.time(gpu, dispatches, |pass| copy.record(pass));
        }
    }
    rows(case, &gpu.description(), runs, Some(compile_ms), |timed| {
        Ok(match timed {
            Timed::Copy => clock.time(gpu, dispatches, |pass| copy.record(pass)),
            Timed::Op(op) => clock.time(gpu, dispatches, |pass| steps[op as usize].record(pass)),
        })
    })
}

/// Dispatches between two timestamps on a GPU: their time is long beside that of starting and ending a pass.
const DISPATCHES: u32 = 10;

/// A GPU that has been idle runs at low clock rates for some tenths of a second.
const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) fn buffer(gpu: &Gpu, label: &str, size: u64, bytes: &[u8]) -> wgpu::Buffer {
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, 0, bytes);
    buffer
}

/// Milliseconds of a dispatch, of several in a pass.
struct Clock {
    timestamps: Option<(wgpu::QuerySet, wgpu::Buffer)>,
}

impl Clock {
    fn new(gpu: &Gpu) -> Self {
        let device = gpu.device();
        let timestamps = device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| {
            let set = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("times"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            let resolved = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("times"),
                size: 16,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            (set, resolved)
        });
        Self { timestamps }
    }

    fn time(&self, gpu: &Gpu, dispatches: u32, record: impl Fn(&mut wgpu::ComputePass<'_>)) -> f64 {
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let timestamp_writes =
            self.timestamps.as_ref().map(|(set, _)| wgpu::ComputePassTimestampWrites {
                query_set: set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
        let descriptor = wgpu::ComputePassDescriptor { label: Some("timed"), timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        for _ in 0..dispatches {
            record(&mut pass);
        }
        drop(pass);
        if let Some((set, resolved)) = &self.timestamps {
            encoder.resolve_query_set(set, 0..2, resolved, 0);
        }
        let commands = encoder.finish();
        let start = Instant::now();
        gpu.queue().submit([commands]);
        // A failed submission shows in the results, which are compared.
        let _ = gpu.device().poll(wgpu::PollType::wait_indefinitely());
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        let stamps = self.timestamps.as_ref().and_then(|(_, resolved)| {
            let stamps: Vec<u64> = gpu.read(resolved).ok()?.wait().ok()?;
            Some((stamps[1].checked_sub(stamps[0])?) as f64)
        });
        let all = match stamps {
            Some(ticks) => ticks * f64::from(gpu.queue().get_timestamp_period()) / 1e6,
            None => elapsed,
        };
        all / f64::from(dispatches)
    }
}

/// The copy kernel on a tensor, in as many pieces as its bindings take.
struct Copy {
    pipeline: wgpu::ComputePipeline,
    pieces: Vec<(wgpu::BindGroup, [u32; 2])>,
}

/// The most workgroups in a row of the copy's grid.
const MOST_WORKGROUPS: u32 = 32_768;

impl Copy {
    fn new(gpu: &Gpu, source: &wgpu::Buffer, destination: &wgpu::Buffer, bytes: u64) -> Self {
        let device = gpu.device();
        let module = device.create_shader_module(wgpu::include_wgsl!("copy.wgsl"));
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("copy"),
            layout: None,
            module: &module,
            entry_point: Some("copy"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let most = device.limits().max_storage_buffer_binding_size / 256 * 256;
        let pieces = (0..bytes).step_by(most as usize).map(|offset| {
            let size = most.min(bytes - offset);
            let part = |buffer| {
                let size = size.try_into().ok();
                wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size })
            };
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("copy"),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: part(source) },
                    wgpu::BindGroupEntry { binding: 1, resource: part(destination) },
                ],
            });
            let workgroups = (size.div_ceil(16 * 128)) as u32;
            let height = workgroups.div_ceil(MOST_WORKGROUPS);
            (group, [workgroups.div_ceil(height), height])
        });
        let pieces = pieces.collect();
        Self { pipeline, pieces }
    }

    fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline);
        for (group, [x, y]) in &self.pieces {
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(*x, *y, 1);
        }
    }
}
