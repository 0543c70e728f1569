//! Host time of preparing and recording the steps.

use std::hint::black_box;
use std::time::{Duration, Instant};

use unpool::{Element, Geometry, Gpu, Shape, Window, operands, wgpu};

use crate::gpu::buffer;
use crate::measure::{BenchError, quantile};

/// Median microseconds on the host, for a window whose pipelines are compiled.
#[derive(Clone, Copy, Debug)]
pub struct Overhead {
    /// Making a `Pooling`.
    pub pooling_us: f64,
    /// Making a `Step`: its uniforms and its bind group.
    pub step_us: f64,
    /// Recording a step into a pass.
    pub record_us: f64,
}

impl Overhead {
    const RUNS: usize = 200;
    const STEPS_IN_A_PASS: u32 = 20;

    /// Measures on a device.
    ///
    /// # Errors
    ///
    /// If the device refuses a small tensor.
    pub fn measure(gpu: &Gpu) -> Result<Self, BenchError> {
        let shape = Shape::channels_last([1, 8, 8, 4]);
        let geometry = Geometry::new(&Window::new([2, 2]), shape).map_err(unpool::Error::from)?;
        let pooling = gpu.pooling(&geometry, Element::F32)?;
        let input = buffer(gpu, "input", pooling.input_bytes(), &[]);
        let values = buffer(gpu, "values", pooling.values_bytes(), &[]);
        let taps = buffer(gpu, "taps", pooling.taps_bytes(), &[]);
        let step =
            pooling.max_pool(operands::MaxPool { input: &input, values: &values, taps: &taps })?;
        Ok(Self {
            pooling_us: median(|| {
                let start = Instant::now();
                black_box(gpu.pooling(&geometry, Element::F32)?);
                Ok(start.elapsed())
            })?,
            step_us: median(|| {
                let start = Instant::now();
                black_box(pooling.max_pool(operands::MaxPool {
                    input: &input,
                    values: &values,
                    taps: &taps,
                })?);
                Ok(start.elapsed())
            })?,
            record_us: median(|| {
                let mut encoder = gpu.device().create_command_encoder(&Default::default());
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                let start = Instant::now();
                for _ in 0..Self::STEPS_IN_A_PASS {
                    step.record(&mut pass);
                }
                Ok(start.elapsed() / Self::STEPS_IN_A_PASS)
            })?,
        })
    }
}

/// The median of [`Overhead::RUNS`] runs, in microseconds, after one warm-up run.
fn median(mut run: impl FnMut() -> Result<Duration, BenchError>) -> Result<f64, BenchError> {
    run()?;
    let times: Result<Vec<_>, _> =
        (0..Overhead::RUNS).map(|_| Ok(run()?.as_secs_f64() * 1e6)).collect();
    times.map(|times| quantile(times, 0.5))
}
