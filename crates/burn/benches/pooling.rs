//! Pooling and its gradient beside Burn's own, on the same tensors and device in the same run; and what a
//! call costs the host, beside a step of unpool's that was made before.
//!
//! ```sh
//! cargo bench --features vulkan -- wgpu
//! cargo bench -- cpu
//! ```
//!
//! Each number is the median of several rounds, in which the two sides take turns.

use std::time::{Duration, Instant};

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Tensor, module};
use unpool_burn::{max_pool2d, max_pool2d_values};

const ROUNDS: usize = 9;

fn main() {
    let wgpu = std::env::args().any(|argument| argument == "wgpu");
    let device = device(wgpu);
    println!("{device:?}");
    let dims = if std::env::args().any(|argument| argument == "small") {
        [1, 8, 56, 56]
    } else {
        [8, 64, 112, 112]
    };
    for (kernel, stride) in [(2, 2), (3, 2)] {
        let x = Tensor::<4>::random(dims, Distribution::Default, &device);
        let options = MaxPoolOptions::new([kernel; 2]).with_stride([stride; 2]);
        println!("{dims:?}, {kernel}×{kernel} windows, stride {stride}");
        compare(
            "values and argmax",
            &device,
            || drop(max_pool2d(x.clone(), &options)),
            || drop(module::max_pool2d_with_indices(x.clone(), options.clone())),
        );
        let tracked = x.clone().to_device(&device.clone().autodiff());
        let tracked = Tensor::from_inner(tracked.inner()).require_grad();
        compare(
            "forward and gradient",
            &device,
            || drop(max_pool2d_values(tracked.clone(), &options).backward()),
            || drop(module::max_pool2d(tracked.clone(), options.clone()).backward()),
        );
    }
    calls(&device);
    #[cfg(feature = "wgpu")]
    if wgpu {
        raw::steps();
    }
}

fn device(wgpu: bool) -> Device {
    #[cfg(feature = "wgpu")]
    if wgpu {
        return raw::device();
    }
    assert!(!wgpu, "built without the feature wgpu");
    Device::flex()
}

/// The medians of two ways, until the device is done.
fn compare(what: &str, device: &Device, ours: impl Fn(), burns: impl Fn()) {
    let time = |run: &dyn Fn()| {
        let start = Instant::now();
        run();
        device.sync().expect("the device works");
        start.elapsed()
    };
    (time(&ours), time(&burns)); // compiles
    let (ours, burns): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time(&ours), time(&burns))).unzip();
    let (ours, burns) = (median(ours), median(burns));
    let ratio = burns.as_secs_f64() / ours.as_secs_f64();
    println!("  {what}: {ours:.1?}, Burn {burns:.1?}: {ratio:.2} times");
}

/// What a call costs the host, on tensors that cost the device nothing.
fn calls(device: &Device) {
    let x = Tensor::<4>::random([1, 1, 8, 8], Distribution::Default, device);
    let options = MaxPoolOptions::new([2, 2]);
    for (what, run) in [
        ("max_pool2d", &(|| drop(max_pool2d(x.clone(), 2))) as &dyn Fn()),
        ("max_pool2d_values", &|| drop(max_pool2d_values(x.clone(), 2))),
        ("Burn's max_pool2d_with_indices", &|| {
            drop(module::max_pool2d_with_indices(x.clone(), options.clone()))
        }),
    ] {
        println!("  a call of {what}: {:.1?} of the host", median(repeat(device, run)));
    }
}

/// The time of one call, in rounds of many that are not waited for.
fn repeat(device: &Device, run: &dyn Fn()) -> Vec<Duration> {
    const CALLS: u32 = 100;
    let round = || {
        device.sync().expect("the device works");
        let start = Instant::now();
        (0..CALLS).for_each(|_| run());
        start.elapsed() / CALLS
    };
    round();
    (0..ROUNDS).map(|_| round()).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[cfg(feature = "wgpu")]
mod raw {
    use std::sync::OnceLock;
    use std::time::Instant;

    use burn::tensor::Device;
    use burn::tensor::wgpu::WgpuSetup;
    use unpool_burn::unpool::wgpu::PollType;
    use unpool_burn::unpool::{Element, Geometry, Gpu, Shape, Window, operands};

    static SETUP: OnceLock<WgpuSetup> = OnceLock::new();

    pub(super) fn device() -> Device {
        let (device, setup) = Device::wgpu_options().init_with_setup().expect("an adapter");
        unpool_burn::attach(&device, &setup).expect("it is one of wgpu's");
        SETUP.set(setup).expect("there is one device");
        device
    }

    /// What a step costs the host that was made before, recorded and submitted alone.
    pub(super) fn steps() {
        let setup = SETUP.get().expect("the device was made");
        let gpu = Gpu::from_device(&setup.device, &setup.queue);
        let geometry = Geometry::new(&Window::new(2), Shape::nchw([1, 1, 8, 8]));
        let geometry = geometry.expect("the window fits");
        let pooling = gpu.pooling(&geometry, Element::F32).expect("it computes");
        let buffers = pooling.create_buffers().expect("there is memory");
        let (input, values, taps) = (&buffers.input, &buffers.values, &buffers.taps);
        let step = pooling.max_pool(operands::MaxPool { input, values, taps });
        let step = step.expect("it is valid");
        let round = || {
            let _ = setup.device.poll(PollType::wait_indefinitely());
            let start = Instant::now();
            for _ in 0..100 {
                let mut encoder = setup.device.create_command_encoder(&Default::default());
                step.record_pass(&mut encoder, None);
                setup.queue.submit([encoder.finish()]);
            }
            start.elapsed() / 100
        };
        round();
        let times = (0..super::ROUNDS).map(|_| round()).collect();
        println!("  a raw step, made before: {:.1?} of the host", super::median(times));
    }
}
