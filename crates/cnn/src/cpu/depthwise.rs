//! Convolutions in which each channel reads one, and their transposes.
//!
//! A channel is copied with its padding, and with cells that lie a stride apart side by side: a copy for each
//! remainder of a coordinate by the stride. Then a tap of all windows is one dense run of a copy,
//! `y[i] = Σ w[t]·copy[i + offset[t]]`, with a few sums between one line of windows and the next that
//! are left out. The transpose is a sum of this kind for each remainder.

use super::chain::{Chain, Stored, each_run, part};
use super::chunks::with_scratch;
use super::columns::{copy_strided, spread};
use super::lanes::{LANES, vectorized};
use crate::axis::Axis;
use crate::kernel::Conv;

/// Elements of copies that a convolution may need; hostile strides and dilations need more.
const COPIES: usize = 1 << 22;

/// Elements that a thread takes at a time.
const CHUNK: usize = 1 << 12;

/// A number for each of the axes z, y and x.
type Triple = [usize; 3];

fn dot(a: Triple, b: Triple) -> usize {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn pitches(extents: Triple) -> Triple {
    [extents[1] * extents[2], extents[2], 1]
}

/// A tap: the number of the copy that it reads, and the quotients of its coordinates by the stride.
struct Tap {
    copy: usize,
    shift: Triple,
}

/// Cells of a phase side by side: the number of the first, where it lies in a copy, and how many there are.
struct Line {
    cell: usize,
    at: Triple,
    count: usize,
}

/// The remainders that taps of an axis have: they repeat after so many.
fn phases(axis: &Axis) -> usize {
    let (mut a, mut b) = (axis.stride, axis.dilation);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (axis.stride / a).min(axis.kernel) as usize
}

fn coordinates([z, y, x]: Triple) -> impl Iterator<Item = Triple> {
    (0..z * y * x).map(move |i| [i / x / y, i / x % y, i % x])
}

/// How the windows of a convolution lie in the copies of a channel.
struct Sweep<'a> {
    axes: &'a [Axis; 3],
    taps: Vec<Tap>,
    /// For each copy the remainders of its cells' coordinates.
    phases: Vec<Triple>,
    /// The largest shift of a tap.
    reach: Triple,
}

impl<'a> Sweep<'a> {
    fn new(axes: &'a [Axis; 3]) -> Self {
        let counts = axes.each_ref().map(phases);
        let cell = |i: usize, tap: usize| tap * axes[i].dilation as usize;
        let phase = |at: Triple| std::array::from_fn(|i| cell(i, at[i]) % axes[i].stride as usize);
        let tap = |at: Triple| Tap {
            copy: dot(std::array::from_fn(|i| at[i] % counts[i]), pitches(counts)),
            shift: std::array::from_fn(|i| cell(i, at[i]) / axes[i].stride as usize),
        };
        let kernel = axes.each_ref().map(|a| a.kernel as usize);
        let last = tap(kernel.map(|n| n - 1)).shift;
        let taps = coordinates(kernel).map(tap).collect();
        Self { axes, taps, phases: coordinates(counts).map(phase).collect(), reach: last }
    }

    fn windows(&self) -> Triple {
        self.axes.map(|a| a.output as usize)
    }

    /// Windows, and as many more as the reach, on each axis.
    fn extended(&self, times: usize) -> Triple {
        std::array::from_fn(|i| self.windows()[i] + times * self.reach[i])
    }

    /// The lines of cells of a phase in a space of so many lines.
    fn lines(&self, phase: Triple, extents: Triple) -> Vec<Line> {
        let [z, y, x] = self.axes;
        let cell = |axis: &Axis, at: usize, phase: usize| {
            let padded = at * axis.stride as usize + phase;
            padded.checked_sub(axis.before as usize).filter(|&cell| cell < axis.input as usize)
        };
        let stride = x.stride as usize;
        let first = (x.before as usize).saturating_sub(phase[2]).div_ceil(stride);
        let end = (x.input as usize + x.before as usize).saturating_sub(phase[2]).div_ceil(stride);
        let end = end.min(extents[2]);
        let mut lines = Vec::new();
        if first >= end {
            return lines;
        }
        let start = first * stride + phase[2] - x.before as usize;
        for bz in 0..extents[0] {
            let Some(cz) = cell(z, bz, phase[0]) else { continue };
            for by in 0..extents[1] {
                let Some(cy) = cell(y, by, phase[1]) else { continue };
                let row = (cz * y.input as usize + cy) * x.input as usize;
                lines.push(Line { cell: row + start, at: [bz, by, first], count: end - first });
            }
        }
        lines
    }
}

/// Elements from the first sum to the last, in whole vectors.
fn span(extents: Triple, pitches: Triple) -> usize {
    (dot(extents.map(|n| n - 1), pitches) + 1).next_multiple_of(LANES)
}

/// Sums of runs of a copy, each times a weight.
fn sums(start: f32, runs: &[(usize, f32)], copy: &[f32], out: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (i, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let mut sums = [start; LANES];
                for &(offset, weight) in runs {
                    let x = &copy[i * LANES + offset..][..LANES];
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum += weight * x;
                    }
                }
                *out = sums;
            }
        },
    );
}

