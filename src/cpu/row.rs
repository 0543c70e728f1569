//! The rows of a tensor, by number and by position.

use crate::geometry::Geometry;

/// The position of a row of the input or of the pooled tensor.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) outer: u32,
    pub(super) z: u32,
    pub(super) y: u32,
}

impl Row {
    /// The row of a number in a tensor of these extents.
    #[inline(always)]
    pub(super) fn new([z, y, _]: [u32; 3], number: usize) -> Self {
        let (plane, y) = (number / y as usize, (number % y as usize) as u32);
        Self { outer: (plane / z as usize) as u32, z: (plane % z as usize) as u32, y }
    }

    /// The number of the row.
    #[inline(always)]
    pub(super) fn number(self, [z, y, _]: [u32; 3]) -> usize {
        (self.outer as usize * z as usize + self.z as usize) * y as usize + self.y as usize
    }

    /// The row after this one.
    #[inline(always)]
    pub(super) fn next(self, [z, y, _]: [u32; 3]) -> Self {
        let Self { outer, z: cz, y: cy } = self;
        if cy + 1 < y {
            Self { y: cy + 1, ..self }
        } else if cz + 1 < z {
            Self { z: cz + 1, y: 0, outer }
        } else {
            Self { outer: outer + 1, z: 0, y: 0 }
        }
    }

    /// This row and those after it.
    #[inline(always)]
    pub(super) fn and_next(self, extents: [u32; 3]) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), move |row| Some(row.next(extents)))
    }

    /// The element of the input where the first window of a row of windows starts on the z and y axes, or
    /// would start in the padding.
    #[inline(always)]
    pub(super) fn windows_start(self, geometry: &Geometry) -> i64 {
        let [z, y, _] = &geometry.axes;
        let plane = i64::from(self.outer) * i64::from(z.input) + z.start(self.z);
        (plane * i64::from(y.input) + y.start(self.y)) * geometry.input_row() as i64
    }
}

/// Elements from the first row of a window to the row at these taps.
#[inline(always)]
pub(super) fn rows_between(geometry: &Geometry, tz: u32, ty: u32) -> i64 {
    let [z, y, _] = &geometry.axes;
    let rows = i64::from(tz * z.dilation) * i64::from(y.input) + i64::from(ty * y.dilation);
    rows * geometry.input_row() as i64
}

/// A tap on each axis: z, y, x.
pub(super) fn tap_on_axes(geometry: &Geometry, tap: u32) -> [u32; 3] {
    let [_, y, x] = &geometry.axes;
    [tap / x.kernel / y.kernel, tap / x.kernel % y.kernel, tap % x.kernel]
}

/// For each tap, the elements from the first cell of a window to the tap's cell, where so many lie from plane to plane
/// and from row to row. Offsets past the end of a tensor may wrap.
pub(super) fn tap_offsets(
    geometry: &Geometry,
    plane: usize,
    row: usize,
) -> impl Iterator<Item = usize> {
    let steps = [plane, row, geometry.inner as usize];
    (0..geometry.window_cells() as u32).map(move |tap| {
        let axes = tap_on_axes(geometry, tap).into_iter().zip(&geometry.axes).zip(steps);
        axes.fold(0, |offset: usize, ((tap, axis), step)| {
            offset.wrapping_add(((tap * axis.dilation) as usize).wrapping_mul(step))
        })
    })
}
