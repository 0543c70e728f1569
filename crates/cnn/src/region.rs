//! The receptive field of a unit: the part of the image that it depends on, traced back kernel by
//! kernel.

use unpool::Axis;

use crate::kernel::{Kernel, Vectors};
use crate::plan::{Layer, Plan, View};
use crate::program::{Content, SlotId};

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

/// First and last cell on an axis.
type Range = (i64, i64);

/// The cells of a tensor that a unit depends on: a range on each axis of a shape, or all of them.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Part(Vec<Range>),
    Whole,
}

impl Field {
    /// The field that holds two others of one shape.
    fn with(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Part(a), Self::Part(b)) => {
                Self::Part(a.iter().zip(b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))).collect())
            }
            _ => Self::Whole,
        }
    }

    /// The same cells under another shape of as many elements. Axes that several others are made of
    /// keep their meaning only where all their cells are in the field.
    fn reshaped(self, from: &[usize], to: &[usize]) -> Self {
        let Self::Part(part) = self else { return Self::Whole };
        if from == to {
            return Self::Part(part);
        }
        let mut result: Vec<Range> = to.iter().map(|&n| full(n)).collect();
        let (mut i, mut j) = (0, 0);
        while i < from.len() && j < to.len() {
            let (first, made) = (i, j);
            let (mut a, mut b) = (from[i], to[j]);
            (i, j) = (i + 1, j + 1);
            while a != b {
                if a < b && i < from.len() {
                    a *= from[i];
                    i += 1;
                } else if j < to.len() {
                    b *= to[j];
                    j += 1;
                } else {
                    return Self::Whole;
                }
            }
            let real = |shape: &[usize], axes: std::ops::Range<usize>| {
                axes.filter(|&axis| shape[axis] > 1).collect::<Vec<_>>()
            };
            match (&real(from, first..i)[..], &real(to, made..j)[..]) {
                ([], []) => {}
                (&[own], &[other]) => result[other] = part[own],
                (all, _) if all.iter().all(|&axis| covers(part[axis], from[axis])) => {}
                _ => return Self::Whole,
            }
        }
        Self::Part(result)
    }
}

/// All cells of an axis.
fn full(extent: usize) -> Range {
    (0, extent as i64 - 1)
}

