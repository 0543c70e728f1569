//! Arguments of Python as windows, shapes and names: numbers per axis, padding, extents.

use std::str::FromStr;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use unpool::{Padding, PerAxis, UnknownName};

/// The value of a name.
pub(crate) fn named<T: FromStr<Err = UnknownName>>(name: &str) -> PyResult<T> {
    name.parse().map_err(|error: UnknownName| PyValueError::new_err(error.to_string()))
}

/// A number of cells: an integer of Python or NumPy that is not negative.
fn count(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let Ok(number) = value.extract::<i64>() else {
        return Err(match value.is_instance_of::<pyo3::types::PyInt>() {
            true => PyValueError::new_err(format!(
                "{argument} has the number {value}; 0 to {} are allowed",
                i64::MAX
            )),
            false => PyTypeError::new_err(format!(
                "{argument} has {}; integers are allowed",
                described(value)
            )),
        });
    };
    usize::try_from(number).map_err(|_| {
        PyValueError::new_err(format!("{argument} has the number {number}; 0 or more is allowed"))
    })
}

/// The items of a sequence that is no string, or `None` for anything else.
fn items<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if value.is_instance_of::<PyString>() {
        return None;
    }
    value.try_iter().ok()?.collect::<PyResult<_>>().ok()
}

/// Extents, such as a shape.
pub(crate) fn extents(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    match items(value) {
        Some(items) => items.iter().map(|item| count(argument, item)).collect(),
        None => Err(PyTypeError::new_err(format!(
            "{argument} is {}; a sequence of integers is allowed",
            described(value)
        ))),
    }
}

/// One number for every axis, or a sequence with one for each.
pub(crate) fn per_axis(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<PerAxis<usize>> {
    match items(value) {
        Some(items) => items.iter().map(|item| count(argument, item)).collect(),
        None => count(argument, value).map(PerAxis::from),
    }
}

/// `"valid"`, `"same"`, `"same_lower"`; or cells on both sides, one number for every axis or one for
/// each; or a pair `(before, after)` for each axis.
pub(crate) fn padding(value: &Bound<'_, PyAny>) -> PyResult<Padding> {
    if let Ok(name) = value.cast::<PyString>() {
        let name = name.to_cow()?;
        return match name.to_ascii_lowercase().replace('-', "_").as_str() {
            "valid" => Ok(Padding::Valid),
            "same" | "same_upper" => Ok(Padding::Same),
            "same_lower" => Ok(Padding::SameLower),
            _ => Err(PyValueError::new_err(format!(
                "padding {name:?} is unknown; valid, same, same_lower, numbers of cells and pairs \
                 (before, after) are allowed"
            ))),
        };
    }
    let Some(axes) = items(value) else {
        return count("padding", value).map(Padding::from);
    };
    let sides = axes.iter().map(|axis| match items(axis).as_deref() {
        None => count("padding", axis).map(|cells| (cells, cells)),
        Some([before, after]) => Ok((count("padding", before)?, count("padding", after)?)),
        Some(other) => Err(PyValueError::new_err(format!(
            "padding has {} numbers for an axis; one, or a pair (before, after), is allowed",
            other.len()
        ))),
    });
    Ok(Padding::from(sides.collect::<PyResult<Vec<_>>>()?))
}

/// What a value is, for messages: its type.
pub(crate) fn described(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "an object".into(), |name| name.to_string())
}
