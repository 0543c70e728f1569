//! Every engine there is: the CPU, and every adapter.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use unpool_cnn::Engine;

static ENGINES: LazyLock<Mutex<Vec<(String, Engine)>>> = LazyLock::new(|| {
    let mut engines = vec![("CPU".to_owned(), Engine::Cpu)];
    for adapter in pollster::block_on(unpool::Gpu::adapters()) {
        match pollster::block_on(unpool::Gpu::from_adapter(&adapter)) {
            Ok(gpu) => engines.push((gpu.description(), Engine::Gpu(gpu))),
            Err(error) => eprintln!("not tested: {error}"),
        }
    }
    Mutex::new(engines)
});

/// The engines, with the names that failures give them, for one test at a time: a GL context that
/// another thread holds for a second counts as lost. A machine without an adapter fails, for
/// otherwise the kernels would pass by not being run: `apt install mesa-vulkan-drivers` gives one.
pub(crate) fn engines() -> MutexGuard<'static, Vec<(String, Engine)>> {
    let engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(engines.len() > 1, "no adapter: install mesa-vulkan-drivers");
    engines
}
