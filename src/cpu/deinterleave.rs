//! Rearranging a row so that the cells at one tap of adjacent windows are adjacent.
//!
//! ```text
//! for each class of cells, those whose number has one remainder modulo the stride:
//!     for each cell of the class:
//!         append the cell
//! ```

use crate::cell::Cell;

use super::simd::LANES;

/// How a row is rearranged: cells 0, s, 2s, … of `inner` elements each, then cells 1, s + 1, 2s + 1, …, for a
/// stride of s.
pub(super) struct Deinterleave {
    stride: usize,
    /// Cells of a class. The last ones of some classes may be none of the row's.
    pub(super) len: usize,
    inner: usize,
}

impl Deinterleave {
    /// For a row of `cells`.
    pub(super) fn new(cells: usize, stride: usize, inner: usize) -> Self {
        Self { stride: stride.min(cells), len: cells.div_ceil(stride), inner }
    }

    /// Whether the row stays as it is.
    #[inline(always)]
    pub(super) fn is_identity(&self) -> bool {
        self.stride == 1
    }

    /// Elements of all classes.
    pub(super) fn elements(&self) -> usize {
        self.stride * self.len * self.inner
    }

    /// Rearranges a row.
    #[inline(always)]
    pub(super) fn row<T: Cell>(&self, row: &[T], classes: &mut [T]) {
        match (self.inner, self.stride) {
            (1, 2) => by_constant::<T, 2>(row, classes, self.len),
            (1, 3) => by_constant::<T, 3>(row, classes, self.len),
            (1, 4) => by_constant::<T, 4>(row, classes, self.len),
            (1, stride) => {
                for (class, cells) in classes.chunks_exact_mut(self.len).enumerate() {
                    for (to, &from) in cells.iter_mut().zip(row[class..].iter().step_by(stride)) {
                        *to = from;
                    }
                }
            }
            (inner, stride) => {
                for (i, block) in row.chunks(stride * inner).enumerate() {
                    for (class, cell) in block.chunks_exact(inner).enumerate() {
                        let at = (class * self.len + i) * inner;
                        classes[at..at + inner].copy_from_slice(cell);
                    }
                }
            }
        }
    }
}

/// [`Deinterleave::row`] for cells of one element and a constant stride, of which vectors are made.
#[inline(always)]
fn by_constant<T: Cell, const S: usize>(row: &[T], classes: &mut [T], len: usize) {
    let (blocks, rest) = row.as_chunks::<S>();
    let (many, few) = blocks.as_chunks::<LANES>();
    for (class, cells) in classes.chunks_exact_mut(len).enumerate() {
        let (to, to_few) = cells[..blocks.len()].as_chunks_mut::<LANES>();
        for (to, from) in to.iter_mut().zip(many) {
            *to = std::array::from_fn(|i| from[i][class]);
        }
        for (to, block) in to_few.iter_mut().zip(few) {
            *to = block[class];
        }
        if let Some(&cell) = rest.get(class) {
            cells[blocks.len()] = cell;
        }
    }
}
