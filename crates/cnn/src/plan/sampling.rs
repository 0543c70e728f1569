//! Operators that read an image between its cells: GridSample and DeformConv, with AffineGrid, which makes
//! grids.
//!
//! A sample is a sum over the cells around a place, each weighted by its distance: cells are taken at computed
//! positions, and weights are functions of each element, so that the way back to image and places is theirs.

use crate::axis::Axis;
use crate::elements::Elements;
use crate::error::{Fault, extents};
use crate::kernel::{Function, Kernel, Pair, Take};
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::convolution::dense;
use crate::plan::refusal::Refusal;
use crate::plan::shape::checked_len;
use crate::plan::sliding::Sliding;
use crate::plan::value::{Tensor, Value};

/// Cells of a plane that an f32 can number.
const CELLS: usize = 1 << 24;

/// The factor of cubic interpolation.
const CUBIC: f32 = -0.75;

/// How values between cells are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nearest,
    Linear,
    Cubic,
}

/// What lies outside the image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Zeros,
    Border,
    Reflection,
}

/// How places on an axis are read.
#[derive(Clone, Copy)]
struct Reading {
    between: Between,
    outside: Outside,
    /// Where the image begins and ends, for reflection.
    ends: (f32, f32),
    extent: usize,
}

/// The cells of an axis at one distance from the places, and their weights; none where all are 1.
struct Neighbours {
    cells: Tensor,
    weights: Option<Tensor>,
}

