//! Element by element: functions and what they send back, broadcasts and their sums, scale and
//! shift.

use super::chunks::{each, each_chunk};
use crate::kernel::{Affine, BROADCAST_AXES, Broadcast, Function, Pair, Reduce};
use crate::rule::Rule;

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
    each(&mut y[..len as usize], |i| function.value(x[i]));
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
            Function::Clip { low: 0.0, high } => rectified(seen > 0.0 && seen <= high, r),
            // No 0·∞ where the signal is 0.
            _ if r == 0.0 => 0.0,
            _ => r * function.derivative(seen),
        }
    });
}

pub(super) fn pair(pair: Pair, all: &Broadcast, a: &[f32], b: &[f32], y: &mut [f32]) {
    let y = &mut y[..all.len() as usize];
    if all.a == all.b {
        each(y, |i| pair.value(a[i], b[i]));
        return;
    }
    each(y, |i| {
        let at = coordinates(i, &all.dims);
        pair.value(a[along(&at, &all.a)], b[along(&at, &all.b)])
    });
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
