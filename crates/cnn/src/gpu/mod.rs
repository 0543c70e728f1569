//! The kernels on a GPU: this crate's shaders, and `unpool`'s steps, on one device and in one pass.
//!
//! Nothing above WebGPU's default limits is needed: at most five bindings of 128 MiB, 256 invocations
//! and 9 KiB of workgroup memory.

mod params;
mod shader;
mod sums;

use std::collections::HashMap;
use std::sync::Arc;

use unpool::operands;
use unpool::wgpu;
use unpool::{Element, Gpu, Overlap, Pooling, Step};

use crate::error::Error;
use crate::kernel::Kernel;
use crate::machine::{Bound, Machine};
use crate::program::BufferId;
use crate::reading::Numbers;
use params::Params;
use shader::Shader;

/// Bytes after which what was written is submitted: until the device has it, the host keeps a copy.
const WRITTEN: u64 = 32 << 20;

/// Multiplications after which commands are submitted, so that a slow device answers in between.
const WORK: u64 = 1 << 31;

const TENSOR: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// A device, the pipelines compiled for it and buffers on it.
#[derive(Debug)]
pub(crate) struct GpuMachine {
    gpu: Gpu,
    limits: wgpu::Limits,
    buffers: Vec<wgpu::Buffer>,
    /// What the first pass of a kernel makes for its second.
    scratch: Option<wgpu::Buffer>,
    /// Bytes that were written since the last submission of such, and that submission.
    written: u64,
    last_written: Option<wgpu::SubmissionIndex>,
    pipelines: HashMap<Shader, wgpu::ComputePipeline>,
    /// What ran before, by the buffers that it reads and writes: sessions run the same kernels for each image,
    /// and making uniforms and bind groups takes the host longer than recording them.
    ready: HashMap<[Vec<BufferId>; 2], Vec<(Kernel, Passes)>>,
}

/// The passes of a kernel.
type Passes = Arc<[Ready]>;

/// A pass of a kernel, ready to be recorded.
#[derive(Clone, Debug)]
enum Ready {
    Shader { pipeline: wgpu::ComputePipeline, group: wgpu::BindGroup, grid: [u32; 2] },
    Step(Step),
}

