//! Rearranging a row so that the cells at one tap of adjacent windows are adjacent.
//!
//! ```text
//! for each class of cells, those whose number has one remainder modulo the stride:
//!     for each cell of the class:
//!         append the cell
//! ```
//!
//! 1. Single elements with a stride of 2 have a loop of pairs, of which compilers make vectors: `nchw_3x3s2` `max_pool`
//!    6.8 ms → 5.8, with f16 9.9 → 6.3, with u8 16.4 → 9.5 (EPYC, one thread; by vector instructions 1.00 to 1.09 times
//!    as fast).
//! 2. With a stride of 3 or 4 the stride is a constant of the loop, of which compilers make vectors: 5×5 windows with
//!    a stride of 3, one image of 16×112×112, `max_pool` 340 µs → 210, with f16 420 → 360, with u8 250 → 225 (EPYC,
//!    one thread).
//! 3. With other strides they are copied one by one, without a call for each: 5×5 windows with a stride of 5, one
//!    image of 8×112×112, `max_pool` 240 µs → 65 (Xeon).

use fearless_simd::Level;

use super::simd::{LANES, vectorized};

/// How a row is rearranged: cells 0, s, 2s, … of `inner` elements each, then cells 1, s + 1, 2s + 1, …, for a
/// stride of s.
pub(super) struct Deinterleave {
    stride: usize,
    /// Cells of a class. The last cell of some classes may lie past the end of the row.
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

    /// Rearranges a row. Never inlined: as a part of its caller it would be compiled for the caller's level.
    #[inline(never)]
    pub(super) fn row<T: Copy>(&self, level: Level, row: &[T], classes: &mut [T]) {
        vectorized(
            level,
            #[inline(always)]
            || self.by_cells(row, classes),
        );
    }

    #[inline(always)]
    fn by_cells<T: Copy>(&self, row: &[T], classes: &mut [T]) {
        match (self.inner, self.stride) {
            (1, 2) => by_two(row, classes, self.len),
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

/// [`Deinterleave::row`] for cells of one element and a stride of 2.
#[inline(always)]
fn by_two<T: Copy>(row: &[T], classes: &mut [T], len: usize) {
    let (pairs, rest) = row.as_chunks::<2>();
    let (even, odd) = classes.split_at_mut(len);
    for ((even, odd), &[a, b]) in even.iter_mut().zip(odd).zip(pairs) {
        (*even, *odd) = (a, b);
    }
    if let [last] = rest {
        even[pairs.len()] = *last;
    }
}

/// [`Deinterleave::row`] for cells of one element. The stride is a constant, so that compilers make vectors of the
/// loop.
#[inline(always)]
fn by_constant<T: Copy, const S: usize>(row: &[T], classes: &mut [T], len: usize) {
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
