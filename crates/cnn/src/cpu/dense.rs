//! Convolutions of one position and one tap, which are products of matrices. Images are the columns.

use super::chunks::{each_chunk, threads};
use super::gemm::{Strides, add_product, column_product};
use crate::kernel::Conv;

/// Rows of a product with one column that a thread takes at a time.
const ROWS: usize = 16;

/// The convolution.
pub(super) fn conv(conv: &Conv, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
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
                let first = chunk * ROWS;
                y.iter_mut().enumerate().for_each(|(i, y)| *y = start(first + i));
                let weights = (&weights[first * columns..], Strides::rows_of(columns));
                column_product(y.len(), weights, &x, (y, 1), true);
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

/// Its transpose.
pub(super) fn conv_transpose(
    conv: &Conv,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    x: &mut [f32],
) {
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
