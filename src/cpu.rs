//! The operations on the CPU: the reference that the GPU is checked against, and what runs where
//! there is no GPU.
//!
//! A tensor is rows: `[outer, z, y]` of `[x, inner]`. Threads own whole rows of what they write,
//! pooled or unpooled, so nothing is shared and the order of every sum is fixed. Inside a row the
//! cells of a window are the outer loop and adjacent elements the inner one, which the compiler
//! turns into vector instructions.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::argmax::{Overlap, Pooled, Storage, TapWord, Taps, check_len};
use crate::element::Cell;
use crate::error::Error;
use crate::geometry::{Axis, Geometry};
use crate::slabs::{each_slab, each_slab_of_two};

/// Elements that are compared together.
const LANES: usize = 16;

/// Max pooling with argmax.
///
/// `input` has [`Geometry::input_shape`]. A cell takes over when it is greater or NaN, so ties go
/// to the first cell in raster order and a NaN always shows. Values keep their bits.
///
/// # Errors
///
/// If `input` has another number of elements.
///
/// ```
/// use unpool::{cpu, Geometry, Shape, Window};
///
/// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_last([1, 2, 2, 1]))?;
/// let pooled = cpu::max_pool(&geometry, &[1.0_f32, 7.0, 3.0, 7.0])?;
/// assert_eq!(pooled.values, [7.0]);
/// assert_eq!(pooled.taps.get(0), Some(1));
/// # Ok::<(), unpool::Error>(())
/// ```
pub fn max_pool<T: Cell>(geometry: &Geometry, input: &[T]) -> Result<Pooled<T>, Error> {
    check_len("input", input.len(), geometry.input_len())?;
    let values = vec![T::default(); geometry.pooled_len()];
    let mut pooled = Pooled { values, taps: Taps::zeroed(geometry) };
    max_pool_into(geometry, input, &mut pooled.values, &mut pooled.taps)?;
    Ok(pooled)
}

/// [`max_pool`] into values and taps that exist.
///
/// # Errors
///
/// As there, and if `values` or `taps` are not of the geometry.
pub fn max_pool_into<T: Cell>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut Taps,
) -> Result<(), Error> {
    check_len("input", input.len(), geometry.input_len())?;
    check_len("values", values.len(), geometry.pooled_len())?;
    taps.check(geometry)?;
    match taps.storage_mut() {
        Storage::Bytes(taps) => pool_rows(geometry, input, values, taps),
        Storage::Halves(taps) => pool_rows(geometry, input, values, taps),
    }
    Ok(())
}

/// Unpooling: each pooled value goes back to the cell that its tap names, and every other cell
/// gets zero. Taps that name no cell of the input put nothing anywhere.
///
/// `values` has [`Geometry::pooled_shape`], the result [`Geometry::input_shape`]. Under
/// [`Overlap::Sum`] f16 and bf16 are summed in f32 and rounded once, to nearest even.
///
/// # Errors
///
/// If a number of elements differs, the taps are of another window, or a sum of integers does not
/// fit its type.
pub fn max_unpool<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
) -> Result<Vec<T>, Error> {
    check_len("values", values.len(), geometry.pooled_len())?;
    let mut output = vec![T::default(); geometry.input_len()];
    max_unpool_into(geometry, values, taps, overlap, &mut output)?;
    Ok(output)
}

/// [`max_unpool`] into an output that exists. After [`Error::Overflow`] its contents are
/// unspecified.
///
/// # Errors
///
/// As there, and if `output` is not of the geometry.
pub fn max_unpool_into<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
    output: &mut [T],
) -> Result<(), Error> {
    check_len("values", values.len(), geometry.pooled_len())?;
    unpool(geometry, values, taps, overlap, ("output", output))
}

/// The gradient of [`max_pool`]: [`max_unpool`] of the gradient, summed where windows share their
/// maximum.
///
/// `grad_output` has [`Geometry::pooled_shape`], the result [`Geometry::input_shape`].
///
/// # Errors
///
/// As [`max_unpool`].
pub fn max_pool_backward<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
) -> Result<Vec<T>, Error> {
    check_len("grad_output", grad_output.len(), geometry.pooled_len())?;
    let mut grad_input = vec![T::default(); geometry.input_len()];
    max_pool_backward_into(geometry, grad_output, taps, &mut grad_input)?;
    Ok(grad_input)
}

