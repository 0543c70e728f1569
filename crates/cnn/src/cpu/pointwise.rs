//! Element by element: functions and what they send back, broadcasts and their sums, scale and
//! shift, softmax.

use super::chunks::each_chunk;
use crate::kernel::{Affine, BROADCAST_AXES, Broadcast, Function, Pair, Reduce, Vectors};
use crate::rule::Rule;

/// Elements that a thread takes at a time.
const CHUNK: usize = 4096;

pub(super) fn affine(affine: &Affine, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    let (channels, inner) = (affine.channels as usize, affine.inner as usize);
    let y = &mut y[..affine.len as usize];
    each_chunk(y, inner, |plane, y| {
        let (scale, shift) = (scale[plane % channels], shift[plane % channels]);
        for (y, x) in y.iter_mut().zip(&x[plane * inner..]) {
            *y = x * scale + shift;
        }
    });
}

pub(super) fn map(function: Function, len: u32, x: &[f32], y: &mut [f32]) {
    each(&mut y[..len as usize], |i| match function {
        // A NaN shows.
        Function::Relu => {
            if x[i] < 0.0 {
                0.0
            } else {
                x[i]
            }
        }
        Function::LeakyRelu { slope } => {
            if x[i] < 0.0 {
                x[i] * slope
            } else {
                x[i]
            }
        }
        // Not `clamp`, which panics where the bounds are the wrong way round.
        Function::Clip { low, high } => x[i].max(low).min(high),
        Function::Sigmoid => 1.0 / (1.0 + (-x[i]).exp()),
    });
}

pub(super) fn map_back(
    function: Function,
    rule: Rule,
    len: u32,
    seen: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    let rectified = |open: bool, r: f32| {
        let passes = match rule {
            Rule::Gradient => open,
            Rule::Deconvnet => r > 0.0,
            Rule::Guided => open && r > 0.0,
        };
        if passes { r } else { 0.0 }
    };
    each(&mut back[..len as usize], |i| {
        let (seen, r) = (seen[i], signal[i]);
        match function {
            Function::Relu => rectified(seen > 0.0, r),
            Function::LeakyRelu { slope } => {
                if seen < 0.0 {
                    r * slope
                } else {
                    r
                }
            }
            Function::Clip { low, high } => {
                if low == 0.0 {
                    rectified(seen > 0.0 && seen <= high, r)
                } else if seen >= low && seen <= high {
                    r
                } else {
                    0.0
                }
            }
            Function::Sigmoid => r * seen * (1.0 - seen),
        }
    });
}

pub(super) fn pair(pair: Pair, all: &Broadcast, a: &[f32], b: &[f32], y: &mut [f32]) {
    each(&mut y[..all.len() as usize], |i| {
        let at = coordinates(i, &all.dims);
        let (a, b) = (a[along(&at, &all.a)], b[along(&at, &all.b)]);
        match pair {
            Pair::Add => a + b,
            Pair::Mul => a * b,
            Pair::PRelu => {
                if a < 0.0 {
                    a * b
                } else {
                    a
                }
            }
        }
    });
}

pub(super) fn prelu_back(
    all: &Broadcast,
    x: &[f32],
    slope: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    each(&mut back[..all.len() as usize], |i| {
        let slope = slope[along(&coordinates(i, &all.dims), &all.b)];
        if x[i] < 0.0 { signal[i] * slope } else { signal[i] }
    });
}

pub(super) fn reduce(reduce: &Reduce, signal: &[f32], other: Option<&[f32]>, back: &mut [f32]) {
    let (repeats, steps) = (reduce.repeats(), reduce.steps());
    let count: u32 = repeats.iter().product();
    let len = reduce.kept.iter().product::<u32>() as usize;
    each(&mut back[..len], |i| {
        let own = coordinates(i, &reduce.kept);
        let mut sum = 0.0;
        for repeat in 0..count as usize {
            // On each axis one of the two is 0.
            let shift = coordinates(repeat, &repeats);
            let at = std::array::from_fn(|d| own[d] + shift[d]);
            let factor = other.map_or(1.0, |other| other[along(&at, &reduce.other)]);
            sum += signal[along(&at, &steps)] * factor;
        }
        sum
    });
}

pub(super) fn softmax(vectors: &Vectors, x: &[f32], y: &mut [f32]) {
    each_vector(vectors, |at| {
        let highest = at.clone().map(|i| x[i]).fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for i in at.clone() {
            y[i] = (x[i] - highest).exp();
            sum += y[i];
        }
        for i in at {
            y[i] /= sum;
        }
    });
}

pub(super) fn softmax_back(vectors: &Vectors, y: &[f32], signal: &[f32], back: &mut [f32]) {
    each_vector(vectors, |at| {
        let sum: f32 = at.clone().map(|i| y[i] * signal[i]).sum();
        for i in at {
            back[i] = y[i] * (signal[i] - sum);
        }
    });
}

/// The elements of each vector.
fn each_vector(
    vectors: &Vectors,
    mut visit: impl FnMut(std::iter::StepBy<std::ops::Range<usize>>),
) {
    let [outer, len, inner] = [vectors.outer, vectors.len, vectors.inner].map(|n| n as usize);
    for o in 0..outer {
        for i in 0..inner {
            let first = o * len * inner + i;
            visit((first..first + (len - 1) * inner + 1).step_by(inner));
        }
    }
}

fn each(out: &mut [f32], value: impl Fn(usize) -> f32 + Sync) {
    each_chunk(out, CHUNK, |chunk, out| {
        for (i, out) in out.iter_mut().enumerate() {
            *out = value(chunk * CHUNK + i);
        }
    });
}

/// Coordinates of element `i`.
fn coordinates(i: usize, dims: &[u32; BROADCAST_AXES]) -> [usize; BROADCAST_AXES] {
    let (mut rest, mut at) = (i, [0; BROADCAST_AXES]);
    for d in (0..BROADCAST_AXES).rev() {
        at[d] = rest % dims[d] as usize;
        rest /= dims[d] as usize;
    }
    at
}

fn along(at: &[usize; BROADCAST_AXES], steps: &[u32; BROADCAST_AXES]) -> usize {
    at.iter().zip(steps).map(|(&at, &step)| at * step as usize).sum()
}
