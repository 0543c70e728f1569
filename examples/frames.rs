//! Video: a thousand frames through steps that were prepared once, in constant memory.
//!
//! Everything that allocates is made before the loop. A frame uploads its picture, records two
//! prepared steps and submits; no more than two frames are under way.

use std::collections::VecDeque;
use std::error::Error;
use std::fs;
use std::process::exit;

use unpool::wgpu::{self, BufferUsages, PollType};
use unpool::{Element, Geometry, Gpu, Overlap, Padding, Shape, Window, cpu, operands};

const FRAMES: usize = 1000;
/// After so many frames drivers have allocated all that they keep.
const WARM: usize = 200;
/// What the resident memory may grow by in the rest.
const ROOM: u64 = 4 << 20;

/// Resident memory in bytes, where the system tells it: pages of 4 KiB.
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

/// Frame number `n`: a pattern that moves.
fn draw(n: usize, frame: &mut [f32]) {
    for (i, cell) in frame.iter_mut().enumerate() {
        *cell = ((i + 5 * n) * 37 % 251) as f32;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = pollster::block_on(Gpu::request()).unwrap_or_else(|error| {
        eprintln!("{error}: install a driver, such as Debian's mesa-vulkan-drivers");
        exit(1);
    });
    println!("{}", gpu.description());
    let (device, queue) = (gpu.device(), gpu.queue());

    let window = Window::new([3, 3]).with_stride([2, 2]).with_padding(Padding::Same);
    let geometry = Geometry::new(&window, Shape::channels_last([1, 90, 160, 3]))?;
    let pooling = gpu.pooling(&geometry, Element::F32)?;
    let buffer = |size| {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        device.create_buffer(&descriptor)
    };
    let x = buffer(pooling.input_bytes());
    let values = buffer(pooling.values_bytes());
    let taps = buffer(pooling.taps_bytes());
    let restored = buffer(pooling.input_bytes());
    let pool = pooling.max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps })?;
    let unpool = pooling.max_unpool(
        operands::MaxUnpool { values: &values, taps: &taps, output: &restored },
        Overlap::Last,
    )?;

    let mut frame = vec![0.0_f32; geometry.input_len()];
    let mut under_way = VecDeque::with_capacity(2);
    let mut warm = None;
    for n in 0..FRAMES {
        if n == WARM {
            warm = resident();
        }
        if under_way.len() == 2 {
            let submission_index = under_way.pop_front();
            device.poll(PollType::Wait { submission_index, timeout: None })?;
        }
        draw(n, &mut frame);
        queue.write_buffer(&x, 0, bytemuck::cast_slice(&frame));
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pool.record(&mut pass);
        unpool.record(&mut pass);
        drop(pass);
        under_way.push_back(queue.submit([encoder.finish()]));
    }
    device.poll(PollType::wait_indefinitely())?;

    if let (Some(start), Some(end)) = (warm, resident()) {
        let mebibytes = |bytes| bytes as f64 / f64::from(1 << 20);
        println!("resident after {WARM:>4} frames: {:6.1} MiB", mebibytes(start));
        println!("resident after {FRAMES} frames: {:6.1} MiB", mebibytes(end));
        assert!(end <= start + ROOM, "memory grew");
    }
    let found: Vec<f32> = gpu.read(&restored)?.wait()?;
    let pooled = cpu::max_pool(&geometry, &frame)?;
    let expected = cpu::max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
    assert_eq!(found, expected);
    println!("the last frame is as on the CPU");
    Ok(())
}
