//! The indices of other frameworks, which are flattened positions of a cell.
//!
//! Each framework flattens differently, and all of them are linear: an index is a sum of
//! coordinates times strides. [`Frame`] holds those strides, and one function each way does all
//! spaces, layouts and ranks.

use crate::error::Error;
use crate::shape::{Layout, Shape};

/// How a framework flattens the position of a maximum. Padding never counts.
///
/// `C`, `H`, `W` are the channels, height and width of the *unpooled* tensor; with other numbers
/// of spatial axes the formulas grow and shrink in the obvious way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndexSpace {
    /// `y·W + x`: PyTorch.
    Plane,
    /// `(y·W + x)·C + c`: TensorFlow.
    Image,
    /// `((n·H + y)·W + x)·C + c`: TensorFlow with `include_batch_in_index`.
    Batch,
    /// `((n·C + c)·H + y)·W + x`: ONNX.
    Tensor,
    /// `(n·C + c)·H·W + y + x·H`: ONNX with `storage_order = 1`, column-major inside a plane.
    TensorColumnMajor,
}

impl IndexSpace {
    /// Every space.
    pub const ALL: [Self; 5] =
        [Self::Plane, Self::Image, Self::Batch, Self::Tensor, Self::TensorColumnMajor];

    /// Its name in files and on the command line, such as `tensor-column-major`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Image => "image",
            Self::Batch => "batch",
            Self::Tensor => "tensor",
            Self::TensorColumnMajor => "tensor-column-major",
        }
    }
}

impl std::str::FromStr for IndexSpace {
    type Err = Error;

    /// The space of that [`name`](Self::name), with `-` or `_` between its words.
    fn from_str(name: &str) -> Result<Self, Error> {
        let dashed = name.replace('_', "-");
        let space = Self::ALL.into_iter().find(|space| space.name() == dashed);
        space.ok_or_else(|| Error::UnknownIndexSpace { found: name.into() })
    }
}

/// An integer type that indices come in: `i64`, `i32` or `u32`.
pub trait Index: Copy + sealed::Sealed {
    /// What stands for "no cell".
    const NONE: Self;
    /// The largest index the type holds.
    #[doc(hidden)]
    const LARGEST: u64;
    /// The type's name.
    #[doc(hidden)]
    const NAME: &'static str;
    #[doc(hidden)]
    fn of(index: u64) -> Self;
    #[doc(hidden)]
    fn wide(self) -> i64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! index {
    ($type:ty, $none:expr, $largest:expr) => {
        impl sealed::Sealed for $type {}
        impl Index for $type {
            const NONE: Self = $none;
            const LARGEST: u64 = $largest;
            const NAME: &'static str = stringify!($type);
            fn of(index: u64) -> Self {
                index as Self
            }
            fn wide(self) -> i64 {
                i64::from(self)
            }
        }
    };
}

index!(i64, -1, i64::MAX as u64);
index!(i32, -1, i32::MAX as u64);
index!(u32, u32::MAX, u32::MAX as u64 - 1);

/// The strides of an index space over one shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    space: IndexSpace,
    /// z, y, x.
    pub(crate) extents: [u32; 3],
    /// What one step along z, y, x adds.
    pub(crate) strides: [u64; 3],
    pub(crate) batch_stride: u64,
    pub(crate) channel_stride: u64,
    /// Channels when they come first (then `outer` counts planes), else 1.
    pub(crate) planes_per_image: u32,
    pub(crate) batch: u32,
    channels: u32,
}

