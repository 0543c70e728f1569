//! Moving elements: runs from one tensor to another, and planes cut or extended.

use crate::kernel::{Fit, Runs};

pub(super) fn runs(runs: &Runs, x: &[f32], y: &mut [f32]) {
    let len = runs.len as usize;
    for i in 0..runs.count as usize {
        let from = runs.from.offset as usize + i * runs.from.step as usize;
        let to = runs.to.offset as usize + i * runs.to.step as usize;
        y[to..to + len].copy_from_slice(&x[from..from + len]);
    }
}

pub(super) fn fit(fit: &Fit, x: &[f32], y: &mut [f32]) {
    let [from, to] = [fit.from, fit.to].map(|extents| extents.map(|n| n as usize));
    let plane: usize = to.iter().product();
    let width = from[2].min(to[2]);
    y[..fit.planes as usize * plane].fill(0.0);
    for p in 0..fit.planes as usize {
        for z in 0..from[0].min(to[0]) {
            for row in 0..from[1].min(to[1]) {
                let read = ((p * from[0] + z) * from[1] + row) * from[2];
                let written = ((p * to[0] + z) * to[1] + row) * to[2];
                y[written..written + width].copy_from_slice(&x[read..read + width]);
            }
        }
    }
}
