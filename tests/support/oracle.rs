//! The operations once more, written straight from their definition and sharing no code with the
//! library: plain loops over signed coordinates, one cell at a time. Slow, and meant to be read.
//!
//! It resolves sizes and padding itself (by counting windows, not by the formula), decodes floats
//! from their bits itself, and rounds sums by looking for the nearest number of the format.

use unpool::IndexSpace;

use super::cases::{Case, Pads};

// ---- elements -------------------------------------------------------------------------------

/// What the bits of an element mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Float { exponent_bits: u32, mantissa_bits: u32 },
    Integer { bits: u32, signed: bool },
}

/// An element as its bits.
pub(crate) trait Bits: Copy {
    const FORMAT: Format;
    fn bits(self) -> u32;
    fn of_bits(bits: u32) -> Self;
}

macro_rules! float_bits {
    ($type:ty, $word:ty, $exponent_bits:expr, $mantissa_bits:expr) => {
        impl Bits for $type {
            const FORMAT: Format =
                Format::Float { exponent_bits: $exponent_bits, mantissa_bits: $mantissa_bits };
            fn bits(self) -> u32 {
                #[allow(clippy::useless_conversion, reason = "one of the words is u32 itself")]
                u32::from(self.to_bits())
            }
            fn of_bits(bits: u32) -> Self {
                Self::from_bits(bits as $word)
            }
        }
    };
}

float_bits!(f32, u32, 8, 23);
float_bits!(half::f16, u16, 5, 10);
float_bits!(half::bf16, u16, 8, 7);

macro_rules! integer_bits {
    ($type:ty, $unsigned:ty, $bits:expr, $signed:expr) => {
        impl Bits for $type {
            const FORMAT: Format = Format::Integer { bits: $bits, signed: $signed };
            fn bits(self) -> u32 {
                #[allow(clippy::useless_conversion, reason = "one of the words is u32 itself")]
                u32::from(self as $unsigned)
            }
            fn of_bits(bits: u32) -> Self {
                bits as $unsigned as Self
            }
        }
    };
}

integer_bits!(i32, u32, 32, true);
integer_bits!(u32, u32, 32, false);
integer_bits!(i8, u8, 8, true);
integer_bits!(u8, u8, 8, false);

impl Format {
    /// Sign bit, exponent field and mantissa field of a float.
    fn fields(self, bits: u32) -> (bool, u32, u32) {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => (
                bits >> (exponent_bits + mantissa_bits) & 1 == 1,
                bits >> mantissa_bits & ((1 << exponent_bits) - 1),
                bits & ((1 << mantissa_bits) - 1),
            ),
            Self::Integer { .. } => panic!("an integer has no such fields"),
        }
    }

    pub(crate) fn is_nan(self, bits: u32) -> bool {
        match self {
            Self::Float { exponent_bits, .. } => {
                let (_, exponent, mantissa) = self.fields(bits);
                exponent == (1 << exponent_bits) - 1 && mantissa != 0
            }
            Self::Integer { .. } => false,
        }
    }

    /// The number, exactly: an `f64` holds every number of every format.
    pub(crate) fn value(self, bits: u32) -> f64 {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => {
                let (negative, exponent, mantissa) = self.fields(bits);
                let bias = (1i32 << (exponent_bits - 1)) - 1;
                let unit = 0.5f64.powi(mantissa_bits as i32);
                let magnitude = if exponent == (1 << exponent_bits) - 1 {
                    if mantissa == 0 { f64::INFINITY } else { f64::NAN }
                } else if exponent == 0 {
                    f64::from(mantissa) * unit * 2f64.powi(1 - bias)
                } else {
                    (1.0 + f64::from(mantissa) * unit) * 2f64.powi(exponent as i32 - bias)
                };
                if negative { -magnitude } else { magnitude }
            }
            Self::Integer { bits: width, signed } => {
                let unsigned = i64::from(bits);
                let top = 1i64 << (width - 1);
                (if signed && unsigned >= top { unsigned - 2 * top } else { unsigned }) as f64
            }
        }
    }

    /// The bits of +∞: one more than those of the largest number.
    pub(crate) fn infinity(self) -> u32 {
        match self {
            Self::Float { exponent_bits, mantissa_bits } => {
                ((1 << exponent_bits) - 1) << mantissa_bits
            }
            Self::Integer { .. } => panic!("an integer has no infinity"),
        }
    }

    /// The bits of the float nearest to `sum`, the even one of two; the canonical NaN.
    fn round(self, sum: f32) -> u32 {
        let Self::Float { exponent_bits, mantissa_bits } = self else {
            panic!("only floats are rounded");
        };
        if sum.is_nan() {
            return self.infinity() | 1 << (mantissa_bits - 1);
        }
        if mantissa_bits == 23 {
            return sum.to_bits();
        }
        let sign = u32::from(sum.is_sign_negative()) << (exponent_bits + mantissa_bits);
        let magnitude = f64::from(sum.abs());
        if magnitude.is_infinite() {
            return sign | self.infinity();
        }
        // The positive floats ascend with their bits. Past the largest one comes what would be
        // the next if the exponent had room: from halfway to it on, a sum rounds to infinity.
        let number = |bits: u32| {
            if bits == self.infinity() {
                2.0 * self.value(bits - (1 << mantissa_bits))
            } else {
                self.value(bits)
            }
        };
        let (mut low, mut high) = (0, self.infinity());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if number(middle) <= magnitude {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (below, above) = (magnitude - number(low), number(high) - magnitude);
        let up = above < below || (above == below && high % 2 == 0);
        sign | if up { high } else { low }
    }
}

