//! Parallel loops over rows: threads by rayon, one after another on wasm.

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

/// Elements that are worth handing to another thread.
const WORTH_A_THREAD: usize = 16 * 1024;

/// Cuts `a` into slabs of whole rows, `len` elements each, and calls `each` with the number of a
/// slab's first row, the slab, and something to work in that a thread makes once.
pub(crate) fn each_slab<A: Send, S: Send>(
    a: &mut [A],
    len: usize,
    scratch: impl Fn() -> S + Send + Sync,
    each: impl Fn(&mut S, usize, &mut [A]) + Send + Sync,
) {
    let rows = WORTH_A_THREAD.div_ceil(len);
    #[cfg(not(target_arch = "wasm32"))]
    a.par_chunks_mut(rows * len)
        .enumerate()
        .for_each_init(scratch, |scratch, (i, a)| each(scratch, i * rows, a));
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = scratch();
        let slabs = a.chunks_mut(rows * len).enumerate();
        slabs.for_each(|(i, a)| each(&mut scratch, i * rows, a));
    }
}

/// As [`each_slab`], over two slices of the same length at once.
pub(crate) fn each_slab_of_two<A: Send, B: Send, S: Send>(
    (a, b): (&mut [A], &mut [B]),
    len: usize,
    scratch: impl Fn() -> S + Send + Sync,
    each: impl Fn(&mut S, usize, &mut [A], &mut [B]) + Send + Sync,
) {
    let rows = WORTH_A_THREAD.div_ceil(len);
    #[cfg(not(target_arch = "wasm32"))]
    a.par_chunks_mut(rows * len)
        .zip(b.par_chunks_mut(rows * len))
        .enumerate()
        .for_each_init(scratch, |scratch, (i, (a, b))| each(scratch, i * rows, a, b));
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = scratch();
        let slabs = a.chunks_mut(rows * len).zip(b.chunks_mut(rows * len)).enumerate();
        slabs.for_each(|(i, (a, b))| each(&mut scratch, i * rows, a, b));
    }
}
