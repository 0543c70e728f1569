//! A program with a device of its own, which pools and unpools between two of its own passes, in
//! one submission.
//!
//! The first pass makes a picture, the last one adds it to what came back from pooling and
//! unpooling. The library gets the device and four buffers, and records two steps in between.

use std::error::Error;
use std::process::exit;

use unpool::wgpu::{self, BufferUsages};
use unpool::{Element, Geometry, Gpu, Overlap, Shape, Window, cpu, operands};

const SIDE: usize = 64;

const SHADER: &str = "
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn make(@builtin(global_invocation_id) id: vec3u) {
    x[id.x] = f32(id.x * 37u % 101u);
}

@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3u) {
    y[id.x] += x[id.x];
}
";

fn main() -> Result<(), Box<dyn Error>> {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default()));
    let adapter = adapter.unwrap_or_else(|error| {
        eprintln!("{error}: install a driver, such as Debian's mesa-vulkan-drivers");
        exit(1);
    });
    // What any program asks for: no feature, WebGPU's smallest limits.
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_limits: wgpu::Limits::downlevel_defaults(),
        ..Default::default()
    }))?;

    let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, SIDE, SIDE, 1]))?;
    let gpu = Gpu::from_device(&device, &queue);
    let pooling = gpu.pooling(&geometry, Element::F32)?;
    let buffer = |label, size| {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        device.create_buffer(&descriptor)
    };
    let x = buffer("x", pooling.input_bytes());
    let values = buffer("values", pooling.values_bytes());
    let taps = buffer("taps", pooling.taps_bytes());
    let y = buffer("y", pooling.input_bytes());
    let pool = pooling.max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps })?;
    let unpool = pooling.max_unpool(
        operands::MaxUnpool { values: &values, taps: &taps, output: &y },
        Overlap::Last,
    )?;

    // The program's own two pipelines.
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("own"),
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let own = |entry_point, buffers: &[(u32, &wgpu::Buffer)]| {
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: None,
            module: &module,
            entry_point: Some(entry_point),
            compilation_options: Default::default(),
            cache: None,
        });
        let entries = buffers.iter().map(|&(binding, buffer)| wgpu::BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(entry_point),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries.collect::<Vec<_>>(),
        });
        (pipeline, bind_group)
    };
    let make = own("make", &[(0, &x)]);
    let add = own("add", &[(0, &x), (1, &y)]);

    let mut encoder = device.create_command_encoder(&Default::default());
    let dispatch = |pass: &mut wgpu::ComputePass<'_>, (pipeline, bind_group): &_| {
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bind_group, &[]);
        pass.dispatch_workgroups((SIDE * SIDE / 64) as u32, 1, 1);
    };
    dispatch(&mut encoder.begin_compute_pass(&Default::default()), &make);
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pool.record(&mut pass);
        unpool.record(&mut pass);
    }
    dispatch(&mut encoder.begin_compute_pass(&Default::default()), &add);
    queue.submit([encoder.finish()]);

    let found: Vec<f32> = gpu.read(&y)?.wait()?;
    let x: Vec<f32> = (0..SIDE * SIDE).map(|i| (i * 37 % 101) as f32).collect();
    let pooled = cpu::max_pool(&geometry, &x)?;
    let restored = cpu::max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
    assert!(found.iter().zip(x.iter().zip(&restored)).all(|(found, (a, b))| *found == a + b));
    println!("{}", gpu.description());
    println!("made, pooled, unpooled and added in one submission: as on the CPU");
    Ok(())
}
