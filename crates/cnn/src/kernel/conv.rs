//! Convolutions.

use unpool::Axis;

/// The offset of a tensor of images and channels, and its strides, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) offset: u32,
    pub(crate) image: u32,
    pub(crate) channel: u32,
}

/// A convolution, or a slice of one: `groups` groups of `rows` output channels, each of which reads
/// `columns` input channels.
///
/// `x` is the side that windows slide over, `y` the side with a value per window, whichever is read
/// and whichever written. Weights are `[groups·rows, columns, kz, ky, kx]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv {
    pub(crate) axes: [Axis; 3],
    pub(crate) batch: u32,
    pub(crate) groups: u32,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) x: Steps,
    pub(crate) y: Steps,
}

impl Conv {
    /// Cells of the window.
    pub(crate) fn taps(&self) -> u32 {
        self.axes.iter().map(|a| a.kernel).product()
    }

    /// Whether it is a product of matrices: one position, one tap.
    pub(crate) fn is_matrix(&self) -> bool {
        self.axes.iter().all(|a| (a.input, a.windows, a.kernel, a.before) == (1, 1, 1, 0))
    }

    /// Whether each window is one cell, and each cell one window.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.axes.iter().all(|a| (a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0))
    }

    pub(crate) fn input_positions(&self) -> u32 {
        self.axes.iter().map(|a| a.input).product()
    }

    pub(crate) fn output_positions(&self) -> u32 {
        self.axes.iter().map(|a| a.windows).product()
    }

    /// Multiplications, for the size of a submission.
    pub(crate) fn work(&self) -> u64 {
        [self.batch, self.groups, self.rows, self.columns, self.taps(), self.output_positions()]
            .into_iter()
            .fold(1, |n, factor| n.saturating_mul(factor.into()))
    }
}
