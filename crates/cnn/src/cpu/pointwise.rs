//! Element by element: functions and what they send back, broadcasts and their sums, scale and
//! shift.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::chunks::{CHUNK, each, each_chunk};
use super::lanes::{dot, exp, sigmoid, sum, vectorized};
use crate::kernel::{Affine, BROADCAST_AXES, Broadcast, Function, Pair, Reduce, clip, erf_by};
use crate::rule::Rule;

pub(super) fn affine(affine: &Affine, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    let (channels, inner) = (affine.channels as usize, affine.inner as usize);
    let y = &mut y[..affine.len as usize];
    each_chunk(y, inner, |plane, y| {
        let (scale, shift) = (scale[plane % channels], shift[plane % channels]);
        mapped(&x[plane * inner..], y, move |x| x * scale + shift);
    });
}

pub(super) fn map(function: Function, len: u32, x: &[f32], y: &mut [f32]) {
    each_chunk(&mut y[..len as usize], CHUNK, |chunk, y| {
        map_run(function, &x[chunk * CHUNK..], y);
    });
}

pub(super) fn map_run(function: Function, x: &[f32], y: &mut [f32]) {
    // One loop for each of the functions that networks are full of, so that it is vectorised.
    match function {
        Function::Relu => mapped(x, y, |x| if x < 0.0 { 0.0 } else { x }),
        Function::Clip { low, high } => mapped(x, y, move |x| clip(x, low, high)),
        Function::Sigmoid => mapped(x, y, sigmoid),
        Function::Exp => mapped(x, y, exp),
        Function::Swish { alpha } => mapped(x, y, move |x| x * sigmoid(alpha * x)),
        Function::HardSwish => mapped(x, y, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        Function::HardSigmoid { alpha, beta } => {
            mapped(x, y, move |x| (alpha * x + beta).clamp(0.0, 1.0));
        }
        Function::Gelu => mapped(
            x,
            y,
            #[inline(always)]
            |x| 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2)),
        ),
        _ => mapped(x, y, |x| function.value(x)),
    }
}

/// A function of each element of a slice. A closure should own what it captures: what it reads by reference could
/// be what is written, for all the compiler knows, and such a loop is not vectorised.
pub(super) fn mapped(x: &[f32], y: &mut [f32], function: impl Fn(f32) -> f32) {
    vectorized(
        #[inline(always)]
        move || {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = function(x);
            }
        },
    );
}

#[inline(always)]
fn erf(x: f32) -> f32 {
    erf_by(exp, x)
}

pub(super) fn map_back(
    function: Function,
    rule: Rule,
    len: u32,
    seen: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    each_chunk(&mut back[..len as usize], CHUNK, |chunk, back| {
        map_back_run(function, rule, &seen[chunk * CHUNK..], &signal[chunk * CHUNK..], back);
    });
}

pub(super) fn map_back_run(
    function: Function,
    rule: Rule,
    seen: &[f32],
    signal: &[f32],
    back: &mut [f32],
) {
    let rectified = move |open: bool, r: f32| {
        let passes = match rule {
            Rule::Gradient => open,
            Rule::Deconvnet => r > 0.0,
            Rule::Guided => open && r > 0.0,
        };
        if passes { r } else { 0.0 }
    };
    match function {
        Function::Relu => sent_back(seen, signal, back, move |y, r| rectified(y > 0.0, r)),
        Function::Clip { low: 0.0, high } => {
            sent_back(seen, signal, back, move |x, r| rectified(x > 0.0 && x <= high, r));
        }
        Function::Sigmoid => sent_back(seen, signal, back, |y, r| r * y * (1.0 - y)),
        Function::Gelu => sent_back(
            seen,
            signal,
            back,
            #[inline(always)]
            |x, r| {
                let density = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
                r * (0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * density * exp(-0.5 * x * x))
            },
        ),
        // No 0·∞ where the signal is 0.
        _ => sent_back(
            seen,
            signal,
            back,
            |x, r| {
                if r == 0.0 { 0.0 } else { r * function.derivative(x) }
            },
        ),
    }
}

