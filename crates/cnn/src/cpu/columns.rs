//! The cells under the windows of a convolution, as rows of a matrix: a row for each tap of a channel, a column for each
//! window.

use super::lanes::vectorized;
use crate::axis::Axis;
use crate::kernel::Conv;

/// Copies elements that lie `stride` apart.
#[inline(always)]
pub(super) fn copy_strided(x: &[f32], stride: usize, out: &mut [f32]) {
    match stride {
        1 => out.copy_from_slice(&x[..out.len()]),
        // The stride of most networks, as a loop that is vectorised; after the last element there may be no other.
        2 => {
            let Some((last, out)) = out.split_last_mut() else { return };
            *last = x[2 * out.len()];
            let pairs = x.as_chunks::<2>().0;
            out.iter_mut().zip(pairs).for_each(|(out, &[x, _])| *out = x);
        }
        _ => out.iter_mut().zip(x.iter().step_by(stride)).for_each(|(out, x)| *out = *x),
    }
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
pub(super) fn copy_cells(conv: &Conv, x: &[f32], tap: usize, first: usize, out: &mut [f32]) {
    let (width, stride) = (conv.axes[2].output as usize, conv.axes[2].stride as usize);
    vectorized(
        #[inline(always)]
        || {
            let lines = lines_of(&conv.axes, tap, first, out.len() / width);
            for (line, out) in lines.zip(out.chunks_exact_mut(width)) {
                let Some((cell, window, count)) = line else {
                    out.fill(0.0);
                    continue;
                };
                out[..window].fill(0.0);
                out[window + count..].fill(0.0);
                copy_strided(&x[cell..], stride, &mut out[window..window + count]);
            }
        },
    );
}

/// Adds what each window has for a tap to the cell that the tap lies on.
pub(super) fn add_cells(conv: &Conv, from: &[f32], tap: usize, first: usize, x: &mut [f32]) {
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
