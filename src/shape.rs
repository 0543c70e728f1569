//! The extents of a tensor and the order they lie in.

use std::fmt;

/// Where the channels stand in a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[batch, spatial…, channels]`: NHWC and its like (TensorFlow, Keras).
    ChannelsLast,
    /// `[batch, channels, spatial…]`: NCHW and its like (PyTorch, ONNX).
    ChannelsFirst,
}

/// The shape of a dense row-major tensor with one to three spatial axes.
///
/// A shape is a description; [`Geometry::new`](crate::Geometry::new) checks it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: Vec<usize>,
    layout: Layout,
}

impl Shape {
    /// `[batch, spatial…, channels]`.
    pub fn channels_last(dims: impl Into<Vec<usize>>) -> Self {
        Self::new(Layout::ChannelsLast, dims)
    }

    /// `[batch, channels, spatial…]`.
    pub fn channels_first(dims: impl Into<Vec<usize>>) -> Self {
        Self::new(Layout::ChannelsFirst, dims)
    }

    /// Extents in the order of `layout`.
    pub fn new(layout: Layout, dims: impl Into<Vec<usize>>) -> Self {
        Self { dims: dims.into(), layout }
    }

    /// The extents, in the order of the layout.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Where the channels stand.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of images; 1 for a shape without any dimension.
    pub fn batch(&self) -> usize {
        self.dims.first().copied().unwrap_or(1)
    }

    /// Number of channels; 1 for a shape of fewer than two dimensions.
    pub fn channels(&self) -> usize {
        match self.layout {
            _ if self.dims.len() < 2 => 1,
            Layout::ChannelsLast => self.dims[self.dims.len() - 1],
            Layout::ChannelsFirst => self.dims[1],
        }
    }

    /// The spatial extents, `[depth, height, width]` or the last two or one of them.
    pub fn spatial(&self) -> &[usize] {
        match self.layout {
            _ if self.dims.len() < 2 => &[],
            Layout::ChannelsLast => &self.dims[1..self.dims.len() - 1],
            Layout::ChannelsFirst => &self.dims[2..],
        }
    }

    /// Number of elements, or `None` where it passes a `usize`.
    pub fn len(&self) -> Option<usize> {
        self.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }

    /// Whether some extent is 0.
    pub fn is_empty(&self) -> bool {
        self.dims.contains(&0)
    }

    /// The same batch, channels and layout over other spatial extents.
    pub fn with_spatial(&self, spatial: &[usize]) -> Self {
        let mut dims = vec![self.batch()];
        match self.layout {
            Layout::ChannelsLast => {
                dims.extend_from_slice(spatial);
                dims.push(self.channels());
            }
            Layout::ChannelsFirst => {
                dims.push(self.channels());
                dims.extend_from_slice(spatial);
            }
        }
        Self { dims, layout: self.layout }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.dims.iter().enumerate() {
            if i > 0 {
                f.write_str("×")?;
            }
            write!(f, "{dim}")?;
        }
        Ok(())
    }
}