pub(super) fn sent_back(
    seen: &[f32],
    signal: &[f32],
    back: &mut [f32],
    function: impl Fn(f32, f32) -> f32,
) {
    vectorized(
        #[inline(always)]
        move || {
            for (back, (&x, &r)) in back.iter_mut().zip(seen.iter().zip(signal)) {
                *back = function(x, r);
            }
        },
    );
}

/// A function of two dense tensors.
pub(super) fn pair_run(pair: Pair, a: &[f32], b: &[f32], y: &mut [f32]) {
    in_rows(pair, (a, 1), (b, 1), y);
}

/// A function of two rows, each of them dense, with a step of 1, or one element, with a step of 0.
fn in_rows(pair: Pair, a: (&[f32], u32), b: (&[f32], u32), y: &mut [f32]) {
    match pair {
        Pair::Add => in_row(a, b, y, |a, b| a + b),
        Pair::Sub => in_row(a, b, y, |a, b| a - b),
        Pair::Mul => in_row(a, b, y, |a, b| a * b),
        Pair::Div => in_row(a, b, y, |a, b| a / b),
        _ => in_row(a, b, y, |a, b| pair.value(a, b)),
    }
}

fn in_row(
    (a, a_step): (&[f32], u32),
    (b, b_step): (&[f32], u32),
    y: &mut [f32],
    function: impl Fn(f32, f32) -> f32,
) {
    vectorized(
        #[inline(always)]
        move || match (a_step, b_step) {
            (0, 0) => y.fill(function(a[0], b[0])),
            (0, _) => {
                let a = a[0];
                for (y, &b) in y.iter_mut().zip(b) {
                    *y = function(a, b);
                }
            }
            (_, 0) => {
                let b = b[0];
                for (y, &a) in y.iter_mut().zip(a) {
                    *y = function(a, b);
                }
            }
            _ => {
                for (y, (&a, &b)) in y.iter_mut().zip(a.iter().zip(b)) {
                    *y = function(a, b);
                }
            }
        },
    );
}

pub(super) fn pair(pair: Pair, all: &Broadcast, a: &[f32], b: &[f32], y: &mut [f32]) {
    combined(all, a, b, &mut y[..all.len() as usize], |a, b, y| in_rows(pair, a, b, y));
}

/// A function of two tensors, in rows along which each of them is dense or repeats one element.
fn combined(
    all: &Broadcast,
    a: &[f32],
    b: &[f32],
    y: &mut [f32],
    in_rows: impl Fn((&[f32], u32), (&[f32], u32), &mut [f32]) + Send + Sync,
) {
    let (width, all) = rows(all);
    let (a_step, b_step) = (all.a[BROADCAST_AXES - 1], all.b[BROADCAST_AXES - 1]);
    // Long rows are cut, so that every thread has some.
    let cut = width.min(CHUNK);
    let cuts = width.div_ceil(cut);
    let row = |row: usize, start: usize, y: &mut [f32]| {
        let at = coordinates(row * width, &all.dims);
        let (i, j) = (along(&at, &all.a), along(&at, &all.b));
        let (i, j) = (i + start * a_step as usize, j + start * b_step as usize);
        in_rows((&a[i..], a_step), (&b[j..], b_step), y);
    };
    if cuts == 1 {
        // Short rows, many of them to a thread.
        let rows = (CHUNK / width).max(1);
        each_chunk(y, rows * width, |chunk, y| {
            for (i, y) in y.chunks_mut(width).enumerate() {
                row(chunk * rows + i, 0, y);
            }
        });
        return;
    }
    y.chunks_mut(width).enumerate().for_each(|(i, y)| {
        each_chunk(y, cut, |part, y| row(i, part * cut, y));
    });
}

