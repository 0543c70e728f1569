//! [`WindowPosition`]: the window of one pooled value, and the conversion between its taps and the
//! cells of the input.

use crate::geometry::Geometry;

/// The position `[outer, z, y, x, inner]` of a pooled value, and so of its window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowPosition {
    pub(crate) outer: u32,
    /// z, y, x.
    pub(crate) window: [u32; 3],
    pub(crate) inner: u32,
}

/// The window positions of a geometry, in the order of its pooled values.
pub(crate) fn window_positions(geometry: &Geometry) -> impl Iterator<Item = WindowPosition> {
    let [d, h, w] = geometry.axes.map(|a| a.windows);
    let (outers, inners) = (geometry.outer, geometry.inner);
    (0..outers).flat_map(move |outer| {
        (0..d).flat_map(move |z| {
            (0..h).flat_map(move |y| {
                (0..w).flat_map(move |x| {
                    (0..inners).map(move |inner| WindowPosition { outer, window: [z, y, x], inner })
                })
            })
        })
    })
}

impl WindowPosition {
    /// The cell `[z, y, x]` of the input that `tap` names, or `None` if it names none.
    pub(crate) fn cell(&self, geometry: &Geometry, tap: u32) -> Option<[u32; 3]> {
        let mut rest = tap;
        let mut cell = [0; 3];
        for i in (0..3).rev() {
            let axis = &geometry.axes[i];
            let step = i64::from(rest % axis.kernel) * i64::from(axis.dilation);
            rest /= axis.kernel;
            cell[i] = u32::try_from(axis.start(self.window[i]) + step).ok()?;
            if cell[i] >= axis.input {
                return None;
            }
        }
        (rest == 0).then_some(cell)
    }

    /// The tap that names `cell`, or `None` if the window does not hold that cell.
    pub(crate) fn tap(&self, geometry: &Geometry, cell: [u32; 3]) -> Option<u32> {
        let mut tap = 0;
        for (axis, (cell, window)) in geometry.axes.iter().zip(cell.into_iter().zip(self.window)) {
            let step = u32::try_from(i64::from(cell) - axis.start(window)).ok()?;
            let number = step / axis.dilation;
            if !step.is_multiple_of(axis.dilation) || number >= axis.kernel {
                return None;
            }
            tap = tap * axis.kernel + number;
        }
        Some(tap)
    }

    /// The first and the last cell `[z, y, x]` of the input that the window holds. Every window of a [`Geometry`] holds
    /// a cell.
    pub(crate) fn corners(&self, geometry: &Geometry) -> [[u32; 3]; 2] {
        [false, true].map(|last| {
            std::array::from_fn(|i| {
                let (axis, q) = (&geometry.axes[i], self.window[i]);
                let taps = axis.taps_inside(q);
                axis.cell(q, if last { taps.end - 1 } else { taps.start })
            })
        })
    }
}
