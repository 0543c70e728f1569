//! Convolution and its transpose.
//!
//! A convolution is a product of two matrices: weights, with a row for each channel that is written,
//! and columns, with the cells under each window (Chellapilla, Puri and Simard 2006). Columns are
//! copied out of the input a block of windows at a time; where a window is one cell they are the
//! input itself. The transpose is the transposed product, added back to the cells.
//!
//! Where a channel reads one channel, the product would have one row; there each weight is a sweep
//! over rows of cells.

use super::chunks::{each_chunk, threads};
use super::gemm::{Strides, add_product};
use super::lanes::dot;
use crate::axis::Axis;
use crate::kernel::Conv;

/// Elements of a block of columns.
const BLOCK: usize = 1 << 19;

/// Rows of a product with one column that a thread takes at a time.
const ROWS: usize = 16;

pub(super) fn conv(conv: &Conv, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    if conv.is_matrix() {
        return matrix(conv, x, weights, bias, y);
    }
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let (taps, positions) = (conv.taps() as usize, conv.output_positions() as usize);
    let depth = columns * taps;
    if rows == 1 && columns == 1 {
        return each_channel(conv, x, weights, bias, y);
    }
    let mut block = Vec::new();
    for (image, group) in images_and_groups(conv) {
        let x = &x[conv.x.offset as usize + image * conv.x.image as usize..];
        let x = &x[group * columns * conv.x.channel as usize..];
        let to = conv.y.offset as usize + image * conv.y.image as usize;
        let y = &mut y[to + group * rows * positions..][..rows * positions];
        let weights = &weights[group * rows * depth..][..rows * depth];
        each_chunk(y, positions, |row, y| y.fill(bias.map_or(0.0, |b| b[group * rows + row])));
        let step = conv.x.channel as usize;
        if is_pointwise(conv) {
            let (a, b) = (Strides::rows_of(depth), Strides::rows_of(step));
            let y_strides = Strides::rows_of(positions);
            add_product([rows, positions, depth], (weights, a), (x, b), (y, y_strides));
        } else {
            for lines in blocks(conv, depth) {
                let (first, width) = (lines.start * conv.axes[2].output as usize, lines.len());
                let width = width * conv.axes[2].output as usize;
                block.resize(depth * width, 0.0);
                each_chunk(&mut block, width, |row, out| {
                    copy_cells(conv, &x[row / taps * step..], row % taps, lines.start, out);
                });
                let (a, b) = (Strides::rows_of(depth), Strides::rows_of(width));
                let y = (&mut y[first..], Strides::rows_of(positions));
                add_product([rows, width, depth], (weights, a), (&block, b), y);
            }
        }
    }
}

pub(super) fn conv_transpose(
    conv: &Conv,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    x: &mut [f32],
) {
    if conv.is_matrix() {
        return matrix_transpose(conv, y, weights, bias, x);
    }
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let (taps, positions) = (conv.taps() as usize, conv.input_positions() as usize);
    let depth = columns * taps;
    if rows == 1 && columns == 1 {
        return each_channel_back(conv, y, weights, bias, x);
    }
    let mut block = Vec::new();
    for (image, group) in images_and_groups(conv) {
        let y = &y[conv.y.offset as usize + image * conv.y.image as usize..];
        let y = &y[group * rows * conv.y.channel as usize..];
        let to = conv.x.offset as usize + image * conv.x.image as usize;
        let x = &mut x[to + group * columns * positions..][..columns * positions];
        let weights = &weights[group * rows * depth..][..rows * depth];
        each_chunk(x, positions, |c, x| x.fill(bias.map_or(0.0, |b| b[group * columns + c])));
        let step = conv.y.channel as usize;
        let turned = Strides::rows_of(depth).transposed();
        if is_pointwise(conv) {
            let (b, x_strides) = (Strides::rows_of(step), Strides::rows_of(positions));
            add_product([depth, positions, rows], (weights, turned), (y, b), (x, x_strides));
        } else {
            for lines in blocks(conv, depth) {
                let width = conv.axes[2].output as usize;
                let (first, width) = (lines.start * width, lines.len() * width);
                block.clear();
                block.resize(depth * width, 0.0);
                let b = (&y[first..], Strides::rows_of(step));
                let to = (&mut block[..], Strides::rows_of(width));
                add_product([depth, width, rows], (weights, turned), b, to);
                each_chunk(x, positions, |channel, x| {
                    for tap in 0..taps {
                        let from = &block[(channel * taps + tap) * width..][..width];
                        add_cells(conv, from, tap, lines.start, x);
                    }
                });
            }
        }
    }
}

fn images_and_groups(conv: &Conv) -> impl Iterator<Item = (usize, usize)> + use<> {
    let groups = conv.groups as usize;
    (0..conv.batch as usize).flat_map(move |image| (0..groups).map(move |group| (image, group)))
}

