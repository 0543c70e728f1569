//! Where each maximum was: taps, and their conversion to and from the indices of other frameworks.
//!
//! A tap is the number of the winning cell inside its own window, in raster order. It knows
//! nothing of widths, channels or batches, so it cannot be read with the wrong ones. Every other
//! framework stores a flattened position, each flattens differently, and all of them are linear:
//! an index is a sum of coordinates times strides. [`Frame`] holds those strides, and one function
//! each way does all spaces, layouts and ranks.

use crate::error::Error;
use crate::geometry::Geometry;
use crate::place::places;
use crate::shape::{Layout, Shape};

/// What pooling gives: the maxima, and where each was.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled<T> {
    /// The maxima, of [`Geometry::pooled_shape`], with the bits they had in the input.
    pub values: Vec<T>,
    /// For each maximum, the cell of its window.
    pub taps: Taps,
}

/// Which value a cell gets that several windows chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// The last pooled element in raster order: ONNX, and PyTorch run by one thread.
    Last,
    /// The sum in raster order of the pooled elements, starting from +0: `tf.scatter_nd`, and
    /// every gradient.
    Sum,
}

/// The argmax of a pooling: for each pooled value, in its order, the winning cell's number inside
/// its own window (Zeiler and Fergus 2013 call them switches).
///
/// One byte each; two, little-endian, where the window has more than 255 cells. The largest value
/// of that width (255 or 65,535) names no cell, and like any other number past the window, or one
/// that falls in the padding, it unpools to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taps {
    storage: Storage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
}

/// A width of tap.
pub(crate) trait TapWord: bytemuck::Pod + Ord + Send + Sync + Into<u32> {
    fn new(tap: u32) -> Self;
}

impl TapWord for u8 {
    #[inline(always)]
    fn new(tap: u32) -> Self {
        tap as Self
    }
}

impl TapWord for u16 {
    #[inline(always)]
    fn new(tap: u32) -> Self {
        tap as Self
    }
}

impl Taps {
    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Taps of a geometry, to be written.
    pub(crate) fn zeroed(geometry: &Geometry) -> Self {
        let len = geometry.pooled_len();
        let storage = if geometry.tap_bytes() == 1 {
            Storage::Bytes(vec![0; len])
        } else {
            Storage::Halves(vec![0; len])
        };
        Self { storage }
    }

    pub(crate) fn storage_mut(&mut self) -> &mut Storage {
        &mut self.storage
    }

    /// Taps of a window's width, one for each pooled value, from a function of their position.
    fn collect(
        geometry: &Geometry,
        mut tap: impl FnMut(usize) -> Result<u32, Error>,
    ) -> Result<Self, Error> {
        let all = 0..geometry.pooled_len();
        let storage = if geometry.tap_bytes() == 1 {
            Storage::Bytes(all.map(|i| tap(i).map(u8::new)).collect::<Result<_, _>>()?)
        } else {
            Storage::Halves(all.map(|i| tap(i).map(u16::new)).collect::<Result<_, _>>()?)
        };
        Ok(Self { storage })
    }

    /// Taps as a buffer on the GPU holds them: [`Geometry::tap_bytes`] each, little-endian. Bytes
    /// past the last tap (a buffer is rounded up to whole words) are left out.
    ///
    /// Numbers past the window are taken as they are: they unpool to nothing.
    ///
    /// # Errors
    ///
    /// If there are fewer bytes than `geometry` has taps.
    pub fn from_bytes(geometry: &Geometry, bytes: &[u8]) -> Result<Self, Error> {
        let width = geometry.tap_bytes();
        let needed = geometry.pooled_len() * width;
        let Some(bytes) = bytes.get(..needed) else {
            return Err(Error::Length {
                operand: "taps, in bytes,",
                found: bytes.len(),
                allowed: needed,
            });
        };
        let storage = if width == 1 {
            Storage::Bytes(bytes.to_vec())
        } else {
            let halves = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
            Storage::Halves(halves.collect())
        };
        Ok(Self { storage })
    }

