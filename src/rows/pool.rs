//! Max pooling.

use super::search::Greatest;
use super::slabs::each_slab;
use super::windows::Windows;
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Max pooling: every pooled row.
pub(crate) fn pool<T: Cell, U: TapWord>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let prepare = |columns| Windows::new(geometry, columns);
    each_slab(
        (values, taps),
        Windows::size(geometry),
        prepare,
        |windows, first, (values, taps)| {
            windows.search::<T, U, Greatest>(input, first, values, taps);
        },
    );
}
