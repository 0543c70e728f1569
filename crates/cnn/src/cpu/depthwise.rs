//! Convolutions in which each channel reads one.
//!
//! A channel is copied once for each tap of a line: element `q` of a line of such a copy is the cell that the tap of
//! window `q` lies on, or 0 in the padding, so that lines are as long as those of windows. Lines whose numbers have one
//! remainder by the stride lie next to each other. Then a tap of all windows is one dense run of a copy,
//! `y[i] = Σ w[t]·copy[i + offset[t]]`.

use fearless_simd::{Level, Simd, dispatch, prelude::*};
use unpool::Axis;

use super::chain::{Chain, Stored, each_run, part};
use super::chunks::{threads, with_scratch};
use super::columns::copy_strided;
use crate::kernel::Conv;

/// Elements of copies that a convolution may need; hostile strides and dilations need more.
pub(super) const COPIES: usize = 1 << 22;

/// Parts of an image for each thread, where there are so many channels.
const PARTS: usize = 4;

/// Elements that a chain is computed for together at least.
const RUN: usize = 512;

/// Elements of the longest vectors, and so what may be read past the end of a run.
const VECTOR: usize = 16;

/// The number of remainders that the taps of an axis have by the stride: they repeat after so many.
fn remainders(axis: &Axis) -> usize {
    let (mut a, mut b) = (axis.stride, axis.dilation);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (axis.stride / a).min(axis.kernel) as usize
}

/// Lines of a copy on an axis: those of the windows, and those that their last tap reaches.
fn extent(axis: &Axis) -> usize {
    axis.windows as usize
        + (axis.kernel as usize - 1) * axis.dilation as usize / axis.stride as usize
}

/// Lines of cells that are copied together: the first cell, where it goes, and the number of cells.
struct Move {
    from: usize,
    to: usize,
    count: usize,
}

/// How the copies of a channel are made and read.
struct Copies {
    moves: Vec<Move>,
    /// Elements in the padding that a move writes.
    holes: Vec<usize>,
    /// Where the run of each tap starts.
    offsets: Vec<usize>,
    /// Elements of all copies.
    len: usize,
}

impl Copies {
    fn new(axes: &[Axis; 3]) -> Self {
        let [z, y, x] = axes;
        let (width, taps) = (x.windows as usize, x.kernel as usize);
        let lines = [extent(z), extent(y)];
        let size = lines[0] * lines[1] * width;
        let copy = |z: usize, y_remainder: usize, x_tap: usize| {
            (z * remainders(y) + y_remainder) * taps + x_tap
        };
        let mut copies = Self { moves: Vec::new(), holes: Vec::new(), offsets: Vec::new(), len: 0 };
        copies.len = remainders(z) * remainders(y) * taps * size;
        // The cell of a line of a copy, by the number of the remainder that the copy's lines have.
        let cell = |axis: &Axis, line: usize, number: usize| {
            let remainder = number * axis.dilation as usize % axis.stride as usize;
            let padded = line * axis.stride as usize + remainder;
            padded.checked_sub(axis.before as usize).filter(|&cell| cell < axis.input as usize)
        };
        for z_remainder in 0..remainders(z) {
            for y_remainder in 0..remainders(y) {
                for tap in 0..taps {
                    let first = copy(z_remainder, y_remainder, tap) * size;
                    for line in 0..lines[0] * lines[1] {
                        let at = [line / lines[1], line % lines[1]];
                        if let (Some(z), Some(row)) =
                            (cell(z, at[0], z_remainder), cell(y, at[1], y_remainder))
                        {
                            let row = (z * y.input as usize + row) * x.input as usize;
                            copies.line(x, tap as u32, row, first + line * width);
                        }
                    }
                }
            }
        }
        // All moves of a line of cells one after the other, while it is in the cache.
        copies.moves.sort_by_key(|line| line.from);
        for tap in 0..(z.kernel * y.kernel * x.kernel) as usize {
            let at = [tap / taps / y.kernel as usize, tap / taps % y.kernel as usize];
            let shift =
                |axis: &Axis, tap: usize| tap * axis.dilation as usize / axis.stride as usize;
            let line = shift(z, at[0]) * lines[1] + shift(y, at[1]);
            let copy = copy(at[0] % remainders(z), at[1] % remainders(y), tap % taps);
            copies.offsets.push(copy * size + line * width);
        }
        copies
    }

    /// Adds a line of cells, the first of which is `row`, to the moves. It goes with the line before it if the cells of
    /// both lie as far apart as their windows do.
    fn line(&mut self, x: &Axis, tap: u32, row: usize, to: usize) {
        let windows = x.windows_inside(tap);
        if windows.is_empty() {
            return;
        }
        let (width, stride) = (x.windows as usize, x.stride as usize);
        let (first, count) = (windows.start as usize, windows.len());
        let (from, to) = (row + x.cell(windows.start, tap) as usize, to + first);
        if let Some(last) = self.moves.last_mut() {
            let next = last.count.next_multiple_of(width);
            if to == last.to + next && from == last.from + next * stride {
                self.holes.extend(last.to + last.count..to);
                last.count = next + count;
                return;
            }
        }
        self.moves.push(Move { from, to, count });
    }

