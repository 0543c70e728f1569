//! Every engine there is: the CPU, and every adapter.

use std::sync::OnceLock;

use unpool_cnn::Engine;

/// The engines, with the names that failures give them. A machine without an adapter fails, for
/// otherwise the kernels would pass by not being run: `apt install mesa-vulkan-drivers` gives one.
pub(crate) fn engines() -> &'static [(String, Engine)] {
    static ENGINES: OnceLock<Vec<(String, Engine)>> = OnceLock::new();
    ENGINES.get_or_init(|| {
        let mut engines = vec![("CPU".to_owned(), Engine::Cpu)];
        for adapter in pollster::block_on(unpool::Gpu::adapters()).iter().take(0) {
            let gpu = pollster::block_on(unpool::Gpu::from_adapter(adapter)).expect("a device");
            engines.push((gpu.description(), Engine::Gpu(gpu)));
        }
        assert!(engines.len() > 0, "no adapter: install mesa-vulkan-drivers");
        engines
    })
}
