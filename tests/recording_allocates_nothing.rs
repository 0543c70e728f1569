//! Recording a step allocates exactly what the same commands cost in raw `wgpu`, byte for byte.
//! A binary of its own, because every allocation of its process is counted; on the backend that does
//! nothing, so that it needs no GPU.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop, and say where")]
#![allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one passes all on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use unpool::{Element, Geometry, Gpu, Shape, Window, operands, wgpu};

/// The system's allocator, and how often and for how many bytes a thread has asked it.
struct Counting;

thread_local! {
    static ASKED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: usize) {
    // A thread that is ending has nothing left to count with.
    let _ = ASKED.try_with(|asked| {
        let (calls, all) = asked.get();
        asked.set((calls + 1, all + bytes));
    });
}

// SAFETY: every call goes to the system's allocator with its arguments unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` or `realloc` above, and so from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as in `dealloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls and bytes that `act` asked for.
fn asked(act: impl FnOnce()) -> (usize, usize) {
    let (calls, bytes) = ASKED.get();
    act();
    let (calls_after, bytes_after) = ASKED.get();
    (calls_after - calls, bytes_after - bytes)
}

fn noop() -> Gpu {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::NOOP;
    descriptor.backend_options.noop.enable = true;
    let instance = wgpu::Instance::new(descriptor);
    let adapter = pollster::block_on(instance.request_adapter(&Default::default())).unwrap();
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
    Gpu::from_device(&device, &queue)
}

fn storage(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    })
}

/// A pipeline and a bind group of a uniform buffer and three storage buffers, as a step has.
fn raw(gpu: &Gpu) -> (wgpu::ComputePipeline, wgpu::BindGroup) {
    let device = gpu.device();
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(
            "@group(0) @binding(0) var<uniform> a: vec4<u32>;
             @group(0) @binding(1) var<storage, read> b: array<u32>;
             @group(0) @binding(2) var<storage, read_write> c: array<u32>;
             @group(0) @binding(3) var<storage, read_write> d: array<u32>;
             @compute @workgroup_size(1) fn main() { c[0] = a.x + b[0]; d[0] = 1u; }"
                .into(),
        ),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let uniform = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 256,
        usage: wgpu::BufferUsages::UNIFORM,
        mapped_at_creation: false,
    });
    let buffers = [uniform, storage(gpu, 4096), storage(gpu, 4096), storage(gpu, 4096)];
    let entries: Vec<_> = (0..)
        .zip(&buffers)
        .map(|(binding, b)| wgpu::BindGroupEntry { binding, resource: b.as_entire_binding() })
        .collect();
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    (pipeline, bind_group)
}

#[test]
fn recording_a_step_allocates_what_its_commands_cost_in_raw_wgpu() {
    let gpu = noop();
    let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 8, 8, 4])).unwrap();
    let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
    let buffers = [4096, 4096, 4096].map(|size| storage(&gpu, size));
    let step = pooling
        .max_pool(operands::MaxPool { input: &buffers[0], values: &buffers[1], taps: &buffers[2] })
        .unwrap();
    assert_eq!(step.dispatches(), 1);
    let (pipeline, bind_group) = raw(&gpu);
    for times in [1, 2, 10, 100] {
        let count = |record: &dyn Fn(&mut wgpu::ComputePass<'_>)| {
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let asked = asked(|| (0..times).for_each(|_| record(&mut pass)));
            drop(pass);
            drop(encoder.finish());
            asked
        };
        let ours = count(&|pass| step.record(pass));
        let theirs = count(&|pass| {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(1, 1, 1);
        });
        assert_eq!(ours, theirs, "calls and bytes of {times} recordings");
        if times == 100 {
            // The count counts: wgpu's own list of commands has grown.
            assert!(theirs.0 > 0);
        }
    }
}
