//! What a thread works on at a time, and the threads: by rayon, one after another on wasm.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Looks at a cell or a value that a slab takes.
const SLAB: usize = 64 * 1024;

/// Elements that a part of a row has at least, so that vectors are full and the tables of a slab are
/// worth making.
const LEAST: usize = 1024;

/// Looks up to which one thread is done before another wakes up, which takes some 50 µs.
const ALONE: usize = 16 * SLAB;

/// Looks for each thread that is woken.
const WORTH_WAKING: usize = 4 * SLAB;

/// Some whole rows of a tensor, or a part of one.
struct Slab {
    /// The number of the first row.
    first: usize,
    /// The columns: windows or cells.
    x: Range<u32>,
}

/// The rows that are cut into slabs.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Cells or windows of a row.
    pub(crate) columns: u32,
    /// Elements of a column.
    pub(crate) inner: u32,
    /// Looks at others that an element takes.
    pub(crate) looks: usize,
}

/// Slices that are cut at the same place.
pub(crate) trait Slices: Send {
    fn len(&self) -> usize;

    /// The first elements, which these slices have no longer; all, where they are fewer.
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

/// How rows are cut.
struct Cut {
    /// Columns and elements of a row.
    x: usize,
    len: usize,
    /// Rows of a slab, which are one where rows are cut, and how many slabs a row is cut into.
    rows: usize,
    parts: usize,
}

impl Cut {
    fn new(Size { columns, inner, looks }: Size) -> Self {
        let (x, len) = (columns as usize, columns as usize * inner as usize);
        // What is found is written, too.
        let elements = (SLAB / looks.max(4)).max(1);
        let columns = elements.max(LEAST).div_ceil(inner as usize);
        Self { x, len, rows: elements.div_ceil(len), parts: (x / columns).max(1) }
    }

    /// The first column of a part.
    fn column(&self, part: usize) -> usize {
        (self.x as u64 * part as u64 / self.parts as u64) as usize
    }

    /// Elements before slab `i`.
    fn elements_before(&self, i: usize) -> usize {
        let inner = self.len / self.x;
        i / self.parts * self.rows * self.len + self.column(i % self.parts) * inner
    }

    /// Elements of some slabs, if all rows of the last one exist.
    fn elements(&self, slabs: &Range<usize>) -> usize {
        self.elements_before(slabs.end) - self.elements_before(slabs.start)
    }

    fn slab(&self, i: usize) -> Slab {
        let (first, part) = (i / self.parts * self.rows, i % self.parts);
        Slab { first, x: self.column(part) as u32..self.column(part + 1) as u32 }
    }
}

/// Cuts rows into slabs and calls `each` with every one: with what `prepare` makes of its columns,
/// once for all slabs of whole rows, and the number of its first row.
pub(crate) fn each_slab<S: Slices, P: Send + Sync>(
    slices: S,
    size: Size,
    prepare: impl Fn(Range<u32>) -> P + Send + Sync,
    each: impl Fn(&P, usize, S) + Send + Sync,
) {
    let cut = Cut::new(size);
    let slabs = (slices.len() / cut.len).div_ceil(cut.rows) * cut.parts;
    if slabs == 0 {
        return;
    }
    let whole = (cut.parts == 1).then(|| prepare(0..size.columns));
    let all = slices.len().saturating_mul(size.looks);
    let most = if all <= ALONE { 1 } else { (all / WORTH_WAKING).min(slabs) };
    let threads = if most == 1 { 1 } else { threads().min(most) };
    let left = Mutex::new((0..slabs, slices));
    // Adjacent ones, half of a thread's share of what is left: memory is fast where it is read in
    // order, and the last ones are few, so that all threads end at the same time.
    let take = || {
        let (slabs, slices) = &mut *left.lock().unwrap_or_else(PoisonError::into_inner);
        let many = slabs.len().div_ceil(2 * threads);
        let taken = slabs.start..slabs.start + many;
        slabs.start = taken.end;
        let slices = slices.split_off(cut.elements(&taken));
        (taken, slices)
    };
    on_threads(threads, || {
        loop {
            let (taken, mut slices) = take();
            if taken.is_empty() {
                return;
            }
            for i in taken {
                let (slab, slices) = (cut.slab(i), slices.split_off(cut.elements(&(i..i + 1))));
                match &whole {
                    Some(prepared) => each(prepared, slab.first, slices),
                    None => each(&prepare(slab.x), slab.first, slices),
                }
            }
        }
    });
}

/// How many threads work on the CPU.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Has so many threads `work`. The calling one is one of them: others take longer to wake up than a
/// small tensor takes.
#[cfg(not(target_arch = "wasm32"))]
fn on_threads(threads: usize, work: impl Fn() + Send + Sync) {
    if threads == 1 {
        return work();
    }
    rayon::in_place_scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| work());
        }
        work();
    });
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn threads() -> usize {
    1
}

#[cfg(target_arch = "wasm32")]
fn on_threads(_: usize, work: impl Fn()) {
    work();
}
