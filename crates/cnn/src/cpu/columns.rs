//! The cells under the windows of a convolution, as rows of a matrix: a row for each tap of a channel, a column for each
//! window.

use unpool::Axis;

use super::lanes::vectorized;
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

/// Lines of windows of a plane whose cells for one tap are there.
struct Lines {
    /// The first line, and how many there are.
    first: usize,
    count: usize,
    /// The cell of the first window of a line that has one, and how far that of the next line is.
    cell: usize,
    step: usize,
}

/// The lines of windows from `first` on, but those in the padding.
fn lines_of(
    axes: &[Axis; 3],
    [tz, ty, tx]: [u32; 3],
    first: usize,
    count: usize,
) -> impl Iterator<Item = Lines> {
    let [z, y, x] = *axes;
    let (height, end) = (y.windows as usize, first + count);
    let (inside, below, across) =
        (z.windows_inside(tz), y.windows_inside(ty), x.windows_inside(tx));
    (first / height..end.div_ceil(height)).filter_map(move |plane| {
        // The lines of the plane that are wanted and have cells.
        let from = first.max(plane * height + below.start as usize);
        let end = end.min(plane * height + below.end as usize);
        let is_there = inside.contains(&(plane as u32)) && !across.is_empty() && from < end;
        is_there.then(|| {
            let row = z.cell(plane as u32, tz) as usize * y.input as usize;
            let row = row + y.cell((from - plane * height) as u32, ty) as usize;
            Lines {
                first: from - first,
                count: end - from,
                cell: row * x.input as usize + x.cell(across.start, tx) as usize,
                step: y.stride as usize * x.input as usize,
            }
        })
    })
}

/// Where the cells of some lines of windows lie, for each tap.
pub(super) struct Cells {
    taps: Vec<Cell>,
    /// Windows of a line, and their stride.
    width: usize,
    stride: usize,
}

/// Where those of one tap lie, and the windows of a line that have one: the first, and their number.
struct Cell {
    lines: Vec<Lines>,
    before: usize,
    len: usize,
}

impl Cells {
    /// Of `count` lines from `first` on.
    pub(super) fn new(conv: &Conv, first: usize, count: usize) -> Self {
        let x = &conv.axes[2];
        let cell = |tap: usize| {
            let at = tap_at(&conv.axes, tap);
            let across = x.windows_inside(at[2]);
            let lines = lines_of(&conv.axes, at, first, count).collect();
            Cell { lines, before: across.start as usize, len: across.len() }
        };
        let taps = (0..conv.taps() as usize).map(cell).collect();
        Self { taps, width: x.windows as usize, stride: x.stride as usize }
    }

    /// Copies the cell that a tap of each window lies on; 0 in the padding.
    pub(super) fn copy(&self, x: &[f32], tap: usize, out: &mut [f32]) {
        let &Self { ref taps, width, stride } = self;
        let &Cell { ref lines, before, len } = &taps[tap];
        vectorized(
            #[inline(always)]
            || {
                let mut done = 0;
                for lines in lines {
                    let start = lines.first * width + before;
                    out[done..start].fill(0.0);
                    done = start + (lines.count - 1) * width + len;
                    if stride == 1 && lines.step == width {
                        // Lines of cells are as far apart as those of windows: all are copied together.
                        out[start..done].copy_from_slice(&x[lines.cell..][..done - start]);
                    } else {
                        for line in 0..lines.count {
                            let x = &x[lines.cell + line * lines.step..];
                            copy_strided(x, stride, &mut out[start + line * width..][..len]);
                        }
                    }
                    for gap in len..width {
                        for line in 0..lines.count - 1 {
                            out[start + gap + line * width] = 0.0;
                        }
                    }
                }
                out[done..].fill(0.0);
            },
        );
    }
}

/// Adds what each window has for a tap to the cell that the tap lies on.
pub(super) fn add_cells(conv: &Conv, from: &[f32], tap: usize, x: &mut [f32]) {
    let (width, stride) = (conv.axes[2].windows as usize, conv.axes[2].stride as usize);
    let at = tap_at(&conv.axes, tap);
    let across = conv.axes[2].windows_inside(at[2]);
    for lines in lines_of(&conv.axes, at, 0, from.len() / width) {
        for line in 0..lines.count {
            let from =
                &from[(lines.first + line) * width + across.start as usize..][..across.len()];
            let x = &mut x[lines.cell + line * lines.step..];
            if stride == 1 {
                x.iter_mut().zip(from).for_each(|(x, y)| *x += y);
            } else {
                x.iter_mut().step_by(stride).zip(from).for_each(|(x, y)| *x += y);
            }
        }
    }
}