impl GpuMachine {
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let limits = gpu.device().limits();
        let (pipelines, ready) = (HashMap::new(), HashMap::new());
        let (buffers, scratch, written, last_written) = (Vec::new(), None, 0, None);
        let gpu = gpu.clone();
        Self { gpu, limits, buffers, scratch, written, last_written, pipelines, ready }
    }

    fn device(&self) -> &wgpu::Device {
        self.gpu.device()
    }

    fn scoped<T>(&self, make: impl FnOnce() -> T) -> Result<T, Error> {
        Ok(self.gpu.scoped(make)?)
    }

    fn ready(&mut self, bound: &Bound<'_>) -> Result<Passes, Error> {
        let buffers = [bound.reads.clone(), bound.writes.clone()];
        let earlier = self.ready.get(&buffers).into_iter().flatten();
        if let Some((_, ready)) = earlier.into_iter().find(|(kernel, _)| kernel == bound.kernel) {
            return Ok(ready.clone());
        }
        let ready = match Shader::of(bound.kernel) {
            None => [Ready::Step(self.pooling(bound)?)].into(),
            Some(shader) => self.shaders(bound, shader)?,
        };
        self.ready.entry(buffers).or_default().push((bound.kernel.clone(), ready.clone()));
        Ok(ready)
    }

    fn shaders(&mut self, bound: &Bound<'_>, shader: Shader) -> Result<Passes, Error> {
        // The layout has a binding for an operand that is left out too; the shader does not read it.
        let operand = |i: usize| bound.reads.get(i).or(bound.reads.last());
        let reads = (0..shader.reads as usize).filter_map(operand);
        let mut buffers: Vec<_> =
            reads.chain(bound.writes.first()).map(|&b| self.buffers[b].clone()).collect();
        let params = Params::of(bound.kernel, bound.reads.len()).unwrap_or_default();
        let workgroups = sums::workgroups(bound.kernel, params.count());
        let name = bound.kernel.name();
        // There is one already where the memory of the program was allocated before.
        self.reserve(sums::shares_bytes(bound.kernel))?;
        let (Some(last), Some(scratch)) = (Shader::of_shares(bound.kernel), self.scratch.clone())
        else {
            return Ok([self.shader(name, shader, &params, workgroups, &buffers)?].into());
        };
        let written = shader.reads as usize;
        let result = std::mem::replace(&mut buffers[written], scratch.clone());
        let first = self.shader(name, shader, &params, workgroups, &buffers)?;
        (buffers[0], buffers[written]) = (scratch, result);
        let workgroups = sums::shares_workgroups(bound.kernel);
        Ok([first, self.shader(name, last, &params, workgroups, &buffers)?].into())
    }

    /// A pass on the buffers that its shader reads, and the one that it writes.
    fn shader(
        &mut self,
        name: &'static str,
        shader: Shader,
        params: &Params,
        workgroups: u64,
        buffers: &[wgpu::Buffer],
    ) -> Result<Ready, Error> {
        let pipeline = match self.pipelines.get(&shader) {
            Some(pipeline) => pipeline.clone(),
            None => {
                let made = self.compile(name, &shader)?;
                self.pipelines.insert(shader, made.clone());
                made
            }
        };
        let limit = self.limits.max_compute_workgroups_per_dimension;
        let grid = sums::grid(workgroups, limit).ok_or_else(|| unpool::Error::Limit {
            limit: "max_compute_workgroups_per_dimension",
            needed: workgroups,
            allowed: limit.into(),
        })?;
        let bytes = params.bytes();
        let uniform = self.scoped(|| {
            let uniform = self.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some(name),
                size: bytes.len() as u64,
                usage: wgpu::BufferUsages::UNIFORM,
                mapped_at_creation: true,
            });
            if let Ok(mut view) = uniform.get_mapped_range_mut(..) {
                view.slice(..).copy_from_slice(&bytes);
            }
            uniform.unmap();
            uniform
        })?;
        let entries: Vec<_> = std::iter::once(&uniform)
            .chain(buffers)
            .map(|buffer| buffer.as_entire_binding())
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let group = self.scoped(|| {
            self.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(name),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            })
        })?;
        Ok(Ready::Shader { pipeline, group, grid })
    }

    fn buffer(&self, size: u64) -> Result<wgpu::Buffer, Error> {
        self.scoped(|| {
            self.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("unpool-cnn tensor"),
                size,
                usage: TENSOR,
                mapped_at_creation: false,
            })
        })
    }

    fn compile(&self, name: &'static str, shader: &Shader) -> Result<wgpu::ComputePipeline, Error> {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let kinds = std::iter::once(wgpu::BufferBindingType::Uniform)
            .chain((0..shader.reads).map(|_| storage(true)))
            .chain([storage(false)]);
        let entries: Vec<_> = kinds
            .zip(0..)
            .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let device = self.device();
        self.scoped(|| {
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(name),
                entries: &entries,
            });
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &[Some(&layout)],
                ..Default::default()
            });
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(shader.source().into()),
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: Default::default(),
                cache: None,
            })
        })
    }

    fn pooling(&self, bound: &Bound<'_>) -> Result<Step, Error> {
        let reads: Vec<_> = bound.reads.iter().map(|&b| &self.buffers[b]).collect();
        let writes: Vec<_> = bound.writes.iter().map(|&b| &self.buffers[b]).collect();
        let ready = |geometry| -> Result<Pooling, unpool::Error> {
            self.gpu.pooling(geometry, Element::F32)
        };
        let step = match bound.kernel {
            Kernel::MaxPool(geometry) => {
                let (pooling, input, values) = (ready(geometry)?, reads[0], writes[0]);
                match writes[1] {
                    taps if taps.size() >= pooling.taps_bytes() => {
                        pooling.max_pool(operands::MaxPool { input, values, taps })?
                    }
                    _ => pooling.max_pool_values(operands::MaxPoolValues { input, values })?,
                }
            }
            Kernel::MaxPoolBack(geometry) => {
                ready(geometry)?.max_pool_backward(operands::MaxPoolBackward {
                    grad_output: reads[0],
                    taps: reads[1],
                    grad_input: writes[0],
                })?
            }
            Kernel::MaxUnpool(geometry) => ready(geometry)?.max_unpool(
                operands::MaxUnpool { values: reads[0], taps: reads[1], output: writes[0] },
                Overlap::Last,
            )?,
            Kernel::MaxUnpoolBack(geometry) => {
                ready(geometry)?.max_unpool_backward(operands::MaxUnpoolBackward {
                    grad_output: reads[0],
                    taps: reads[1],
                    grad_input: writes[0],
                })?
            }
            other => {
                return Err(Error::Wgpu { message: format!("{} has no shader", other.name()) });
            }
        };
        Ok(step)
    }

    fn submit(&self, ready: &[Passes]) -> Result<(), Error> {
        if ready.is_empty() {
            return Ok(());
        }
        self.scoped(|| {
            let mut encoder = self.device().create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for one in ready.iter().flat_map(|passes| passes.iter()) {
                match one {
                    Ready::Shader { pipeline, group, grid } => {
                        pass.set_pipeline(pipeline);
                        pass.set_bind_group(0, group, &[]);
                        pass.dispatch_workgroups(grid[0], grid[1], 1);
                    }
                    Ready::Step(step) => step.record(&mut pass),
                }
            }
            drop(pass);
            self.gpu.queue().submit([encoder.finish()]);
        })
    }
}

