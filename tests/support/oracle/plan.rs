//! The numbers of a case: sizes and padding by counting windows, and which cells a window has.

use unpool::IndexSpace;

use crate::support::cases::{Case, Pads};

/// Why a case has no pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    EmptyOutput {
        axis: usize,
    },
    EmptyWindow {
        axis: usize,
    },
    /// A window of more cells than a tap of two bytes numbers.
    WindowTooLarge {
        cells: u64,
    },
}

/// The numbers of a case, resolved. Axes are z, y, x; one that is not there has extent 1.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) batch: i64,
    pub(crate) channels: i64,
    pub(crate) channels_last: bool,
    pub(crate) input: [i64; 3],
    pub(crate) pooled: [i64; 3],
    pub(crate) kernel: [i64; 3],
    pub(crate) stride: [i64; 3],
    pub(crate) dilation: [i64; 3],
    pub(crate) before: [i64; 3],
    pub(crate) after: [i64; 3],
    /// How many of the axes, counted from x, are there.
    pub(crate) rank: usize,
}

/// A pooled element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) image: i64,
    pub(crate) channel: i64,
    pub(crate) window: [i64; 3],
}

/// How many windows start at 0, `stride`, 2·`stride`… and satisfy `counts`.
fn count_windows(stride: i64, counts: impl Fn(i64) -> bool) -> i64 {
    let mut windows = 0;
    while counts(windows * stride) {
        windows += 1;
    }
    windows
}

impl Plan {
    pub(crate) fn new(case: &Case) -> Result<Self, Refusal> {
        let plan = Self::unchecked(case);
        plan.check()?;
        Ok(plan)
    }

    /// The case's window over the case's input, with so many windows.
    pub(crate) fn with_pooled(case: &Case, pooled: &[usize]) -> Result<Self, Refusal> {
        let mut plan = Self::unchecked(case);
        for (i, &windows) in pooled.iter().enumerate() {
            plan.pooled[3 - plan.rank + i] = windows as i64;
        }
        plan.check()?;
        Ok(plan)
    }

    fn unchecked(case: &Case) -> Self {
        let rank = case.spatial.len();
        let three = |numbers: &[usize]| {
            let mut axes = [1i64; 3];
            for (i, &n) in numbers.iter().enumerate() {
                axes[3 - rank + i] = n as i64;
            }
            axes
        };
        let mut plan = Self {
            batch: case.batch as i64,
            channels: case.channels as i64,
            channels_last: case.channels_last,
            input: three(&case.spatial),
            pooled: [1; 3],
            kernel: three(&case.kernel),
            stride: three(&case.stride),
            dilation: three(&case.dilation),
            before: [0; 3],
            after: [0; 3],
            rank,
        };
        for axis in 3 - rank..3 {
            let (n, stride) = (plan.input[axis], plan.stride[axis]);
            // From the first cell of a window to one past its last.
            let span = (plan.kernel[axis] - 1) * plan.dilation[axis] + 1;
            let given = match &case.pads {
                Pads::Valid => Some((0, 0)),
                Pads::Explicit(pads) => {
                    let (before, after) = pads[axis + rank - 3];
                    Some((before as i64, after as i64))
                }
                Pads::Same | Pads::SameLower => None,
            };
            if let Some((before, after)) = given {
                let padded = before + n + after;
                let mut windows = if case.ceil {
                    // A window that starts `stride` cells or less too late still counts once.
                    count_windows(stride, |start| start + span < padded + stride)
                } else {
                    count_windows(stride, |start| start + span <= padded)
                };
                if case.ceil && windows > 0 && (windows - 1) * stride >= before + n {
                    windows -= 1;
                }
                (plan.before[axis], plan.after[axis]) = (before, after);
                plan.pooled[axis] = windows;
            } else {
                let windows = count_windows(stride, |start| start < n);
                let need = ((windows - 1) * stride + span - n).max(0);
                let (less, more) = (need / 2, need - need / 2);
                let lower = case.pads == Pads::SameLower;
                (plan.before[axis], plan.after[axis]) =
                    if lower { (more, less) } else { (less, more) };
                plan.pooled[axis] = windows;
            }
        }
        plan
    }

    fn check(&self) -> Result<(), Refusal> {
        for i in 3 - self.rank..3 {
            let axis = i + self.rank - 3;
            if self.pooled[i] == 0 {
                return Err(Refusal::EmptyOutput { axis });
            }
            if (0..self.pooled[i]).any(|q| self.is_empty_window(i, q)) {
                return Err(Refusal::EmptyWindow { axis });
            }
        }
        match self.cells() as u64 {
            cells @ 65_536.. => Err(Refusal::WindowTooLarge { cells }),
            _ => Ok(()),
        }
    }

