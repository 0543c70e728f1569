//! Runs of elements from one tensor to another.

use crate::kernel::Runs;

pub(super) fn runs(runs: &Runs, x: &[f32], y: &mut [f32]) {
    let len = runs.len as usize;
    for i in 0..runs.count as usize {
        let from = runs.from.offset as usize + i * runs.from.step as usize;
        let to = runs.to.offset as usize + i * runs.to.step as usize;
        y[to..to + len].copy_from_slice(&x[from..from + len]);
    }
}