/// Whether each window is one cell, and each cell one window.
fn is_pointwise(conv: &Conv) -> bool {
    let same = |a: &Axis| (a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0);
    conv.axes.iter().all(same)
}

/// The lines of windows, along the last axis, in blocks of at most [`BLOCK`] elements of columns.
fn blocks(conv: &Conv, depth: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let [z, y, x] = conv.axes.map(|a| a.output as usize);
    let (lines, step) = (z * y, (BLOCK / (depth * x).max(1)).max(1));
    (0..lines).step_by(step).map(move |first| first..(first + step).min(lines))
}

/// The coordinates of a tap.
fn tap_at(axes: &[Axis; 3], tap: usize) -> [u32; 3] {
    let [_, y, x] = axes.map(|a| a.kernel as usize);
    [tap / (y * x), tap / x % y, tap % x].map(|n| n as u32)
}

/// For each line of windows of a block, where the cells of a tap lie: first cell, first window and number of
/// windows; nothing for a line outside the input.
fn lines_of<'a>(
    axes: &'a [Axis; 3],
    tap: usize,
    first: usize,
    count: usize,
) -> impl Iterator<Item = Option<(usize, usize, usize)>> + 'a {
    let ([tz, ty, tx], [z, y, x]) = (tap_at(axes, tap), axes);
    let across = x.windows_inside(tx);
    (first..first + count).map(move |line| {
        let (qz, qy) = ((line / y.output as usize) as u32, (line % y.output as usize) as u32);
        let inside = |axis: &Axis, q: u32, tap: u32| {
            let cell = axis.start(q) + i64::from(tap) * i64::from(axis.dilation);
            usize::try_from(cell).ok().filter(|&cell| cell < axis.input as usize)
        };
        let (cz, cy) = (inside(z, qz, tz)?, inside(y, qy, ty)?);
        if across.is_empty() {
            return None;
        }
        let row = (cz * y.input as usize + cy) * x.input as usize;
        Some((row + x.cell(across.start, tx), across.start as usize, across.len()))
    })
}

/// Copies the cell that a tap of each window lies on; 0 in the padding.
fn copy_cells(conv: &Conv, x: &[f32], tap: usize, first: usize, out: &mut [f32]) {
    let (width, stride) = (conv.axes[2].output as usize, conv.axes[2].stride as usize);
    let lines = lines_of(&conv.axes, tap, first, out.len() / width);
    for (line, out) in lines.zip(out.chunks_exact_mut(width)) {
        let Some((cell, window, count)) = line else {
            out.fill(0.0);
            continue;
        };
        out[..window].fill(0.0);
        out[window + count..].fill(0.0);
        let out = &mut out[window..window + count];
        if stride == 1 {
            out.copy_from_slice(&x[cell..cell + count]);
        } else {
            out.iter_mut().zip(x[cell..].iter().step_by(stride)).for_each(|(out, x)| *out = *x);
        }
    }
}

/// Adds what each window has for a tap to the cell that the tap lies on.
fn add_cells(conv: &Conv, from: &[f32], tap: usize, first: usize, x: &mut [f32]) {
    let (width, stride) = (conv.axes[2].output as usize, conv.axes[2].stride as usize);
    let lines = lines_of(&conv.axes, tap, first, from.len() / width);
    for (line, from) in lines.zip(from.chunks_exact(width)) {
        let Some((cell, window, count)) = line else { continue };
        let from = &from[window..window + count];
        if stride == 1 {
            x[cell..cell + count].iter_mut().zip(from).for_each(|(x, y)| *x += y);
        } else {
            x[cell..].iter_mut().step_by(stride).zip(from).for_each(|(x, y)| *x += y);
        }
    }
}

/// A convolution in which each channel reads one, on a thread of its own.
fn each_channel(conv: &Conv, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let (taps, positions) = (conv.taps() as usize, conv.output_positions() as usize);
    for image in 0..conv.batch as usize {
        let x = &x[conv.x.offset as usize + image * conv.x.image as usize..];
        let y = &mut y[conv.y.offset as usize + image * conv.y.image as usize..];
        each_chunk(&mut y[..conv.groups as usize * positions], positions, |c, y| {
            y.fill(bias.map_or(0.0, |bias| bias[c]));
            sweep(conv, &x[c * conv.x.channel as usize..], &weights[c * taps..][..taps], y);
        });
    }
}

fn each_channel_back(conv: &Conv, y: &[f32], weights: &[f32], bias: Option<&[f32]>, x: &mut [f32]) {
    let (taps, positions) = (conv.taps() as usize, conv.input_positions() as usize);
    for image in 0..conv.batch as usize {
        let y = &y[conv.y.offset as usize + image * conv.y.image as usize..];
        let x = &mut x[conv.x.offset as usize + image * conv.x.image as usize..];
        each_chunk(&mut x[..conv.groups as usize * positions], positions, |c, x| {
            x.fill(bias.map_or(0.0, |bias| bias[c]));
            sweep_back(conv, &y[c * conv.y.channel as usize..], &weights[c * taps..][..taps], x);
        });
    }
}

