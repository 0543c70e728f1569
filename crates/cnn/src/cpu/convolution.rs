//! Convolution and its transpose. A thread owns a channel of what is written; inside, each weight
//! is one sweep over rows, which the compiler vectorises.

use super::chunks::{each_chunk, threads};
use crate::axis::Axis;
use crate::kernel::Conv;

/// Rows of a product of matrices that a thread takes at a time.
const ROWS: usize = 16;

pub(super) fn conv(conv: &Conv, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let taps = conv.taps() as usize;
    let positions = conv.output_positions() as usize;
    let channels = conv.groups as usize * rows;
    let matrix = conv.is_matrix();
    for image in 0..conv.batch {
        let from = conv.x.offset as usize + image as usize * conv.x.image as usize;
        let to = conv.y.offset as usize + image as usize * conv.y.image as usize;
        let cell = |c: usize| from + c * conv.x.channel as usize;
        let start = |row: usize| bias.map_or(0.0, |bias| bias[row]);
        let y = &mut y[to..to + channels * positions];
        if matrix {
            each_chunk(y, ROWS, |chunk, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let row = chunk * ROWS + i;
                    let first = row / rows * columns;
                    let weights = &weights[row * columns..][..columns];
                    *y = start(row) + dot(weights, |c| x[cell(first + c)]);
                }
            });
            continue;
        }
        each_chunk(y, positions, |row, y| {
            y.fill(start(row));
            let first = row / rows * columns;
            for c in 0..columns {
                let x = &x[cell(first + c)..][..conv.input_positions() as usize];
                let weights = &weights[(row * columns + c) * taps..][..taps];
                each_row(&conv.axes, |tap, windows, cells, len| {
                    let (w, stride) = (weights[tap], conv.axes[2].stride as usize);
                    let y = &mut y[windows..windows + len];
                    if stride == 1 {
                        for (y, x) in y.iter_mut().zip(&x[cells..cells + len]) {
                            *y += w * x;
                        }
                    } else {
                        for (y, x) in y.iter_mut().zip(x[cells..].iter().step_by(stride)) {
                            *y += w * x;
                        }
                    }
                });
            }
        });
    }
}

pub(super) fn conv_transpose(
    conv: &Conv,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    x: &mut [f32],
) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let taps = conv.taps() as usize;
    let positions = conv.input_positions() as usize;
    let channels = conv.groups as usize * columns;
    for image in 0..conv.batch {
        let from = conv.y.offset as usize + image as usize * conv.y.image as usize;
        let to = conv.x.offset as usize + image as usize * conv.x.image as usize;
        let start = |channel: usize| bias.map_or(0.0, |bias| bias[channel]);
        let signal = |row: usize| {
            &y[from + row * conv.y.channel as usize..][..conv.output_positions() as usize]
        };
        if conv.is_matrix() {
            let mut sums: Vec<f32> = (0..channels).map(start).collect();
            let chunk = columns.div_ceil(threads()).max(1);
            for (group, sums) in sums.chunks_mut(columns).enumerate() {
                each_chunk(sums, chunk, |i, sums| {
                    for row in group * rows..(group + 1) * rows {
                        let y = signal(row)[0];
                        // Most of a signal from one unit is zero.
                        if y != 0.0 {
                            let weights = &weights[row * columns + i * chunk..][..sums.len()];
                            sums.iter_mut().zip(weights).for_each(|(x, w)| *x += w * y);
                        }
                    }
                });
            }
            for (c, sum) in sums.into_iter().enumerate() {
                x[to + c * conv.x.channel as usize] = sum;
            }
            continue;
        }
        let x = &mut x[to..to + channels * positions];
        each_chunk(x, positions, |channel, x| {
            x.fill(start(channel));
            let (group, c) = (channel / columns, channel % columns);
            for row in group * rows..(group + 1) * rows {
                let y = signal(row);
                let weights = &weights[(row * columns + c) * taps..][..taps];
                each_row(&conv.axes, |tap, windows, cells, len| {
                    let (w, stride) = (weights[tap], conv.axes[2].stride as usize);
                    let y = &y[windows..windows + len];
                    if stride == 1 {
                        for (x, y) in x[cells..cells + len].iter_mut().zip(y) {
                            *x += w * y;
                        }
                    } else {
                        for (x, y) in x[cells..].iter_mut().step_by(stride).zip(y) {
                            *x += w * y;
                        }
                    }
                });
            }
        });
    }
}

/// Calls `sweep` with each tap and each row of windows whose tap lies in the input: number of the
/// tap, first window, first cell, windows.
fn each_row(axes: &[Axis; 3], mut sweep: impl FnMut(usize, usize, usize, usize)) {
    let [z, y, x] = axes;
    let mut tap = 0;
    for tz in 0..z.kernel {
        for ty in 0..y.kernel {
            for tx in 0..x.kernel {
                let across = x.windows_inside(tx);
                if !across.is_empty() {
                    for qz in z.windows_inside(tz) {
                        for qy in y.windows_inside(ty) {
                            let row = qz as usize * y.output as usize + qy as usize;
                            let windows = row * x.output as usize + across.start as usize;
                            let row = z.cell(qz, tz) * y.input as usize + y.cell(qy, ty);
                            let cells = row * x.input as usize + x.cell(across.start, tx);
                            sweep(tap, windows, cells, across.len());
                        }
                    }
                }
                tap += 1;
            }
        }
    }
}

/// A sum of products in eight lanes.
fn dot(weights: &[f32], x: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (i, w) in weights.iter().enumerate() {
        lanes[i % 8] += w * x(i);
    }
    lanes.iter().sum()
}
