//! One device, two threads.
//!
//! A `Gpu` and its clones share the device and everything compiled for it. Each thread makes its
//! own steps on its own buffers; a pipeline that both ask for is compiled once.

use std::error::Error;
use std::process::exit;
use std::thread;

use unpool::{Engine, Geometry, Gpu, Overlap, Padding, Shape, Window, cpu};

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = pollster::block_on(Gpu::request()).unwrap_or_else(|error| {
        eprintln!("{error}: install a driver, such as Debian's mesa-vulkan-drivers");
        exit(1);
    });
    println!("{}", gpu.description());
    let window = Window::new([3, 3]).with_stride([2, 2]).with_padding(Padding::Same);
    let geometry = Geometry::new(&window, Shape::channels_last([2, 33, 31, 8]))?;

    let work = |thread: usize| -> Result<usize, unpool::Error> {
        let engine = Engine::Gpu(gpu.clone());
        for round in 0..10 {
            let seed = 10 * thread + round;
            let x: Vec<f32> =
                (0..geometry.input_len()).map(|i| ((i + seed) * 7919 % 1009) as f32).collect();
            let pooled = engine.max_pool(&geometry, &x)?;
            let restored =
                engine.max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Sum)?;

            let expected = cpu::max_pool(&geometry, &x)?;
            assert_eq!(pooled, expected, "thread {thread}, round {round}");
            let (values, taps) = (&expected.values, &expected.taps);
            let expected = cpu::max_unpool(&geometry, values, taps, Overlap::Sum)?;
            assert_eq!(restored, expected, "thread {thread}, round {round}");
        }
        Ok(10)
    };
    let rounds = thread::scope(|scope| {
        let threads = [0, 1].map(|thread| scope.spawn(move || work(thread)));
        threads.map(|thread| thread.join().expect("a failed check ends the program"))
    });
    for (thread, rounds) in rounds.into_iter().enumerate() {
        println!("thread {thread}: {} rounds, every bit as on the CPU", rounds?);
    }
    Ok(())
}
