//! [`Shape`]: the extents of a tensor and the order of its axes.

use std::fmt;
use std::str::FromStr;

use crate::name::{self, UnknownName};
use crate::per_axis::{MAX_AXES, write_extents};

/// The most dimensions that a tensor can have: batch, channels and the spatial axes.
const MAX_DIMS: usize = 2 + MAX_AXES;

/// The position of the channels in a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Layout {
    /// `[batch, spatial…, channels]`: NHWC and its 1-D and 3-D forms (TensorFlow, Keras).
    ChannelsLast,
    /// `[batch, channels, spatial…]`: NCHW and its 1-D and 3-D forms (PyTorch, ONNX).
    ChannelsFirst,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 2] = [Self::ChannelsLast, Self::ChannelsFirst];

    /// The layout's name: `channels-last` or `channels-first`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelsLast => "channels-last",
            Self::ChannelsFirst => "channels-first",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Layout {
    type Err = UnknownName;

    /// The layout of a [`name`](Self::name), or of an order of axes such as `NHWC`, `NCHW`, `NLC`
    /// or `NCDHW`, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text.to_ascii_lowercase().as_str() {
            "nlc" | "nwc" | "nhwc" | "ndhwc" => Ok(Self::ChannelsLast),
            "ncl" | "ncw" | "nchw" | "ncdhw" => Ok(Self::ChannelsFirst),
            _ => name::parse("layout", text, &Self::ALL, Self::name),
        }
    }
}

/// The shape of a dense row-major tensor with one to three spatial axes.
///
/// A shape is a description without checks; [`Geometry::new`](crate::Geometry::new) and
/// [`Scatter::new`](crate::Scatter::new) check it. It is stored inline. A shape of more than five
/// dimensions can be made but not used: only its number of dimensions and its first five extents are
/// kept.
///
/// ```
/// use unpool::{Layout, Shape};
///
/// let shape = Shape::nchw([8, 64, 112, 96]);
/// assert_eq!(shape, Shape::channels_first([8, 64, 112, 96]));
/// assert_eq!((shape.batch(), shape.channels(), shape.spatial()), (8, 64, &[112, 96][..]));
/// assert_eq!(shape.layout(), Layout::ChannelsFirst);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The extents, followed by zeros.
    dims: [usize; MAX_DIMS],
    rank: u32,
    layout: Layout,
}

impl Shape {
    /// The shape `[batch, spatial…, channels]`.
    pub fn channels_last(dims: impl AsRef<[usize]>) -> Self {
        Self::new(Layout::ChannelsLast, dims)
    }

    /// The shape `[batch, channels, spatial…]`.
    pub fn channels_first(dims: impl AsRef<[usize]>) -> Self {
        Self::new(Layout::ChannelsFirst, dims)
    }

    /// The shape of these extents, which are in the order of `layout`.
    pub fn new(layout: Layout, dims: impl AsRef<[usize]>) -> Self {
        let extents = dims.as_ref();
        let dims = std::array::from_fn(|i| extents.get(i).copied().unwrap_or(0));
        Self { dims, rank: u32::try_from(extents.len()).unwrap_or(u32::MAX), layout }
    }

    /// The 1-D shape `[batch, channels, length]`.
    pub fn ncl(dims: [usize; 3]) -> Self {
        Self::channels_first(dims)
    }

    /// The 1-D shape `[batch, length, channels]`.
    pub fn nlc(dims: [usize; 3]) -> Self {
        Self::channels_last(dims)
    }

    /// The 2-D shape `[batch, channels, height, width]`.
    pub fn nchw(dims: [usize; 4]) -> Self {
        Self::channels_first(dims)
    }

    /// The 2-D shape `[batch, height, width, channels]`.
    pub fn nhwc(dims: [usize; 4]) -> Self {
        Self::channels_last(dims)
    }

    /// The 3-D shape `[batch, channels, depth, height, width]`.
    pub fn ncdhw(dims: [usize; 5]) -> Self {
        Self::channels_first(dims)
    }

    /// The 3-D shape `[batch, depth, height, width, channels]`.
    pub fn ndhwc(dims: [usize; 5]) -> Self {
        Self::channels_last(dims)
    }

    /// The extents in the order of the layout (the first five, if there are more).
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank().min(MAX_DIMS)]
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The position of the channels.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of images; 1 for a shape without dimensions.
    pub fn batch(&self) -> usize {
        self.dims().first().copied().unwrap_or(1)
    }

    /// Number of channels; 1 for a shape of fewer than two dimensions.
    pub fn channels(&self) -> usize {
        match (self.layout, self.dims()) {
            (_, [] | [_]) => 1,
            (Layout::ChannelsLast, [.., channels]) => *channels,
            (Layout::ChannelsFirst, [_, channels, ..]) => *channels,
        }
    }

    /// The spatial extents: `[depth, height, width]`, `[height, width]` or `[length]`.
    pub fn spatial(&self) -> &[usize] {
        match (self.layout, self.dims()) {
            (_, [] | [_]) => &[],
            (Layout::ChannelsLast, [_, spatial @ .., _]) => spatial,
            (Layout::ChannelsFirst, [_, _, spatial @ ..]) => spatial,
        }
    }

    /// Number of elements, or `None` if a `usize` cannot hold it or if the shape has more than
    /// five dimensions.
    pub fn len(&self) -> Option<usize> {
        if self.rank() > MAX_DIMS {
            return None;
        }
        self.dims().iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }

    /// Whether an extent is 0.
    pub fn is_empty(&self) -> bool {
        self.dims().contains(&0)
    }

    /// The shape with the same channels, spatial extents and layout, and another batch.
    #[must_use]
    pub fn with_batch(mut self, batch: usize) -> Self {
        if self.rank > 0 {
            self.dims[0] = batch;
        }
        self
    }

    /// The shape with the same batch, channels and layout, and other spatial extents.
    #[must_use]
    pub fn with_spatial(&self, spatial: &[usize]) -> Self {
        let (batch, channels) = ([self.batch()], [self.channels()]);
        let dims = match self.layout {
            Layout::ChannelsLast => [&batch[..], spatial, &channels].concat(),
            Layout::ChannelsFirst => [&batch[..], &channels, spatial].concat(),
        };
        Self::new(self.layout, dims)
    }
}

impl fmt::Debug for Shape {
    /// Such as `[8, 64, 112, 96] channels-first`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.rank() > MAX_DIMS { ", …" } else { "" };
        write!(f, "{:?}{more} {}", self.dims(), self.layout)
    }
}

impl fmt::Display for Shape {
    /// The extents, such as `8×64×112×96`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_extents(f, self.dims(), self.rank())
    }
}
