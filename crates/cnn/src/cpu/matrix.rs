//! Sparse matrices along an axis, products of matrices, and axes in another order.

use std::ops::Range;

use super::chunks::{CHUNK, each_chunk};
use super::columns::copy_strided;
use super::gemm::{self, Strides, Threads};
use super::lanes::dot;
use super::pointwise::{along as offset, coordinates, mapped};
use crate::kernel::{Along, BROADCAST_AXES, Permute, Product};

pub(super) fn along(along: &Along, [x, starts, columns, values]: [&[f32]; 4], y: &mut [f32]) {
    let [from, to, inner] = [along.from, along.to, along.inner].map(|n| n as usize);
    let y = &mut y[..along.outer as usize * to * inner];
    let entries = |row: usize| starts[row].to_bits() as usize..starts[row + 1].to_bits() as usize;
    let cell = |entry: usize| columns[entry].to_bits() as usize;
    if from == 1 && inner == 1 && starts[to].to_bits() as usize == to {
        // Each element is repeated, as what a mean sends back.
        return each_chunk(y, to, |i, y| {
            let x = x[i];
            mapped(values, y, move |value| value * x);
        });
    }
    if inner == 1 {
        let runs = runs(to, entries, cell, values);
        // Lines that a thread takes at a time.
        let some = (CHUNK / to.max(1)).max(1);
        return each_chunk(y, some * to, |chunk, y| {
            for (i, y) in y.chunks_exact_mut(to).enumerate() {
                let x = &x[(chunk * some + i) * from..][..from];
                if let Some(runs) = &runs {
                    y.fill(0.0);
                    for &Run { row, column, len, value } in runs {
                        mapped(&x[column..][..len], &mut y[row..][..len], move |x| value * x);
                    }
                    continue;
                }
                for (row, y) in y.iter_mut().enumerate() {
                    let row = entries(row);
                    // Columns ascend, so as many as they span are all there.
                    let dense =
                        row.len() > 16 && cell(row.end - 1) + 1 - cell(row.start) == row.len();
                    *y = if dense {
                        dot(&values[row.clone()], &x[cell(row.start)..][..row.len()])
                    } else {
                        row.map(|entry| values[entry] * x[cell(entry)]).sum()
                    };
                }
            }
        });
    }
    each_chunk(y, inner, |i, y| {
        let (outer, row) = (i / to, entries(i % to));
        if row.is_empty() {
            y.fill(0.0);
        }
        for (i, entry) in row.enumerate() {
            let x = &x[(outer * from + cell(entry)) * inner..][..inner];
            let factor = values[entry];
            if i == 0 {
                mapped(x, y, move |x| factor * x);
            } else {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x);
            }
        }
    });
}

/// Rows of a matrix one after the other, with a single entry each: all of one value, in columns one after the other.
struct Run {
    row: usize,
    column: usize,
    len: usize,
    value: f32,
}

/// The runs of a matrix whose rows have an entry or none, as of padding and slices; nothing where runs are short.
fn runs(
    rows: usize,
    entries: impl Fn(usize) -> Range<usize>,
    column: impl Fn(usize) -> usize,
    values: &[f32],
) -> Option<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for row in 0..rows {
        let entry = match entries(row) {
            Range { start, end } if start == end => continue,
            Range { start, end } if start + 1 == end => start,
            _ => return None,
        };
        let (column, value) = (column(entry), values[entry]);
        match runs.last_mut() {
            Some(run)
                if (run.row + run.len, run.column + run.len) == (row, column)
                    && run.value == value =>
            {
                run.len += 1;
            }
            _ => runs.push(Run { row, column, len: 1, value }),
        }
    }
    (runs.len() * 4 <= rows).then_some(runs)
}

/// Extents of the square blocks in which matrices are turned.
const SQUARE: usize = 16;

pub(super) fn permute(permute: &Permute, x: &[f32], y: &mut [f32]) {
    let (dims, steps) = merged(permute);
    let [.., before, last] = dims.map(|n| n as usize);
    let [.., step_before, step] = steps.map(|n| n as usize);
    let y = &mut y[..permute.len() as usize];
    if step == 1 || step_before != 1 {
        // Coordinates are divided out once for each run along the last axis.
        return each_chunk(y, last, |row, y| {
            let x = &x[offset(&coordinates(row * last, &dims), &steps)..];
            copy_strided(x, step, y);
        });
    }
    each_chunk(y, before * last, |matrix, y| {
        let x = &x[offset(&coordinates(matrix * before * last, &dims), &steps)..];
        each_chunk(y, SQUARE * last, |rows, y: &mut [f32]| {
            let (first, count) = (rows * SQUARE, y.len() / last);
            for column in (0..last).step_by(SQUARE) {
                for column in column..(column + SQUARE).min(last) {
                    let x = &x[first + column * step..][..count];
                    for (row, x) in x.iter().enumerate() {
                        y[row * last + column] = *x;
                    }
                }
            }
        });
    });
}

/// Extents of the result and steps in what is read, with neighbouring axes merged where they lie one inside of the
/// other.
fn merged(permute: &Permute) -> ([u32; BROADCAST_AXES], [u32; BROADCAST_AXES]) {
    let (mut dims, mut steps) = ([1; BROADCAST_AXES], [1; BROADCAST_AXES]);
    let mut at = BROADCAST_AXES;
    for (&n, &step) in permute.result().iter().zip(&permute.steps()).rev() {
        if n == 1 {
            continue;
        }
        if at < BROADCAST_AXES && step == steps[at] * dims[at] {
            dims[at] *= n;
        } else {
            at -= 1;
            (dims[at], steps[at]) = (n, step);
        }
    }
    (dims, steps)
}

pub(super) fn product(product: &Product, a: &[f32], b: &[f32], y: &mut [f32]) {
    let strides =
        |[_, row, column]: [u32; 3]| Strides { row: row as usize, column: column as usize };
    let [rows, columns, depth] = [product.rows, product.columns, product.depth].map(|n| n as usize);
    for batch in 0..product.batch as usize {
        let own = |all: [u32; 3]| batch * all[0] as usize;
        let y = &mut y[own(product.y)..];
        let to = strides(product.y);
        let a = (&a[own(product.a)..], strides(product.a));
        let b = (&b[own(product.b)..], strides(product.b));
        gemm::product([rows, columns, depth], a, b, (y, to), Threads::All);
    }
}
