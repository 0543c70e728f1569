//! Compiled pipelines, each made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Error;
use crate::gpu::program::Program;
use crate::gpu::scoped;

/// The pipelines of one device. Threads that ask for the same one wait for a single compilation.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    made: Mutex<HashMap<(Program, u32), Arc<Made>>>,
    /// The application's, if it has one.
    cache: Option<wgpu::PipelineCache>,
}

type Made = OnceLock<Result<Pipeline, Error>>;

/// A compiled program, and the layout of its bindings.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub(crate) fn with_cache(cache: &wgpu::PipelineCache) -> Self {
        Self { cache: Some(cache.clone()), ..Self::default() }
    }

    /// The pipeline of a program, compiled now if it is the first to be asked for.
    pub(crate) fn get(
        &self,
        device: &wgpu::Device,
        program: &Program,
        workgroup_size: u32,
    ) -> Result<Pipeline, Error> {
        let key = (program.clone(), workgroup_size);
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(lock().entry(key.clone()).or_default());
        let made = slot.get_or_init(|| {
            log::debug!("compiling {program} {:?}", program.constants());
            compile(device, program, workgroup_size, self.cache.as_ref())
        });
        if made.is_err() {
            // A failure, such as memory that ran out, is not kept.
            lock().remove(&key);
        }
        made.clone()
    }
}

fn compile(
    device: &wgpu::Device,
    program: &Program,
    workgroup_size: u32,
    cache: Option<&wgpu::PipelineCache>,
) -> Result<Pipeline, Error> {
    let label = program.to_string();
    let mut constants: Vec<(&str, f64)> =
        program.constants().iter().map(|&(name, value)| (name, value.into())).collect();
    constants.push(("WORKGROUP", workgroup_size.into()));
    let entries: Vec<_> = program
        .operation
        .slots()
        .iter()
        .map(|slot| wgpu::BindGroupLayoutEntry {
            binding: slot.binding(),
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: program.binding_type(*slot),
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
            source: wgpu::ShaderSource::Wgsl(program.source().into()),
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(program.entry_point()),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..Default::default()
            },
            cache,
        });
        Pipeline { compute, layout }
    })
}
