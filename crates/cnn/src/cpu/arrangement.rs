//! Runs of elements from one tensor to another.

use super::chunks::each_chunk;
use crate::kernel::Runs;

/// Elements that a thread copies at a time.
const BLOCK: usize = 1 << 15;

pub(super) fn runs(runs: &Runs, x: &[f32], y: &mut [f32]) {
    let (count, len, step) = (runs.count as usize, runs.len as usize, runs.to.step as usize);
    let (x, y) = (&x[runs.from.offset as usize..], &mut y[runs.to.offset as usize..]);
    if count == 1 {
        each_chunk(&mut y[..len], BLOCK, |i, y| y.copy_from_slice(&x[i * BLOCK..][..y.len()]));
        return;
    }
    let run = |i: usize| &x[i * runs.from.step as usize..][..len];
    if step < len {
        (0..count).for_each(|i| y[i * step..][..len].copy_from_slice(run(i)));
        return;
    }
    let some = (BLOCK / step.max(1)).max(1);
    each_chunk(&mut y[..(count - 1) * step + len], some * step, |first, y| {
        for (i, y) in y.chunks_mut(step).enumerate() {
            y[..len].copy_from_slice(run(first * some + i));
        }
    });
}
