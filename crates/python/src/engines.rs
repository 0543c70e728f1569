//! Engines by name. A device is opened once and kept for the life of the process.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use pyo3::prelude::*;
use unpool::{Engine, Gpu};

use crate::errors::refused;

static OPEN: LazyLock<Mutex<HashMap<String, Engine>>> = LazyLock::new(Mutex::default);

/// The engine of a name: `cpu`, `auto`, `gpu`, or a part of the name of an adapter. May take a second
/// the first time, so it is called without the interpreter's lock.
pub(crate) fn engine(name: &str) -> Result<Engine, unpool::Error> {
    let name = name.to_lowercase();
    if name == "cpu" {
        return Ok(Engine::Cpu);
    }
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = open.get(&name) {
        return Ok(engine.clone());
    }
    let engine = Engine::named(&name)?;
    open.insert(name, engine.clone());
    Ok(engine)
}

/// What a device name stands for: backend, adapter and driver, or the CPU.
#[pyfunction]
pub(crate) fn describe(py: Python<'_>, device: &str) -> PyResult<String> {
    py.detach(|| engine(device).map(|engine| engine.description())).map_err(refused)
}

/// The adapters that can be used, each as `backend: name`.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> Vec<String> {
    py.detach(|| {
        let adapters = pollster::block_on(Gpu::adapters());
        let usable = adapters
            .iter()
            .filter(|adapter| pollster::block_on(Gpu::from_adapter(adapter)).is_ok());
        usable
            .map(|adapter| adapter.get_info())
            .map(|info| format!("{}: {}", info.backend, info.name))
            .collect()
    })
}
