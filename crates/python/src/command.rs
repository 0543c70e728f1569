//! What the command `unpool` does, from Python.

use std::ffi::OsString;
use std::sync::Arc;

use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use unpool_cli::RgbImage;

use crate::engines::engine;
use crate::errors::refused;
use crate::network::Network;

/// Runs the command, and returns its exit status.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| unpool_cli::run(arguments))
}

/// A picture as its name, height, width, and the bytes of its pixels: red, green and blue.
type Picture = (String, u32, u32, Vec<u8>);

/// The sheets of pictures, as PNG files. Calls `each` after every one, and ends with its exception.
#[pyfunction]
pub(crate) fn sheets(
    py: Python<'_>,
    network: &Network,
    name: &str,
    pictures: Vec<Picture>,
    options: Vec<String>,
    each: Py<PyAny>,
) -> PyResult<Vec<Vec<u8>>> {
    py.detach(|| {
        let engine = engine(network.device()).map_err(refused)?;
        let picture = |(name, height, width, rgb)| {
            let picture = RgbImage::from_raw(width, height, rgb).map(|picture| (name, picture));
            picture.ok_or_else(|| PyValueError::new_err("a picture has too few bytes"))
        };
        let pictures = pictures.into_iter().map(picture).collect::<PyResult<Vec<_>>>()?;
        let model = (Arc::clone(network.model()), name);
        let each = || {
            Python::attach(|py| {
                py.check_signals()?;
                each.call0(py)
            })?;
            Ok(())
        };
        unpool_cli::sheets(model, pictures, &engine, &options, each).map_err(|error| {
            let error = match error.downcast::<PyErr>() {
                Ok(raised) => return raised,
                Err(error) => error,
            };
            let message = unpool_cli::told(&error);
            match error.downcast_ref() {
                Some(unpool_cnn::Error::Memory { .. }) => PyMemoryError::new_err(message),
                _ => PyValueError::new_err(message),
            }
        })
    })
}
