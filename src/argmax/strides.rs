//! [`IndexStrides`]: the arithmetic of flattened indices.
//!
//! Frameworks flatten positions differently, but each [`IndexSpace`] is linear: an index is a sum of
//! coordinates times strides. One function each way does all spaces, layouts and ranks.

use crate::argmax::index::Index;
use crate::error::Error;
use crate::index_space::IndexSpace;
use crate::shape::{Layout, Shape};

/// The strides of an index space on a shape: the distance between the indices of adjacent cells, of channels and of
/// images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexStrides {
    space: IndexSpace,
    /// z, y, x.
    pub(crate) extents: [u32; 3],
    /// For z, y, x.
    pub(crate) strides: [u64; 3],
    pub(crate) batch_stride: u64,
    pub(crate) channel_stride: u64,
    /// Channels when they come first (then `outer` counts planes), else 1.
    pub(crate) planes_per_image: u32,
    pub(crate) batch: u32,
    channels: u32,
}

impl IndexStrides {
    /// `shape` is one that a [`Geometry`](crate::Geometry) or a [`Scatter`](crate::Scatter) has checked.
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
        let last = self.extents.map(|extent| extent - 1);
        let channels = u64::from(self.channels - 1) * self.channel_stride;
        self.index((self.batch.max(1) - 1) * self.planes_per_image, last, 0) + channels + 1
    }

    /// Whether the integer type `I` holds every index.
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

    /// The part of an index that comes from image and channel.
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

    /// The cell `[z, y, x]` that `index` names in the given image and channel, or `None` if it names
    /// another image or channel, or no cell.
    pub(crate) fn cell(&self, outer: u32, inner: u32, index: i64) -> Option<[u32; 3]> {
        let within = u64::try_from(index).ok()?.checked_sub(self.offset(outer, inner))?;
        self.spatial(within)
    }

    /// The cell `(outer, [z, y, x], inner)` that `index` names, or `None` if it names no cell. Image
    /// and channel are the given ones where the space leaves them out.
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

    /// The cell at a spatial offset, or `None` if there is no cell.
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
