//! Errors of the library as exceptions of Python.

use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError, PyValueError};

/// The exception of a refusal: `ValueError` for what the caller can change, `MemoryError` where a
/// device has too little, `RuntimeError` where it fails.
pub(crate) fn refused(error: impl Into<unpool::Error>) -> PyErr {
    use unpool::Error;
    let error = error.into();
    let message = error.to_string();
    match error {
        Error::OutOfMemory => PyMemoryError::new_err(message),
        Error::DeviceLost | Error::Wgpu(_) | Error::Adapter { .. } | Error::Rounding { .. } => {
            PyRuntimeError::new_err(message)
        }
        _ => PyValueError::new_err(message),
    }
}

/// The exception of a refusal of a network.
pub(crate) fn network_refused(error: unpool_cnn::Error) -> PyErr {
    use unpool_cnn::Error;
    let message = error.to_string();
    match error {
        Error::Device(error) => refused(error),
        Error::File { .. } => PyOSError::new_err(message),
        Error::Memory { .. } => PyMemoryError::new_err(message),
        Error::Wgpu { .. } => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
