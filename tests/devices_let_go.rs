//! A program that makes devices, drops them and makes new ones does not grow. A binary of its own, because
//! the memory of its whole process is measured.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop, and say where")]

use unpool::{Engine, Geometry, Gpu, Shape, Window, cpu};

/// Devices of each adapter.
const DEVICES: usize = 100;

/// What the devices after the first few may add, in megabytes: no pipeline of a software adapter has
/// less than a half, and there is one in each.
const GROWTH: i64 = 30;

/// Memory of the process that is resident, in megabytes.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap() / 1024
}

/// Makes as many devices, one after another, of which each compiles a pipeline and runs it, and asserts
/// that the process grows no further after a fifth of them.
fn make(on: &str, devices: usize, gpu: impl Fn() -> Gpu) {
    let geometry =
        Geometry::new(&Window::new([2, 3]).with_stride([1, 1]), Shape::channels_last([1, 9, 9, 4]));
    let geometry = geometry.unwrap();
    let input: Vec<f32> = (0..geometry.input_len()).map(|i| (i * 7 % 31) as f32).collect();
    let expected = cpu::max_pool(&geometry, &input);
    let mut early = 0;
    for made in 1..=devices {
        assert_eq!(
            Engine::Gpu(gpu()).max_pool(&geometry, &input),
            expected,
            "device {made} on {on}"
        );
        if made == devices / 5 {
            early = resident();
        }
    }
    let late = resident();
    assert!(late - early <= GROWTH, "{on}: {early} MB, {late} MB after {devices} devices");
}

/// The only test of its process: another one's memory would be counted, too.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "the memory of a process is read from Linux's /proc")]
fn a_hundred_devices_one_after_another_take_the_memory_of_one() {
    let mut adapters = pollster::block_on(Gpu::adapters());
    adapters.retain(|adapter| pollster::block_on(Gpu::from_adapter(adapter)).is_ok());
    assert!(!adapters.is_empty(), "no adapter that runs compute shaders: run scripts/test");
    for adapter in &adapters {
        let info = adapter.get_info();
        let on = format!("{}: {}", info.backend, info.name);
        make(&on, DEVICES, || pollster::block_on(Gpu::from_adapter(adapter)).unwrap());
    }
    // Each finds its adapter anew.
    make("the best adapter", DEVICES, || pollster::block_on(Gpu::request()).unwrap());
}
