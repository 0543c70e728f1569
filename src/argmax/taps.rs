//! [`Taps`]: the winning cell of each window.

use crate::error::{Error, check_len};
use crate::geometry::Geometry;

/// The argmax of a pooling: for each pooled value, in the same order, the number of the winning cell
/// inside its own window. Zeiler and Fergus (2013) call these numbers *switches*.
///
/// Cells are numbered in raster order from 0. A tap is one byte, or two where the window has more
/// than 255 cells ([`Geometry::tap_width`]). A tap that names no cell of the input, because its
/// number is past the window or because it falls in the padding, unpools to nothing; the largest
/// number of its width (255 or 65,535) always names no cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taps {
    pub(crate) storage: Storage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
}

/// An expression of the stored taps, whatever their width.
macro_rules! with_taps {
    ($storage:expr, |$taps:ident| $value:expr) => {
        match $storage {
            $crate::argmax::Storage::Bytes($taps) => $value,
            $crate::argmax::Storage::Halves($taps) => $value,
        }
    };
}
pub(crate) use with_taps;

impl Taps {
    /// A tap of 0 for each pooled value of `geometry`, to be overwritten by
    /// [`cpu::max_pool_into`](crate::cpu::max_pool_into).
    pub fn zeroed(geometry: &Geometry) -> Self {
        let len = geometry.pooled_len();
        let storage = if geometry.tap_width() == 1 {
            Storage::Bytes(vec![0; len])
        } else {
            Storage::Halves(vec![0; len])
        };
        Self { storage }
    }

    /// One tap for each pooled value, from a function of the number of that value.
    pub(crate) fn collect(
        geometry: &Geometry,
        mut tap: impl FnMut(usize) -> Result<u32, Error>,
    ) -> Result<Self, Error> {
        let all = 0..geometry.pooled_len();
        let storage = if geometry.tap_width() == 1 {
            Storage::Bytes(all.map(|i| tap(i).map(|tap| tap as u8)).collect::<Result<_, _>>()?)
        } else {
            Storage::Halves(all.map(|i| tap(i).map(|tap| tap as u16)).collect::<Result<_, _>>()?)
        };
        Ok(Self { storage })
    }

    /// Taps from the bytes of a GPU buffer: [`Geometry::tap_width`] bytes each, in native byte
    /// order. Bytes past the last tap are ignored, since such a buffer is rounded up to whole words.
    ///
    /// Taps past the end of the window are accepted; they unpool to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] if there are fewer bytes than the taps of `geometry` have.
    pub fn from_bytes(geometry: &Geometry, bytes: &[u8]) -> Result<Self, Error> {
        let width = geometry.tap_width();
        let needed = geometry.pooled_len() as u64 * width as u64;
        let (operand, found) = ("taps", bytes.len() as u64);
        let bytes = usize::try_from(needed).ok().and_then(|needed| bytes.get(..needed));
        let bytes = bytes.ok_or(Error::BufferTooSmall { operand, found, needed })?;
        let storage = if width == 1 {
            Storage::Bytes(bytes.to_vec())
        } else {
            Storage::Halves(bytemuck::pod_collect_to_vec(bytes))
        };
        Ok(Self { storage })
    }

    /// The taps as bytes: [`Geometry::tap_width`] bytes each, in native byte order. A GPU buffer of
    /// taps holds these bytes, rounded up to whole words.
    pub fn as_bytes(&self) -> &[u8] {
        with_taps!(&self.storage, |taps| bytemuck::cast_slice(taps))
    }

    /// Number of taps.
    pub fn len(&self) -> usize {
        with_taps!(&self.storage, |taps| taps.len())
    }

    /// Whether there are no taps.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tap number `i`, or `None` past the end.
    pub fn get(&self, i: usize) -> Option<u32> {
        with_taps!(&self.storage, |taps| taps.get(i).map(|&tap| tap.into()))
    }

    /// The taps, in the order of the pooled values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + DoubleEndedIterator {
        (0..self.len()).map(|i| with_taps!(&self.storage, |taps| taps[i].into()))
    }

    /// An error unless these taps have the number and the width of those of `geometry`.
    pub(crate) fn check(&self, geometry: &Geometry) -> Result<(), Error> {
        let found = if matches!(self.storage, Storage::Bytes(_)) { 1 } else { 2 };
        let allowed = geometry.tap_width();
        if found != allowed {
            return Err(Error::TapWidth { found, allowed });
        }
        check_len("taps", self.len(), geometry.pooled_len())
    }
}
