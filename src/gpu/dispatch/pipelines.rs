//! Compiled pipelines, each made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Error;
use crate::gpu::kernel::Kernel;
use crate::gpu::scope::scoped;

/// The pipelines of one device. Threads that ask for the same pipeline wait for a single compilation.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    made: Mutex<HashMap<(Kernel, u32), Arc<Made>>>,
    /// The application's cache, if it has one.
    cache: Option<wgpu::PipelineCache>,
}

type Made = OnceLock<Result<Pipeline, Error>>;

/// A compiled kernel, and the layout of its bindings.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub(crate) fn with_cache(cache: &wgpu::PipelineCache) -> Self {
        Self { cache: Some(cache.clone()), ..Self::default() }
    }

    /// The pipeline of a kernel, which is compiled if this is the first call for it.
    pub(crate) fn get(
        &self,
        device: &wgpu::Device,
        kernel: Kernel,
        workgroup_size: u32,
    ) -> Result<Pipeline, Error> {
        let key = (kernel, workgroup_size);
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(lock().entry(key).or_default());
        let made = slot.get_or_init(|| {
            log::debug!("compiling {kernel:?}");
            compile(device, kernel, workgroup_size, self.cache.as_ref())
        });
        if made.is_err() {
            // The next call tries again: the failure may be memory that ran out.
            lock().remove(&key);
        }
        made.clone()
    }
}

fn compile(
    device: &wgpu::Device,
    kernel: Kernel,
    workgroup_size: u32,
    cache: Option<&wgpu::PipelineCache>,
) -> Result<Pipeline, Error> {
    let label = kernel.to_string();
    let entries: Vec<_> = kernel
        .bindings()
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding: binding.number(),
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: kernel.binding_type(binding),
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    scoped(device, || {
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(&label),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(kernel.source(workgroup_size).into()),
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(kernel.entry_point()),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache,
        });
        Pipeline { compute, layout }
    })
}
