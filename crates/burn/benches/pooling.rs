//! Pooling and its gradient beside Burn's own, on the same tensors and device in the same run; and what a
//! call costs the host, beside a step of unpool's.
//!
//! ```sh
//! cargo bench --features vulkan -- wgpu
//! cargo bench -- cpu small
//! ```
//!
//! A number is the median of rounds in which the sides take turns, after each has run for 300 ms. A round
//! is ten calls between two waits for the device.

use std::time::{Duration, Instant};

use burn::backend::Dispatch;
use burn::backend::ops::ModuleOps;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Tensor, module};
use unpool_burn::{Overlap, Taps, max_pool2d, max_pool2d_values, max_unpool2d};

const ROUNDS: usize = 15;
const CALLS: u32 = 10;
const WARM_UP: Duration = Duration::from_millis(300);

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let device = device(has("wgpu"));
    // 103 MB, past every cache; or 100 KB.
    let dims = if has("small") { [1, 8, 56, 56] } else { [8, 64, 224, 224] };
    println!("{dims:?} of f32; milliseconds a call");
    println!("layout  window  operation           unpool    Burn   ratio   same bits");
    for (layout, last) in [("nchw", false), ("nhwc", true)] {
        for (kernel, stride) in [(2, 2), (3, 2)] {
            let case = Case::new(dims, kernel, stride, last, &device);
            let name = format!("{layout}    {kernel}×{kernel}/{stride} ");
            compare(
                &name,
                "values and argmax",
                &device,
                case.same_pooling(),
                || case.pool(),
                || {
                    case.pool_by_burn();
                },
            );
            let same = case.same_gradient();
            compare(
                &name,
                "gradient",
                &device,
                same,
                || case.gradient(),
                || {
                    case.gradient_by_burn();
                },
            );
            let (ours, burns) = (|| case.train(), || case.train_by_burn());
            compare(&name, "forward and back", &device, same, ours, burns);
        }
    }
    println!("\n[1, 1, 8, 8] of f32; microseconds of the host for a call");
    println!("                                    until it returns   done, of {MANY} calls");
    calls(&device);
    #[cfg(feature = "wgpu")]
    if has("wgpu") {
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

/// Tensors to pool, and what pooling made of them.
struct Case {
    options: MaxPoolOptions<2>,
    x: Tensor<4>,
    tracked: Tensor<4>,
    grad: Tensor<4>,
    taps: Taps<4>,
    indices: Tensor<4, burn::tensor::Int>,
}

impl Case {
    fn new(dims: [usize; 4], kernel: usize, stride: usize, last: bool, device: &Device) -> Self {
        let options = MaxPoolOptions::new([kernel; 2]).with_stride([stride; 2]);
        let random = |[n, c, h, w]: [usize; 4]| {
            let distribution = Distribution::Default;
            if last {
                Tensor::<4>::random([n, h, w, c], distribution, device).permute([0, 3, 1, 2])
            } else {
                Tensor::<4>::random([n, c, h, w], distribution, device)
            }
        };
        let x = random(dims);
        let (values, taps) = max_pool2d(x.clone(), &options);
        let grad = random(values.dims());
        let (_, indices) = module::max_pool2d_with_indices(x.clone(), options.clone());
        let tracked = x.clone().to_device(&device.clone().autodiff());
        let tracked = Tensor::from_inner(tracked.inner()).require_grad();
        Self { options, x, tracked, grad, taps, indices }
    }

    fn pool(&self) {
        let _ = max_pool2d(self.x.clone(), &self.options);
    }

    fn pool_by_burn(&self) {
        let _ = module::max_pool2d_with_indices(self.x.clone(), self.options.clone());
    }

    fn same_pooling(&self) -> bool {
        let (values, taps) = max_pool2d(self.x.clone(), &self.options);
        let indices = taps.to_indices(unpool_burn::IndexSpace::Plane);
        let (burns, burns_indices) =
            module::max_pool2d_with_indices(self.x.clone(), self.options.clone());
        values.into_data() == burns.into_data() && indices.into_data() == burns_indices.into_data()
    }

    fn gradient(&self) -> Tensor<4> {
        max_unpool2d(self.grad.clone(), &self.taps, Overlap::Sum)
    }

    fn gradient_by_burn(&self) -> Tensor<4> {
        let MaxPoolOptions { kernel_size, stride, dilation, .. } = self.options;
        let (x, grad) = (self.x.clone().into_dispatch(), self.grad.clone().into_dispatch());
        let indices = self.indices.clone().into_dispatch();
        let padding = [0, 0];
        let backward = Dispatch::max_pool2d_with_indices_backward(
            x,
            kernel_size,
            stride,
            padding,
            dilation,
            false,
            grad,
            indices,
        );
        Tensor::from_dispatch(backward.x_grad)
    }

    fn same_gradient(&self) -> bool {
        self.gradient().into_data() == self.gradient_by_burn().into_data()
    }

    fn train(&self) {
        let _ = max_pool2d_values(self.tracked.clone(), &self.options).backward();
    }

    fn train_by_burn(&self) {
        let _ = module::max_pool2d(self.tracked.clone(), self.options.clone()).backward();
    }
}

/// Prints the medians of two ways to do the same.
fn compare<A, B>(
    case: &str,
    operation: &str,
    device: &Device,
    same: bool,
    ours: impl Fn() -> A,
    burns: impl Fn() -> B,
) {
    let (ours, burns) = (|| drop(ours()), || drop(burns()));
    for way in [&ours as &dyn Fn(), &burns] {
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            round(device, CALLS, way);
        }
    }
    let (ours, burns): (Vec<_>, Vec<_>) = (0..ROUNDS)
        .map(|_| (round(device, CALLS, &ours).1, round(device, CALLS, &burns).1))
        .unzip();
    let (ours, burns) = (median(ours), median(burns));
    let same = if same { "yes" } else { "no" };
    let ratio = burns / ours;
    let (ours, burns) = (ours * 1e3, burns * 1e3);
    println!("{case} {operation:<18} {ours:>7.3} {burns:>7.3} {ratio:>7.2}   {same}");
}