    /// The taps as a buffer on the GPU holds them, without its padding to whole words.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.storage {
            Storage::Bytes(taps) => taps.clone(),
            Storage::Halves(taps) => taps.iter().flat_map(|t| t.to_le_bytes()).collect(),
        }
    }

    /// Number of taps.
    pub fn len(&self) -> usize {
        match &self.storage {
            Storage::Bytes(taps) => taps.len(),
            Storage::Halves(taps) => taps.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tap number `i`, `None` past the end.
    pub fn get(&self, i: usize) -> Option<u32> {
        match &self.storage {
            Storage::Bytes(taps) => taps.get(i).map(|&t| t.into()),
            Storage::Halves(taps) => taps.get(i).map(|&t| t.into()),
        }
    }

    /// The taps, in the order of the pooled values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + DoubleEndedIterator {
        (0..self.len()).map(|i| match &self.storage {
            Storage::Bytes(taps) => taps[i].into(),
            Storage::Halves(taps) => taps[i].into(),
        })
    }

    /// Whether these can be the taps of `geometry`: as many, and as wide.
    pub(crate) fn check(&self, geometry: &Geometry) -> Result<(), Error> {
        let found = match &self.storage {
            Storage::Bytes(_) => 1,
            Storage::Halves(_) => 2,
        };
        if found != geometry.tap_bytes() {
            return Err(Error::TapWidth { found, allowed: geometry.tap_bytes() });
        }
        check_len("taps", self.len(), geometry.pooled_len())
    }

    /// The indices that another framework would have returned, in the order of the pooled values.
    /// A tap that names no cell of the input becomes −1, and the largest value of an unsigned
    /// type.
    ///
    /// # Errors
    ///
    /// If these are not taps of `geometry`, or if `I` does not hold every index of the space.
    ///
    /// ```
    /// use unpool::{cpu, Geometry, IndexSpace, Shape, Window};
    ///
    /// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_first([1, 1, 2, 4]))?;
    /// let pooled = cpu::max_pool(&geometry, &[1.0, 9.0, 2.0, 0.0, 3.0, 4.0, 5.0, 8.0])?;
    /// let indices: Vec<i64> = pooled.taps.to_indices(&geometry, IndexSpace::Plane)?;
    /// assert_eq!(indices, [1, 7]);
    /// # Ok::<(), unpool::Error>(())
    /// ```
    pub fn to_indices<I: Index>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Vec<I>, Error> {
        self.check(geometry)?;
        let frame = Frame::new(geometry.input_shape(), space);
        frame.check_fits::<I>()?;
        let mut indices = Vec::with_capacity(self.len());
        for (place, tap) in places(geometry).zip(self.iter()) {
            indices.push(match place.cell(geometry, tap) {
                Some(cell) => I::of(frame.index(place.outer, cell, place.inner)),
                None => I::NONE,
            });
        }
        Ok(indices)
    }

    /// Taps from indices of another framework, each checked to lie in its own window.
    ///
    /// # Errors
    ///
    /// [`Error::IndexOutside`] for the first index that names no cell of its window, with what was
    /// allowed there; where the numbers of elements differ.
    pub fn from_indices<I: Index>(
        geometry: &Geometry,
        space: IndexSpace,
        indices: &[I],
    ) -> Result<Self, Error> {
        check_len("indices", indices.len(), geometry.pooled_len())?;
        let frame = Frame::new(geometry.input_shape(), space);
        let mut places = places(geometry);
        Self::collect(geometry, |i| {
            let place = places.next().expect("there are as many places as pooled values");
            let index = indices[i].wide();
            frame
                .cell(place.outer, place.inner, index)
                .and_then(|cell| place.tap(geometry, cell))
                .ok_or_else(|| {
                    let inside = place.cells_inside(geometry);
                    let corner = |end: fn(&std::ops::RangeInclusive<u32>) -> u32| {
                        frame.index(place.outer, inside.each_ref().map(end), place.inner)
                    };
                    Error::IndexOutside {
                        element: i,
                        index,
                        lowest: corner(|r| *r.start()),
                        highest: corner(|r| *r.end()),
                        space,
                    }
                })
        })
    }
}

pub(crate) fn check_len(operand: &'static str, found: usize, allowed: usize) -> Result<(), Error> {
    if found == allowed { Ok(()) } else { Err(Error::Length { operand, found, allowed }) }
}

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
