//! Parallel loops over the chunks of a slice: threads by rayon, one after another on wasm.

use std::cell::RefCell;

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

/// Calls `each` with the number of every chunk of `len` elements and the chunk itself; the last may
/// be shorter.
pub(super) fn each_chunk<T: Send>(
    all: &mut [T],
    len: usize,
    each: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let each = |(i, chunk): (usize, &mut [T])| each(i, chunk);
    // One chunk needs no other thread.
    if all.len() <= len {
        if !all.is_empty() {
            each((0, all));
        }
        return;
    }
    #[cfg(not(target_arch = "wasm32"))]
    all.par_chunks_mut(len).enumerate().for_each(each);
    #[cfg(target_arch = "wasm32")]
    all.chunks_mut(len).enumerate().for_each(each);
}

/// Runs `work` on one of the threads that chunks are handed to, so that it hands them over without waiting.
pub(super) fn among_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::scope(|_| work());
    #[cfg(target_arch = "wasm32")]
    return work();
}

/// Calls `work` with `len` elements of memory that the thread keeps, of any value. Calls may be nested.
pub(super) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local!(static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) });
    let mut scratch = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    FREE.with_borrow_mut(|free| free.push(scratch));
    result
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
