//! The numbers of a sliding window on one spatial axis.
//!
//! Output size and padding come from [`Geometry`] wherever a window meets an input.

use unpool::Geometry;

/// One spatial axis over which a window slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Cells of the input.
    pub(crate) input: u32,
    /// Number of windows.
    pub(crate) output: u32,
    pub(crate) kernel: u32,
    pub(crate) stride: u32,
    pub(crate) dilation: u32,
    /// Padding before and after.
    pub(crate) before: u32,
    pub(crate) after: u32,
}

impl Axis {
    /// An axis that the tensor does not have: one cell, and a window of one cell.
    pub(crate) const NONE: Self =
        Self { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

    /// The axes of a geometry as z, y, x; those that it does not have are [`Axis::NONE`].
    pub(crate) fn of(geometry: &Geometry) -> [Self; 3] {
        let window = geometry.window();
        let (input, output) = (geometry.input_shape().spatial(), geometry.pooled_shape().spatial());
        let mut axes = [Self::NONE; 3];
        let own = axes.iter_mut().skip(3 - input.len());
        for (i, (axis, &(before, after))) in own.zip(geometry.pads().as_slice()).enumerate() {
            *axis = Self {
                input: input[i] as u32,
                output: output[i] as u32,
                kernel: window.kernel()[i] as u32,
                stride: window.stride()[i] as u32,
                dilation: window.dilation()[i] as u32,
                before: before as u32,
                after: after as u32,
            };
        }
        axes
    }

    /// Cells from the first to the last of the window, both included.
    pub(crate) fn extent(&self) -> i64 {
        (i64::from(self.kernel) - 1) * i64::from(self.dilation) + 1
    }

    /// The first cell of window `q`; negative inside the padding.
    pub(crate) fn start(&self, q: u32) -> i64 {
        i64::from(q) * i64::from(self.stride) - i64::from(self.before)
    }

    /// The cell at a tap of a window, which lies in the input.
    pub(crate) fn cell(&self, q: u32, tap: u32) -> usize {
        (self.start(q) + i64::from(tap) * i64::from(self.dilation)) as usize
    }

    /// The taps of window `q` that lie in the input.
    pub(crate) fn taps_inside(&self, q: u32) -> std::ops::Range<u32> {
        let (start, step) = (self.start(q), i64::from(self.dilation));
        let first = if start < 0 { (-start + step - 1) / step } else { 0 };
        let end = (i64::from(self.input) - start + step - 1) / step;
        let end = end.clamp(0, i64::from(self.kernel));
        (first.min(end) as u32)..(end as u32)
    }

    /// The windows whose tap `tap` lies in the input.
    pub(crate) fn windows_inside(&self, tap: u32) -> std::ops::Range<u32> {
        let (stride, input) = (i64::from(self.stride), i64::from(self.input));
        // Window q reads cell q·stride + shift.
        let shift = i64::from(tap) * i64::from(self.dilation) - i64::from(self.before);
        let first = if shift >= 0 { 0 } else { (-shift + stride - 1) / stride };
        let end = if shift >= input { 0 } else { (input - shift + stride - 1) / stride };
        let end = end.clamp(0, i64::from(self.output));
        (first.min(end) as u32)..(end as u32)
    }
}
