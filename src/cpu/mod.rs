//! The operations on the CPU. [`mod@reference`] has their definitions as plain loops.
//!
//! They run on the calling thread and, for large tensors, on other threads of `rayon`'s pool, with AVX2 on an
//! x86 processor that has it, else with the vectors that every processor of the target has. Neither changes a bit of a
//! result.

mod interleave;
mod loops;
mod max_pool;
mod max_unpool;
mod max_unpool_backward;
pub mod reference;
mod row;
mod scatter;
mod search;
mod simd;
mod tap;
mod threads;
mod tiles;
mod windows;

pub use scatter::scatter;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use simd::vectors;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use threads::threads;

use crate::argmax::{Overlap, Pooled, Taps};
use crate::cell::Cell;
use crate::error::{Error, check_len};
use crate::geometry::Geometry;

/// Max pooling with argmax.
///
/// `input` has [`Geometry::input_shape`]. A cell takes over when it is greater or NaN, so ties go
/// to the first cell in raster order and a NaN always shows. Values keep their bits.
///
/// # Errors
///
/// Returns [`Error::Length`] if the number of elements of an argument is not that of the geometry.
///
/// ```
/// use unpool::{cpu, Geometry, Shape, Window};
///
/// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 2, 2, 1]))?;
/// let pooled = cpu::max_pool(&geometry, &[1.0_f32, 7.0, 3.0, 7.0])?;
/// assert_eq!(pooled.values, [7.0]);
/// assert_eq!(pooled.taps.get(0), Some(1));
/// # Ok::<(), unpool::Error>(())
/// ```
pub fn max_pool<T: Cell>(geometry: &Geometry, input: &[T]) -> Result<Pooled<T>, Error> {
    check_len("input", input.len(), geometry.input_len())?;
    let values = vec![T::default(); geometry.pooled_len()];
    let mut pooled = Pooled { values, taps: Taps::zeroed(geometry) };
    max_pool_into(geometry, input, &mut pooled.values, &mut pooled.taps)?;
    Ok(pooled)
}

/// [`max_pool`] into values and taps that exist.
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
pub fn max_pool_into<T: Cell>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut Taps,
) -> Result<(), Error> {
    check_len("input", input.len(), geometry.input_len())?;
    check_len("values", values.len(), geometry.pooled_len())?;
    taps.check(geometry)?;
    T::max_pool(geometry, input, values, taps);
    Ok(())
}

/// Max pooling without argmax: the values of [`max_pool`].
///
/// # Errors
///
/// Returns [`Error::Length`] if the number of elements of an argument is not that of the geometry.
///
/// ```
/// use unpool::{cpu, Geometry, Shape, Window};
///
/// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 2, 2, 1]))?;
/// assert_eq!(cpu::max_pool_values(&geometry, &[1.0_f32, 7.0, 3.0, 7.0])?, [7.0]);
/// # Ok::<(), unpool::Error>(())
/// ```
pub fn max_pool_values<T: Cell>(geometry: &Geometry, input: &[T]) -> Result<Vec<T>, Error> {
    check_len("input", input.len(), geometry.input_len())?;
    let mut values = vec![T::default(); geometry.pooled_len()];
    max_pool_values_into(geometry, input, &mut values)?;
    Ok(values)
}

/// [`max_pool_values`] into values that exist.
///
/// # Errors
///
/// Returns [`Error::Length`] if the number of elements of an argument is not that of the geometry.
pub fn max_pool_values_into<T: Cell>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
) -> Result<(), Error> {
    check_len("input", input.len(), geometry.input_len())?;
    check_len("values", values.len(), geometry.pooled_len())?;
    T::max_pool_values(geometry, input, values);
    Ok(())
}