/// [`max_pool_backward`] into a gradient that exists. After [`Error::Overflow`] its contents are
/// unspecified.
///
/// # Errors
///
/// As there, and if `grad_input` is not of the geometry.
pub fn max_pool_backward_into<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
    grad_input: &mut [T],
) -> Result<(), Error> {
    check_len("grad_output", grad_output.len(), geometry.pooled_len())?;
    unpool(geometry, grad_output, taps, Overlap::Sum, ("grad_input", grad_input))
}

/// The gradient of [`max_unpool`]: reads the cell that each tap names, zero where it names none.
///
/// `grad_output` has [`Geometry::input_shape`], the result [`Geometry::pooled_shape`]. Where
/// windows share a cell, each of them reads it, as in PyTorch; that is exact for
/// [`Overlap::Sum`].
///
/// # Errors
///
/// If a number of elements differs, or the taps are of another window.
pub fn max_unpool_backward<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
) -> Result<Vec<T>, Error> {
    check_len("grad_output", grad_output.len(), geometry.input_len())?;
    let mut grad_input = vec![T::default(); geometry.pooled_len()];
    max_unpool_backward_into(geometry, grad_output, taps, &mut grad_input)?;
    Ok(grad_input)
}

/// [`max_unpool_backward`] into a gradient that exists.
///
/// # Errors
///
/// As there, and if `grad_input` is not of the geometry.
pub fn max_unpool_backward_into<T: Cell>(
    geometry: &Geometry,
    grad_output: &[T],
    taps: &Taps,
    grad_input: &mut [T],
) -> Result<(), Error> {
    check_len("grad_output", grad_output.len(), geometry.input_len())?;
    check_len("grad_input", grad_input.len(), geometry.pooled_len())?;
    taps.check(geometry)?;
    match taps.storage() {
        Storage::Bytes(taps) => gather_rows(geometry, grad_output, taps, grad_input),
        Storage::Halves(taps) => gather_rows(geometry, grad_output, taps, grad_input),
    }
    Ok(())
}

