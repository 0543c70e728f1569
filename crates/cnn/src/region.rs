//! The receptive field of a unit: the part of the image that it depends on, traced back kernel by
//! kernel.

use crate::axis::Axis;
use crate::kernel::Kernel;
use crate::plan::{Layer, Plan};
use crate::program::{Instruction, SlotId};

/// A part of the image: for each spatial axis the first and the last cell, both included. It may
/// reach outside, where a window lies in the padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `(first, last)` for each spatial axis of the input.
    pub axes: Vec<(i64, i64)>,
    /// Whether the field is the whole image, as after a matrix product or a global average.
    pub whole: bool,
}

impl Region {
    /// Cells on each axis, those outside the image included.
    pub fn size(&self) -> Vec<i64> {
        self.axes.iter().map(|(first, last)| last - first + 1).collect()
    }

    /// The part inside an image of these spatial extents.
    pub fn inside(&self, extents: &[usize]) -> Vec<std::ops::Range<usize>> {
        let part = |(&(first, last), &n): (&(i64, i64), &usize)| {
            let first = first.clamp(0, n as i64);
            first as usize..(last + 1).clamp(first, n as i64) as usize
        };
        self.axes.iter().zip(extents).map(part).collect()
    }
}

/// The cells of a tensor that a unit depends on, as `(first, last)` on z, y, x; or all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Part([(i64, i64); 3]),
    Whole,
}

impl Field {
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Part(a), Self::Part(b)) => {
                Self::Part(std::array::from_fn(|i| (a[i].0.min(b[i].0), a[i].1.max(b[i].1))))
            }
            _ => Self::Whole,
        }
    }

    fn along(self, axes: &[Axis; 3], map: fn(&Axis, (i64, i64)) -> (i64, i64)) -> Self {
        match self {
            Self::Part(part) => Self::Part(std::array::from_fn(|i| map(&axes[i], part[i]))),
            Self::Whole => Self::Whole,
        }
    }
}

impl Plan {
    /// The receptive field of a unit of a layer, at a flattened position of its channel. It covers
    /// at least the cells that the unit depends on, and the whole image where axes change their
    /// meaning on the way, as where a map is flattened.
    ///
    /// # Panics
    ///
    /// If the layer is of another plan.
    pub fn receptive_field(&self, layer: &Layer, position: usize) -> Region {
        let own = layer.tensor.slot;
        let mut fields: Vec<Option<Field>> = vec![None; self.slots.len()];
        fields[own] = Some(match spatial(layer.shape()) {
            Some(extents) if self.made(own) == Some(extents) => unit(extents, position),
            _ => Field::Whole,
        });
        for instruction in self.instructions.iter().rev() {
            let written = instruction.writes.iter().filter_map(|&slot| {
                let reshaped = slot != own && self.is_reshaped(slot);
                fields[slot].map(|field| if reshaped { Field::Whole } else { field })
            });
            let Some(from) = written.reduce(Field::with) else { continue };
            for (i, &at) in instruction.reads.iter().enumerate() {
                if !self.slots[at].varies {
                    continue;
                }
                let field = if self.keeps_positions(instruction, at) {
                    through(&instruction.kernel, i, from)
                } else {
                    Field::Whole
                };
                fields[at] = Some(fields[at].map_or(field, |other| other.with(field)));
            }
        }
        let input = self.input.slot;
        let extents = &self.input_shape()[2..];
        match fields[input] {
            Some(Field::Part(axes)) if own == input || !self.is_reshaped(input) => {
                Region { axes: axes[3 - extents.len()..].to_vec(), whole: false }
            }
            Some(_) => {
                let axes = extents.iter().map(|&n| (0, n as i64 - 1)).collect();
                Region { axes, whole: true }
            }
            None => Region { axes: extents.iter().map(|_| (0, -1)).collect(), whole: false },
        }
    }