/// Seconds of a call until it returns, and until the device is done with all calls of a round.
fn round(device: &Device, calls: u32, run: &dyn Fn()) -> (f64, f64) {
    device.sync().expect("the device works");
    let start = Instant::now();
    (0..calls).for_each(|_| run());
    let returned = start.elapsed();
    device.sync().expect("the device works");
    [returned, start.elapsed()].map(|time| time.as_secs_f64() / f64::from(calls)).into()
}

/// Calls that fit the queue of Burn's runtime, so that none waits for the thread that takes them from there.
const FEW: u32 = 5;
/// Calls of which each waits until that thread has done what an earlier one asked for.
const MANY: u32 = 500;

/// What a call costs the host, on tensors that cost the device next to nothing.
fn calls(device: &Device) {
    let x = Tensor::<4>::random([1, 1, 8, 8], Distribution::Default, device);
    let options = MaxPoolOptions::new([2, 2]);
    let (values, taps) = max_pool2d(x.clone(), 2);
    for (what, run) in [
        ("max_pool2d", &(|| drop(max_pool2d(x.clone(), 2))) as &dyn Fn()),
        ("max_pool2d_values", &|| drop(max_pool2d_values(x.clone(), 2))),
        ("max_unpool2d", &|| drop(max_unpool2d(values.clone(), &taps, Overlap::Last))),
        ("Burn's max_pool2d_with_indices", &|| {
            drop(module::max_pool2d_with_indices(x.clone(), options.clone()))
        }),
        ("Burn's max_pool2d", &|| drop(module::max_pool2d(x.clone(), options.clone()))),
        ("Burn's addition of a number", &|| drop(x.clone() + 1.0)),
    ] {
        print_call(what, |calls| round(device, calls, run));
    }
}

fn print_call(what: &str, round: impl Fn(u32) -> (f64, f64)) {
    let start = Instant::now();
    while start.elapsed() < WARM_UP {
        round(MANY);
    }
    let returned = median((0..10 * ROUNDS).map(|_| round(FEW).0).collect()) * 1e6;
    let done = median((0..ROUNDS).map(|_| round(MANY).1).collect()) * 1e6;
    println!("{what:<34} {returned:>17.1} {done:>22.1}");
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[cfg(feature = "wgpu")]
mod raw {
    use std::sync::OnceLock;
    use std::time::Instant;

    use burn::tensor::Device;
    use burn::tensor::wgpu::WgpuSetup;
    use unpool_burn::unpool::wgpu::PollType;
    use unpool_burn::unpool::{Element, Geometry, Gpu, Shape, Step, Window, operands};

    static SETUP: OnceLock<WgpuSetup> = OnceLock::new();

    pub(super) fn device() -> Device {
        let (device, setup) = Device::wgpu_options().init_with_setup().expect("an adapter");
        unpool_burn::attach(&device, &setup).expect("it is one of wgpu's");
        let info = setup.adapter.get_info();
        println!("{}: {}, {} {}", info.backend, info.name, info.driver, info.driver_info);
        SETUP.set(setup).expect("there is one device");
        device
    }

    /// What a step of unpool's costs the host without Burn, recorded and submitted alone.
    pub(super) fn steps() {
        let setup = SETUP.get().expect("the device was made");
        let gpu = Gpu::from_device(&setup.device, &setup.queue);
        let geometry = Geometry::new(&Window::new(2), Shape::nchw([1, 1, 8, 8]));
        let geometry = geometry.expect("the window fits");
        let pooling = gpu.pooling(&geometry, Element::F32).expect("it computes");
        let buffers = pooling.create_buffers().expect("there is memory");
        let (input, values, taps) = (&buffers.input, &buffers.values, &buffers.taps);
        let make = || {
            let step = pooling.max_pool(operands::MaxPool { input, values, taps });
            step.expect("it is valid")
        };
        let submit = |step: &Step| {
            let mut encoder = setup.device.create_command_encoder(&Default::default());
            step.record_pass(&mut encoder, None);
            setup.queue.submit([encoder.finish()]);
        };
        let round = |calls: u32, run: &dyn Fn()| {
            let _ = setup.device.poll(PollType::wait_indefinitely());
            let start = Instant::now();
            (0..calls).for_each(|_| run());
            let returned = start.elapsed();
            let _ = setup.device.poll(PollType::wait_indefinitely());
            let times = [returned, start.elapsed()];
            times.map(|time| time.as_secs_f64() / f64::from(calls)).into()
        };
        let step = make();
        super::print_call("a raw step, made before", |calls| round(calls, &|| submit(&step)));
        super::print_call("a raw step, made for each call", |calls| {
            round(calls, &|| submit(&make()))
        });
    }
}