/// Whether the copies are of a sensible size.
pub(super) fn applies(conv: &Conv) -> bool {
    if (conv.rows, conv.columns) != (1, 1) {
        return false;
    }
    let sizes = conv.axes.each_ref().map(|a| {
        let reach = (a.kernel as usize - 1) * a.dilation as usize / a.stride as usize;
        phases(a).saturating_mul(a.output as usize + 2 * reach)
    });
    sizes.into_iter().fold(1, usize::saturating_mul) <= COPIES
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
    let sweep = Sweep::new(&conv.axes);
    let (windows, extents) = (sweep.windows(), sweep.extended(1));
    let (pitches, size) = (pitches(extents), extents.iter().product::<usize>());
    let offset = |tap: &Tap| tap.copy * size + dot(tap.shift, pitches);
    let offsets: Vec<_> = sweep.taps.iter().map(offset).collect();
    let reach = offsets.iter().max().copied().unwrap_or(0);
    let (positions, taps) = (conv.output_positions() as usize, offsets.len());
    let lines: Vec<_> = sweep.phases.iter().map(|&phase| sweep.lines(phase, extents)).collect();
    let stride = conv.axes[2].stride as usize;
    each_channel(conv, at, positions, chain, y, |channels, write| {
        let span = span(windows, pitches);
        let copies = (sweep.phases.len() * size).max(span + reach);
        with_scratch(copies + span + positions, |scratch| {
            let (copy, rest) = scratch.split_at_mut(copies);
            let (out, dense) = rest.split_at_mut(span);
            copy.fill(0.0);
            let mut runs = Vec::with_capacity(taps);
            for c in channels {
                let x = &x[c * conv.x.channel as usize..];
                for (i, lines) in lines.iter().enumerate() {
                    for line in lines {
                        let to = &mut copy[i * size + dot(line.at, pitches)..][..line.count];
                        copy_strided(&x[line.cell..], stride, to);
                    }
                }
                let weights = &weights[c * taps..][..taps];
                runs.clear();
                runs.extend(offsets.iter().copied().zip(weights.iter().copied()));
                sums(bias.map_or(0.0, |bias| bias[c]), &runs, copy, out);
                for (line, dense) in dense.chunks_exact_mut(windows[2]).enumerate() {
                    let at = [line / windows[1], line % windows[1], 0];
                    dense.copy_from_slice(&out[dot(at, pitches)..][..windows[2]]);
                }
                write(c, dense);
            }
        });
    });
}

/// Its transpose, of one image.
pub(super) fn conv_transpose(
    conv: &Conv,
    at: usize,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    x: Stored<'_>,
) {
    let sweep = Sweep::new(&conv.axes);
    // Windows with a margin on both sides, of which the sums of a phase are all but the last.
    let (windows, extents, margined) = (sweep.windows(), sweep.extended(1), sweep.extended(2));
    let (reach, pitches) = (sweep.reach, pitches(margined));
    let offset = |tap: &Tap| dot(std::array::from_fn(|i| reach[i] - tap.shift[i]), pitches);
    let offsets: Vec<_> = sweep.taps.iter().map(offset).collect();
    let mut by_copy = vec![Vec::new(); sweep.phases.len()];
    sweep.taps.iter().enumerate().for_each(|(i, tap)| by_copy[tap.copy].push(i));
    let (positions, taps) = (conv.input_positions() as usize, offsets.len());
    let lines: Vec<_> = sweep.phases.iter().map(|&phase| sweep.lines(phase, extents)).collect();
    let stride = conv.axes[2].stride as usize;
    each_channel(conv, at, positions, chain, x, |channels, write| {
        let span = span(extents, pitches);
        let most = offsets.iter().max().copied().unwrap_or(0);
        let copies = margined.iter().product::<usize>().max(span + most);
        with_scratch(copies + span + positions, |scratch| {
            let (copy, rest) = scratch.split_at_mut(copies);
            let (out, dense) = rest.split_at_mut(span);
            copy.fill(0.0);
            let mut runs = Vec::with_capacity(taps);
            for c in channels {
                let mut y = y[c * conv.y.channel as usize..].chunks_exact(windows[2]);
                for qz in 0..windows[0] {
                    for qy in 0..windows[1] {
                        let to = dot([qz + reach[0], qy + reach[1], reach[2]], pitches);
                        if let Some(y) = y.next() {
                            copy[to..to + windows[2]].copy_from_slice(y);
                        }
                    }
                }
                let start = bias.map_or(0.0, |bias| bias[c]);
                dense.fill(start);
                let weights = &weights[c * taps..][..taps];
                for (lines, own) in lines.iter().zip(&by_copy) {
                    runs.clear();
                    runs.extend(own.iter().map(|&tap| (offsets[tap], weights[tap])));
                    sums(start, &runs, copy, out);
                    for line in lines {
                        let out = &out[dot(line.at, pitches)..][..line.count];
                        spread(out, stride, &mut dense[line.cell..]);
                    }
                }
                write(c, dense);
            }
        });
    });
}

/// Calls `each` on all threads with a range of channels and what to call with the result of each channel.
fn each_channel(
    conv: &Conv,
    at: usize,
    positions: usize,
    chain: &Chain<'_>,
    stored: Stored<'_>,
    each: impl Fn(std::ops::Range<usize>, &mut dyn FnMut(usize, &[f32])) + Send + Sync,
) {
    let some = (CHUNK / positions.max(1)).max(1);
    each_run(stored, some * positions, |chunk, stored| {
        let first = chunk * some;
        each(first..(first + some).min(conv.groups as usize), &mut |c, values| {
            let mut own = part(stored, (c - first) * positions, positions);
            chain.finish(at + c * positions, values, &mut own);
        });
    });
}
