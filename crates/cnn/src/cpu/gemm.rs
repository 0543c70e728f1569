//! Products of matrices: `gemm`'s kernels on the threads of this process, plain loops on wasm.

use super::lanes::{dot, dots};

/// A matrix in memory: the distance from one row to the next, and from one column to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strides {
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Strides {
    /// A row-major matrix.
    pub(super) fn rows_of(columns: usize) -> Self {
        Self { row: columns, column: 1 }
    }

    /// The transposed matrix.
    pub(super) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row }
    }

    /// Elements from the first to the last of a matrix, both included.
    fn span(self, rows: usize, columns: usize) -> usize {
        if rows == 0 || columns == 0 {
            return 0;
        }
        (rows - 1) * self.row + (columns - 1) * self.column + 1
    }
}

/// Elements of a vector.
pub(super) const VECTOR: usize = 8;

/// Terms that gemm sums without rounding the sum to memory, however large the matrices are.
const DEPTH: usize = 512;

/// Threads that a product is computed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    All,
    This,
}

/// Sets `y` to the product of `a`, of `rows` by `depth`, and `b`, of `depth` by `columns`.
///
/// # Panics
///
/// If a matrix reaches past its slice.
pub(super) fn product(
    size: [usize; 3],
    a: (&[f32], Strides),
    b: (&[f32], Strides),
    y: (&mut [f32], Strides),
    threads: Threads,
) {
    multiply(size, a, b, y, false, threads);
}

/// Sets `y` to the product, on this thread. Each element is that of any product of more than one row, whatever the
/// others are: the terms of a sum are added in blocks of [`DEPTH`].
///
/// # Panics
///
/// If a matrix reaches past its slice.
pub(super) fn product_in_order(
    [rows, columns, depth]: [usize; 3],
    (a, a_strides): (&[f32], Strides),
    (b, b_strides): (&[f32], Strides),
    (y, y_strides): (&mut [f32], Strides),
) {
    // A column after the last whole vector takes gemm as long as two vectors, and a sum along each row a third of it.
    let by_rows = columns % VECTOR == 1 && a_strides.column == 1;
    let columns = columns - usize::from(by_rows);
    for first in (0..depth).step_by(DEPTH) {
        let size @ [.., depth] = [rows, columns, DEPTH.min(depth - first)];
        let a = (&a[first * a_strides.column..], a_strides);
        let b = &b[first * b_strides.row..];
        if columns > 0 {
            multiply(size, a, (b, b_strides), (&mut *y, y_strides), first > 0, Threads::This);
        }
        if by_rows {
            let mut column = [0.0; DEPTH];
            let x = b[columns * b_strides.column..].iter().step_by(b_strides.row);
            column.iter_mut().zip(x).take(depth).for_each(|(own, x)| *own = *x);
            let y = &mut y[columns * y_strides.column..];
            column_product(rows, a, &column[..depth], (y, y_strides.row), first > 0);
        }
    }
}

/// The sums of the products of each row of `a` and a column, added to those of `y`, or in their place.
pub(super) fn column_product(
    rows: usize,
    (a, a_strides): (&[f32], Strides),
    column: &[f32],
    (y, step): (&mut [f32], usize),
    adds: bool,
) {
    let mut add = |row: usize, sum: f32| {
        let y = &mut y[row * step];
        *y = if adds { *y + sum } else { sum };
    };
    let row = |row: usize| &a[row * a_strides.row..][..column.len()];
    let whole = rows / 4 * 4;
    for first in (0..whole).step_by(4) {
        let sums = dots(std::array::from_fn::<_, 4, _>(|i| row(first + i)), column);
        sums.into_iter().enumerate().for_each(|(i, sum)| add(first + i, sum));
    }
    (whole..rows).for_each(|i| add(i, dot(row(i), column)));
}

/// Adds the product to `y`, on all threads.
///
/// # Panics
///
/// If a matrix reaches past its slice.
pub(super) fn add_product(
    size: [usize; 3],
    a: (&[f32], Strides),
    b: (&[f32], Strides),
    y: (&mut [f32], Strides),
) {
    multiply(size, a, b, y, true, Threads::All);
}

fn multiply(
    [rows, columns, depth]: [usize; 3],
    (a, a_strides): (&[f32], Strides),
    (b, b_strides): (&[f32], Strides),
    (y, y_strides): (&mut [f32], Strides),
    adds: bool,
    threads: Threads,
) {
    let (a, b) = (&a[..a_strides.span(rows, depth)], &b[..b_strides.span(depth, columns)]);
    let y = &mut y[..y_strides.span(rows, columns)];
    if a.is_empty() || b.is_empty() {
        if !adds {
            y.fill(0.0);
        }
        return;
    }
    let (a, b, y) = ((a, a_strides), (b, b_strides), (y, y_strides));
    kernel([rows, columns, depth], a, b, y, adds, threads);
}

#[cfg(not(target_arch = "wasm32"))]
#[allow(unsafe_code, reason = "gemm takes pointers; all that it reaches is inside the slices")]
fn kernel(
    [rows, columns, depth]: [usize; 3],
    (a, a_strides): (&[f32], Strides),
    (b, b_strides): (&[f32], Strides),
    (y, y_strides): (&mut [f32], Strides),
    adds: bool,
    threads: Threads,
) {
    use gemm_common::Parallelism;

    // Below this the threads cost more than they bring.
    let is_small = rows * columns * depth < 1 << 16;
    let alone = is_small || threads == Threads::This;
    let threads = if alone { Parallelism::None } else { Parallelism::Rayon(0) };
    // The kernels want a result whose columns are dense, so a row-major one is made as its transpose.
    let is_row_major = y_strides.column <= y_strides.row;
    let ([m, n], (a, a_strides), (b, b_strides), y_strides) = if is_row_major {
        let (a_transposed, b_transposed) = (a_strides.transposed(), b_strides.transposed());
        ([columns, rows], (b, b_transposed), (a, a_transposed), y_strides.transposed())
    } else {
        ([rows, columns], (a, a_strides), (b, b_strides), y_strides)
    };
    // SAFETY: the slices were cut to the spans of the three matrices, and `y` is borrowed alone.
    // Lengths of slices of f32 are less than isize::MAX, and so are strides within them.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            m,
            n,
            depth,
            y.as_mut_ptr(),
            y_strides.column as isize,
            y_strides.row as isize,
            adds,
            a.as_ptr(),
            a_strides.column as isize,
            a_strides.row as isize,
            b.as_ptr(),
            b_strides.column as isize,
            b_strides.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

#[cfg(target_arch = "wasm32")]
fn kernel(
    [rows, columns, depth]: [usize; 3],
    (a, a_strides): (&[f32], Strides),
    (b, b_strides): (&[f32], Strides),
    (y, y_strides): (&mut [f32], Strides),
    adds: bool,
    _: Threads,
) {
    for row in 0..rows {
        if !adds {
            (0..columns).for_each(|c| y[row * y_strides.row + c * y_strides.column] = 0.0);
        }
        for d in 0..depth {
            let factor = a[row * a_strides.row + d * a_strides.column];
            let b = &b[d * b_strides.row..];
            for column in 0..columns {
                y[row * y_strides.row + column * y_strides.column] +=
                    factor * b[column * b_strides.column];
            }
        }
    }
}
