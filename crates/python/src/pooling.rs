//! Pooling, unpooling and the gradients of both.
//!
//! On the CPU results are written straight into the caller's array; a GPU's are read back and copied.

use pyo3::prelude::*;
use unpool::{Cell, Engine, Error, Overlap, Pooled, Taps, cpu};

use crate::arguments::named;
use crate::buffers::{Bytes, BytesMut, elements, elements_mut, fill, for_element};
use crate::engines::engine;
use crate::errors::refused;
use crate::geometry::Geometry;

/// Max pooling into `values` and, if it is given, `taps`.
#[pyfunction]
#[pyo3(signature = (geometry, element, input, values, taps, device))]
pub(crate) fn max_pool<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    element: &str,
    input: Bytes<'py>,
    mut values: BytesMut<'py>,
    taps: Option<BytesMut<'py>>,
    device: &str,
) -> PyResult<()> {
    let geometry = geometry.0;
    let mut taps = taps;
    for_element!(element, T => {
        let input = elements::<T>("x", &input)?;
        let values = elements_mut::<T>("out", &mut values)?;
        let argmax = taps.as_mut().map(|taps| elements_mut::<u8>("taps", taps)).transpose()?;
        py.detach(|| pool(&geometry, input, values, argmax, device))
    })
}

fn pool<T: Cell>(
    geometry: &unpool::Geometry,
    input: &[T],
    values: &mut [T],
    argmax: Option<&mut [u8]>,
    device: &str,
) -> PyResult<()> {
    let engine = engine(device).map_err(refused)?;
    match (&engine, argmax) {
        (Engine::Cpu, None) => cpu::max_pool_values_into(geometry, input, values).map_err(refused),
        (Engine::Cpu, Some(argmax)) => {
            let mut taps = Taps::zeroed(geometry);
            cpu::max_pool_into(geometry, input, values, &mut taps).map_err(refused)?;
            fill("taps", argmax, taps.as_bytes())
        }
        (_, None) => {
            let pooled = engine.max_pool_values(geometry, input).map_err(refused)?;
            fill("values", values, &pooled)
        }
        (_, Some(argmax)) => {
            let pooled = engine.max_pool(geometry, input).map_err(refused)?;
            let Pooled { values: maxima, taps } = pooled;
            fill("values", values, &maxima)?;
            fill("taps", argmax, taps.as_bytes())
        }
    }
}

/// Does what reads taps: on the CPU into `made`, on a GPU by a result that is copied there.
fn by_taps<T: Cell>(
    (geometry, taps, device): (&unpool::Geometry, &[u8], &str),
    (name, made): (&'static str, &mut [T]),
    on_cpu: impl FnOnce(&Taps, &mut [T]) -> Result<(), Error>,
    on_gpu: impl FnOnce(&Engine, &Taps) -> Result<Vec<T>, Error>,
) -> PyResult<()> {
    let taps = Taps::from_bytes(geometry, taps).map_err(refused)?;
    match engine(device).map_err(refused)? {
        Engine::Cpu => on_cpu(&taps, made).map_err(refused),
        engine => fill(name, made, &on_gpu(&engine, &taps).map_err(refused)?),
    }
}

/// Unpooling into `output`.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the operands, and what the operation depends on")]
pub(crate) fn max_unpool<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    element: &str,
    values: Bytes<'py>,
    taps: Bytes<'py>,
    overlap: &str,
    mut output: BytesMut<'py>,
    device: &str,
) -> PyResult<()> {
    let (geometry, overlap) = (geometry.0, named::<Overlap>(overlap)?);
    for_element!(element, T => {
        let values = elements::<T>("values", &values)?;
        let taps = elements::<u8>("taps", &taps)?;
        let output = elements_mut::<T>("out", &mut output)?;
        py.detach(|| {
            by_taps(
                (&geometry, taps, device),
                ("output", output),
                |taps, output| cpu::max_unpool_into(&geometry, values, taps, overlap, output),
                |engine, taps| engine.max_unpool(&geometry, values, taps, overlap),
            )
        })
    })
}

/// The gradient of pooling into `grad_input`.
#[pyfunction]
pub(crate) fn max_pool_backward<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    element: &str,
    grad_output: Bytes<'py>,
    taps: Bytes<'py>,
    mut grad_input: BytesMut<'py>,
    device: &str,
) -> PyResult<()> {
    let geometry = geometry.0;
    for_element!(element, T => {
        let grad_output = elements::<T>("grad_output", &grad_output)?;
        let taps = elements::<u8>("taps", &taps)?;
        let grad_input = elements_mut::<T>("out", &mut grad_input)?;
        py.detach(|| {
            by_taps(
                (&geometry, taps, device),
                ("grad_input", grad_input),
                |taps, made| cpu::max_pool_backward_into(&geometry, grad_output, taps, made),
                |engine, taps| engine.max_pool_backward(&geometry, grad_output, taps),
            )
        })
    })
}

/// The gradient of unpooling into `grad_input`.
#[pyfunction]
pub(crate) fn max_unpool_backward<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    element: &str,
    grad_output: Bytes<'py>,
    taps: Bytes<'py>,
    mut grad_input: BytesMut<'py>,
    device: &str,
) -> PyResult<()> {
    let geometry = geometry.0;
    for_element!(element, T => {
        let grad_output = elements::<T>("grad_output", &grad_output)?;
        let taps = elements::<u8>("taps", &taps)?;
        let grad_input = elements_mut::<T>("out", &mut grad_input)?;
        py.detach(|| {
            by_taps(
                (&geometry, taps, device),
                ("grad_input", grad_input),
                |taps, made| cpu::max_unpool_backward_into(&geometry, grad_output, taps, made),
                |engine, taps| engine.max_unpool_backward(&geometry, grad_output, taps),
            )
        })
    })
}
