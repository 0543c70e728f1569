//! The positions of the largest elements of vectors, and elements at computed positions.

use super::chunks::each_chunk;
use crate::kernel::{Take, TopK};

/// The bits of a float as a number of the same order; -0 is 0.
fn key(x: f32) -> u32 {
    match x.to_bits() {
        _ if x == 0.0 => 1 << 31,
        bits if bits >> 31 == 1 => !bits,
        bits => bits | 1 << 31,
    }
}

pub(super) fn top_k(top: &TopK, x: &[f32], positions: &mut [f32]) {
    let [len, inner] = [top.vectors.len, top.vectors.inner].map(|n| n as usize);
    let kept = top.kept as usize;
    let positions = &mut positions[..top.vectors.outer as usize * kept * inner];
    each_chunk(positions, kept * inner, |block, positions| {
        let x = &x[block * len * inner..][..len * inner];
        for column in 0..inner {
            // The first of equals first: the sort is stable.
            let mut order: Vec<usize> = (0..len).collect();
            order.sort_by_key(|&n| {
                let key = key(x[n * inner + column]);
                if top.largest { !key } else { key }
            });
            for (j, &n) in order[..kept].iter().enumerate() {
                positions[j * inner + column] = n as f32;
            }
        }
    });
}

/// The cell that a position names, if there is one.
fn cell(position: f32, from: usize) -> Option<usize> {
    let at = position as i64;
    let at = if at < 0 { at + from as i64 } else { at };
    usize::try_from(at).ok().filter(|&at| at < from)
}

pub(super) fn take(take: &Take, x: &[f32], positions: &[f32], y: &mut [f32]) {
    let [from, to, inner] = [take.from, take.to, take.inner].map(|n| n as usize);
    let (blocks, repeats) = ((take.outer * take.repeats) as usize, take.repeats as usize);
    each_chunk(&mut y[..blocks * to * inner], to * inner, |block, y| {
        let x = &x[block * from * inner..][..from * inner];
        let positions = &positions[block / repeats * to * inner..];
        for (i, y) in y.iter_mut().enumerate() {
            let at = cell(positions[i], from);
            *y = at.map_or(0.0, |at| x[at * inner + i % inner]);
        }
    });
}

pub(super) fn take_back(take: &Take, signal: &[f32], positions: &[f32], back: &mut [f32]) {
    let [from, to, inner] = [take.from, take.to, take.inner].map(|n| n as usize);
    let (blocks, repeats) = ((take.outer * take.repeats) as usize, take.repeats as usize);
    each_chunk(&mut back[..blocks * from * inner], from * inner, |block, back| {
        let signal = &signal[block * to * inner..][..to * inner];
        let positions = &positions[block / repeats * to * inner..];
        back.fill(0.0);
        for (i, signal) in signal.iter().enumerate() {
            if let Some(at) = cell(positions[i], from) {
                back[at * inner + i % inner] += signal;
            }
        }
    });
}
