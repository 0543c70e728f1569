//! Operators that read an image between its cells: GridSample and DeformConv, with AffineGrid, which makes
//! grids.

use unpool::Axis;

use crate::elements::Elements;
use crate::error::{Fault, extents};
use crate::kernel::Pair;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::convolution::dense;
use crate::plan::interpolation::{Between, CELLS, Outside, Reading};
use crate::plan::refusal::Refusal;
use crate::plan::shape::checked_len;
use crate::plan::sliding::Sliding;
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    /// One of the last axis's cells: `[lists, points]`.
    fn component(&mut self, node: &Node, x: &Tensor, at: usize) -> Result<Tensor, Refusal> {
        let part = self.moved(node, Value::Tensor(x.clone()), &[Move::pick(2, [at])])?;
        let part = self.as_tensor(part, "the points")?;
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
        let points: usize = grid.shape[1..=rank].iter().product();
        let grid_points = Tensor { shape: vec![x.shape[0], points, rank], slot: grid.slot };
        let mut axes = Vec::new();
        for (axis, &extent) in spatial.iter().enumerate() {
            // A grid goes from -1 to 1, and has the last axis first.
            let own = self.component(node, &grid_points, rank - 1 - axis)?;
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

    /// The points that an affine map sends those of an image to.
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
        let points = checked_len(spatial)?;
        checked_len(&[points, rank + 1])?;
        let aligned = node.attributes().flag("align_corners")?;
        let point = |i: usize, n: usize| match (aligned, n) {
            (true, 1) => 0.0,
            (true, _) => 2.0 * i as f32 / (n as f32 - 1.0) - 1.0,
            (false, _) => (2.0 * i as f32 + 1.0) / n as f32 - 1.0,
        };
        // The last axis first, and 1.
        let mut rows = Vec::with_capacity(points * (rank + 1));
        for axis in (0..rank).rev() {
            let inner: usize = spatial[axis + 1..].iter().product();
            rows.extend((0..points).map(|p| point(p / inner % spatial[axis], spatial[axis])));
        }
        rows.extend((0..points).map(|_| 1.0));
        let rows = self.numbers(rows, &[rank + 1, points]);
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
        let (out_y, out_x) = (y_axis.windows as usize, x_axis.windows as usize);
        let (taps, windows) = (kernel_y * kernel_x, out_y * out_x);
        let points = checked_len(&[taps, windows])?;
        if offset.shape != [n, lists * taps * 2, out_y, out_x] {
            let found = format!("offset is {}", extents(&offset.shape));
            let allowed = extents(&[n, lists * taps * 2, out_y, out_x]);
            return Err(Fault::new(found, format!("{allowed} is needed")).into());
        }
        // Pairs of offsets, down and right, of each tap.
        let pairs = Tensor { shape: vec![n * lists * taps, 2, windows], slot: offset.slot };
        let pairs = self.permuted(node, &pairs, &[0, 2, 1])?;
        let pairs = Tensor { shape: vec![n * lists, points, 2], slot: pairs.slot };
        let point = |axis: &Axis, tap: usize, window: usize| {
            axis.start(window as u32) as f32 + tap as f32 * axis.dilation as f32
        };
        let down = (0..points).map(|i| point(&y_axis, i / windows / kernel_x, i % windows / out_x));
        let right = (0..points).map(|i| point(&x_axis, i / windows % kernel_x, i % out_x));
        let starts = [down.collect::<Vec<_>>(), right.collect()];
        let mut axes = Vec::new();
        for (axis, (start, extent)) in starts.into_iter().zip([height, width]).enumerate() {
            let start = self.numbers(start, &[1, points]);
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
            let mask = Tensor { shape: vec![n * lists, 1, points], slot: mask.slot };
            samples = self.combined(node, Pair::Mul, &samples, &mask)?;
        }
        let bias = self.per_channel(node, 3, "B", rows)?.map(Elements::from);
        let cell = Axis { input: windows as u32, windows: windows as u32, ..Axis::NONE };
        let axes = [Axis::NONE, Axis::NONE, cell];
        let conv = dense(axes, n, groups, rows / groups, columns * taps);
        let samples = Tensor { shape: vec![n, channels * taps, windows], slot: samples.slot };
        let y = self.result(node, &[n, rows, windows], &[&samples])?;
        self.convolve(conv, &samples, data, bias, &y);
        let shape = vec![n, rows, out_y, out_x];
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }
}