impl Frame {
    /// `shape` is one that a [`Geometry`] has accepted, or [`crate::Placement`].
    pub(crate) fn new(shape: &Shape, space: IndexSpace) -> Self {
        let mut extents = [1u32; 3];
        let spatial = shape.spatial();
        for (extent, &size) in extents[3 - spatial.len()..].iter_mut().zip(spatial) {
            *extent = size as u32;
        }
        let [d, h, w] = extents.map(u64::from);
        let plane = d * h * w;
        let channels = shape.channels() as u64;
        let raster = [h * w, w, 1];
        let (strides, batch_stride, channel_stride) = match space {
            IndexSpace::Plane => (raster, 0, 0),
            IndexSpace::Image => (raster.map(|s| s * channels), 0, 1),
            IndexSpace::Batch => (raster.map(|s| s * channels), plane * channels, 1),
            IndexSpace::Tensor => (raster, plane * channels, plane),
            IndexSpace::TensorColumnMajor => ([1, d, d * h], plane * channels, plane),
        };
        let planes_per_image = match shape.layout() {
            Layout::ChannelsLast => 1,
            Layout::ChannelsFirst => channels as u32,
        };
        Self {
            space,
            extents,
            strides,
            batch_stride,
            channel_stride,
            planes_per_image,
            batch: shape.batch() as u32,
            channels: channels as u32,
        }
    }

    /// One more than the largest index.
    pub(crate) fn size(&self) -> u64 {
        let last = self.extents.map(|e| u64::from(e - 1));
        let within: u64 = last.iter().zip(self.strides).map(|(l, s)| l * s).sum();
        within
            + u64::from(self.batch.max(1) - 1) * self.batch_stride
            + u64::from(self.channels - 1) * self.channel_stride
            + 1
    }

    pub(crate) fn check_fits<I: Index>(&self) -> Result<(), Error> {
        let largest = self.size() - 1;
        if largest > I::LARGEST {
            return Err(Error::IndexSpaceTooLarge {
                space: self.space,
                largest,
                kind: I::NAME,
                allowed: I::LARGEST,
            });
        }
        Ok(())
    }

    /// What image and channel add to an index.
    fn offset(&self, outer: u32, inner: u32) -> u64 {
        let batch = u64::from(outer / self.planes_per_image) * self.batch_stride;
        let channel = u64::from(outer % self.planes_per_image + inner) * self.channel_stride;
        batch + channel
    }

    /// The index of a cell.
    pub(crate) fn index(&self, outer: u32, cell: [u32; 3], inner: u32) -> u64 {
        let within: u64 = cell.iter().zip(self.strides).map(|(&c, s)| u64::from(c) * s).sum();
        self.offset(outer, inner) + within
    }

    /// The cell that `index` names in the image and channel of a given element, if it does.
    pub(crate) fn cell(&self, outer: u32, inner: u32, index: i64) -> Option<[u32; 3]> {
        let within = u64::try_from(index).ok()?.checked_sub(self.offset(outer, inner))?;
        self.spatial(within)
    }

    /// The cell that `index` names anywhere it can, seen from an element of a given image and
    /// channel: `(outer, [z, y, x], inner)`.
    pub(crate) fn locate(
        &self,
        outer: u32,
        inner: u32,
        index: i64,
    ) -> Option<(u32, [u32; 3], u32)> {
        let mut within = u64::try_from(index).ok()?;
        let mut image = outer / self.planes_per_image;
        let mut channel = outer % self.planes_per_image + inner;
        if let Some(number) = within.checked_div(self.batch_stride) {
            image = u32::try_from(number).ok().filter(|&n| n < self.batch)?;
            within %= self.batch_stride;
        }
        match self.space {
            IndexSpace::Plane => {}
            IndexSpace::Image | IndexSpace::Batch => {
                channel = (within % u64::from(self.channels)) as u32;
                within -= u64::from(channel);
            }
            IndexSpace::Tensor | IndexSpace::TensorColumnMajor => {
                channel = (within / self.channel_stride) as u32;
                within %= self.channel_stride;
            }
        }
        let cell = self.spatial(within)?;
        Some(if self.planes_per_image > 1 {
            (image * self.planes_per_image + channel, cell, 0)
        } else {
            (image, cell, channel)
        })
    }

    /// The cell at a spatial offset, if the offset is one.
    fn spatial(&self, mut within: u64) -> Option<[u32; 3]> {
        let mut cell = [0; 3];
        let order = if self.space == IndexSpace::TensorColumnMajor { [2, 1, 0] } else { [0, 1, 2] };
        for axis in order {
            let at = within / self.strides[axis];
            if at >= u64::from(self.extents[axis]) {
                return None;
            }
            within -= at * self.strides[axis];
            cell[axis] = at as u32;
        }
        (within == 0).then_some(cell)
    }
}
