//! The definitions of the operations as plain loops. The tuned CPU path and every device are checked
//! against them.
//!
//! One thread and no vectors, for every geometry and element. Each function has the arguments, the results and the
//! errors of the function of the same name in [`cpu`](crate::cpu).

use crate::argmax::{Overlap, Pooled, Taps};
use crate::cell::Cell;
use crate::error::{Error, check_len};
use crate::geometry::Geometry;
use crate::geometry::{WindowPosition, window_positions};

/// Max pooling with argmax: of each window, the first cell that no other is greater than, or the last
/// NaN.
///
/// # Errors
///
/// Returns the errors of [`cpu::max_pool`](crate::cpu::max_pool).
pub fn max_pool<T: Cell>(geometry: &Geometry, input: &[T]) -> Result<Pooled<T>, Error> {
    check_len("input", input.len(), geometry.input_len())?;
    let mut values = Vec::with_capacity(geometry.pooled_len());
    let mut windows = window_positions(geometry);
    let taps = Taps::collect(geometry, |_| {
        let window = windows.next().expect("there is a window for each pooled value");
        let mut best: Option<(T, u32)> = None;
        for tap in 0..geometry.window_cells() as u32 {
            let Some(element) = element(geometry, window, tap) else { continue };
            let value = input[element];
            if best.is_none_or(|(greatest, _)| value.beats(greatest)) {
                best = Some((value, tap));
            }
        }
        let (value, tap) = best.expect("a geometry has no window without a cell of the input");
        values.push(value);
        Ok(tap)
    })?;
    Ok(Pooled { values, taps })
}

/// Unpooling: each pooled value, in raster order, goes to the cell that its tap names.
///
/// # Errors
///
/// Returns the errors of [`cpu::max_unpool`](crate::cpu::max_unpool).
pub fn max_unpool<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
) -> Result<Vec<T>, Error> {
    check_len("values", values.len(), geometry.pooled_len())?;
    taps.check(geometry)?;
    let named = named(geometry, taps).zip(values);
    let named = named.filter_map(|(element, &value)| Some((element?, value)));
    put(geometry.input_len(), named, overlap)
}

/// A tensor of `len` elements to which values go, each to the element of a number; the others are zero.
pub(super) fn put<T: Cell>(
    len: usize,
    values: impl Iterator<Item = (usize, T)>,
    overlap: Overlap,
) -> Result<Vec<T>, Error> {
    match overlap {
        Overlap::Last => {
            let mut output = vec![T::default(); len];
            for (element, value) in values {
                output[element] = value;
            }
            Ok(output)
        }
        Overlap::Sum => {
            let mut sums = vec![T::Sum::default(); len];
            for (element, value) in values {
                sums[element] = value.add_to(sums[element]);
            }
            let (operand, kind) = ("output", T::ELEMENT);
            let total =
                |(element, sum)| T::total(sum).ok_or(Error::Overflow { operand, element, kind });
            sums.into_iter().enumerate().map(total).collect()
        }
    }
}

/// The gradient of unpooling: for each pooled value, the cell that its tap names.
///
/// # Errors
///
/// Returns the errors of [`cpu::max_unpool_backward`](crate::cpu::max_unpool_backward).
pub fn max_unpool_backward<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
) -> Result<Vec<T>, Error> {
    check_len("grad_output", grad_output.len(), geometry.input_len())?;
    taps.check(geometry)?;
    let cells = named(geometry, taps);
    Ok(cells.map(|element| element.map_or(T::default(), |element| grad_output[element])).collect())
}

/// The element of the input that each tap names, if it names one, in the order of the pooled values.
fn named<'a>(geometry: &'a Geometry, taps: &'a Taps) -> impl Iterator<Item = Option<usize>> + 'a {
    window_positions(geometry).zip(taps.iter()).map(|(window, tap)| element(geometry, window, tap))
}

/// The element of the input that a window reads by a tap, if the input has it.
fn element(geometry: &Geometry, window: WindowPosition, tap: u32) -> Option<usize> {
    let cell = window.cell(geometry, tap)?;
    let extents = geometry.axes.map(|axis| axis.input as usize);
    let pixel = cell
        .into_iter()
        .zip(extents)
        .fold(window.outer as usize, |at, (cell, extent)| at * extent + cell as usize);
    Some(pixel * geometry.inner as usize + window.inner as usize)
}
