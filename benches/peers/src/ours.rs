//! unpool's side: buffers and steps made once, as an application makes them.

use anyhow::Result;
use unpool::{Gpu, IndexSpace, Step, Taps, operands, wgpu};
use unpool_bench::{Case, fill};

/// A case ready on a device.
pub(crate) struct Ours {
    gpu: Gpu,
    case: Case,
    input: Vec<f32>,
    grad: Vec<f32>,
    values: wgpu::Buffer,
    taps: wgpu::Buffer,
    grad_input: wgpu::Buffer,
    pool: Step,
    backward: Step,
}

impl Ours {
    pub(crate) fn new(gpu: &Gpu, case: &Case) -> Result<Self> {
        let geometry = &case.geometry;
        let input: Vec<f32> = (0..geometry.input_len()).map(fill).collect();
        let grad: Vec<f32> = (0..geometry.pooled_len()).map(fill).map(|x| 0.5 - x).collect();

        let pooling = gpu.pooling(geometry, case.element)?;
        let x = buffer(gpu, "input", pooling.input_bytes(), &input);
        let grad_output = buffer(gpu, "grad_output", pooling.values_bytes(), &grad);
        let values = buffer(gpu, "values", pooling.values_bytes(), &[]);
        let taps = buffer(gpu, "taps", pooling.taps_bytes(), &[]);
        let grad_input = buffer(gpu, "grad_input", pooling.input_bytes(), &[]);
        let pool = pooling.max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps })?;
        let backward = pooling.max_pool_backward(operands::MaxPoolBackward { grad_output: &grad_output, taps: &taps, grad_input: &grad_input })?;
        let (gpu, case) = (gpu.clone(), case.clone());
        Ok(Self { gpu, case, input, grad, values, taps, grad_input, pool, backward })
    }

    /// What is pooled.
    pub(crate) fn input(&self) -> &[f32] {
        &self.input
    }

    /// The gradient of what pooling gave.
    pub(crate) fn grad(&self) -> &[f32] {
        &self.grad
    }

    /// Pools, and waits.
    pub(crate) fn pool(&self) {
        self.run(&self.pool);
    }

    /// Takes the gradient of pooling, and waits.
    pub(crate) fn backward(&self) {
        self.run(&self.backward);
    }

    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        Ok(self.gpu.read(&self.values)?.wait()?)
    }

    /// The argmax as Burn and PyTorch count it.
    pub(crate) fn indices(&self) -> Result<Vec<i32>> {
        let bytes: Vec<u8> = self.gpu.read(&self.taps)?.wait()?;
        let geometry = &self.case.geometry;
        let taps = Taps::from_bytes(geometry, &bytes[..geometry.taps_bytes() as usize])?;
        Ok(taps.to_indices(geometry, IndexSpace::Plane)?)
    }

    pub(crate) fn gradient(&self) -> Result<Vec<f32>> {
        Ok(self.gpu.read(&self.grad_input)?.wait()?)
    }

    fn run(&self, step: &Step) {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        self.gpu.queue().submit([encoder.finish()]);
        // What goes wrong here shows in the results, which are compared.
        let _ = self.gpu.device().poll(wgpu::PollType::wait_indefinitely());
    }
}

fn buffer(gpu: &Gpu, label: &str, size: u64, values: &[f32]) -> wgpu::Buffer {
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(values));
    buffer
}