impl Machine for GpuMachine {
    fn allocate(&mut self, bytes: u64) -> Result<BufferId, Error> {
        let size = bytes.next_multiple_of(4).max(4);
        let allowed = self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size);
        if size > allowed {
            return Err(Error::Memory { tensor: "a tensor".into(), needed: size.into(), allowed });
        }
        let buffer = self.buffer(size)?;
        self.buffers.push(buffer);
        Ok(self.buffers.len() - 1)
    }

    fn scratch(&self, kernel: &Kernel) -> u64 {
        sums::shares_bytes(kernel)
    }

    fn reserve(&mut self, bytes: u64) -> Result<(), Error> {
        if bytes > self.scratch.as_ref().map_or(0, wgpu::Buffer::size) {
            self.scratch = Some(self.buffer(bytes)?);
            // It is bound to the one before.
            self.ready.clear();
        }
        Ok(())
    }

    fn write(&mut self, buffer: BufferId, at: usize, data: &[f32]) -> Result<(), Error> {
        let buffer = &self.buffers[buffer];
        let bytes: &[u8] = bytemuck::cast_slice(data);
        self.scoped(|| self.gpu.queue().write_buffer(buffer, at as u64 * 4, bytes))?;
        self.written += bytes.len() as u64;
        if self.written >= WRITTEN {
            self.written = 0;
            let own = self.scoped(|| self.gpu.queue().submit([]))?;
            // One submission may be under way while the next is written.
            if let Some(index) = self.last_written.replace(own) {
                let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: None };
                // What goes wrong shows in what is submitted next.
                drop(self.device().poll(wait));
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Numbers, Error> {
        let part = self.buffers[buffer].slice(..len as u64 * 4);
        Ok(Numbers::Pending(self.gpu.read::<f32>(part)?))
    }

    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error> {
        let (mut ready, mut work) = (Vec::new(), 0u64);
        for bound in program {
            ready.push(self.ready(bound)?);
            work = work.saturating_add(match bound.kernel {
                Kernel::Conv(conv) | Kernel::ConvTranspose(conv) => conv.work(),
                _ => 0,
            });
            if work > WORK {
                self.submit(&ready)?;
                (ready, work) = (Vec::new(), 0);
            }
        }
        self.submit(&ready)
    }
}