fn unpool<T: Cell>(
    geometry: &Geometry,
    values: &[T],
    taps: &Taps,
    overlap: Overlap,
    (operand, output): (&'static str, &mut [T]),
) -> Result<(), Error> {
    check_len(operand, output.len(), geometry.input_len())?;
    taps.check(geometry)?;
    let overflow = match taps.storage() {
        Storage::Bytes(taps) => unpool_rows(geometry, values, taps, overlap, output),
        Storage::Halves(taps) => unpool_rows(geometry, values, taps, overlap, output),
    };
    match overflow {
        None => Ok(()),
        Some(element) => Err(Error::Overflow { operand, element, kind: T::ELEMENT }),
    }
}

/// Elements of a row, pooled or not.
fn row_len(geometry: &Geometry, extent: fn(&Axis) -> u32) -> usize {
    extent(&geometry.axes[2]) as usize * geometry.inner as usize
}

/// Row number `row` as `(outer, z, y)`.
fn row_place(geometry: &Geometry, extent: fn(&Axis) -> u32, row: usize) -> (usize, u32, u32) {
    let [z, y, _] = geometry.axes.each_ref().map(|a| extent(a) as usize);
    (row / (z * y), (row / y % z) as u32, (row % y) as u32)
}

/// The first element of row `(outer, z, y)`.
fn row_start(
    geometry: &Geometry,
    extent: fn(&Axis) -> u32,
    (outer, z, y): (usize, u32, u32),
) -> usize {
    let [d, h, _] = geometry.axes.each_ref().map(|a| extent(a) as usize);
    ((outer * d + z as usize) * h + y as usize) * row_len(geometry, extent)
}

fn pool_rows<T: Cell, U: TapWord>(
    geometry: &Geometry,
    input: &[T],
    values: &mut [T],
    taps: &mut [U],
) {
    let row = row_len(geometry, |a| a.pooled);
    each_slab_of_two((values, taps), row, |i, values, taps| {
        let (outer, z, y) = row_place(geometry, |a| a.pooled, i);
        let window = RowOfWindows::new(geometry, outer, z, y);
        window.pool(geometry, input, values, taps);
    });
}

/// The windows of one pooled row: what they share on z and y.
struct RowOfWindows {
    z: Range<u32>,
    y: Range<u32>,
    /// Element of the input at `x = 0` of the cell `(0, 0)` of the window, were there no border.
    origin: i64,
    /// Elements from one tap to the next.
    step: [i64; 3],
}

impl RowOfWindows {
    fn new(geometry: &Geometry, outer: usize, z: u32, y: u32) -> Self {
        let [az, ay, ax] = &geometry.axes;
        let inner = i64::from(geometry.inner);
        let row = i64::from(ax.input) * inner;
        let plane = i64::from(ay.input) * row;
        let origin =
            outer as i64 * i64::from(az.input) * plane + az.start(z) * plane + ay.start(y) * row;
        let step = [plane, row, inner];
        let dilation = geometry.axes.map(|a| i64::from(a.dilation));
        Self {
            z: az.taps_inside(z),
            y: ay.taps_inside(y),
            origin,
            step: std::array::from_fn(|i| step[i] * dilation[i]),
        }
    }

    fn pool<T: Cell, U: TapWord>(
        &self,
        geometry: &Geometry,
        input: &[T],
        values: &mut [T],
        taps: &mut [U],
    ) {
        let axis = &geometry.axes[2];
        let inner = geometry.inner as usize;
        let whole = axis.whole_windows();
        let mut q = 0;
        while q < axis.pooled {
            let first = self.origin + axis.start(q) * inner as i64;
            let inside = axis.taps_inside(q);
            let at = q as usize * inner;
            if inner == 1 && whole.contains(&q) && q + LANES as u32 <= whole.end {
                let (values, taps) = (&mut values[at..at + LANES], &mut taps[at..at + LANES]);
                self.pool_lanes::<T, U, LANES>(geometry, &inside, values, taps, |offset| {
                    every(&input[(first + offset) as usize..], axis.stride as usize)
                });
                q += LANES as u32;
                continue;
            }
            let (values, taps) = (&mut values[at..at + inner], &mut taps[at..at + inner]);
            let mut c = 0;
            while c + LANES <= inner {
                let lanes = c..c + LANES;
                let (values, taps) = (&mut values[lanes.clone()], &mut taps[lanes]);
                self.pool_lanes::<T, U, LANES>(geometry, &inside, values, taps, |offset| {
                    every(&input[(first + offset) as usize + c..], 1)
                });
                c += LANES;
            }
            for c in c..inner {
                let (values, taps) = (&mut values[c..=c], &mut taps[c..=c]);
                self.pool_lanes::<T, U, 1>(geometry, &inside, values, taps, |offset| {
                    [input[(first + offset) as usize + c]]
                });
            }
            q += 1;
        }
    }

    /// Pools `L` adjacent elements whose windows lie alike. `load` gives the cells at an offset.
    #[inline(always)]
    fn pool_lanes<T: Cell, U: TapWord, const L: usize>(
        &self,
        geometry: &Geometry,
        inside: &Range<u32>,
        values: &mut [T],
        taps: &mut [U],
        load: impl Fn(i64) -> [T; L],
    ) {
        let mut best = [T::default(); L];
        let mut tap = [0u32; L];
        let mut first = true;
        for tz in self.z.clone() {
            for ty in self.y.clone() {
                let row = (tz * geometry.axes[1].kernel + ty) * geometry.axes[2].kernel;
                let offset = i64::from(tz) * self.step[0] + i64::from(ty) * self.step[1];
                for tx in inside.clone() {
                    let cells = load(offset + i64::from(tx) * self.step[2]);
                    for i in 0..L {
                        let take = first | cells[i].beats(best[i]);
                        best[i] = if take { cells[i] } else { best[i] };
                        tap[i] = if take { row + tx } else { tap[i] };
                    }
                    first = false;
                }
            }
        }
        values.copy_from_slice(&best);
        for (to, from) in taps.iter_mut().zip(tap) {
            *to = U::new(from);
        }
    }
}

/// Every `stride`th cell. Strides that are common are constants, so that loads can be vectors.
#[inline(always)]
fn every<T: Cell>(cells: &[T], stride: usize) -> [T; LANES] {
    #[inline(always)]
    fn constant<T: Cell, const S: usize>(cells: &[T]) -> [T; LANES] {
        let cells = &cells[..(LANES - 1) * S + 1];
        std::array::from_fn(|i| cells[i * S])
    }
    match stride {
        1 => constant::<T, 1>(cells),
        2 => constant::<T, 2>(cells),
        3 => constant::<T, 3>(cells),
        4 => constant::<T, 4>(cells),
        _ => std::array::from_fn(|i| cells[i * stride]),
    }
}

/// The windows of an axis that hold a cell, in ascending order, each with the cell's tap.
fn windows_holding(axis: &Axis, cell: u32) -> impl Iterator<Item = (u32, u32)> + Clone {
    let (stride, dilation) = (axis.stride, axis.dilation);
    let padded = cell + axis.before;
    let first = (padded + 1).saturating_sub(axis.extent()).div_ceil(stride);
    let last = (padded / stride).min(axis.pooled - 1);
    (first..last + 1).filter_map(move |q| {
        let step = padded - q * stride;
        step.is_multiple_of(dilation).then_some((q, step / dilation))
    })
}

/// Writes every row of the output; the first element whose sum does not fit, if there is one.
fn unpool_rows<T: Cell, U: TapWord>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    overlap: Overlap,
    output: &mut [T],
) -> Option<usize> {
    let row = row_len(geometry, |a| a.input);
    let overflow = AtomicUsize::new(usize::MAX);
    let alone = !geometry.windows_overlap();
    each_slab(output, row, Vec::new, |sums: &mut Vec<T::Sum>, i, output| {
        let place = row_place(geometry, |a| a.input, i);
        if overlap == Overlap::Last {
            output.fill(T::default());
            unpool_row(geometry, values, taps, place, output, |to, value| *to = value);
        } else if alone {
            // A sum of one term, which always fits.
            output.fill(T::default());
            unpool_row(geometry, values, taps, place, output, |to, value: T| {
                *to = T::total(value.add_to(T::Sum::default())).unwrap_or_default();
            });
        } else {
            sums.clear();
            sums.resize(output.len(), T::Sum::default());
            unpool_row(geometry, values, taps, place, sums, |to, value: T| {
                *to = value.add_to(*to);
            });
            for (x, (to, &sum)) in output.iter_mut().zip(sums.iter()).enumerate() {
                match T::total(sum) {
                    Some(total) => *to = total,
                    None => {
                        overflow.fetch_min(i * row + x, Ordering::Relaxed);
                    }
                }
            }
        }
    });
    Some(overflow.into_inner()).filter(|&element| element != usize::MAX)
}