/// A convolution of one channel, added to `y`.
fn sweep(conv: &Conv, x: &[f32], weights: &[f32], y: &mut [f32]) {
    let (width, stride) = (conv.axes[2].output as usize, conv.axes[2].stride as usize);
    let lines = conv.output_positions() as usize / width;
    for (tap, w) in weights.iter().enumerate() {
        for (line, y) in lines_of(&conv.axes, tap, 0, lines).zip(y.chunks_exact_mut(width)) {
            let Some((cell, window, count)) = line else { continue };
            let y = &mut y[window..window + count];
            if stride == 1 {
                y.iter_mut().zip(&x[cell..cell + count]).for_each(|(y, x)| *y += w * x);
            } else {
                y.iter_mut().zip(x[cell..].iter().step_by(stride)).for_each(|(y, x)| *y += w * x);
            }
        }
    }
}

/// Its transpose, added to `x`.
fn sweep_back(conv: &Conv, y: &[f32], weights: &[f32], x: &mut [f32]) {
    let (width, stride) = (conv.axes[2].output as usize, conv.axes[2].stride as usize);
    let lines = conv.output_positions() as usize / width;
    for (tap, w) in weights.iter().enumerate() {
        for (line, y) in lines_of(&conv.axes, tap, 0, lines).zip(y.chunks_exact(width)) {
            let Some((cell, window, count)) = line else { continue };
            let y = &y[window..window + count];
            if stride == 1 {
                x[cell..cell + count].iter_mut().zip(y).for_each(|(x, y)| *x += w * y);
            } else {
                x[cell..].iter_mut().step_by(stride).zip(y).for_each(|(x, y)| *x += w * y);
            }
        }
    }
}

/// A product of matrices: one position, one tap. Images are its columns.
fn matrix(conv: &Conv, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let batch = conv.batch as usize;
    let x_strides = Strides { row: conv.x.channel as usize, column: conv.x.image as usize };
    let y_strides = Strides { row: conv.y.channel as usize, column: conv.y.image as usize };
    for group in 0..conv.groups as usize {
        let x = &x[conv.x.offset as usize + group * columns * x_strides.row..];
        let y = &mut y[conv.y.offset as usize + group * rows * y_strides.row..];
        let weights = &weights[group * rows * columns..][..rows * columns];
        let start = |row: usize| bias.map_or(0.0, |bias| bias[group * rows + row]);
        if batch == 1 && y_strides.row == 1 {
            // Memory's rate decides, so threads take rows of the weights.
            let x: Vec<_> = (0..columns).map(|c| x[c * x_strides.row]).collect();
            each_chunk(&mut y[..rows], ROWS, |chunk, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let row = chunk * ROWS + i;
                    *y = start(row) + dot(&weights[row * columns..][..columns], &x);
                }
            });
            continue;
        }
        for image in 0..batch {
            for row in 0..rows {
                y[image * y_strides.column + row * y_strides.row] = start(row);
            }
        }
        let a = Strides::rows_of(columns);
        add_product([rows, batch, columns], (weights, a), (x, x_strides), (y, y_strides));
    }
}

fn matrix_transpose(conv: &Conv, y: &[f32], weights: &[f32], bias: Option<&[f32]>, x: &mut [f32]) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let batch = conv.batch as usize;
    let x_strides = Strides { row: conv.x.channel as usize, column: conv.x.image as usize };
    let y_strides = Strides { row: conv.y.channel as usize, column: conv.y.image as usize };
    for group in 0..conv.groups as usize {
        let y = &y[conv.y.offset as usize + group * rows * y_strides.row..];
        let x = &mut x[conv.x.offset as usize + group * columns * x_strides.row..];
        let weights = &weights[group * rows * columns..][..rows * columns];
        let start = |c: usize| bias.map_or(0.0, |bias| bias[group * columns + c]);
        if batch == 1 && x_strides.row == 1 {
            let chunk = columns.div_ceil(threads()).max(1);
            each_chunk(&mut x[..columns], chunk, |i, sums| {
                sums.iter_mut().enumerate().for_each(|(c, sum)| *sum = start(i * chunk + c));
                for row in 0..rows {
                    let y = y[row * y_strides.row];
                    // Most of a signal from one unit is zero.
                    if y != 0.0 {
                        let weights = &weights[row * columns + i * chunk..][..sums.len()];
                        sums.iter_mut().zip(weights).for_each(|(x, w)| *x += w * y);
                    }
                }
            });
            continue;
        }
        for image in 0..batch {
            for c in 0..columns {
                x[image * x_strides.column + c * x_strides.row] = start(c);
            }
        }
        let a = Strides::rows_of(columns).transposed();
        add_product([columns, batch, rows], (weights, a), (y, y_strides), (x, x_strides));
    }
}
