//! Unpooling by arbitrary indices: one value after another, in raster order.
//!
//! ```text
//! check every index
//! for each pooled value:
//!     output[element that its index names] = value, or += value
//! ```

use super::reference;
use crate::argmax::{Index, Overlap};
use crate::cell::Cell;
use crate::error::{Error, check_len};
use crate::scatter::Scatter;

/// Unpooling by arbitrary indices: each value goes to the cell that its index names, and every other
/// cell becomes zero.
///
/// `values` and `indices` have shape [`Scatter::pooled_shape`], the result has shape
/// [`Scatter::output_shape`]. Values that go to the same cell are taken in raster order of the
/// pooled tensor: the last one stays ([`Overlap::Last`]), or they are summed ([`Overlap::Sum`];
/// f16 and bf16 in f32, rounded once).
///
/// # Errors
///
/// - [`Error::Length`] if `values` or `indices` has another number of elements than the pooled shape.
/// - [`Error::IndexOutOfRange`] for the first index that names no cell.
/// - [`Error::Overflow`] if a sum of integers does not fit its type.
///
/// ```
/// use unpool::{IndexSpace, Overlap, Scatter, Shape, cpu};
///
/// let (pooled, output) = (Shape::ncl([1, 1, 3]), Shape::ncl([1, 1, 4]));
/// let scatter = Scatter::new(pooled, output, IndexSpace::Plane)?;
/// assert_eq!(cpu::scatter(&scatter, &[1, 2, 4], &[3, 0, 3], Overlap::Sum)?, [2, 0, 0, 5]);
/// # Ok::<(), unpool::Error>(())
/// ```
pub fn scatter<T: Cell, I: Index>(
    scatter: &Scatter,
    values: &[T],
    indices: &[I],
    overlap: Overlap,
) -> Result<Vec<T>, Error> {
    check_len("values", values.len(), scatter.pooled_len())?;
    let targets = scatter.targets(indices)?;
    let values = targets.into_iter().zip(values.iter().copied());
    reference::put(scatter.output_len(), values, overlap)
}