/// Calls `put` on each cell of row `(outer, z, y)` with each value that goes there, in raster
/// order of the pooled elements.
fn unpool_row<T: Cell, U: TapWord, A>(
    geometry: &Geometry,
    values: &[T],
    taps: &[U],
    (outer, z, y): (usize, u32, u32),
    row: &mut [A],
    put: impl Fn(&mut A, T),
) {
    let [az, ay, ax] = &geometry.axes;
    let inner = geometry.inner as usize;
    for (qz, tz) in windows_holding(az, z) {
        for (qy, ty) in windows_holding(ay, y) {
            let from = row_start(geometry, |a| a.pooled, (outer, qz, qy));
            let first_tap = (tz * ay.kernel + ty) * ax.kernel;
            if inner == 1 {
                let pooled = from..from + ax.pooled as usize;
                unpool_line(ax, first_tap, &values[pooled.clone()], &taps[pooled], row, &put);
                continue;
            }
            for qx in 0..ax.pooled {
                let at = from + qx as usize * inner;
                let (values, taps) = (&values[at..at + inner], &taps[at..at + inner]);
                for tx in ax.taps_inside(qx) {
                    let x = (ax.start(qx) + i64::from(tx * ax.dilation)) as usize;
                    let tap = U::new(first_tap + tx);
                    let cells = &mut row[x * inner..(x + 1) * inner];
                    for ((cell, &value), &found) in cells.iter_mut().zip(values).zip(taps) {
                        if found == tap {
                            put(cell, value);
                        }
                    }
                }
            }
        }
    }
}

