//! Pooling and its gradient beside Burn's own, on the same tensors and device in the same run; and what a
//! call costs the host, beside a step of unpool's.
//!
//! ```sh
//! cargo bench --features vulkan -- --device gpu
//! cargo bench -- --shape 1,8,56,56 --json times.json
//! ```
//!
//! `--device` is `cpu` (Flex, the default), `gpu`, or part of the name of an adapter or a backend; `--shape` is
//! batch, channels, height and width; `--json` also writes the times to a file.
//!
//! A number is the median of rounds in which the sides take turns, after each has run for 300 ms. A round
//! is ten calls between two waits for the device.

use std::time::{Duration, Instant};

use burn::backend::Dispatch;
use burn::backend::ops::ModuleOps;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Tensor, module};
use serde_json::{Value, json};
use unpool_burn::unpool::Engine;
use unpool_burn::{Overlap, Taps, max_pool2d, max_pool2d_values, max_unpool2d};

const ROUNDS: usize = 15;
const CALLS: u32 = 10;
const WARM_UP: Duration = Duration::from_millis(300);

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    // 103 MB, past every cache.
    let dims = after("--shape").map_or(Ok([8, 64, 224, 224]), shape)?;
    let (device, description) = device(after("--device").unwrap_or("cpu"))?;
    println!("{description}\n{dims:?} of f32; milliseconds a call");
    println!("case        operation            unpool    Burn   ratio   same bits");
    let mut rows = Vec::new();
    for (layout, last) in [("nchw", false), ("nhwc", true)] {
        for (window, kernel, stride) in [("2x2", 2, 2), ("3x3s2", 3, 2)] {
            let case = Case::new(dims, kernel, stride, last, &device);
            let name = format!("{layout}_{window}");
            let mut compare = |op: &str, same: bool, ours: &dyn Fn(), burns: &dyn Fn()| {
                let times = times(&device, [ours, burns]);
                let [ours, burns] = times.each_ref().map(|times| 1e3 * times[times.len() / 2]);
                let (ratio, bits) = (burns / ours, if same { "yes" } else { "no" });
                println!("{name:<11} {op:<19} {ours:>7.3} {burns:>7.3} {ratio:>7.2}   {bits}");
                for (library, times) in ["unpool-burn", "Burn 0.22.1"].into_iter().zip(times) {
                    rows.push(row(library, &description, &name, op, &times));
                }
            };
            let same = case.same_pooling();
            compare("max_pool", same, &|| case.pool(), &|| case.pool_by_burn());
            let same = case.same_gradient();
            let (ours, burns) = (|| drop(case.gradient()), || drop(case.gradient_by_burn()));
            compare("max_pool_backward", same, &ours, &burns);
            compare("forward and back", same, &|| case.train(), &|| case.train_by_burn());
        }
    }
    if let Some(file) = after("--json") {
        std::fs::write(file, format!("{:#}\n", Value::from(rows)))
            .map_err(|error| format!("{file}: {error}"))?;
    }
    println!("\n[1, 1, 8, 8] of f32; microseconds of the host for a call");
    println!("                                    until it returns   done, of {MANY} calls");
    calls(&device);
    #[cfg(feature = "wgpu")]
    raw::steps();
    Ok(())
}

/// Four sizes.
fn shape(text: &str) -> Result<[usize; 4], Error> {
    let sizes = text.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
    let sizes = sizes.ok().and_then(|sizes| sizes.try_into().ok());
    sizes.ok_or_else(|| {
        format!("--shape {text:?}; four numbers such as 8,64,224,224 are one").into()
    })
}

/// The device of a name, and its description.
fn device(name: &str) -> Result<(Device, String), Error> {
    let engine = Engine::named(name).map_err(|error| error.to_string())?;
    match &engine {
        #[cfg(feature = "wgpu")]
        Engine::Gpu(gpu) => Ok((raw::device(&gpu.info())?, engine.description())),
        Engine::Cpu => Ok((Device::flex(), engine.description())),
        _ => Err(format!("{name}: built without the feature wgpu").into()),
    }
}

/// Times in seconds, in ascending order, as `unpool bench --json` has them.
fn row(library: &str, device: &str, case: &str, op: &str, times: &[f64]) -> Value {
    let (median_ms, min_ms) = (1e3 * times[times.len() / 2], 1e3 * times[0]);
    json!({
        "library": library, "device": device, "case": case, "op": op,
        "median_ms": median_ms, "min_ms": min_ms, "runs": times.len(),
    })
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

/// Seconds of a call of two ways to do the same, in ascending order.
fn times(device: &Device, ways: [&dyn Fn(); 2]) -> [Vec<f64>; 2] {
    for way in ways {
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            round(device, CALLS, way);
        }
    }
    let mut times = [(); 2].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (times, way) in times.iter_mut().zip(ways) {
            times.push(round(device, CALLS, way).1);
        }
    }
    times.map(ascending)
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

fn median(times: Vec<f64>) -> f64 {
    let times = ascending(times);
    times[times.len() / 2]
}

fn ascending(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

#[cfg(feature = "wgpu")]
mod raw {
    use std::sync::OnceLock;
    use std::time::Instant;

    use burn::tensor::wgpu::{WgpuBackend, WgpuSetup};
    use burn::tensor::{Device, DeviceKind};
    use unpool_burn::unpool::wgpu::{AdapterInfo, Backend, DeviceType, PollType};
    use unpool_burn::unpool::{Element, Geometry, Gpu, Shape, Step, Window, operands};

    static SETUP: OnceLock<WgpuSetup> = OnceLock::new();

    /// Burn's device on an adapter. Burn numbers adapters by backend and kind.
    pub(super) fn device(wanted: &AdapterInfo) -> Result<Device, super::Error> {
        let backend = match wanted.backend {
            Backend::Vulkan => WgpuBackend::Vulkan,
            Backend::Metal => WgpuBackend::Metal,
            Backend::Dx12 => WgpuBackend::Dx12,
            Backend::Gl => WgpuBackend::Gl,
            _ => WgpuBackend::Auto,
        };
        for nth in 0.. {
            let kind = match wanted.device_type {
                DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(nth),
                DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(nth),
                DeviceType::VirtualGpu => DeviceKind::VirtualGpu(nth),
                _ => DeviceKind::Cpu,
            };
            let options = Device::wgpu_options().graphics_api(backend).device_kind(kind);
            let Ok((device, setup)) = options.init_with_setup() else { break };
            let info = setup.adapter.get_info();
            if (&info.name, &info.driver) == (&wanted.name, &wanted.driver) {
                unpool_burn::attach(&device, &setup)?;
                let _ = SETUP.set(setup);
                return Ok(device);
            }
        }
        Err(format!("Burn does not find {}: {}", wanted.backend, wanted.name).into())
    }

    /// What a step of unpool's costs the host without Burn, recorded and submitted alone: nothing is printed
    /// where the device is the CPU.
    pub(super) fn steps() {
        let Some(setup) = SETUP.get() else { return };
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
