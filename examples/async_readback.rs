//! Reading a result back without blocking the event loop.
//!
//! `Gpu::read` submits a copy and returns a future. The loop polls the device without waiting, asks
//! the future, and goes on with its other work until the values are there. An async runtime does
//! the same: it awaits the future while something polls the device.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::process::exit;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use unpool::wgpu::{self, BufferUsages, PollType};
use unpool::{Element, Geometry, Gpu, Shape, Window, cpu, operands};

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = pollster::block_on(Gpu::request()).unwrap_or_else(|error| {
        eprintln!("{error}: install a driver, such as Debian's mesa-vulkan-drivers");
        exit(1);
    });
    println!("{}", gpu.description());
    let (device, queue) = (gpu.device(), gpu.queue());

    let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([4, 256, 256, 16]))?;
    let input: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 7919 % 1009) as f32).collect();
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
    queue.write_buffer(&x, 0, bytemuck::cast_slice(&input));
    let mut encoder = device.create_command_encoder(&Default::default());
    pooling
        .max_pool(operands::MaxPool { input: &x, values: &values, taps: &taps })?
        .record_pass(&mut encoder, None);
    queue.submit([encoder.finish()]);

    // From here on nothing waits.
    let mut readback = pin!(gpu.read::<f32>(&values)?);
    let mut iterations = 0;
    let found = loop {
        other_work();
        iterations += 1;
        device.poll(PollType::Poll)?;
        if let Poll::Ready(found) = readback.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            break found?;
        }
    };
    assert_eq!(found, cpu::max_pool(&geometry, &input)?.values);
    println!("{} values arrived; iterations of the loop meanwhile: {iterations}", found.len());
    Ok(())
}

/// The work of an event loop between two polls of the device: input, drawing, the network.
fn other_work() {
    thread::sleep(Duration::from_millis(1));
}
