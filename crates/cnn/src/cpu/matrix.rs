//! Sparse matrices along an axis, products of matrices, and axes in another order.

use super::chunks::{each, each_chunk};
use super::gemm::{Strides, add_product};
use super::lanes::dot;
use super::pointwise::{along as offset, coordinates};
use crate::kernel::{Along, Permute, Product};

pub(super) fn along(along: &Along, [x, starts, columns, values]: [&[f32]; 4], y: &mut [f32]) {
    let [from, to, inner] = [along.from, along.to, along.inner].map(|n| n as usize);
    let y = &mut y[..along.outer as usize * to * inner];
    let entries = |row: usize| starts[row].to_bits() as usize..starts[row + 1].to_bits() as usize;
    let cell = |entry: usize| columns[entry].to_bits() as usize;
    if inner == 1 {
        each(y, |i| {
            let (x, row) = (&x[i / to * from..], entries(i % to));
            // Columns ascend, so as many as they span are all there.
            let dense = row.len() > 16 && cell(row.end - 1) + 1 - cell(row.start) == row.len();
            if dense {
                return dot(&values[row.clone()], &x[cell(row.start)..][..row.len()]);
            }
            row.map(|entry| values[entry] * x[cell(entry)]).sum()
        });
        return;
    }
    each_chunk(y, inner, |i, y| {
        let (outer, row) = (i / to, i % to);
        y.fill(0.0);
        for entry in entries(row) {
            let first = (outer * from + cell(entry)) * inner;
            let factor = values[entry];
            for (y, x) in y.iter_mut().zip(&x[first..first + inner]) {
                *y += factor * x;
            }
        }
    });
}

pub(super) fn permute(permute: &Permute, x: &[f32], y: &mut [f32]) {
    let (dims, steps) = (permute.result(), permute.steps());
    // Coordinates are divided out once for each run along the last axis that has any.
    let last = (0..dims.len()).rev().find(|&d| dims[d] > 1).unwrap_or(0);
    let (width, step) = (dims[last] as usize, steps[last] as usize);
    each_chunk(&mut y[..permute.len() as usize], width, |row, y| {
        let first = offset(&coordinates(row * width, &dims), &steps);
        for (i, y) in y.iter_mut().enumerate() {
            *y = x[first + i * step];
        }
    });
}

pub(super) fn product(product: &Product, a: &[f32], b: &[f32], y: &mut [f32]) {
    let strides =
        |[_, row, column]: [u32; 3]| Strides { row: row as usize, column: column as usize };
    let [rows, columns, depth] = [product.rows, product.columns, product.depth].map(|n| n as usize);
    for batch in 0..product.batch as usize {
        let own = |all: [u32; 3]| batch * all[0] as usize;
        let y = &mut y[own(product.y)..];
        let to = strides(product.y);
        for row in 0..rows {
            for column in 0..columns {
                y[row * to.row + column * to.column] = 0.0;
            }
        }
        let a = (&a[own(product.a)..], strides(product.a));
        let b = (&b[own(product.b)..], strides(product.b));
        add_product([rows, columns, depth], a, b, (y, to));
    }
}
