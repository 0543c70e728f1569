//! Numbers of elements, axes and strides of a shape.

use crate::error::{Fault, extents};
use crate::kernel::Vectors;

/// Elements of a shape that was counted in u32 already.
pub(super) fn len(shape: &[usize]) -> u32 {
    shape.iter().product::<usize>() as u32
}

/// Elements that a table or a constant may have which is made while a plan is.
const MOST: usize = 1 << 26;

/// Weights that a tensor may have which are one number, and made when a session gives them to a device.
const MOST_WEIGHTS: usize = 1 << 28;

/// The elements of a constant, or of a table, of this shape, which is checked before it is made.
pub(super) fn checked_len(shape: &[usize]) -> Result<usize, Fault> {
    within(shape, MOST)
}

/// The elements of weights of this shape that are one number.
pub(super) fn checked_weights(shape: &[usize]) -> Result<usize, Fault> {
    within(shape, MOST_WEIGHTS)
}

fn within(shape: &[usize], most: usize) -> Result<usize, Fault> {
    let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    count.filter(|&n| n <= most).ok_or_else(|| {
        Fault::new(format!("{} cells", extents(shape)), format!("at most {most} are allowed"))
    })
}

/// An axis that may be counted from the end; `end` says whether the one past the last is allowed.
pub(super) fn resolve_axis(axis: i64, rank: usize, end: bool) -> Result<usize, Fault> {
    let count = rank as i64;
    let found = if axis < 0 { axis.saturating_add(count) } else { axis };
    let highest = if end { count } else { count - 1 };
    if found < 0 || found > highest {
        let allowed = format!("{} to {highest} are allowed", -count);
        return Err(Fault::new(format!("axis is {axis}"), allowed));
    }
    Ok(found as usize)
}

/// Different axes that may be counted from the end, in ascending order.
pub(super) fn resolve_axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, Fault> {
    let mut all =
        axes.iter().map(|&axis| resolve_axis(axis, rank, false)).collect::<Result<Vec<_>, _>>()?;
    all.sort_unstable();
    if all.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Fault::new(format!("axes are {axes:?}"), "each axis may be given once"));
    }
    Ok(all)
}

/// An index that may be counted from the end of an axis.
pub(super) fn resolve_index(index: i64, extent: usize) -> Result<usize, Fault> {
    let found = if index < 0 { index.saturating_add(extent as i64) } else { index };
    usize::try_from(found).ok().filter(|&n| n < extent).ok_or_else(|| {
        Fault::new(format!("an index is {index}"), format!("{extent} cells are indexed"))
    })
}

/// The shape to which two shapes repeat, by NumPy's rule.
pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Fault> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| match (i + shape.len()).checked_sub(rank) {
        Some(own) => shape[own],
        None => 1,
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (n, m) if n == m => Ok(n),
            (1, n) | (n, 1) => Ok(n),
            _ => Err(Fault::new(
                format!("A is {} and B is {}", extents(a), extents(b)),
                "shapes that repeat to one are needed",
            )),
        })
        .collect()
}

/// The strides of a dense tensor.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        steps[i - 1] = steps[i] * shape[i];
    }
    steps
}

/// Coordinates of element `i`.
pub(super) fn coordinates(shape: &[usize], mut i: usize) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (at, &n) in at.iter_mut().zip(shape).rev() {
        *at = i % n;
        i /= n;
    }
    at
}

/// The cells of `shape` that indices along an axis name.
pub(super) fn cells_along(
    shape: &[usize],
    axis: usize,
    own: &[usize],
    indices: &[i64],
) -> Result<Vec<usize>, Fault> {
    let fits = own.len() == shape.len() && (0..own.len()).all(|i| i == axis || own[i] <= shape[i]);
    if !fits {
        let found = format!("indices are {}", extents(own));
        return Err(Fault::new(found, format!("a shape within {} is needed", extents(shape))));
    }
    let steps = strides(shape);
    let cell = |(i, &index): (usize, &i64)| {
        let mut at = coordinates(own, i);
        at[axis] = resolve_index(index, shape[axis])?;
        Ok(at.iter().zip(&steps).map(|(at, step)| at * step).sum())
    };
    indices.iter().enumerate().map(cell).collect()
}

/// The vectors that lie along neighbouring axes of a shape.
pub(super) fn vectors_along(shape: &[usize], axes: std::ops::Range<usize>) -> Vectors {
    Vectors {
        outer: len(&shape[..axes.start]),
        len: len(&shape[axes.clone()]),
        inner: len(&shape[axes.end..]),
    }
}