    /// Whether window `q` of axis `i` (of the three) holds no cell of the input.
    pub(crate) fn is_empty_window(&self, i: usize, q: i64) -> bool {
        (0..self.kernel[i]).all(|t| {
            let at = q * self.stride[i] - self.before[i] + t * self.dilation[i];
            at < 0 || at >= self.input[i]
        })
    }

    /// How many windows share the cell that most of them hold.
    pub(crate) fn most_windows_of_a_cell(&self) -> i64 {
        let most = |i: usize| {
            let mut windows = vec![0; self.input[i] as usize];
            for (q, t) in (0..self.pooled[i]).flat_map(|q| (0..self.kernel[i]).map(move |t| (q, t)))
            {
                let at = q * self.stride[i] - self.before[i] + t * self.dilation[i];
                if let Some(windows) = usize::try_from(at).ok().and_then(|at| windows.get_mut(at)) {
                    *windows += 1;
                }
            }
            windows.into_iter().max().unwrap_or(0)
        };
        (0..3).map(most).product()
    }

    /// Numbers of the axes that are there.
    pub(crate) fn there(&self, axes: [i64; 3]) -> Vec<usize> {
        axes[3 - self.rank..].iter().map(|&n| n as usize).collect()
    }

    pub(crate) fn input_len(&self) -> usize {
        (self.batch * self.channels * self.input.iter().product::<i64>()) as usize
    }

    pub(crate) fn pooled_len(&self) -> usize {
        (self.batch * self.channels * self.pooled.iter().product::<i64>()) as usize
    }

    pub(crate) fn cells(&self) -> usize {
        self.kernel.iter().product::<i64>() as usize
    }

    /// The taps as the bytes that the library takes them in.
    pub(crate) fn tap_bytes(&self, taps: &[u32]) -> Vec<u8> {
        if self.cells() > 255 {
            taps.iter().flat_map(|&t| (t as u16).to_le_bytes()).collect()
        } else {
            taps.iter().map(|&t| t as u8).collect()
        }
    }

    /// Every pooled element in the order they lie in memory.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let mut positions = Vec::new();
        let [d, h, w] = self.pooled;
        for image in 0..self.batch {
            for around in 0..if self.channels_last { 1 } else { self.channels } {
                for z in 0..d {
                    for y in 0..h {
                        for x in 0..w {
                            for inside in 0..if self.channels_last { self.channels } else { 1 } {
                                let channel = around + inside;
                                positions.push(Position { image, channel, window: [z, y, x] });
                            }
                        }
                    }
                }
            }
        }
        positions
    }

    /// The element of the input at a cell.
    pub(crate) fn at(&self, position: &Position, [z, y, x]: [i64; 3]) -> usize {
        let [d, h, w] = self.input;
        let (n, c) = (position.image, position.channel);
        let at = if self.channels_last {
            (((n * d + z) * h + y) * w + x) * self.channels + c
        } else {
            (((n * self.channels + c) * d + z) * h + y) * w + x
        };
        at as usize
    }

    /// The cell of the input that a tap names, if it names one.
    pub(crate) fn cell(&self, position: &Position, tap: u32) -> Option<[i64; 3]> {
        if tap as usize >= self.cells() {
            return None;
        }
        let tap = i64::from(tap);
        let [_, ky, kx] = self.kernel;
        let taps = [tap / (ky * kx), tap / kx % ky, tap % kx];
        let mut cell = [0; 3];
        for i in 0..3 {
            cell[i] =
                position.window[i] * self.stride[i] - self.before[i] + taps[i] * self.dilation[i];
            if cell[i] < 0 || cell[i] >= self.input[i] {
                return None;
            }
        }
        Some(cell)
    }

    /// Every tap of a window that names a cell of the input, with the cell, in raster order.
    pub(crate) fn window(&self, position: &Position) -> Vec<(u32, [i64; 3])> {
        (0..self.cells() as u32).filter_map(|tap| Some((tap, self.cell(position, tap)?))).collect()
    }

    /// The index of a cell in an index space.
    pub(crate) fn index(&self, position: &Position, [z, y, x]: [i64; 3], space: IndexSpace) -> i64 {
        let [d, h, w] = self.input;
        let (n, c, channels) = (position.image, position.channel, self.channels);
        match space {
            IndexSpace::Plane => (z * h + y) * w + x,
            IndexSpace::Image => ((z * h + y) * w + x) * channels + c,
            IndexSpace::Batch => (((n * d + z) * h + y) * w + x) * channels + c,
            IndexSpace::Tensor => (((n * channels + c) * d + z) * h + y) * w + x,
            // ONNX counts the first spatial axis fastest.
            IndexSpace::TensorColumnMajor => (n * channels + c) * d * h * w + z + y * d + x * d * h,
            other => panic!("{other} is unknown here"),
        }
    }
}
