//! Parallel loops over the chunks of a slice: threads by rayon, one after another on wasm.

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

/// Calls `each` with the number of every chunk of `len` elements and the chunk itself; the last may
/// be shorter.
pub(super) fn each_chunk<T: Send>(
    all: &mut [T],
    len: usize,
    each: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    all.par_chunks_mut(len).enumerate().for_each(|(i, chunk)| each(i, chunk));
    #[cfg(target_arch = "wasm32")]
    all.chunks_mut(len).enumerate().for_each(|(i, chunk)| each(i, chunk));
}

/// Threads that chunks are handed to.
pub(super) fn threads() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(target_arch = "wasm32")]
    return 1;
}

/// Elements that a thread takes at a time.
pub(super) const CHUNK: usize = 4096;

/// Sets each element of `out` to its value.
pub(super) fn each(out: &mut [f32], value: impl Fn(usize) -> f32 + Sync + Send) {
    each_chunk(out, CHUNK, |chunk, out| {
        for (i, out) in out.iter_mut().enumerate() {
            *out = value(chunk * CHUNK + i);
        }
    });
}