/// The number an element holds, exactly.
pub(crate) fn value<T: Bits>(element: T) -> f64 {
    T::FORMAT.value(element.bits())
}

pub(crate) fn is_nan<T: Bits>(element: T) -> bool {
    T::FORMAT.is_nan(element.bits())
}

/// All elements are zero when their bits are: +0 for floats.
pub(crate) fn zero<T: Bits>() -> T {
    T::of_bits(0)
}

// ---- sizes ----------------------------------------------------------------------------------

/// Why a case has no pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    EmptyOutput { axis: usize },
    EmptyWindow { axis: usize },
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
pub(crate) struct Spot {
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
        Ok(())
    }

    /// Whether window `q` of axis `i` (of the three) holds no cell of the input.
    pub(crate) fn is_empty_window(&self, i: usize, q: i64) -> bool {
        (0..self.kernel[i]).all(|t| {
            let at = q * self.stride[i] - self.before[i] + t * self.dilation[i];
            at < 0 || at >= self.input[i]
        })
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
    pub(crate) fn spots(&self) -> Vec<Spot> {
        let mut spots = Vec::new();
        let [d, h, w] = self.pooled;
        for image in 0..self.batch {
            for around in 0..if self.channels_last { 1 } else { self.channels } {
                for z in 0..d {
                    for y in 0..h {
                        for x in 0..w {
                            for inside in 0..if self.channels_last { self.channels } else { 1 } {
                                let channel = around + inside;
                                spots.push(Spot { image, channel, window: [z, y, x] });
                            }
                        }
                    }
                }
            }
        }
        spots
    }

    /// The element of the input at a cell.
    pub(crate) fn at(&self, spot: &Spot, [z, y, x]: [i64; 3]) -> usize {
        let [d, h, w] = self.input;
        let (n, c) = (spot.image, spot.channel);
        let at = if self.channels_last {
            (((n * d + z) * h + y) * w + x) * self.channels + c
        } else {
            (((n * self.channels + c) * d + z) * h + y) * w + x
        };
        at as usize
    }

    /// The cell of the input that a tap names, if it names one.
    pub(crate) fn cell(&self, spot: &Spot, tap: u32) -> Option<[i64; 3]> {
        if tap as usize >= self.cells() {
            return None;
        }
        let tap = i64::from(tap);
        let [_, ky, kx] = self.kernel;
        let taps = [tap / (ky * kx), tap / kx % ky, tap % kx];
        let mut cell = [0; 3];
        for i in 0..3 {
            cell[i] = spot.window[i] * self.stride[i] - self.before[i] + taps[i] * self.dilation[i];
            if cell[i] < 0 || cell[i] >= self.input[i] {
                return None;
            }
        }
        Some(cell)
    }

    /// Every tap of a window that names a cell of the input, with the cell, in raster order.
    pub(crate) fn window(&self, spot: &Spot) -> Vec<(u32, [i64; 3])> {
        (0..self.cells() as u32).filter_map(|tap| Some((tap, self.cell(spot, tap)?))).collect()
    }

    /// The index of a cell in an index space.
    pub(crate) fn index(&self, spot: &Spot, [z, y, x]: [i64; 3], space: IndexSpace) -> i64 {
        let [d, h, w] = self.input;
        let (n, c, channels) = (spot.image, spot.channel, self.channels);
        match space {
            IndexSpace::Plane => (z * h + y) * w + x,
            IndexSpace::Image => ((z * h + y) * w + x) * channels + c,
            IndexSpace::Batch => (((n * d + z) * h + y) * w + x) * channels + c,
            IndexSpace::Tensor => (((n * channels + c) * d + z) * h + y) * w + x,
            // ONNX counts the first spatial axis fastest.
            IndexSpace::TensorColumnMajor => (n * channels + c) * d * h * w + z + y * d + x * d * h,
        }
    }
}

