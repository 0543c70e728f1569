//! The devices that tests run on.
//!
//! A driver keeps what it compiled, some megabytes a pipeline, until a device goes. So the devices
//! that tests share are dropped with the group of tests, a file, that asked for them, and tests that compile for
//! every case of a table take new devices after every few cases.

use std::collections::VecDeque;
use std::panic::{Location, resume_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::ScopedJoinHandle;

use unpool::{Engine, Gpu, wgpu};

/// Cases of a table for which the same devices compile.
pub(crate) const CASES_OF_A_DEVICE: usize = 12;

/// Groups of tests that may have devices at the same time, since tests run on several threads.
const GROUPS: usize = 2;

/// Every engine there is, with the name that failures give it. No other function lists them.
#[track_caller]
pub(crate) fn engines() -> Vec<(String, Engine)> {
    engines_on(&gpus())
}

/// The same on devices that nobody else has.
pub(crate) fn new_engines() -> Vec<(String, Engine)> {
    engines_on(&new_gpus())
}

fn engines_on(gpus: &[Gpu]) -> Vec<(String, Engine)> {
    let gpus = gpus.iter().map(|gpu| (gpu.description(), Engine::Gpu(gpu.clone())));
    [("cpu".to_owned(), Engine::Cpu)].into_iter().chain(gpus).collect()
}

/// A device on every adapter, the same for all tests of a file: a pipeline that one of them compiled
/// serves the next.
///
/// A machine without any adapter fails here, and is told what to install.
#[track_caller]
pub(crate) fn gpus() -> Arc<[Gpu]> {
    /// The file of a group of tests, and its devices.
    type Group = (&'static str, Arc<[Gpu]>);
    /// The devices of the groups that asked last.
    static KEPT: Mutex<VecDeque<Group>> = Mutex::new(VecDeque::new());
    let group = Location::caller().file();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept.iter().position(|(of, _)| *of == group).and_then(|at| kept.remove(at));
    // Those of another group go before new ones come.
    kept.truncate(GROUPS - 1);
    let gpus = found.map_or_else(new_gpus, |(_, gpus)| gpus);
    kept.push_front((group, Arc::clone(&gpus)));
    gpus
}

/// A device on every adapter that nobody else has.
pub(crate) fn new_gpus() -> Arc<[Gpu]> {
    adapters().iter().map(|a| pollster::block_on(Gpu::from_adapter(a)).unwrap()).collect()
}

/// Every adapter that runs compute shaders. One that says so and then gives no device is named on
/// standard error, and left out.
pub(crate) fn adapters() -> &'static [wgpu::Adapter] {
    static ADAPTERS: LazyLock<Vec<wgpu::Adapter>> = LazyLock::new(|| {
        let mut adapters = pollster::block_on(Gpu::adapters());
        adapters.retain(|adapter| {
            let refusal = pollster::block_on(Gpu::from_adapter(adapter)).err();
            refusal.inspect(|error| eprintln!("not tested: {error}")).is_none()
        });
        assert!(
            !adapters.is_empty(),
            "no adapter that runs compute shaders: install a driver, for example lavapipe by \
             `apt-get install mesa-vulkan-drivers libvulkan1`, or run scripts/test, which does"
        );
        adapters
    });
    &ADAPTERS
}

/// What `check` finds of each, all at once: drivers spend most of a test compiling, on one thread.
/// No two may use the same device: on GL, `wgpu` gives up on a context that another thread uses.
pub(crate) fn at_once<A: Sync, R: Send>(of: &[A], check: impl Fn(&A) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let check = &check;
        let threads: Vec<_> = of.iter().map(|one| scope.spawn(move || check(one))).collect();
        let found = threads.into_iter().map(ScopedJoinHandle::join);
        found.map(|found| found.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// A device of its own with these limits.
pub(crate) fn device(adapter: &wgpu::Adapter, limits: &wgpu::Limits) -> Gpu {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("a test's own"),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        required_limits: limits.clone(),
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    Gpu::from_device(&device, &queue)
}

/// A device that does nothing, with these limits, for the checks that need no GPU. All such devices are
/// of one instance: `wgpu` cannot tell buffers of two instances from each other.
pub(crate) fn noop(limits: Option<wgpu::Limits>) -> Gpu {
    static ADAPTER: LazyLock<wgpu::Adapter> = LazyLock::new(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::NOOP;
        descriptor.backend_options.noop.enable = true;
        let instance = wgpu::Instance::new(descriptor);
        pollster::block_on(instance.request_adapter(&Default::default())).unwrap()
    });
    device(&ADAPTER, &limits.unwrap_or_default())
}

/// What `wgpu` reports on a device and nobody asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uncaptured(Arc<Mutex<Vec<String>>>);

impl Uncaptured {
    /// Listens from now on; without it such a report panics.
    pub(crate) fn on(gpu: &Gpu) -> Self {
        let reports = Self::default();
        let to = reports.clone();
        gpu.device().on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            to.0.lock().unwrap().push(error.to_string());
        }));
        reports
    }

    /// What was reported so far.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
