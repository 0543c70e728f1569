//! Floats of a model: in memory, or still in the file, from which they are read when a device gets them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

/// How a float is stored, lowest byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    F32,
    F64,
    F16,
    BF16,
}

impl Stored {
    fn width(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    fn read(self, bytes: &[u8]) -> Vec<f32> {
        fn words<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|word| read(*word)).collect()
        }
        match self {
            Self::F32 => words(bytes, f32::from_le_bytes),
            Self::F64 => words(bytes, |word| f64::from_le_bytes(word) as f32),
            Self::F16 => words(bytes, |word| half::f16::from_le_bytes(word).to_f32()),
            Self::BF16 => words(bytes, |word| half::bf16::from_le_bytes(word).to_f32()),
        }
    }
}

/// The elements of a tensor of floats. Clones share them.
#[derive(Clone, Debug)]
pub(crate) enum Elements {
    Owned(Arc<Vec<f32>>),
    File { bytes: Bytes, stored: Stored },
}

impl Elements {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Owned(data) => data.len(),
            Self::File { bytes, stored } => bytes.len() / stored.width(),
        }
    }

    /// A part of the elements.
    ///
    /// # Panics
    ///
    /// If it reaches past the end.
    pub(crate) fn part(&self, part: Range<usize>) -> Cow<'_, [f32]> {
        match self {
            Self::Owned(data) => Cow::Borrowed(&data[part]),
            Self::File { bytes, stored } => {
                let width = stored.width();
                Cow::Owned(stored.read(&bytes[part.start * width..part.end * width]))
            }
        }
    }

    /// All elements, in memory.
    pub(crate) fn read(&self) -> Arc<Vec<f32>> {
        match self {
            Self::Owned(data) => Arc::clone(data),
            Self::File { .. } => Arc::new(self.part(0..self.len()).into_owned()),
        }
    }

    /// A number that clones share, and tensors that exist at one time do not.
    pub(crate) fn address(&self) -> usize {
        match self {
            Self::Owned(data) => Arc::as_ptr(data) as usize,
            Self::File { bytes, .. } => bytes.as_ptr() as usize,
        }
    }
}

impl From<Vec<f32>> for Elements {
    fn from(data: Vec<f32>) -> Self {
        Self::Owned(Arc::new(data))
    }
}

impl From<Arc<Vec<f32>>> for Elements {
    fn from(data: Arc<Vec<f32>>) -> Self {
        Self::Owned(data)
    }
}