    /// The shapes that layers give to a tensor, first the one under which it is computed.
    fn shapes(&self, slot: SlotId) -> impl Iterator<Item = &[usize]> {
        let layers = self.layers.iter().map(|layer| &layer.tensor);
        let all = std::iter::once(&self.input).chain(layers);
        all.filter(move |tensor| tensor.slot == slot).map(|tensor| &tensor.shape[..])
    }

    /// The spatial extents of the shape under which a tensor is computed, if it has at most three.
    fn made(&self, slot: SlotId) -> Option<[usize; 3]> {
        self.shapes(slot).next().and_then(spatial)
    }

    /// Whether some layer gives a tensor other spatial axes than those under which it is computed.
    fn is_reshaped(&self, slot: SlotId) -> bool {
        let made = self.made(slot);
        self.shapes(slot).any(|shape| made.is_none() || spatial(shape) != made)
    }

    /// Whether a kernel keeps spatial positions, as [`through`] assumes: not where it concatenates
    /// along a spatial axis, or sums over one.
    fn keeps_positions(&self, instruction: &Instruction, read: SlotId) -> bool {
        let written = self.made(instruction.writes[0]);
        match &instruction.kernel {
            Kernel::Runs(_) => written.is_some() && self.made(read) == written,
            Kernel::Softmax(vectors) => {
                let positions = written.map(|extents| extents.iter().product());
                positions == Some(vectors.inner as usize)
            }
            _ => true,
        }
    }
}

/// The spatial extents of a shape as z, y, x, if it has at most three.
fn spatial(shape: &[usize]) -> Option<[usize; 3]> {
    let spatial = shape.get(2..).unwrap_or_default();
    let mut all = [1; 3];
    all.get_mut(3usize.checked_sub(spatial.len())?..)?.copy_from_slice(spatial);
    Some(all)
}

/// The field of a single unit.
fn unit(extents: [usize; 3], position: usize) -> Field {
    let (mut at, mut rest) = ([(0, 0); 3], position);
    for (at, n) in at.iter_mut().zip(extents).rev() {
        let coordinate = (rest % n) as i64;
        *at = (coordinate, coordinate);
        rest /= n;
    }
    Field::Part(at)
}

/// The field in operand `i` of a kernel, for a field in its result.
fn through(kernel: &Kernel, i: usize, from: Field) -> Field {
    match kernel {
        // A product of matrices reads what may be a whole flattened image.
        Kernel::Conv(conv) if conv.is_matrix() => Field::Whole,
        Kernel::Conv(conv) => from.along(&conv.axes, cells),
        Kernel::ConvTranspose(conv) => from.along(&conv.axes, windows),
        Kernel::Average(average) => from.along(&average.axes, cells),
        Kernel::MaxPool(geometry) => from.along(&Axis::of(geometry), cells),
        Kernel::MaxUnpool(geometry) => from.along(&Axis::of(geometry), windows),
        Kernel::Pair(_, all) => {
            let own = if i == 0 { all.a } else { all.b };
            let repeated = (0..own.len()).any(|d| own[d] == 0 && all.dims[d] > 1);
            if repeated { Field::Whole } else { from }
        }
        _ => from,
    }
}

/// The cells under windows.
fn cells(axis: &Axis, (first, last): (i64, i64)) -> (i64, i64) {
    if axis.kernel == axis.input && axis.output == 1 && axis.before == 0 {
        return (0, i64::from(axis.input) - 1);
    }
    let start = |q: i64| q * i64::from(axis.stride) - i64::from(axis.before);
    (start(first), start(last) + axis.extent() - 1)
}

/// The windows over cells.
fn windows(axis: &Axis, (first, last): (i64, i64)) -> (i64, i64) {
    let stride = i64::from(axis.stride);
    let from = first + i64::from(axis.before) - axis.extent() + 1;
    let to = last + i64::from(axis.before);
    let from = from.div_euclid(stride) + i64::from(from.rem_euclid(stride) != 0);
    let end = i64::from(axis.output) - 1;
    let first = from.clamp(0, end);
    (first, to.div_euclid(stride).clamp(first, end))
}
