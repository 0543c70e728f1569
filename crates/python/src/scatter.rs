//! Unpooling by arbitrary indices.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use unpool::{IndexSpace, Layout, Overlap, Scatter, Shape};

use crate::arguments::{extents, named};
use crate::buffers::{Bytes, BytesMut, elements, elements_mut, fill, for_element};
use crate::engines::engine;
use crate::errors::refused;

/// Unpooling by 64-bit indices that no window need have made, into `output`.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the operands, and what the operation depends on")]
pub(crate) fn scatter<'py>(
    py: Python<'py>,
    shapes: (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>),
    layout: &str,
    space: &str,
    element: &str,
    values: Bytes<'py>,
    indices: Bytes<'py>,
    overlap: &str,
    mut output: BytesMut<'py>,
    device: &str,
) -> PyResult<()> {
    let (layout, space) = (named::<Layout>(layout)?, named::<IndexSpace>(space)?);
    let shape = |argument: &str, value: &Bound<'py, PyAny>| {
        extents(argument, value).map(|dims| Shape::new(layout, dims))
    };
    let (pooled, out) = (shape("pooled_shape", &shapes.0)?, shape("output_shape", &shapes.1)?);
    let mut scatter = Scatter::new(pooled, out, space).map_err(refused)?;
    if let Some(indexed) = &shapes.2 {
        scatter = scatter.with_index_shape(shape("index_shape", indexed)?).map_err(refused)?;
    }
    let overlap = named::<Overlap>(overlap)?;
    for_element!(element, T => {
        let values = elements::<T>("values", &values)?;
        let indices = elements::<i64>("indices", &indices)?;
        let output = elements_mut::<T>("out", &mut output)?;
        py.detach(|| {
            check_memory(scatter.output_shape(), size_of::<T>())?;
            let engine = engine(device).map_err(refused)?;
            let made = engine.scatter(&scatter, values, indices, overlap).map_err(refused)?;
            fill("output", output, &made)
        })
    })
}

/// Refuses an output that cannot be allocated: a later failure would end the process.
fn check_memory(output: &Shape, bytes: usize) -> PyResult<()> {
    /// Bytes of a sum.
    const SUM: usize = 8;
    let bytes = output.len().and_then(|len| len.checked_mul(bytes + SUM));
    match bytes.map(|bytes| Vec::<u8>::new().try_reserve_exact(bytes)) {
        Some(Ok(())) => Ok(()),
        _ => Err(PyMemoryError::new_err(format!("no memory for an output of {output}"))),
    }
}
