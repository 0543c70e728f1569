//! The gradient of unpooling.

use std::ops::Range;

use super::search::Named;
use super::slabs::{Size, each_slab};
use super::windows::Windows;
use super::{places, row_after, start_of_windows};
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// Cells of a window up to which all are read in vectors, instead of the named one alone. Windows
/// far apart are none of these: rows would be rearranged for few of their cells.
const FEW: usize = 9;

/// The gradient of unpooling: every pooled row, from the cells that its taps name.
pub(crate) fn gather<T: Cell, U: TapWord>(
    geometry: &Geometry,
    cells: &[T],
    taps: &[U],
    gathered: &mut [T],
) {
    let x = &geometry.axes[2];
    if geometry.window_cells() > FEW || x.stride > 2 * x.extent() {
        return gather_one_by_one(geometry, cells, taps, gathered);
    }
    let prepare = |columns| Windows::new(geometry, columns);
    each_slab(gathered, Windows::size(geometry), prepare, |windows, first, gathered| {
        let mut taps = taps[windows.pooled(first, gathered.len())].to_vec();
        windows.search::<T, U, Named>(cells, first, gathered, &mut taps);
    });
}

/// [`gather`] of large windows and of those far apart: each value from its cell, wherever that lies.
fn gather_one_by_one<T: Cell, U: TapWord>(
    geometry: &Geometry,
    cells: &[T],
    taps: &[U],
    gathered: &mut [T],
) {
    let [z, y, x] = &geometry.axes;
    let inner = geometry.inner as usize;
    let (len, pooled) = (geometry.pooled_row(), geometry.axes.map(|axis| axis.pooled));
    let whole = geometry.axes.map(|axis| axis.whole_windows());
    // The place of each tap in the window, and how far it is from the window's first cell.
    let table: Vec<_> = (0..geometry.window_cells() as u32)
        .map(|tap| {
            let at = [tap / (x.kernel * y.kernel), tap / x.kernel % y.kernel, tap % x.kernel];
            let column = i64::from(at[2] * x.dilation) * inner as i64;
            (at, row_after(geometry, at[0], at[1]) + column)
        })
        .collect();
    let columns = |columns: Range<u32>| columns;
    // A cell wherever it lies takes as long as a few that are adjacent.
    let size = Size { columns: pooled[2], inner: geometry.inner, looks: 4 };
    each_slab(gathered, size, columns, |columns, first, gathered| {
        let taps = &taps[first * len + columns.start as usize * inner..][..gathered.len()];
        let row_len = columns.len() * inner;
        let slices = gathered.chunks_exact_mut(row_len).zip(taps.chunks_exact(row_len));
        for (place, (gathered, taps)) in places(pooled, first).zip(slices) {
            let ((_, qz, qy), row) = (place, start_of_windows(geometry, place));
            let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
            let whole_row = whole[0].contains(&qz) && whole[1].contains(&qy);
            let windows = gathered.chunks_exact_mut(inner).zip(taps.chunks_exact(inner));
            for (q, (gathered, taps)) in columns.clone().zip(windows) {
                let start = row + x.start(q) * inner as i64;
                let whole = whole_row && whole[2].contains(&q);
                let in_x = if whole { 0..x.kernel } else { x.taps_inside(q) };
                for (c, (to, &tap)) in gathered.iter_mut().zip(taps).enumerate() {
                    let tap: u32 = tap.into();
                    *to = match table.get(tap as usize) {
                        Some(([tz, ty, tx], far))
                            if whole
                                || in_z.contains(tz) && in_y.contains(ty) && in_x.contains(tx) =>
                        {
                            cells[(start + far) as usize + c]
                        }
                        _ => T::default(),
                    };
                }
            }
        }
    });
}
