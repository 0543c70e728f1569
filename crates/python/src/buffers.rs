//! Flat arrays of bytes as slices of elements, and the choice of the Rust type by its name.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::PyResult;
use pyo3::exceptions::PyValueError;

/// An array that is read.
pub(crate) type Bytes<'py> = PyReadonlyArray1<'py, u8>;

/// An array that is written.
pub(crate) type BytesMut<'py> = PyReadwriteArray1<'py, u8>;

/// The elements of an array that is read.
pub(crate) fn elements<'a, T: bytemuck::Pod>(
    operand: &str,
    bytes: &'a Bytes<'_>,
) -> PyResult<&'a [T]> {
    let bytes = bytes.as_slice().map_err(|error| described(operand, error))?;
    if bytes.is_empty() {
        // An array without elements may lie anywhere.
        return Ok(&[]);
    }
    bytemuck::try_cast_slice(bytes).map_err(|error| described(operand, error))
}

/// The elements of an array that is written.
pub(crate) fn elements_mut<'a, T: bytemuck::Pod>(
    operand: &str,
    bytes: &'a mut BytesMut<'_>,
) -> PyResult<&'a mut [T]> {
    let bytes = bytes.as_slice_mut().map_err(|error| described(operand, error))?;
    if bytes.is_empty() {
        return Ok(&mut []);
    }
    bytemuck::try_cast_slice_mut(bytes).map_err(|error| described(operand, error))
}

fn described(operand: &str, error: impl std::fmt::Display) -> pyo3::PyErr {
    PyValueError::new_err(format!("{operand}: {error}"))
}

/// Fills an array with what an operation made.
pub(crate) fn fill<T: Copy>(operand: &'static str, to: &mut [T], from: &[T]) -> PyResult<()> {
    if to.len() != from.len() {
        let (found, allowed) = (to.len(), from.len());
        return Err(crate::errors::refused(unpool::Error::Length { operand, found, allowed }));
    }
    to.copy_from_slice(from);
    Ok(())
}

/// Evaluates `$run` with `$cell` naming the Rust type of an element type.
macro_rules! for_element {
    ($element:expr, $cell:ident => $run:expr) => {
        match $crate::arguments::named::<unpool::Element>($element)? {
            unpool::Element::F32 => {
                type $cell = f32;
                $run
            }
            unpool::Element::F16 => {
                type $cell = half::f16;
                $run
            }
            unpool::Element::BF16 => {
                type $cell = half::bf16;
                $run
            }
            unpool::Element::I32 => {
                type $cell = i32;
                $run
            }
            unpool::Element::U32 => {
                type $cell = u32;
                $run
            }
            unpool::Element::I8 => {
                type $cell = i8;
                $run
            }
            unpool::Element::U8 => {
                type $cell = u8;
                $run
            }
            other => Err(pyo3::exceptions::PyTypeError::new_err(format!(
                "element type {other} is not supported"
            ))),
        }
    };
}
pub(crate) use for_element;
