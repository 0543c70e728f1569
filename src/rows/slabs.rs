//! What a thread works on at a time, and the threads: by rayon, one after another on wasm.

use std::ops::Range;

/// Elements that are worth handing to another thread.
const WORTH_A_THREAD: usize = 16 * 1024;

/// Some whole rows of a tensor, or a part of one.
struct Slab {
    /// The number of the first row.
    first: usize,
    /// The columns: windows or cells.
    x: Range<u32>,
}

/// Slices that are cut at the same place.
pub(crate) trait Slices: Sized + Send {
    fn len(&self) -> usize;
    fn split_at(self, middle: usize) -> (Self, Self);
}

impl<A: Send> Slices for &mut [A] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }
}

impl<A: Send, B: Send> Slices for (&mut [A], &mut [B]) {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        let (a, b) = self.0.split_at_mut(middle);
        let (c, d) = self.1.split_at_mut(middle);
        ((a, c), (b, d))
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
    fn new(x: u32, inner: u32) -> Self {
        let (x, len) = (x as usize, x as usize * inner as usize);
        let columns = WORTH_A_THREAD.div_ceil(inner as usize);
        Self { x, len, rows: WORTH_A_THREAD.div_ceil(len), parts: (x / columns).max(1) }
    }

    /// The first column of a part.
    fn column(&self, part: usize) -> usize {
        self.x * part / self.parts
    }

    /// Elements before slab `i`.
    fn elements_before(&self, i: usize) -> usize {
        let inner = self.len / self.x;
        i / self.parts * self.rows * self.len + self.column(i % self.parts) * inner
    }

    fn slab(&self, i: usize) -> Slab {
        let (first, part) = (i / self.parts * self.rows, i % self.parts);
        Slab { first, x: self.column(part) as u32..self.column(part + 1) as u32 }
    }

    /// Calls `each` for the slabs of `range`, which are `slices`.
    fn share<S: Slices>(
        &self,
        range: Range<usize>,
        slices: S,
        each: &(impl Fn(Slab, S) + Send + Sync),
    ) {
        if range.len() == 1 {
            return each(self.slab(range.start), slices);
        }
        let middle = range.start.midpoint(range.end);
        let at = self.elements_before(middle) - self.elements_before(range.start);
        let (left, right) = slices.split_at(at);
        join(
            || self.share(range.start..middle, left, each),
            || self.share(middle..range.end, right, each),
        );
    }
}

/// Cuts rows of `x` times `inner` elements into slabs and calls `each` with every one: with what
/// `prepare` makes of its columns, once for all slabs of whole rows, and the number of its first row.
pub(crate) fn each_slab<S: Slices, P: Send + Sync>(
    slices: S,
    x: u32,
    inner: u32,
    prepare: impl Fn(Range<u32>) -> P + Send + Sync,
    each: impl Fn(&P, usize, S) + Send + Sync,
) {
    let cut = Cut::new(x, inner);
    let slabs = (slices.len() / cut.len).div_ceil(cut.rows) * cut.parts;
    if slabs == 0 {
        return;
    }
    let whole = (cut.parts == 1).then(|| prepare(0..x));
    cut.share(0..slabs, slices, &|slab: Slab, slices| match &whole {
        Some(prepared) => each(prepared, slab.first, slices),
        None => each(&prepare(slab.x), slab.first, slices),
    });
}

#[cfg(not(target_arch = "wasm32"))]
fn join(left: impl FnOnce() + Send, right: impl FnOnce() + Send) {
    rayon::join(left, right);
}

#[cfg(target_arch = "wasm32")]
fn join(left: impl FnOnce(), right: impl FnOnce()) {
    left();
    right();
}