fn covers(range: Range, extent: usize) -> bool {
    range.0 <= 0 && range.1 >= extent as i64 - 1
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
        let mut fields: Vec<Option<(&[usize], Field)>> = vec![None; self.slots.len()];
        fields[layer.tensor.slot] = Some((layer.shape(), unit(layer, position)));
        for (instruction, view) in self.instructions.iter().zip(&self.views).rev() {
            let Some((shape, field)) = fields[instruction.writes[0]].clone() else { continue };
            let from = field.reshaped(shape, &view.write);
            for (i, &at) in instruction.reads.iter().enumerate() {
                if !self.slots[at].varies {
                    continue;
                }
                let read = &view.reads[i];
                let own = match &from {
                    Field::Whole => Some(Field::Whole),
                    Field::Part(part) => {
                        self.through(&instruction.kernel, i, part, view, &instruction.reads)
                    }
                };
                let Some(own) = own else { continue };
                fields[at] = Some(match fields[at].take() {
                    Some((shape, before)) => {
                        let own = own.reshaped(read, shape);
                        (shape, own.with(&before))
                    }
                    None => (read, own),
                });
            }
        }
        let extents = self.input_spatial();
        let axes = self.spatial_axes();
        let field = fields[self.input.slot].take();
        match field.map(|(shape, field)| field.reshaped(shape, self.input_shape())) {
            Some(Field::Part(part)) => {
                let axes: Vec<_> = part[axes].to_vec();
                let whole = axes.iter().zip(&extents).all(|(&range, &n)| range == full(n));
                Region { axes, whole }
            }
            Some(Field::Whole) => {
                Region { axes: extents.iter().map(|&n| full(n)).collect(), whole: true }
            }
            None => Region { axes: extents.iter().map(|_| (0, -1)).collect(), whole: false },
        }
    }

    /// The field in operand `i` of a kernel, for a field in its result; `None` if it does not depend
    /// on the operand.
    fn through(
        &self,
        kernel: &Kernel,
        i: usize,
        part: &[Range],
        view: &View,
        reads: &[SlotId],
    ) -> Option<Field> {
        let (read, write) = (&view.reads[i][..], &view.write[..]);
        let same_rank = read.len() == write.len();
        let along = |axes: &[Axis; 3], map: fn(&Axis, Range) -> Range| {
            let own = &axes[(5 - read.len().clamp(2, 5))..];
            let spatial = part[2..].iter().zip(own).map(|(&range, axis)| map(axis, range));
            let channels = [part[0], full(read[1])];
            Field::Part(channels.into_iter().chain(spatial).collect())
        };
        Some(match kernel {
            Kernel::Conv(conv) if conv.is_matrix() => match part.split_last() {
                // A product with a matrix along the last axis.
                Some((_, rows)) if same_rank && read[..rows.len()] == write[..rows.len()] => {
                    let last = full(*read.last()?);
                    Field::Part(rows.iter().copied().chain([last]).collect())
                }
                _ => Field::Whole,
            },
            Kernel::Conv(conv) => along(&conv.axes, cells),
            Kernel::ConvTranspose(conv) => along(&conv.axes, windows),
            Kernel::Average(average) => along(&average.axes, cells),
            Kernel::MaxPool(geometry) => along(&geometry.axes(), cells),
            Kernel::MaxUnpool(geometry) => along(&geometry.axes(), windows),
            Kernel::MaxUnpoolBack(geometry) => along(&geometry.axes(), cells),
            Kernel::Pair(..) => {
                let lead = write.len().checked_sub(read.len())?;
                let own = read.iter().zip(&part[lead..]);
                Field::Part(own.map(|(&n, &range)| if n == 1 { full(1) } else { range }).collect())
            }
            Kernel::Permute(permute) => {
                let wide = |dims: &[u32]| dims.iter().map(|&n| n as usize).collect::<Vec<_>>();
                let result = wide(&permute.result());
                match Field::Part(part.to_vec()).reshaped(write, &result) {
                    Field::Whole => Field::Whole,
                    Field::Part(part) => {
                        let back = permute.inverse();
                        let turned = back.order.map(|axis| part[axis]).to_vec();
                        Field::Part(turned).reshaped(&wide(&permute.dims), read)
                    }
                }
            }
            Kernel::Along(along) => {
                let axis = (0..read.len()).find(|&axis| {
                    let before: usize = read[..axis].iter().product();
                    (before, read[axis]) == (along.outer as usize, along.from as usize)
                        && write.get(axis) == Some(&(along.to as usize))
                });
                let Some(axis) = axis.filter(|_| same_rank) else { return Some(Field::Whole) };
                let mut part = part.to_vec();
                part[axis] = self.columns(part[axis], reads)?;
                Field::Part(part)
            }
            Kernel::Runs(runs) => {
                let axis = (0..read.len()).find(|&axis| {
                    write[..axis].iter().product::<usize>() == runs.count as usize
                        && read[axis..].iter().product::<usize>() == runs.len as usize
                        && write[axis] >= read[axis]
                        && read[axis] > 1
                });
                let Some(axis) = axis.filter(|_| same_rank) else { return Some(Field::Whole) };
                let inner: usize = read[axis + 1..].iter().product();
                let offset = i64::from(runs.to.offset) / inner as i64;
                let mut part = part.to_vec();
                let last = read[axis] as i64 - 1;
                part[axis] = ((part[axis].0 - offset).max(0), (part[axis].1 - offset).min(last));
                if part[axis].0 > part[axis].1 {
                    return None;
                }
                Field::Part(part)
            }
            Kernel::Softmax { vectors, .. } | Kernel::Normalize { vectors, .. } => {
                Field::Part(whole_vectors(part, read, vectors))
            }
            Kernel::Fold(_, vectors) => {
                let kept = vectors.outer as usize * vectors.inner as usize;
                let at: Vec<_> = read
                    .iter()
                    .scan(1, |before, &n| {
                        let own = *before >= vectors.outer as usize;
                        *before *= n;
                        Some(own && *before <= (vectors.outer * vectors.len) as usize && n > 1)
                    })
                    .collect();
                let single: Vec<_> =
                    read.iter().zip(&at).map(|(&n, &folded)| if folded { 1 } else { n }).collect();
                if single.iter().product::<usize>() != kept {
                    return Some(Field::Whole);
                }
                match Field::Part(part.to_vec()).reshaped(write, &single) {
                    Field::Whole => Field::Whole,
                    Field::Part(part) => Field::Part(whole_vectors(&part, read, vectors)),
                }
            }
            // Positions may be any of the axis.
            Kernel::TopK(_) | Kernel::Take(_) => Field::Whole,
            Kernel::Product(_) if same_rank && read.len() >= 2 => {
                let mut part = part.to_vec();
                let inner = read.len() - 1 - i;
                part[inner] = full(read[inner]);
                Field::Part(part)
            }
            Kernel::Product(_) => Field::Whole,
            _ if same_rank => Field::Part(part.to_vec()),
            _ => Field::Whole,
        })
    }

    /// The columns in which rows of a sparse matrix have entries.
    fn columns(&self, (first, last): Range, reads: &[SlotId]) -> Option<Range> {
        let words = |slot: SlotId| match &self.slots[slot].content {
            Content::Weights { data, part } => Some(data.part(part.clone())),
            Content::Computed => None,
        };
        let (starts, columns) = (words(reads[1])?, words(reads[2])?);
        let rows = starts.len() as i64 - 1;
        let start = |row: i64| starts[row.clamp(0, rows) as usize].to_bits() as usize;
        let entries = columns.get(start(first)..start(last + 1))?;
        let all = entries.iter().map(|column| i64::from(column.to_bits()));
        Some((all.clone().min()?, all.max()?))
    }
}

