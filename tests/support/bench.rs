//! A pooling on a device, with buffers of a test's own.

use unpool::{Element, Error, Geometry, Gpu, Pooling, Step, operands, wgpu};
use wgpu::BufferUsages as Usages;

use super::cases::parse;

pub(crate) fn buffer(gpu: &Gpu, size: u64, usage: Usages) -> wgpu::Buffer {
    let mapped_at_creation = false;
    let label = Some("a test's own");
    gpu.device().create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation })
}

pub(crate) fn storage(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    buffer(gpu, size, Usages::STORAGE | Usages::COPY_SRC | Usages::COPY_DST)
}

/// A compute pipeline of a module of its own.
pub(crate) fn pipeline(gpu: &Gpu, source: &str, entry_point: &str) -> wgpu::ComputePipeline {
    let module = gpu.device().create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    gpu.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some(entry_point),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

pub(crate) fn geometry() -> Geometry {
    parse("n1c3h8w8_k2_last").geometry().unwrap()
}

/// A pooling of 192 cells to 48 values, and buffers for it that are larger than needed.
pub(crate) struct Bench {
    pub(crate) gpu: Gpu,
    pub(crate) pooling: Pooling,
    pub(crate) input: wgpu::Buffer,
    pub(crate) values: wgpu::Buffer,
    pub(crate) taps: wgpu::Buffer,
}

impl Bench {
    pub(crate) fn on(gpu: &Gpu) -> Self {
        let pooling = gpu.pooling(&geometry(), Element::F32).unwrap();
        Self {
            input: storage(gpu, 4096),
            values: storage(gpu, 4096),
            taps: storage(gpu, 4096),
            pooling,
            gpu: gpu.clone(),
        }
    }

    pub(crate) fn pool(&self) -> Result<Step, Error> {
        self.pooling.max_pool(operands::MaxPool {
            input: &self.input,
            values: &self.values,
            taps: &self.taps,
        })
    }
}
