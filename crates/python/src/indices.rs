//! Taps to the indices of other frameworks, and back.

use pyo3::prelude::*;
use unpool::{IndexSpace, Taps};

use crate::arguments::named;
use crate::buffers::{Bytes, BytesMut, elements, elements_mut, fill};
use crate::errors::refused;
use crate::geometry::Geometry;

/// The indices of taps in a space, as 64-bit integers.
#[pyfunction]
pub(crate) fn to_indices<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    taps: Bytes<'py>,
    space: &str,
    mut indices: BytesMut<'py>,
) -> PyResult<()> {
    let (geometry, space) = (geometry.0, named::<IndexSpace>(space)?);
    let taps = elements::<u8>("taps", &taps)?;
    let indices = elements_mut::<i64>("out", &mut indices)?;
    py.detach(|| {
        let taps = Taps::from_bytes(&geometry, taps).map_err(refused)?;
        fill("indices", indices, &taps.to_indices(&geometry, space).map_err(refused)?)
    })
}

/// The taps of 64-bit indices in a space.
#[pyfunction]
pub(crate) fn from_indices<'py>(
    py: Python<'py>,
    geometry: PyRef<'py, Geometry>,
    indices: Bytes<'py>,
    space: &str,
    mut taps: BytesMut<'py>,
) -> PyResult<()> {
    let (geometry, space) = (geometry.0, named::<IndexSpace>(space)?);
    let indices = elements::<i64>("indices", &indices)?;
    let bytes = elements_mut::<u8>("taps", &mut taps)?;
    py.detach(|| {
        let taps = Taps::from_indices(&geometry, space, indices).map_err(refused)?;
        fill("taps", bytes, taps.as_bytes())
    })
}