// ---- operations -----------------------------------------------------------------------------

/// What pooling gives.
#[derive(Clone, Debug)]
pub(crate) struct Pooled<T> {
    pub(crate) values: Vec<T>,
    pub(crate) taps: Vec<u32>,
    /// The cell `[z, y, x]` that won.
    pub(crate) winners: Vec<[i64; 3]>,
}

pub(crate) fn max_pool<T: Bits>(plan: &Plan, input: &[T]) -> Pooled<T> {
    let mut pooled = Pooled { values: Vec::new(), taps: Vec::new(), winners: Vec::new() };
    for spot in plan.spots() {
        let mut best = None;
        for (tap, cell) in plan.window(&spot) {
            let candidate = input[plan.at(&spot, cell)];
            let takes_over = match best {
                None => true,
                Some((leader, _, _)) => is_nan(candidate) || value(candidate) > value(leader),
            };
            if takes_over {
                best = Some((candidate, tap, cell));
            }
        }
        let (leader, tap, cell) = best.expect("every window holds a cell");
        pooled.values.push(leader);
        pooled.taps.push(tap);
        pooled.winners.push(cell);
    }
    pooled
}

pub(crate) fn max_unpool_last<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<T> {
    let mut output = vec![zero(); plan.input_len()];
    for ((spot, &value), &tap) in plan.spots().iter().zip(values).zip(taps) {
        if let Some(cell) = plan.cell(spot, tap) {
            output[plan.at(spot, cell)] = value;
        }
    }
    output
}

/// The sum, or the first element whose sum its type does not hold.
pub(crate) fn max_unpool_sum<T: Bits>(
    plan: &Plan,
    values: &[T],
    taps: &[u32],
) -> Result<Vec<T>, usize> {
    let totals = totals(plan, values, taps);
    (0..totals.len()).map(|at| if totals[at].1 { Ok(totals[at].0) } else { Err(at) }).collect()
}

/// The sum, and where its type does not hold it the nearest number that it holds.
pub(crate) fn max_unpool_saturated<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<T> {
    totals(plan, values, taps).into_iter().map(|(total, _)| total).collect()
}

/// The sums, and whether each is exactly that.
fn totals<T: Bits>(plan: &Plan, values: &[T], taps: &[u32]) -> Vec<(T, bool)> {
    let places = plan.spots().into_iter().zip(taps);
    let terms = places
        .zip(values)
        .filter_map(|((spot, &tap), &value)| Some((plan.at(&spot, plan.cell(&spot, tap)?), value)));
    sums(plan.input_len(), terms)
}

/// What elements `(at, element)` sum to in each of `len` places, in the order given, and whether
/// the type holds it.
pub(crate) fn sums<T: Bits>(len: usize, terms: impl Iterator<Item = (usize, T)>) -> Vec<(T, bool)> {
    let mut floats = vec![0f32; len];
    let mut integers = vec![0i128; len];
    for (at, element) in terms {
        // Each cast is exact.
        match T::FORMAT {
            Format::Float { .. } => floats[at] += value(element) as f32,
            Format::Integer { .. } => integers[at] += value(element) as i128,
        }
    }
    let total = |at: usize| match T::FORMAT {
        Format::Float { .. } => (T::of_bits(T::FORMAT.round(floats[at])), true),
        Format::Integer { bits, signed } => {
            let (lowest, highest) = if signed {
                (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
            } else {
                (0, (1i128 << bits) - 1)
            };
            let held = integers[at].clamp(lowest, highest);
            (T::of_bits(held as u32), held == integers[at])
        }
    };
    (0..len).map(total).collect()
}

pub(crate) fn max_unpool_backward<T: Bits>(plan: &Plan, cells: &[T], taps: &[u32]) -> Vec<T> {
    let read = |(spot, &tap): (&Spot, &u32)| match plan.cell(spot, tap) {
        Some(cell) => cells[plan.at(spot, cell)],
        None => zero(),
    };
    plan.spots().iter().zip(taps).map(read).collect()
}

/// The indices of taps in an index space; −1 where one names no cell.
pub(crate) fn indices(plan: &Plan, taps: &[u32], space: IndexSpace) -> Vec<i64> {
    let index = |(spot, &tap): (&Spot, &u32)| match plan.cell(spot, tap) {
        Some(cell) => plan.index(spot, cell, space),
        None => -1,
    };
    plan.spots().iter().zip(taps).map(index).collect()
}
