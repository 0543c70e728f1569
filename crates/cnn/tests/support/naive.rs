//! Convolution and averages straight from their definitions: loops over windows and taps, nothing
//! shared with the crate.

use crate::support::onnx::Attribute;
use crate::support::random::Random;

/// Windows over any number of axes.
#[derive(Debug)]
pub(crate) struct Sliding {
    pub(crate) input: Vec<usize>,
    pub(crate) kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Sliding {
    /// Any that fits, with padding up to 2.
    pub(crate) fn random(r: &mut Random, axes: usize) -> Self {
        let mut list = |low, high| (0..axes).map(|_| r.within(low, high)).collect::<Vec<_>>();
        let (kernel, stride, dilation) = (list(1, 3), list(1, 3), list(1, 2));
        let (before, after, more) = (list(0, 2), list(0, 2), list(0, 5));
        let input = (0..axes)
            .map(|i| {
                let extent = (kernel[i] - 1) * dilation[i] + 1;
                (extent + more[i]).saturating_sub(before[i] + after[i]).max(1)
            })
            .collect();
        let mut s = Self { input, kernel, stride, dilation, before, after };
        // The size from which a transpose comes back is the one that all windows fill.
        for i in 0..axes {
            let reach = (s.output()[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1;
            if reach > s.before[i] + s.after[i] {
                s.input[i] = reach - s.before[i] - s.after[i];
            } else {
                (s.before[i], s.after[i], s.input[i]) = (0, 0, reach);
            }
        }
        s
    }

    /// One whose every window holds a cell.
    pub(crate) fn random_pooling(r: &mut Random, axes: usize) -> Self {
        let mut s = Self::random(r, axes);
        for i in 0..axes {
            s.dilation[i] = 1;
            s.before[i] = s.before[i].min(s.kernel[i] - 1);
            s.after[i] = s.after[i].min(s.kernel[i] - 1);
            s.input[i] = s.input[i].max(s.kernel[i]);
        }
        s
    }

    pub(crate) fn output(&self) -> Vec<usize> {
        let size = |i: usize| {
            let extent = (self.kernel[i] - 1) * self.dilation[i] + 1;
            (self.input[i] + self.before[i] + self.after[i] - extent) / self.stride[i] + 1
        };
        (0..self.input.len()).map(size).collect()
    }

    pub(crate) fn attributes(&self) -> Vec<Attribute> {
        let list = |list: &[usize]| list.iter().map(|&n| n as i64).collect::<Vec<_>>();
        vec![
            Attribute::Ints("strides", list(&self.stride)),
            Attribute::Ints("dilations", list(&self.dilation)),
            Attribute::Ints("pads", [list(&self.before), list(&self.after)].concat()),
        ]
    }

    /// Calls `visit` with each window, tap and the cell under it, `None` in the padding.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize, usize, Option<usize>)) {
        let output = self.output();
        for window in 0..output.iter().product() {
            for tap in 0..self.kernel.iter().product() {
                let (mut q, mut t, mut cell, mut step) = (window, tap, Some(0), 1);
                for i in (0..self.input.len()).rev() {
                    let at = q % output[i] * self.stride[i] + t % self.kernel[i] * self.dilation[i];
                    let inside = at >= self.before[i] && at - self.before[i] < self.input[i];
                    cell = cell.filter(|_| inside).map(|c| c + (at - self.before[i]) * step);
                    step *= self.input[i];
                    q /= output[i];
                    t /= self.kernel[i];
                }
                visit(window, tap, cell);
            }
        }
    }
}

type Counts = [usize; 4];

pub(crate) fn conv(
    s: &Sliding,
    [batch, groups, rows, columns]: Counts,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let [cells, windows, taps] = sizes(s);
    let mut y = vec![0.0; batch * groups * rows * windows];
    for (plane, y) in y.chunks_mut(windows).enumerate() {
        let (n, row) = (plane / (groups * rows), plane % (groups * rows));
        y.fill(bias.map_or(0.0, |b| b[row]));
        for c in 0..columns {
            let channel = n * groups * columns + row / rows * columns + c;
            s.each(|window, tap, cell| {
                if let Some(cell) = cell {
                    y[window] += w[(row * columns + c) * taps + tap] * x[channel * cells + cell];
                }
            });
        }
    }
    y
}

pub(crate) fn conv_transpose(
    s: &Sliding,
    [batch, groups, rows, columns]: Counts,
    y: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let [cells, windows, taps] = sizes(s);
    let mut x = vec![0.0; batch * groups * columns * cells];
    for (plane, x) in x.chunks_mut(cells).enumerate() {
        x.fill(bias.map_or(0.0, |b| b[plane % (groups * columns)]));
    }
    for n in 0..batch {
        for row in 0..groups * rows {
            for c in 0..columns {
                let plane = n * groups * columns + row / rows * columns + c;
                s.each(|window, tap, cell| {
                    if let Some(cell) = cell {
                        x[plane * cells + cell] += w[(row * columns + c) * taps + tap]
                            * y[(n * groups * rows + row) * windows + window];
                    }
                });
            }
        }
    }
    x
}

pub(crate) fn average(s: &Sliding, planes: usize, x: &[f32], counts_padding: bool) -> Vec<f32> {
    let [cells, windows, taps] = sizes(s);
    (0..planes)
        .flat_map(|plane| {
            let (mut sums, mut counts) = (vec![0.0; windows], vec![0; windows]);
            s.each(|window, _, cell| {
                if let Some(cell) = cell {
                    sums[window] += x[plane * cells + cell];
                    counts[window] += 1;
                }
            });
            let counted = move |n: usize| if counts_padding { taps } else { n };
            sums.into_iter().zip(counts).map(move |(s, n)| s / counted(n) as f32)
        })
        .collect()
}

/// Cells, windows and taps.
fn sizes(s: &Sliding) -> [usize; 3] {
    [s.input.iter().product(), s.output().iter().product(), s.kernel.iter().product()]
}
