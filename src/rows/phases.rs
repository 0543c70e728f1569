//! How a row of cells is rearranged so that the cells which windows side by side hold at the same
//! tap are adjacent.

use crate::element::Cell;

/// Elements that are worked on together.
pub(crate) const LANES: usize = 16;

/// A row by phases: cells 0, s, 2s, … of `inner` elements each, then cells 1, s + 1, 2s + 1, …, and
/// so on for a stride of s. One phase is the row as it is.
pub(crate) struct Phases {
    count: usize,
    len: usize,
    inner: usize,
}

impl Phases {
    /// Phases of a row of `cells`.
    pub(crate) fn new(cells: usize, stride: usize, inner: usize) -> Self {
        Self { count: stride.min(cells), len: cells.div_ceil(stride), inner }
    }

    /// Whether the row is rearranged at all.
    #[inline(always)]
    pub(crate) fn are_several(&self) -> bool {
        self.count > 1
    }

    /// Elements of all phases. The last ones of some phases may be none of the row's.
    pub(crate) fn elements(&self) -> usize {
        self.count * self.len * self.inner
    }

    /// Elements that are needed beside the row to rearrange it.
    pub(crate) fn scratch(&self) -> usize {
        if self.are_several() { self.elements() } else { 0 }
    }

    /// How many phases there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The element of the row that element `at` of the phases is.
    pub(crate) fn element(&self, at: usize) -> usize {
        let (cell, c) = (at / self.inner, at % self.inner);
        (cell % self.len * self.count + cell / self.len) * self.inner + c
    }

    /// From one phase to the next, in cells.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes a row apart.
    #[inline(always)]
    pub(crate) fn split<T: Cell>(&self, row: &[T], phases: &mut [T]) {
        #[inline(always)]
        fn constant<T: Cell, const S: usize>(row: &[T], phases: &mut [T], len: usize) {
            let (blocks, rest) = row.as_chunks::<S>();
            let (many, few) = blocks.as_chunks::<LANES>();
            for (p, phase) in phases.chunks_exact_mut(len).enumerate() {
                let (to, to_few) = phase[..blocks.len()].as_chunks_mut::<LANES>();
                for (to, from) in to.iter_mut().zip(many) {
                    *to = std::array::from_fn(|i| from[i][p]);
                }
                for (to, block) in to_few.iter_mut().zip(few) {
                    *to = block[p];
                }
                if let Some(&cell) = rest.get(p) {
                    phase[blocks.len()] = cell;
                }
            }
        }
        match (self.inner, self.count) {
            (1, 2) => constant::<T, 2>(row, phases, self.len),
            (1, 3) => constant::<T, 3>(row, phases, self.len),
            (1, 4) => constant::<T, 4>(row, phases, self.len),
            (1, count) => {
                for (p, phase) in phases.chunks_exact_mut(self.len).enumerate() {
                    for (to, from) in phase.iter_mut().zip(row[p..].iter().step_by(count)) {
                        *to = *from;
                    }
                }
            }
            (inner, count) => {
                for (i, block) in row.chunks(count * inner).enumerate() {
                    for (p, cells) in block.chunks_exact(inner).enumerate() {
                        let at = (p * self.len + i) * inner;
                        phases[at..at + inner].copy_from_slice(cells);
                    }
                }
            }
        }
    }

    /// Puts a row together.
    #[inline(always)]
    pub(crate) fn join<T: Cell>(&self, phases: &[T], row: &mut [T]) {
        #[inline(always)]
        fn constant<T: Cell, const S: usize>(phases: &[T], row: &mut [T], len: usize) {
            let (blocks, rest) = row.as_chunks_mut::<S>();
            let whole = blocks.len();
            let parts: [&[T]; S] = std::array::from_fn(|p| &phases[p * len..p * len + whole]);
            for (i, block) in blocks.iter_mut().enumerate() {
                for p in 0..S {
                    block[p] = parts[p][i];
                }
            }
            for (p, to) in rest.iter_mut().enumerate() {
                *to = phases[p * len + whole];
            }
        }
        match (self.inner, self.count) {
            (1, 2) => constant::<T, 2>(phases, row, self.len),
            (1, 3) => constant::<T, 3>(phases, row, self.len),
            (1, 4) => constant::<T, 4>(phases, row, self.len),
            (1, count) => {
                for (p, phase) in phases.chunks_exact(self.len).enumerate() {
                    for (to, from) in row[p..].iter_mut().step_by(count).zip(phase) {
                        *to = *from;
                    }
                }
            }
            (inner, count) => {
                for (i, block) in row.chunks_mut(count * inner).enumerate() {
                    for (p, cells) in block.chunks_exact_mut(inner).enumerate() {
                        let from = (p * self.len + i) * inner;
                        cells.copy_from_slice(&phases[from..from + inner]);
                    }
                }
            }
        }
    }
}
