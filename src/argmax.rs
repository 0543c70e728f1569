//! Where each maximum was: taps, and their conversion to and from the indices of other frameworks.
//!
//! A tap is the number of the winning cell inside its own window, in raster order. It knows
//! nothing of widths, channels or batches, so it cannot be read with the wrong ones.

use crate::error::Error;
use crate::geometry::Geometry;
use crate::index::{Frame, Index, IndexSpace};
use crate::place::places;

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
    ///
    /// Floats are added in binary32, rounded to nearest even, which IEEE 754 prescribes and WGSL leaves
    /// open: `Gpu::check_sums` tells whether a device does so, and then its sums have the CPU's bits.
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

    /// As many taps as `geometry` has pooled values, all 0: what
    /// [`cpu::max_pool_into`](crate::cpu::max_pool_into) writes to.
    pub fn zeroed(geometry: &Geometry) -> Self {
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
    pub(crate) fn collect(
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
        let needed = geometry.pooled_len() as u64 * width as u64;
        let Some(bytes) = usize::try_from(needed).ok().and_then(|needed| bytes.get(..needed))
        else {
            return Err(Error::BufferTooSmall {
                operand: "taps",
                found: bytes.len() as u64,
                needed,
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