/// The broadcast with neighbouring axes merged where both operands allow it, and the length of its last axis.
fn rows(all: &Broadcast) -> (usize, Broadcast) {
    let mut merged = *all;
    for last in (0..BROADCAST_AXES - 1).rev() {
        let (n, before) = (merged.dims[BROADCAST_AXES - 1], merged.dims[last]);
        let fits = |steps: &[u32; BROADCAST_AXES]| {
            before == 1 || n == 1 || steps[last] == steps[BROADCAST_AXES - 1] * n
        };
        if !fits(&merged.a) || !fits(&merged.b) {
            break;
        }
        for steps in [&mut merged.a, &mut merged.b] {
            if n == 1 {
                steps[BROADCAST_AXES - 1] = steps[last];
            }
            steps[last] = 0;
        }
        merged.dims[BROADCAST_AXES - 1] = n * before;
        merged.dims[last] = 1;
    }
    let width = merged.dims[BROADCAST_AXES - 1] as usize;
    let dense = |steps: &[u32; BROADCAST_AXES]| steps[BROADCAST_AXES - 1] <= 1;
    if dense(&merged.a) && dense(&merged.b) {
        return (width, merged);
    }
    // Steps of more than one element are along another axis; its rows have one element.
    (all.dims[BROADCAST_AXES - 1] as usize, *all)
}

pub(super) fn pair_back(
    pair: Pair,
    operand: u32,
    all: &Broadcast,
    [a, b, signal]: [&[f32]; 3],
    back: &mut [f32],
) {
    each(&mut back[..all.len() as usize], |i| {
        let at = coordinates(i, &all.dims);
        let slopes = pair.derivatives(a[along(&at, &all.a)], b[along(&at, &all.b)]);
        let slope = if operand == 0 { slopes.0 } else { slopes.1 };
        if signal[i] == 0.0 { 0.0 } else { signal[i] * slope }
    });
}

pub(super) fn reduce(reduce: &Reduce, signal: &[f32], other: Option<&[f32]>, back: &mut [f32]) {
    let (repeats, steps) = (reduce.repeats(), reduce.steps());
    let count: u32 = repeats.iter().product();
    let len = reduce.kept.iter().product::<u32>() as usize;
    if let (1, Some(other)) = (count, other) {
        // Nothing was repeated: a product, of which the other operand may be.
        let all = Broadcast { dims: reduce.dims, a: steps, b: reduce.other };
        return pair(Pair::Mul, &all, signal, other, back);
    }
    if let Some(width) = repeated_rows(reduce) {
        // Each element of the operand was repeated over a dense part of the signal.
        let dense = !reduce.times_other || reduce.other_is_dense();
        if dense {
            each_chunk(&mut back[..len], (CHUNK / width).max(1), |chunk, back| {
                let size = (CHUNK / width).max(1);
                for (i, back) in back.iter_mut().enumerate() {
                    let first = (chunk * size + i) * width;
                    let signal = &signal[first..first + width];
                    *back = match other {
                        Some(other) => dot(signal, &other[first..first + width]),
                        None => sum(signal, |x| x),
                    };
                }
            });
            return;
        }
    }
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

/// The elements over which each element of an operand was repeated, if these are the last axes of the
/// signal and no others.
fn repeated_rows(reduce: &Reduce) -> Option<usize> {
    let repeats = reduce.repeats();
    let first = (0..BROADCAST_AXES).find(|&d| repeats[d] > 1)?;
    let rest = first..BROADCAST_AXES;
    let whole = rest.clone().all(|d| reduce.kept[d] == 1);
    whole.then(|| rest.map(|d| repeats[d] as usize).product())
}

/// Coordinates of element `i`.
pub(super) fn coordinates(i: usize, dims: &[u32; BROADCAST_AXES]) -> [usize; BROADCAST_AXES] {
    let (mut rest, mut at) = (i, [0; BROADCAST_AXES]);
    for d in (0..BROADCAST_AXES).rev() {
        at[d] = rest % dims[d] as usize;
        rest /= dims[d] as usize;
    }
    at
}

pub(super) fn along(at: &[usize; BROADCAST_AXES], steps: &[u32; BROADCAST_AXES]) -> usize {
    at.iter().zip(steps).map(|(&at, &step)| at * step as usize).sum()
}
