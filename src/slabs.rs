//! Parallel loops over rows: threads by rayon, one after another on wasm.

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

/// Elements that are worth handing to another thread.
#[cfg(not(target_arch = "wasm32"))]
const WORTH_A_THREAD: usize = 16 * 1024;

/// Calls `each` with the number of every slab of `len` elements and the slab itself, and with
/// something to work in that a thread makes once.
pub(crate) fn each_slab<A: Send, S: Send>(
    a: &mut [A],
    len: usize,
    scratch: impl Fn() -> S + Send + Sync,
    each: impl Fn(&mut S, usize, &mut [A]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    a.par_chunks_mut(len)
        .with_min_len(WORTH_A_THREAD.div_ceil(len))
        .enumerate()
        .for_each_init(scratch, |scratch, (i, a)| each(scratch, i, a));
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = scratch();
        a.chunks_mut(len).enumerate().for_each(|(i, a)| each(&mut scratch, i, a));
    }
}

/// As [`each_slab`], over two slices of the same length at once.
pub(crate) fn each_slab_of_two<A: Send, B: Send>(
    (a, b): (&mut [A], &mut [B]),
    len: usize,
    each: impl Fn(usize, &mut [A], &mut [B]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    a.par_chunks_mut(len)
        .zip(b.par_chunks_mut(len))
        .with_min_len(WORTH_A_THREAD.div_ceil(len))
        .enumerate()
        .for_each(|(i, (a, b))| each(i, a, b));
    #[cfg(target_arch = "wasm32")]
    a.chunks_mut(len).zip(b.chunks_mut(len)).enumerate().for_each(|(i, (a, b))| each(i, a, b));
}
