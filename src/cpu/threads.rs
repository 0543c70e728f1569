//! Cutting a tensor into chunks, and the threads that take the chunks: those of rayon's pool, the calling
//! one alone on wasm.
//!
//! ```text
//! cut the rows of the tensor into chunks
//! wake threads
//! each thread: until no chunk is left, take some adjacent chunks and work on them
//! ```
//!
//! A chunk is some whole rows, or a part of one row that is long. Each chunk is a slice of its own, so
//! threads share nothing that is written.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Reads of a chunk, about.
const CHUNK_READS: usize = 64 * 1024;

/// The least number of elements of a part of a row: vectors are full, and tables are worth making.
const PART: usize = 1024;

/// Up to this many reads, waking a second thread (≈ 50 µs) costs more than it saves, outside of the pool.
const ONE_THREAD_READS: usize = 16 * CHUNK_READS;

/// Reads for each thread that is woken.
const THREAD_READS: usize = 4 * CHUNK_READS;

/// Rows of a tensor, or a part of one row.
pub(super) struct Chunk {
    /// The number of the first element.
    pub(super) first: usize,
    /// The number of the first row.
    pub(super) row: usize,
    pub(super) columns: Range<u32>,
}

/// How the rows of a tensor are cut into chunks.
pub(super) struct Chunks {
    columns: usize,
    /// Elements of a column.
    inner: usize,
    /// Reads for each element.
    reads: usize,
    /// Rows of a chunk: 1 where rows are cut.
    rows: usize,
    /// Chunks of a row that is cut.
    parts: usize,
}

impl Chunks {
    /// Chunks of rows of so many columns, where each element takes so many reads.
    pub(super) fn new(columns: u32, inner: u32, reads: usize) -> Self {
        let (columns, inner) = (columns as usize, inner as usize);
        // An element is written, too.
        let elements = (CHUNK_READS / reads.max(4)).max(1);
        let part = elements.max(PART).div_ceil(inner);
        let (rows, parts) = (elements.div_ceil(columns * inner), (columns / part).max(1));
        Self { columns, inner, reads, rows, parts }
    }

    /// Chunks of so many whole rows.
    pub(super) fn of_rows(self, rows: usize) -> Self {
        Self { rows, parts: 1, ..self }
    }

    /// Parts of at least so many columns.
    pub(super) fn of_columns(self, columns: usize) -> Self {
        Self { parts: self.parts.min(self.columns / columns).max(1), ..self }
    }

    /// Elements of a row.
    pub(super) fn row(&self) -> usize {
        self.columns * self.inner
    }

    /// The first column of a part of a row.
    fn column(&self, part: usize) -> usize {
        (self.columns as u64 * part as u64 / self.parts as u64) as usize
    }

    /// Elements before chunk `i`.
    fn start(&self, i: usize) -> usize {
        i / self.parts * self.rows * self.row() + self.column(i % self.parts) * self.inner
    }

    /// Elements of some chunks, if all rows of the last one exist.
    fn elements(&self, chunks: &Range<usize>) -> usize {
        self.start(chunks.end) - self.start(chunks.start)
    }

    fn chunk(&self, i: usize) -> Chunk {
        let (row, part) = (i / self.parts * self.rows, i % self.parts);
        let columns = self.column(part) as u32..self.column(part + 1) as u32;
        Chunk { first: self.start(i), row, columns }
    }
}

/// Slices that are cut at the same place.
pub(super) trait Slices: Send {
    fn len(&self) -> usize;

    /// Cuts off and returns the first `first` elements, or all if there are fewer.
    fn split_off(&mut self, first: usize) -> Self;
}

impl<A: Send> Slices for &mut [A] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn split_off(&mut self, first: usize) -> Self {
        self.split_off_mut(..first.min((**self).len())).unwrap_or_default()
    }
}

impl<A: Send, B: Send> Slices for (&mut [A], &mut [B]) {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn split_off(&mut self, first: usize) -> Self {
        (self.0.split_off(first), self.1.split_off(first))
    }
}

/// Calls `each` with every chunk and its slices. A thread hands the value that it has from `start` to all
/// its calls.
pub(super) fn each_chunk<S: Slices, W>(
    slices: S,
    chunks: &Chunks,
    start: impl Fn() -> W + Sync,
    each: impl Fn(&mut W, Chunk, S) + Sync,
) {
    let count = (slices.len() / chunks.row()).div_ceil(chunks.rows) * chunks.parts;
    let reads = slices.len().saturating_mul(chunks.reads);
    let most = if is_in_pool() {
        reads / CHUNK_READS
    } else if reads > ONE_THREAD_READS {
        reads / THREAD_READS
    } else {
        1
    };
    let threads = if most <= 1 { 1 } else { threads().min(most).min(count) };
    let left = Mutex::new((0..count, slices));
    // Half of a thread's share of the chunks that are left, and adjacent ones: memory is fast in order, and
    // the last takes are small, so that all threads end at the same time.
    let take = || {
        let (left, slices) = &mut *left.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = left.start..left.start + left.len().div_ceil(2 * threads);
        left.start = taken.end;
        let slices = slices.split_off(chunks.elements(&taken));
        (taken, slices)
    };
    let work = || {
        let mut state = start();
        loop {
            let (taken, mut slices) = take();
            if taken.is_empty() {
                return;
            }
            for i in taken {
                let slices = slices.split_off(chunks.elements(&(i..i + 1)));
                each(&mut state, chunks.chunk(i), slices);
            }
        }
    };
    // The calling thread is one of them: waking another takes longer than pooling a small tensor.
    #[cfg(not(target_arch = "wasm32"))]
    if threads > 1 {
        return rayon::in_place_scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|_| work());
            }
            work();
        });
    }
    work();
}

/// [`each_chunk`]; `true` only if every call returned it.
pub(super) fn all_chunks<S: Slices, W>(
    slices: S,
    chunks: &Chunks,
    start: impl Fn() -> W + Sync,
    each: impl Fn(&mut W, Chunk, S) -> bool + Sync,
) -> bool {
    let all = AtomicBool::new(true);
    each_chunk(slices, chunks, start, |state, chunk, slices| {
        if !each(state, chunk, slices) {
            all.store(false, Ordering::Relaxed);
        }
    });
    all.into_inner()
}

/// Number of threads that the CPU path uses.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Whether the calling thread is one of the pool's. The others are awake then, most likely, and each has work from a
/// chunk on: 3×3 with a stride of 2 over 96 planes of 28×28 in a network, 91 µs → 50 (EPYC, two threads).
#[cfg(not(target_arch = "wasm32"))]
fn is_in_pool() -> bool {
    rayon::current_thread_index().is_some()
}

#[cfg(target_arch = "wasm32")]
fn threads() -> usize {
    1
}

#[cfg(target_arch = "wasm32")]
fn is_in_pool() -> bool {
    false
}