/// A part with all cells of the axes that vectors lie along.
fn whole_vectors(part: &[Range], shape: &[usize], vectors: &Vectors) -> Vec<Range> {
    let mut before = 1u64;
    let inside = (u64::from(vectors.outer), u64::from(vectors.outer) * u64::from(vectors.len));
    part.iter()
        .zip(shape)
        .map(|(&range, &n)| {
            let own = before >= inside.0 && before * n as u64 <= inside.1;
            before *= n as u64;
            if own { full(n) } else { range }
        })
        .collect()
}

/// The field of a single unit: one cell in all channels of all images.
fn unit(layer: &Layer, position: usize) -> Field {
    let mut rest = position;
    let mut part: Vec<Range> = layer.shape().iter().map(|&n| full(n)).collect();
    for axis in layer.spatial_axes().rev() {
        let coordinate = (rest % layer.shape()[axis]) as i64;
        part[axis] = (coordinate, coordinate);
        rest /= layer.shape()[axis];
    }
    Field::Part(part)
}

/// The cells under windows.
fn cells(axis: &Axis, (first, last): Range) -> Range {
    if first <= 0 && last >= i64::from(axis.windows) - 1 {
        // All windows: as after a matrix product, or a window over the whole axis.
        return full(axis.input as usize);
    }
    let start = |q: i64| q * i64::from(axis.stride) - i64::from(axis.before);
    (start(first), start(last) + i64::from(axis.extent()) - 1)
}

/// The windows over cells.
fn windows(axis: &Axis, (first, last): Range) -> Range {
    let stride = i64::from(axis.stride);
    let from = first + i64::from(axis.before) - i64::from(axis.extent()) + 1;
    let to = last + i64::from(axis.before);
    let from = from.div_euclid(stride) + i64::from(from.rem_euclid(stride) != 0);
    let end = i64::from(axis.windows) - 1;
    let first = from.clamp(0, end);
    (first, to.div_euclid(stride).clamp(first, end))
}
