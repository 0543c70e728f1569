//! Softmax, normalisation and folds: what reads a whole vector for each of its elements.

use super::chunks::{each, each_chunk};
use super::lanes::{dot, sum};
use super::pointwise::{mapped, sent_back};
use crate::kernel::{Fold, Vectors};

/// The elements of one vector, as positions in its block of `len·inner` elements.
type Elements = std::iter::StepBy<std::ops::Range<usize>>;

/// The sum of `term` over elements: in f64, for a vector may have so many that one after the other they would be
/// lost beside the sum of those before.
fn total(at: Elements, term: impl Fn(usize) -> f32) -> f32 {
    at.map(|i| f64::from(term(i))).sum::<f64>() as f32
}

pub(super) fn softmax(vectors: &Vectors, log: bool, x: &[f32], y: &mut [f32]) {
    each_vector(vectors, y, |first, at, y| {
        let x = &x[first..];
        let highest = at.clone().map(|i| x[i]).fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for i in at.clone() {
            y[i] = (x[i] - highest).exp();
            sum += f64::from(y[i]);
        }
        let sum = sum as f32;
        for i in at {
            y[i] = if log { x[i] - highest - sum.ln() } else { y[i] / sum };
        }
    });
}

pub(super) fn softmax_back(
    vectors: &Vectors,
    log: bool,
    y: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    each_vector(vectors, back, |first, at, back| {
        let (y, signal) = (&y[first..], &signal[first..]);
        if log {
            let sum = total(at.clone(), |i| signal[i]);
            for i in at {
                back[i] = signal[i] - y[i].exp() * sum;
            }
        } else {
            let sum = total(at.clone(), |i| y[i] * signal[i]);
            for i in at {
                back[i] = y[i] * (signal[i] - sum);
            }
        }
    });
}

pub(super) fn normalize(vectors: &Vectors, epsilon: f32, x: &[f32], y: &mut [f32]) {
    if vectors.inner == 1 {
        let len = vectors.len as usize;
        return each_chunk(&mut y[..vectors.outer as usize * len], len, |i, y| {
            let x = &x[i * len..][..len];
            let (mean, scale) = dense_moments(epsilon, x);
            mapped(x, y, move |x| (x - mean) * scale);
        });
    }
    each_vector(vectors, y, |first, at, y| {
        let (mean, scale) = moments(vectors, epsilon, &x[first..], at.clone());
        for i in at {
            y[i] = (x[first + i] - mean) * scale;
        }
    });
}

pub(super) fn normalize_back(
    vectors: &Vectors,
    epsilon: f32,
    x: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    let count = vectors.len as f32;
    if vectors.inner == 1 {
        let len = vectors.len as usize;
        return each_chunk(&mut back[..vectors.outer as usize * len], len, |i, back| {
            let (x, signal) = (&x[i * len..][..len], &signal[i * len..][..len]);
            let (mean, scale) = dense_moments(epsilon, x);
            let total = sum(signal, |r| r) / count;
            let product = (dot(signal, x) - mean * total * count) * scale / count;
            sent_back(x, signal, back, move |x, r| {
                scale * (r - total - (x - mean) * scale * product)
            });
        });
    }
    each_vector(vectors, back, |first, at, back| {
        let (x, signal) = (&x[first..], &signal[first..]);
        let (mean, scale) = moments(vectors, epsilon, x, at.clone());
        let normal = |i: usize| (x[i] - mean) * scale;
        let sum = total(at.clone(), |i| signal[i]);
        let product = total(at.clone(), |i| signal[i] * normal(i));
        for i in at {
            back[i] = scale * (signal[i] - sum / count - normal(i) * product / count);
        }
    });
}

/// The mean of a vector and the reciprocal of its deviation.
fn moments(vectors: &Vectors, epsilon: f32, x: &[f32], at: Elements) -> (f32, f32) {
    let count = vectors.len as f32;
    let mean = total(at.clone(), |i| x[i]) / count;
    let variance = total(at, |i| (x[i] - mean) * (x[i] - mean)) / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// The same of a vector whose elements lie side by side.
fn dense_moments(epsilon: f32, x: &[f32]) -> (f32, f32) {
    let count = x.len() as f32;
    let mean = sum(x, |x| x) / count;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

pub(super) fn fold(fold: Fold, vectors: &Vectors, x: &[f32], y: &mut [f32]) {
    let (len, inner) = (vectors.len as usize, vectors.inner as usize);
    each(&mut y[..vectors.outer as usize * inner], |i| {
        let first = i / inner * len * inner + i % inner;
        let element = |n: usize| x[first + n * inner];
        let (mut best, mut position) = (element(0), 0);
        for n in 1..len {
            let value = element(n);
            let replaces = match fold {
                Fold::Product => {
                    best *= value;
                    false
                }
                Fold::Max | Fold::ArgMax { last: false } => value > best || value.is_nan(),
                Fold::ArgMax { last: true } => value >= best,
                Fold::Min | Fold::ArgMin { last: false } => value < best || value.is_nan(),
                Fold::ArgMin { last: true } => value <= best,
            };
            if replaces {
                (best, position) = (value, n);
            }
        }
        if fold.is_position() { position as f32 } else { best }
    });
}

/// The signal goes to the first of equal extremes, and to each factor of a product.
pub(super) fn fold_back(
    fold: Fold,
    vectors: &Vectors,
    [x, y, signal]: [&[f32]; 3],
    back: &mut [f32],
) {
    let inner = vectors.inner as usize;
    let block = vectors.len as usize * inner;
    each_vector(vectors, back, |first, at, back| {
        let (outer, x) = (first / block, &x[first..]);
        let own = outer * inner + at.clone().next().unwrap_or(0);
        let mut open = true;
        for i in at.clone() {
            back[i] = match fold {
                Fold::Product => {
                    signal[own] * at.clone().filter(|&j| j != i).map(|j| x[j]).product::<f32>()
                }
                _ if open && x[i] == y[own] => {
                    open = false;
                    signal[own]
                }
                _ => 0.0,
            };
        }
    });
}

/// Calls `visit` for each vector with the offset of its block, its elements in the block, and the
/// block of what is written.
fn each_vector(
    vectors: &Vectors,
    out: &mut [f32],
    visit: impl Fn(usize, Elements, &mut [f32]) + Send + Sync,
) {
    let [outer, len, inner] = [vectors.outer, vectors.len, vectors.inner].map(|n| n as usize);
    let block = len * inner;
    each_chunk(&mut out[..outer * block], block, |o, out| {
        for i in 0..inner {
            visit(o * block, (i..i + (len - 1) * inner + 1).step_by(inner), out);
        }
    });
}
