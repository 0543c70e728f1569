//! The gradient of unpooling.

use std::ops::Range;

use super::places;
use super::slabs::each_slab;
use crate::argmax::TapWord;
use crate::element::Cell;
use crate::geometry::Geometry;

/// The gradient of unpooling: every pooled row, from the cells that its taps name.
pub(crate) fn gather<T: Cell, U: TapWord>(
    geometry: &Geometry,
    cells: &[T],
    taps: &[U],
    gathered: &mut [T],
) {
    let [z, y, x] = &geometry.axes;
    let inner = geometry.inner as usize;
    let (len, pooled) = (geometry.pooled_row(), geometry.axes.map(|axis| axis.pooled));
    let whole = geometry.axes.map(|axis| axis.whole_windows());
    // Elements from a cell to the next one on each axis.
    let step = [y.input as usize * geometry.input_row(), geometry.input_row(), inner];
    let step = step.map(|elements| elements as i64);
    // The place of each tap in the window, and how far it is from the window's first cell.
    let table: Vec<_> = (0..geometry.window_cells() as u32)
        .map(|tap| {
            let at = [tap / (x.kernel * y.kernel), tap / x.kernel % y.kernel, tap % x.kernel];
            let far = |i: usize| i64::from(at[i] * geometry.axes[i].dilation) * step[i];
            (at, far(0) + far(1) + far(2))
        })
        .collect();
    let columns = |columns: Range<u32>| columns;
    // A cell wherever it lies takes as long as a few that are adjacent.
    let size = (pooled[2], geometry.inner, 4);
    each_slab(gathered, size, columns, |columns, first, gathered| {
        let taps = &taps[first * len + columns.start as usize * inner..][..gathered.len()];
        let row_len = columns.len() * inner;
        let slices = gathered.chunks_exact_mut(row_len).zip(taps.chunks_exact(row_len));
        for ((outer, qz, qy), (gathered, taps)) in places(pooled, first).zip(slices) {
            let image = outer as i64 * i64::from(z.input) * step[0];
            let row = image + z.start(qz) * step[0] + y.start(qy) * step[1];
            let (in_z, in_y) = (z.taps_inside(qz), y.taps_inside(qy));
            let whole_row = whole[0].contains(&qz) && whole[1].contains(&qy);
            let windows = gathered.chunks_exact_mut(inner).zip(taps.chunks_exact(inner));
            for (q, (gathered, taps)) in columns.clone().zip(windows) {
                let start = row + x.start(q) * step[2];
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