    /// Sets `copy` to the copies of a channel; what no move writes is 0 already.
    #[inline(always)]
    fn make(&self, x: &[f32], stride: usize, copy: &mut [f32]) {
        for &Move { from, to, count } in &self.moves {
            copy_strided(&x[from..], stride, &mut copy[to..to + count]);
        }
        self.holes.iter().for_each(|&hole| copy[hole] = 0.0);
    }
}

/// Sums of runs of a copy, each times a weight. Whole vectors are written, the last of which may reach past `len`.
#[inline(always)]
fn sums<S: Simd>(
    simd: S,
    start: f32,
    runs: &[(usize, f32)],
    copy: &[f32],
    len: usize,
    out: &mut [f32],
) {
    let vector = S::f32s::LEN;
    let mut at = 0;
    // Eight sums at a time, for each waits for its last addition.
    while at + 7 * vector < len {
        block::<S, 8>(simd, start, runs, &copy[at..], &mut out[at..]);
        at += 8 * vector;
    }
    while at + 3 * vector < len {
        block::<S, 4>(simd, start, runs, &copy[at..], &mut out[at..]);
        at += 4 * vector;
    }
    while at + vector < len {
        block::<S, 2>(simd, start, runs, &copy[at..], &mut out[at..]);
        at += 2 * vector;
    }
    if at < len {
        block::<S, 1>(simd, start, runs, &copy[at..], &mut out[at..]);
    }
}

#[inline(always)]
fn block<S: Simd, const N: usize>(
    simd: S,
    start: f32,
    runs: &[(usize, f32)],
    copy: &[f32],
    out: &mut [f32],
) {
    let vector = S::f32s::LEN;
    let mut sums = [S::f32s::splat(simd, start); N];
    for &(offset, weight) in runs {
        let weight = S::f32s::splat(simd, weight);
        let x = &copy[offset..][..N * vector];
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum = weight.mul_add(S::f32s::from_slice(simd, &x[n * vector..][..vector]), *sum);
        }
    }
    for (n, sum) in sums.into_iter().enumerate() {
        sum.store_slice(&mut out[n * vector..][..vector]);
    }
}

/// Whether the copies are of a sensible size.
pub(super) fn applies(conv: &Conv) -> bool {
    let [z, y, x] = &conv.axes;
    let lines = |axis| remainders(axis).saturating_mul(extent(axis));
    let line = (x.kernel as usize).saturating_mul(x.windows as usize);
    (conv.rows, conv.columns) == (1, 1)
        && lines(z).saturating_mul(lines(y)).saturating_mul(line) <= COPIES
}

/// The convolution of one image; `at` is the first element of the image in what is written.
pub(super) fn conv(
    conv: &Conv,
    at: usize,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    y: Stored<'_>,
) {
    let [_, y_axis, x_axis] = &conv.axes;
    let (width, stride) = (x_axis.windows as usize, x_axis.stride as usize);
    let copies = Copies::new(&conv.axes);
    let (positions, taps) = (conv.output_positions() as usize, copies.offsets.len());
    // Sums of one plane of windows, and the elements of a copy from one plane to the next.
    let (plane, step) = (y_axis.windows as usize * width, extent(y_axis) * width);
    let groups = conv.groups as usize;
    let channels = groups.div_ceil(PARTS * threads());
    // Channels that a chain is computed for together.
    let some = RUN.div_ceil(positions).min(channels);
    each_run(y, channels * positions, |number, stored| {
        let first = number * channels;
        with_scratch(copies.len + some * positions + 2 * VECTOR, |scratch| {
            let (copy, out) = scratch.split_at_mut(copies.len + VECTOR);
            copy.fill(0.0);
            let mut runs = vec![(0, 0.0); taps];
            let end = (first + channels).min(groups);
            for from in (first..end).step_by(some) {
                let count = some.min(end - from);
                for c in from..from + count {
                    let (x, at) = (&x[c * conv.x.channel as usize..], (c - from) * positions);
                    let weights = &weights[c * taps..][..taps];
                    let start = bias.map_or(0.0, |bias| bias[c]);
                    let all = runs.iter_mut().zip(copies.offsets.iter().zip(weights));
                    all.for_each(|(run, (&offset, &weight))| *run = (offset, weight));
                    dispatch!(Level::new(), simd => {
                        copies.make(x, stride, copy);
                        for z in 0..positions / plane {
                            let out = &mut out[at + z * plane..];
                            sums(simd, start, &runs, &copy[z * step..], plane, out);
                        }
                    });
                }
                let mut own = part(stored, (from - first) * positions, count * positions);
                chain.finish(at + from * positions, &out[..count * positions], &mut own);
            }
        });
    });
}
