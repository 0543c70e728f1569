//! Floats of a model: in memory, still in the file, from which they are read when a device gets them, or one that is
//! repeated.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::onnx::mapped;

/// Elements that are read from a file, or repeated, at once: 16 MiB of f32.
const PIECE: usize = 4 << 20;

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
    Repeated { value: f32, len: usize },
}

impl Elements {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Owned(data) => data.len(),
            Self::File { bytes, stored } => bytes.len() / stored.width(),
            Self::Repeated { len, .. } => *len,
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
            Self::Repeated { value, len } => {
                assert!(part.end <= *len, "{part:?} of {len}");
                Cow::Owned(vec![*value; part.len()])
            }
        }
    }

    /// Visits a part of the elements in pieces, each with its place in the part. Pages of the file are given
    /// back as soon as they were visited, so that weights are not in memory twice.
    ///
    /// # Panics
    ///
    /// If the part reaches past the end.
    pub(crate) fn visit<E>(
        &self,
        part: Range<usize>,
        mut visit: impl FnMut(usize, &[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Self::Owned(data) = self {
            return visit(0, &data[part]);
        }
        for start in part.clone().step_by(PIECE) {
            let piece = start..(start + PIECE).min(part.end);
            visit(start - part.start, &self.part(piece.clone()))?;
            if let Self::File { bytes, stored } = self {
                mapped::release(&bytes[piece.start * stored.width()..piece.end * stored.width()]);
            }
        }
        Ok(())
    }

    /// All elements, in memory.
    pub(crate) fn read(&self) -> Arc<Vec<f32>> {
        match self {
            Self::Owned(data) => Arc::clone(data),
            _ => Arc::new(self.part(0..self.len()).into_owned()),
        }
    }

    /// What clones share, and tensors of other elements that exist at one time do not: an address, or the bits of the
    /// one that is repeated.
    pub(crate) fn address(&self) -> (usize, bool) {
        match self {
            Self::Owned(data) => (Arc::as_ptr(data) as usize, false),
            Self::File { bytes, .. } => (bytes.as_ptr() as usize, false),
            Self::Repeated { value, .. } => (value.to_bits() as usize, true),
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_is_visited_whole_and_can_be_read_again() {
        let path = std::env::temp_dir().join(format!("unpool-elements-{}", std::process::id()));
        let stored: Vec<u8> =
            (0..PIECE + 1000).flat_map(|i| ((i % 8191) as f32).to_le_bytes()).collect();
        std::fs::write(&path, &stored).expect("the temporary directory is writable");
        // Some bytes into the file, as weights in a model are.
        let bytes = mapped::open(&path).expect("it is there").slice(4..);
        let elements = Elements::File { bytes, stored: Stored::F32 };
        let expected = elements.part(9..PIECE + 900).into_owned();
        for _ in 0..2 {
            let mut found = Vec::new();
            let outcome = elements.visit(9..PIECE + 900, |at, piece| {
                assert_eq!(at, found.len());
                found.extend_from_slice(piece);
                Ok::<_, ()>(())
            });
            assert_eq!(outcome, Ok(()));
            assert!(found == expected);
        }
        let _ = std::fs::remove_file(path);
    }

    #[test]
    fn what_is_repeated_is_visited_in_pieces() {
        let elements = Elements::Repeated { value: 0.5, len: PIECE + 7 };
        let mut found = Vec::new();
        let outcome = elements.visit(3..PIECE + 5, |at, piece| {
            assert!(piece.iter().all(|&x| x == 0.5));
            found.push((at, piece.len()));
            Ok::<_, ()>(())
        });
        assert_eq!((outcome, found), (Ok(()), vec![(0, PIECE), (PIECE, 2)]));
    }
}