/// Unpooling: each pooled value goes back to the cell that its tap names, and every other cell
/// gets zero. Taps that name no cell of the input put nothing anywhere.
///
/// `values` has [`Geometry::pooled_shape`], the result [`Geometry::input_shape`]. Under
/// [`Overlap::Sum`] f16 and bf16 are summed in f32 and rounded once, to nearest even.
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
/// - [`Error::Overflow`] if a sum of integers does not fit its type.
pub fn max_unpool<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
) -> Result<Vec<T>, Error> {
    check_len("values", values.len(), geometry.pooled_len())?;
    let mut output = vec![T::default(); geometry.input_len()];
    max_unpool_into(geometry, values, taps, overlap, &mut output)?;
    Ok(output)
}

/// [`max_unpool`] into an output that exists. After [`Error::Overflow`] its contents are
/// unspecified.
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
/// - [`Error::Overflow`] if a sum of integers does not fit its type.
pub fn max_unpool_into<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
    output: &mut [T],
) -> Result<(), Error> {
    unpool(geometry, ("values", values), taps, overlap, ("output", output))
}

/// The gradient of [`max_pool`]: [`max_unpool`] of the gradient, summed where windows share their
/// maximum.
///
/// `grad_output` has [`Geometry::pooled_shape`], the result [`Geometry::input_shape`].
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
/// - [`Error::Overflow`] if a sum of integers does not fit its type.
pub fn max_pool_backward<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
) -> Result<Vec<T>, Error> {
    check_len("grad_output", grad_output.len(), geometry.pooled_len())?;
    let mut grad_input = vec![T::default(); geometry.input_len()];
    max_pool_backward_into(geometry, grad_output, taps, &mut grad_input)?;
    Ok(grad_input)
}

/// [`max_pool_backward`] into a gradient that exists. After [`Error::Overflow`] its contents are
/// unspecified.
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
/// - [`Error::Overflow`] if a sum of integers does not fit its type.
pub fn max_pool_backward_into<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
    grad_input: &mut [T],
) -> Result<(), Error> {
    unpool(geometry, ("grad_output", grad_output), taps, Overlap::Sum, ("grad_input", grad_input))
}

/// The gradient of [`max_unpool`]: reads the cell that each tap names, zero where it names none.
///
/// `grad_output` has [`Geometry::input_shape`], the result [`Geometry::pooled_shape`]. Where
/// windows share a cell, each of them reads it, as in PyTorch; that is exact for
/// [`Overlap::Sum`].
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
pub fn max_unpool_backward<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
) -> Result<Vec<T>, Error> {
    check_len("grad_output", grad_output.len(), geometry.input_len())?;
    let mut grad_input = vec![T::default(); geometry.pooled_len()];
    max_unpool_backward_into(geometry, grad_output, taps, &mut grad_input)?;
    Ok(grad_input)
}

/// [`max_unpool_backward`] into a gradient that exists.
///
/// # Errors
///
/// - [`Error::Length`] if the number of elements of an argument is not that of the geometry.
/// - [`Error::TapWidth`] if the taps are of a window of another size.
pub fn max_unpool_backward_into<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
    grad_input: &mut [T],
) -> Result<(), Error> {
    check_len("grad_output", grad_output.len(), geometry.input_len())?;
    check_len("grad_input", grad_input.len(), geometry.pooled_len())?;
    taps.check(geometry)?;
    T::max_unpool_backward(geometry, grad_output, taps, grad_input);
    Ok(())
}

fn unpool<T: Cell>(
    geometry: &Geometry,
    (name, values): (&'static str, &[T]),
    taps: &Taps,
    overlap: Overlap,
    (operand, output): (&'static str, &mut [T]),
) -> Result<(), Error> {
    check_len(name, values.len(), geometry.pooled_len())?;
    check_len(operand, output.len(), geometry.input_len())?;
    taps.check(geometry)?;
    if T::max_unpool(geometry, values, taps, overlap, output) {
        return Ok(());
    }
    // The definition finds the first sum that does not fit, or unpools windows that the loops leave to it.
    let made = reference::max_unpool(geometry, values, taps, overlap);
    output.copy_from_slice(&made.map_err(|error| match error {
        Error::Overflow { element, kind, .. } => Error::Overflow { operand, element, kind },
        other => other,
    })?);
    Ok(())
}
