//! Compiled pipelines, each made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Error;
use crate::gpu::program::Program;
use crate::gpu::scoped;

/// The pipelines of one device. Threads that ask for the same one wait for a single compilation.
#[derive(Debug)]
pub(crate) struct Pipelines {
    /// With taps read, and with taps written.
    layouts: [(wgpu::BindGroupLayout, wgpu::PipelineLayout); 2],
    made: Mutex<HashMap<(Program, u32), Arc<Slot>>>,
}

type Slot = OnceLock<Result<wgpu::ComputePipeline, Error>>;

impl Pipelines {
    pub(crate) fn new(device: &wgpu::Device) -> Self {
        Self { layouts: [true, false].map(|read| layouts(device, read)), made: Mutex::default() }
    }

    pub(crate) fn bind_group_layout(&self, program: &Program) -> &wgpu::BindGroupLayout {
        &self.layouts[usize::from(program.writes_taps())].0
    }

    /// The pipeline of a program, compiled now if it is the first to be asked for.
    pub(crate) fn get(
        &self,
        device: &wgpu::Device,
        program: &Program,
        workgroup_size: u32,
    ) -> Result<wgpu::ComputePipeline, Error> {
        let key = (program.clone(), workgroup_size);
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(lock().entry(key.clone()).or_default());
        let made = slot.get_or_init(|| {
            log::debug!("compiling {program} {:?}", program.constants());
            let layout = &self.layouts[usize::from(program.writes_taps())].1;
            compile(device, layout, program, workgroup_size)
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
    layout: &wgpu::PipelineLayout,
    program: &Program,
    workgroup_size: u32,
) -> Result<wgpu::ComputePipeline, Error> {
    let label = program.to_string();
    let mut constants: Vec<(&str, f64)> =
        program.constants().iter().map(|&(name, value)| (name, value.into())).collect();
    constants.push(("WORKGROUP", workgroup_size.into()));
    scoped(device, || {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(program.source()),
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(layout),
            module: &module,
            entry_point: Some(program.entry_point()),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..Default::default()
            },
            cache: None,
        })
    })
}

fn layouts(
    device: &wgpu::Device,
    taps_read: bool,
) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    use wgpu::BufferBindingType::{Storage, Uniform};
    let kinds = [
        Uniform,
        Storage { read_only: true },
        Storage { read_only: false },
        Storage { read_only: taps_read },
    ];
    let entries: Vec<_> = (0..)
        .zip(kinds)
        .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        })
        .collect();
    let label = if taps_read { "unpool: taps read" } else { "unpool: taps written" };
    let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &entries,
    });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    (group, pipeline)
}