/// One pooled row into one row of cells, channels first. `first_tap` is the tap of a window's first
/// cell in this row.
fn unpool_line<T: Cell, U: TapWord, A>(
    axis: &Axis,
    first_tap: u32,
    values: &[T],
    taps: &[U],
    row: &mut [A],
    put: &impl Fn(&mut A, T),
) {
    /// Windows side by side, of as many cells as their stride.
    fn dense<T: Cell, U: TapWord, A, const S: usize>(
        first_tap: u32,
        values: &[T],
        taps: &[U],
        row: &mut [A],
        put: &impl Fn(&mut A, T),
    ) {
        let wanted: [U; S] = std::array::from_fn(|tx| U::new(first_tap + tx as u32));
        for ((cells, &value), &tap) in row.chunks_exact_mut(S).zip(values).zip(taps) {
            for tx in 0..S {
                if tap == wanted[tx] {
                    put(&mut cells[tx], value);
                }
            }
        }
    }

    let whole = axis.whole_windows();
    let is_dense = axis.kernel == axis.stride && axis.dilation == 1 && !whole.is_empty();
    let side_by_side = match axis.stride {
        1 if is_dense => Some(dense::<T, U, A, 1> as fn(u32, &[T], &[U], &mut [A], &_)),
        2 if is_dense => Some(dense::<T, U, A, 2> as _),
        3 if is_dense => Some(dense::<T, U, A, 3> as _),
        4 if is_dense => Some(dense::<T, U, A, 4> as _),
        _ => None,
    };
    let rest = if let Some(dense) = side_by_side {
        let range = whole.start as usize..whole.end as usize;
        let cells = axis.start(whole.start) as usize..axis.start(whole.end) as usize;
        dense(first_tap, &values[range.clone()], &taps[range], &mut row[cells], put);
        [0..whole.start, whole.end..axis.pooled]
    } else {
        [0..axis.pooled, 0..0]
    };
    for q in rest.into_iter().flatten() {
        let (value, tap) = (values[q as usize], taps[q as usize]);
        for tx in axis.taps_inside(q) {
            if tap == U::new(first_tap + tx) {
                put(&mut row[(axis.start(q) + i64::from(tx * axis.dilation)) as usize], value);
            }
        }
    }
}

fn gather_rows<T: Cell, U: TapWord>(
    geometry: &Geometry,
    cells: &[T],
    taps: &[U],
    gathered: &mut [T],
) {
    let [_, ay, ax] = &geometry.axes;
    let inner = geometry.inner as usize;
    let row = row_len(geometry, |a| a.pooled);
    let whole = ax.whole_windows();
    // For each tap its place in the window, and how far that is from the window's first cell.
    let step = RowOfWindows::new(geometry, 0, 0, 0).step;
    let places: Vec<_> = (0..geometry.window_cells() as u32)
        .map(|tap| {
            let at = [tap / (ax.kernel * ay.kernel), tap / ax.kernel % ay.kernel, tap % ax.kernel];
            (at, at.iter().zip(step).map(|(&t, step)| i64::from(t) * step).sum::<i64>())
        })
        .collect();
    each_slab(
        gathered,
        row,
        || (),
        |(), i, gathered| {
            let (outer, z, y) = row_place(geometry, |a| a.pooled, i);
            let window = RowOfWindows::new(geometry, outer, z, y);
            let pixels = gathered.chunks_exact_mut(inner).zip(taps[i * row..].chunks_exact(inner));
            for (q, (gathered, taps)) in (0..).zip(pixels) {
                let first = window.origin + ax.start(q) * inner as i64;
                let inside = if whole.contains(&q) { 0..ax.kernel } else { ax.taps_inside(q) };
                for (c, (to, &tap)) in gathered.iter_mut().zip(taps).enumerate() {
                    let tap: u32 = tap.into();
                    *to = match places.get(tap as usize) {
                        Some(&([tz, ty, tx], offset))
                            if window.z.contains(&tz)
                                && window.y.contains(&ty)
                                && inside.contains(&tx) =>
                        {
                            cells[(first + offset) as usize + c]
                        }
                        _ => T::default(),
                    };
                }
            }
        },
    );
}