impl Builder<'_> {
    fn number(&mut self, value: f32) -> Tensor {
        self.numbers(vec![value], &[1])
    }

    /// `x·factor + shift`.
    fn scaled_and_shifted(
        &mut self,
        node: &Node,
        x: &Tensor,
        (factor, shift): (f32, f32),
    ) -> Result<Tensor, Refusal> {
        let (factor, shift) = (self.number(factor), self.number(shift));
        let scaled = self.combined(node, Pair::Mul, x, &factor)?;
        self.combined(node, Pair::Add, &scaled, &shift)
    }

    /// Places mirrored at both ends of an axis, as often as it takes.
    fn reflected(
        &mut self,
        node: &Node,
        x: &Tensor,
        (low, high): (f32, f32),
    ) -> Result<Tensor, Refusal> {
        let span = high - low;
        if span <= 0.0 {
            return self.mapped(node, Function::Clip { low, high: low }, x);
        }
        // A period is there and back: its distance from the far end is the same both ways.
        let from_low = self.scaled_and_shifted(node, x, (1.0, -low))?;
        let from_low = self.mapped(node, Function::Abs, &from_low)?;
        let period = self.number(2.0 * span);
        let within = self.combined(node, Pair::Fmod, &from_low, &period)?;
        let from_high = self.scaled_and_shifted(node, &within, (1.0, -span))?;
        let from_high = self.mapped(node, Function::Abs, &from_high)?;
        self.scaled_and_shifted(node, &from_high, (-1.0, high))
    }

    /// A polynomial of each element, the coefficient of the highest power first.
    fn polynomial(
        &mut self,
        node: &Node,
        x: &Tensor,
        [first, rest @ ..]: [f32; 4],
    ) -> Result<Tensor, Refusal> {
        let mut y = self.scaled_and_shifted(node, x, (first, rest[0]))?;
        for shift in &rest[1..] {
            let shift = self.number(*shift);
            y = self.combined(node, Pair::Mul, &y, x)?;
            y = self.combined(node, Pair::Add, &y, &shift)?;
        }
        Ok(y)
    }

    /// The cells of an axis around places on it.
    fn neighbours(
        &mut self,
        node: &Node,
        places: &Tensor,
        reading: Reading,
    ) -> Result<Vec<Neighbours>, Refusal> {
        let Reading { between, outside, ends, extent } = reading;
        let last = extent as f32 - 1.0;
        let mut places = places.clone();
        if between == Between::Nearest {
            places = self.mapped(node, Function::Round, &places)?;
        }
        places = match outside {
            Outside::Zeros => places,
            Outside::Border => {
                self.mapped(node, Function::Clip { low: 0.0, high: last }, &places)?
            }
            Outside::Reflection => self.reflected(node, &places, ends)?,
        };
        let (first, offsets) = match between {
            Between::Nearest => (places.clone(), 0..1),
            Between::Linear => (self.mapped(node, Function::Floor, &places)?, 0..2),
            Between::Cubic => (self.mapped(node, Function::Floor, &places)?, -1..3),
        };
        let mut all = Vec::new();
        for offset in offsets {
            let weights = match between {
                Between::Nearest => None,
                _ => {
                    // The distance from the cell.
                    let from_first = self.combined(node, Pair::Sub, &places, &first)?;
                    let side = if offset > 0 { -1.0 } else { 1.0 };
                    let distance = (side, -side * offset as f32);
                    let distance = self.scaled_and_shifted(node, &from_first, distance)?;
                    let a = CUBIC;
                    Some(match (between, offset) {
                        (Between::Linear, _) => {
                            self.scaled_and_shifted(node, &distance, (-1.0, 1.0))?
                        }
                        (_, 0 | 1) => {
                            self.polynomial(node, &distance, [a + 2.0, -a - 3.0, 0.0, 1.0])?
                        }
                        _ => {
                            let far = [a, -5.0 * a, 8.0 * a, -4.0 * a];
                            self.polynomial(node, &distance, far)?
                        }
                    })
                }
            };
            let cells = self.scaled_and_shifted(node, &first, (1.0, offset as f32))?;
            let cells = match outside {
                // A reflection of a cell may lie between two, whose nearest is meant.
                Outside::Reflection => self.reflected(node, &cells, ends)?,
                _ => cells,
            };
            let inside = self.mapped(node, Function::Clip { low: 0.0, high: last }, &cells)?;
            let weights = match outside {
                // A cell that is moved into the image is none of it.
                Outside::Zeros => {
                    let is_inside = self.combined(node, Pair::Equal, &cells, &inside)?;
                    Some(match weights {
                        Some(weights) => self.combined(node, Pair::Keep, &weights, &is_inside)?,
                        None => is_inside,
                    })
                }
                _ => weights,
            };
            let cells = self.mapped(node, Function::Round, &inside)?;
            all.push(Neighbours { cells, weights });
        }
        Ok(all)
    }

    /// Samples of planes, `[lists, planes of each, cells]`, at as many places for each list, given by the cells
    /// around them on each axis: `[lists, planes of each, places]`.
    fn sampled(
        &mut self,
        node: &Node,
        planes: &Tensor,
        extents: &[usize],
        axes: &[Vec<Neighbours>],
    ) -> Result<Tensor, Refusal> {
        let &[lists, repeats, cells] = &planes.shape[..] else {
            return Err(Fault::new("planes of other axes", "three are needed").into());
        };
        let mut sum: Option<Tensor> = None;
        for number in 0..axes.iter().map(Vec::len).product() {
            let (mut rest, mut step) = (number, 1);
            let mut at: Option<Tensor> = None;
            let mut weights: Option<Tensor> = None;
            for (neighbours, &extent) in axes.iter().zip(extents).rev() {
                let own = &neighbours[rest % neighbours.len()];
                rest /= neighbours.len();
                let stepped = self.scaled_and_shifted(node, &own.cells, (step as f32, 0.0))?;
                at = Some(match at {
                    Some(at) => self.combined(node, Pair::Add, &at, &stepped)?,
                    None => stepped,
                });
                weights = match (weights, &own.weights) {
                    (Some(a), Some(b)) => Some(self.combined(node, Pair::Mul, &a, b)?),
                    (a, b) => a.or_else(|| b.clone()),
                };
                step *= extent;
            }
            let Some(at) = at else { continue };
            let places = at.shape[1];
            let take = Take {
                outer: lists as u32,
                repeats: repeats as u32,
                from: cells as u32,
                to: places as u32,
                inner: 1,
            };
            let shape = [lists, repeats, places];
            let mut part = self.by(node, &shape, Kernel::Take(take), &[planes, &at])?;
            if let Some(weights) = weights {
                let weights = Tensor { shape: vec![lists, 1, places], slot: weights.slot };
                part = self.combined(node, Pair::Mul, &part, &weights)?;
            }
            sum = Some(match sum {
                Some(sum) => self.combined(node, Pair::Add, &sum, &part)?,
                None => part,
            });
        }
        sum.ok_or_else(|| Fault::new("an image without axes", "at least one is needed").into())
    }

    /// One of the last axis's cells: `[lists, places]`.
    fn component(&mut self, node: &Node, x: &Tensor, at: usize) -> Result<Tensor, Refusal> {
        let part = self.moved(node, Value::Tensor(x.clone()), &[Move::pick(2, [at])])?;
        let part = self.as_tensor(part, "the places")?;
        Ok(Tensor { shape: x.shape[..2].to_vec(), slot: part.slot })
    }

    pub(super) fn grid_sample(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let (x, grid) = (self.tensor(node, 0, "X")?, self.tensor(node, 1, "grid")?);
        let attributes = node.attributes();
        let between = match attributes.string("mode", "linear")? {
            "linear" | "bilinear" => Between::Linear,
            "nearest" => Between::Nearest,
            "cubic" | "bicubic" => Between::Cubic,
            other => {
                let found = format!("mode is {other:?}");
                return Err(Fault::new(found, "linear, nearest and cubic are allowed").into());
            }
        };
        let outside = match attributes.string("padding_mode", "zeros")? {
            "zeros" => Outside::Zeros,
            "border" => Outside::Border,
            "reflection" => Outside::Reflection,
            other => {
                let found = format!("padding_mode is {other:?}");
                return Err(Fault::new(found, "zeros, border and reflection are allowed").into());
            }
        };
        let aligned = attributes.flag("align_corners")?;
        let spatial = x.shape.get(2..).unwrap_or_default().to_vec();
        let (rank, cells) = (spatial.len(), spatial.iter().product());
        let fits = (1..=3).contains(&rank)
            && cells <= CELLS
            && grid.shape.len() == rank + 2
            && grid.shape[0] == x.shape[0]
            && grid.shape[rank + 1] == rank;
        if !fits {
            let found = format!("X is {} and grid {}", extents(&x.shape), extents(&grid.shape));
            let allowed = format!(
                "one to three spatial axes, of at most {CELLS} cells, and a grid with a number for each are \
                 needed"
            );
            return Err(Fault::new(found, allowed).into());
        }
        let places: usize = grid.shape[1..=rank].iter().product();
        let grid_places = Tensor { shape: vec![x.shape[0], places, rank], slot: grid.slot };
        let mut axes = Vec::new();
        for (axis, &extent) in spatial.iter().enumerate() {
            // A grid goes from -1 to 1, and has the last axis first.
            let own = self.component(node, &grid_places, rank - 1 - axis)?;
            let n = extent as f32;
            let (scale, ends) = match aligned {
                true => ((0.5 * (n - 1.0), 0.5 * (n - 1.0)), (0.0, n - 1.0)),
                false => ((0.5 * n, 0.5 * (n - 1.0)), (-0.5, n - 0.5)),
            };
            let own = self.scaled_and_shifted(node, &own, scale)?;
            let reading = Reading { between, outside, ends, extent };
            axes.push(self.neighbours(node, &own, reading)?);
        }
        let planes = Tensor { shape: vec![x.shape[0], x.shape[1], cells], slot: x.slot };
        let y = self.sampled(node, &planes, &spatial, &axes)?;
        let shape = [&x.shape[..2], &grid.shape[1..=rank]].concat();
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }

    /// The places that an affine map sends those of an image to.
    pub(super) fn affine_grid(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let theta = self.tensor(node, 0, "theta")?;
        let size = self.list(node, 1, "size")?.unwrap_or_default();
        let size = crate::plan::moves::sizes(&size, "size")?;
        let spatial = size.get(2..).unwrap_or_default();
        let rank = spatial.len();
        if !(2..=3).contains(&rank) || theta.shape != [size[0], rank, rank + 1] {
            let found = format!("theta is {} and size {size:?}", extents(&theta.shape));
            let allowed = "a matrix of 2×3 or 3×4 for each image is needed";
            return Err(Fault::new(found, allowed).into());
        }
        let places = checked_len(spatial)?;
        checked_len(&[places, rank + 1])?;
        let aligned = node.attributes().flag("align_corners")?;
        let place = |i: usize, n: usize| match (aligned, n) {
            (true, 1) => 0.0,
            (true, _) => 2.0 * i as f32 / (n as f32 - 1.0) - 1.0,
            (false, _) => (2.0 * i as f32 + 1.0) / n as f32 - 1.0,
        };
        // The last axis first, and 1.
        let mut rows = Vec::with_capacity(places * (rank + 1));
        for axis in (0..rank).rev() {
            let inner: usize = spatial[axis + 1..].iter().product();
            rows.extend((0..places).map(|p| place(p / inner % spatial[axis], spatial[axis])));
        }
        rows.extend((0..places).map(|_| 1.0));
        let rows = self.numbers(rows, &[rank + 1, places]);
        let y = self.multiplied(node, &theta, Value::Tensor(rows))?;
        let y = self.permuted(node, &y, &[0, 2, 1])?;
        let shape = [&[size[0]], spatial, &[rank]].concat();
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }

    /// A convolution whose cells are moved by offsets and weighted by a mask: samples of each tap, and
    /// a convolution of one cell over all of them.
    pub(super) fn deformable_convolution(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let (x, offset) = (self.tensor(node, 0, "X")?, self.tensor(node, 2, "offset")?);
        let weights = self.carried(node, 1, "W")?;
        let (filters, data) = match &weights {
            Some(weights) => weights.as_floats("W")?,
            None => return Err(Fault::new("W is left out", "it is needed").into()),
        };
        let attributes = node.attributes();
        let (groups, lists) = (attributes.int("group", 1)?, attributes.int("offset_group", 1)?);
        let (&[n, channels, height, width], &[rows, columns, kernel_y, kernel_x]) =
            (&x.shape[..], filters)
        else {
            let found = format!("X is {} and W {}", extents(&x.shape), extents(filters));
            return Err(Fault::new(found, "four axes of each are needed").into());
        };
        let divides = |by: i64, all: usize| by > 0 && all as i64 % by == 0;
        let fits = divides(groups, channels)
            && divides(groups, rows)
            && divides(lists, channels)
            && columns as i64 * groups == channels as i64
            && height * width <= CELLS;
        if !fits {
            let found = format!(
                "X is {} and W {}, in {groups} groups and {lists} of offsets",
                extents(&x.shape),
                extents(filters)
            );
            return Err(Fault::new(found, "groups that divide the channels are needed").into());
        }
        let (groups, lists) = (groups as usize, lists as usize);
        let sliding = Sliding::read(attributes, 2, Some(&[kernel_y, kernel_x]))?;
        let [_, y_axis, x_axis] = sliding.over(&x.shape[2..])?;
        let (out_y, out_x) = (y_axis.output as usize, x_axis.output as usize);
        let (taps, windows) = (kernel_y * kernel_x, out_y * out_x);
        let places = checked_len(&[taps, windows])?;
        if offset.shape != [n, lists * taps * 2, out_y, out_x] {
            let found = format!("offset is {}", extents(&offset.shape));
            let allowed = extents(&[n, lists * taps * 2, out_y, out_x]);
            return Err(Fault::new(found, format!("{allowed} is needed")).into());
        }
        // Pairs of offsets, down and right, of each tap.
        let pairs = Tensor { shape: vec![n * lists * taps, 2, windows], slot: offset.slot };
        let pairs = self.permuted(node, &pairs, &[0, 2, 1])?;
        let pairs = Tensor { shape: vec![n * lists, places, 2], slot: pairs.slot };
        let place = |axis: &Axis, tap: usize, window: usize| {
            axis.start(window as u32) as f32 + tap as f32 * axis.dilation as f32
        };
        let down = (0..places).map(|i| place(&y_axis, i / windows / kernel_x, i % windows / out_x));
        let right = (0..places).map(|i| place(&x_axis, i / windows % kernel_x, i % out_x));
        let starts = [down.collect::<Vec<_>>(), right.collect()];
        let mut axes = Vec::new();
        for (axis, (start, extent)) in starts.into_iter().zip([height, width]).enumerate() {
            let start = self.numbers(start, &[1, places]);
            let moved = self.component(node, &pairs, axis)?;
            let moved = self.combined(node, Pair::Add, &moved, &start)?;
            let (between, outside) = (Between::Linear, Outside::Zeros);
            let reading = Reading { between, outside, ends: (0.0, 0.0), extent };
            axes.push(self.neighbours(node, &moved, reading)?);
        }
        let shape = vec![n * lists, channels / lists, height * width];
        let planes = Tensor { shape, slot: x.slot };
        let mut samples = self.sampled(node, &planes, &[height, width], &axes)?;
        if self.value_or_none(node, 4)?.is_some() {
            let mask = self.tensor(node, 4, "mask")?;
            if mask.shape != [n, lists * taps, out_y, out_x] {
                let found = format!("mask is {}", extents(&mask.shape));
                let allowed = extents(&[n, lists * taps, out_y, out_x]);
                return Err(Fault::new(found, format!("{allowed} is needed")).into());
            }
            let mask = Tensor { shape: vec![n * lists, 1, places], slot: mask.slot };
            samples = self.combined(node, Pair::Mul, &samples, &mask)?;
        }
        let bias = self.per_channel(node, 3, "B", rows)?.map(Elements::from);
        let cell = Axis { input: windows as u32, output: windows as u32, ..Axis::NONE };
        let axes = [Axis::NONE, Axis::NONE, cell];
        let conv = dense(axes, n, groups, rows / groups, columns * taps);
        let samples = Tensor { shape: vec![n, channels * taps, windows], slot: samples.slot };
        let y = self.result(node, &[n, rows, windows], &[&samples])?;
        self.convolve(conv, &samples, data, bias, &y);
        let shape = vec![n, rows, out_y, out_x];
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }
}
