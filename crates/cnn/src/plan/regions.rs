//! RoiAlign: the parts of an image that boxes cut out, each sampled at a grid of points (He et al. 2017, 1703.06870).
//!
//! A sample is read between cells, as GridSample reads it, and the samples of a bin are averaged, so that the way back
//! to image and boxes is theirs. The images of a batch are one plane, in which a box's own image is an offset.

use crate::error::{Fault, extents};
use crate::kernel::{Fold, Function, Kernel, Pair, Take};
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::interpolation::{Between, CELLS, Neighbours, Outside, Reading};
use crate::plan::reduce::Total;
use crate::plan::refusal::Refusal;
use crate::plan::shape::checked_len;
use crate::plan::value::{Tensor, Value};

/// The first and the last corner of boxes, as columns of the operand, and the axis that they lie on.
struct Sides {
    corners: [usize; 2],
    bins: usize,
    extent: usize,
}

/// What a node says of every box.
struct Alignment {
    scale: f32,
    shift: f32,
    /// Samples of a bin on each axis; 0 for one in each cell or so.
    samples: usize,
    is_mean: bool,
}

/// Samples on an axis.
struct Samples {
    /// The cells around them, `[boxes, bins · samples]`.
    cells: Vec<Neighbours>,
    /// Boxes, and samples of each.
    boxes: usize,
    width: usize,
    /// How many each bin has, at most.
    count: usize,
    /// What each counts in the mean of its bin, `[boxes, samples]`; `None` where each bin has as many.
    shares: Option<Vec<f32>>,
}

impl Alignment {
    fn read(node: &Node, opset: i64) -> Result<Self, Fault> {
        let attributes = node.attributes();
        // Until operator set 15 there was no half of a cell.
        let default = if opset < 16 { "output_half_pixel" } else { "half_pixel" };
        let shift = match attributes.string("coordinate_transformation_mode", default)? {
            "half_pixel" => -0.5,
            "output_half_pixel" => 0.0,
            other => {
                let found = format!("coordinate_transformation_mode is {other:?}");
                return Err(Fault::new(found, "half_pixel and output_half_pixel are allowed"));
            }
        };
        let is_mean = match attributes.string("mode", "avg")? {
            "avg" => true,
            "max" => false,
            other => {
                return Err(Fault::new(format!("mode is {other:?}"), "avg and max are allowed"));
            }
        };
        let ratio = attributes.int("sampling_ratio", 0)?;
        let samples = usize::try_from(ratio).ok().filter(|&n| n < 1 << 12).ok_or_else(|| {
            Fault::new(format!("sampling_ratio is {ratio}"), "0 to 4095 are allowed")
        })?;
        Ok(Self { scale: attributes.float("spatial_scale", 1.0)?, shift, samples, is_mean })
    }

    /// The extent of a box between two coordinates of it, at least 1 where there is no half of a cell.
    fn extent(&self, first: f32, last: f32) -> f32 {
        let extent = (last - first) * self.scale;
        if self.shift == 0.0 { extent.max(1.0) } else { extent }
    }
}

impl Builder<'_> {
    pub(super) fn roi_align(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let alignment = Alignment::read(node, self.opset)?;
        let x = self.tensor(node, 0, "X")?;
        let rois = self.value(node, 1, "rois")?;
        let images = self.value(node, 2, "batch_indices")?;
        let (of_rois, of_images) = (self.shape_of(&rois), self.shape_of(&images));
        let (&[n, channels, height, width], &[boxes, 4]) = (&x.shape[..], &of_rois[..]) else {
            let found = format!("X is {} and rois {}", extents(&x.shape), extents(&of_rois));
            return Err(Fault::new(found, "four axes and boxes of four numbers are needed").into());
        };
        let size = |name: &str| {
            let n = node.attributes().int(name, 1)?;
            usize::try_from(n)
                .ok()
                .filter(|n| (1..1 << 12).contains(n))
                .ok_or_else(|| Fault::new(format!("{name} is {n}"), "1 to 4095 are allowed"))
        };
        let (out_y, out_x) = (size("output_height")?, size("output_width")?);
        if of_images != [boxes] || n * height * width > CELLS {
            let found =
                format!("batch_indices are {} for X of {}", extents(&of_images), extents(&x.shape));
            let allowed =
                format!("one for each of {boxes} boxes, in at most {CELLS} cells, is needed");
            return Err(Fault::new(found, allowed).into());
        }
        let down = Sides { corners: [1, 3], bins: out_y, extent: height };
        let across = Sides { corners: [0, 2], bins: out_x, extent: width };
        let down = self.samples(node, &rois, &alignment, &down)?;
        let across = self.samples(node, &rois, &alignment, &across)?;
        let sampled = self.regions(node, &x, images, [&down, &across], alignment.is_mean)?;
        let shape = vec![channels, boxes, out_y, down.count, out_x, across.count];
        let mut y = Tensor { shape, slot: sampled.slot };
        let mut total = match alignment.is_mean {
            true => Total::Mean,
            false => Total::Fold(Fold::Max),
        };
        if let (true, Some(rows), Some(columns)) = (alignment.is_mean, down.shares, across.shares) {
            let rows = self.numbers(rows, &[1, boxes, 1, down.count, 1, 1]);
            let columns = self.numbers(columns, &[1, boxes, 1, 1, 1, across.count]);
            let shares = self.combined(node, Pair::Mul, &rows, &columns)?;
            y = self.combined(node, Pair::Mul, &y, &shares)?;
            total = Total::Sum;
        }
        let y = self.total(node, &y, &[3, 5], total)?;
        let y = Tensor { shape: vec![channels, boxes, out_y, out_x], slot: y.slot };
        Ok(vec![Value::Tensor(self.permuted(node, &y, &[1, 0, 2, 3])?)])
    }

    /// All samples of boxes, `[1, channels, boxes · rows · columns]`.
    fn regions(
        &mut self,
        node: &Node,
        x: &Tensor,
        images: Value,
        [down, across]: [&Samples; 2],
        is_mean: bool,
    ) -> Result<Tensor, Refusal> {
        let &[n, channels, height, width] = &x.shape[..] else {
            return Err(Fault::new("X of other axes", "four are needed").into());
        };
        let (boxes, rows, columns) = (down.boxes, down.width, across.width);
        let points = checked_len(&[boxes, rows, columns])?;

        // The images side by side, and where a box's own begins.
        let planes = Tensor { shape: vec![n, channels, height * width], slot: x.slot };
        let planes = self.permuted(node, &planes, &[1, 0, 2])?;
        let planes = Tensor { shape: vec![1, channels, n * height * width], slot: planes.slot };
        let first = self.as_tensor(images, "batch_indices")?;
        let first = Tensor { shape: vec![boxes, 1, 1], slot: first.slot };
        let first = self.scaled(node, first, (height * width) as f32)?;
        let take = Take {
            outer: 1,
            repeats: channels as u32,
            from: (n * height * width) as u32,
            to: points as u32,
            inner: 1,
        };
        let (down_cells, across_cells) = (&down.cells, &across.cells);
        let corners = down_cells.iter().flat_map(|y| across_cells.iter().map(move |x| (y, x)));
        let mut sampled: Option<Tensor> = None;
        for (y, x) in corners {
            let of_rows = |t: &Tensor| Tensor { shape: vec![boxes, rows, 1], slot: t.slot };
            let of_columns = |t: &Tensor| Tensor { shape: vec![boxes, 1, columns], slot: t.slot };
            let at = self.scaled(node, of_rows(&y.cells), width as f32)?;
            let at = self.combined(node, Pair::Add, &at, &first)?;
            let at = self.combined(node, Pair::Add, &at, &of_columns(&x.cells))?;
            let shape = [1, channels, points];
            let mut part = self.by(node, &shape, Kernel::Take(take), &[&planes, &at])?;
            if let (Some(y), Some(x)) = (&y.weights, &x.weights) {
                let weights = self.combined(node, Pair::Mul, &of_rows(y), &of_columns(x))?;
                let weights = Tensor { shape: vec![1, 1, points], slot: weights.slot };
                part = self.combined(node, Pair::Mul, &part, &weights)?;
            }
            // The largest sample is the largest of its weighted cells, as ONNX defines it.
            let pair = if is_mean { Pair::Add } else { Pair::Max };
            sampled = Some(match sampled {
                Some(sampled) => self.combined(node, pair, &sampled, &part)?,
                None => part,
            });
        }
        sampled.ok_or_else(|| Fault::new("no samples", "at least one is needed").into())
    }

    /// The samples of all bins of boxes on an axis.
    fn samples(
        &mut self,
        node: &Node,
        rois: &Value,
        alignment: &Alignment,
        sides: &Sides,
    ) -> Result<Samples, Refusal> {
        let (counts, per_bin) = match (rois, alignment.samples) {
            (_, n) if n > 0 => (vec![n], n),
            (Value::Constant(rois), _) => {
                let rois = rois.to_floats().1;
                let count = |of: &[f32]| {
                    let [first, last] = sides.corners.map(|column| of[column]);
                    (alignment.extent(first, last) / sides.bins as f32).ceil().max(0.0) as usize
                };
                let counts: Vec<_> = rois.chunks_exact(4).map(count).collect();
                let most = counts.iter().copied().max().unwrap_or(1).max(1);
                (counts, checked_len(&[most])?)
            }
            _ => {
                let found = "sampling_ratio is 0, and the boxes depend on the image";
                return Err(Fault::new(found, "a number of samples is needed").into());
            }
        };
        // Where a box has fewer samples than another, its last one stands in for the others.
        let (boxes, width) = (self.shape_of(rois)[0], sides.bins * per_bin);
        checked_len(&[boxes, width])?;
        let own = |n: usize, i: usize| {
            let sample = (i % per_bin).min(n.saturating_sub(1)) as f32 + 0.5;
            (i / per_bin) as f32 + sample / n.max(1) as f32
        };
        let steps = counts.iter().flat_map(|&n| (0..width).map(move |i| own(n, i))).collect();
        let steps = self.numbers(steps, &[counts.len(), width]);
        let shares = (alignment.samples == 0).then(|| {
            let share = |n: usize, i: usize| if i < n { 1.0 / n as f32 } else { 0.0 };
            counts.iter().flat_map(|&n| (0..per_bin).map(move |i| share(n, i))).collect()
        });

        let mut corners = Vec::with_capacity(2);
        for column in sides.corners {
            let corner = self.moved(node, rois.clone(), &[Move::pick(1, [column])])?;
            let corner = self.as_tensor(corner, "rois")?;
            let placed = (alignment.scale, alignment.shift);
            corners.push(self.scaled_and_shifted(node, &corner, placed)?);
        }
        let mut extent = self.combined(node, Pair::Sub, &corners[1], &corners[0])?;
        if alignment.shift == 0.0 {
            let least = Function::Clip { low: 1.0, high: f32::MAX };
            extent = self.mapped(node, least, &extent)?;
        }
        let bin = self.scaled(node, extent, 1.0 / sides.bins as f32)?;
        let points = self.combined(node, Pair::Mul, &bin, &steps)?;
        let points = self.combined(node, Pair::Add, &points, &corners[0])?;
        let (between, outside) = (Between::Linear, Outside::Border);
        let reading = Reading { between, outside, ends: (0.0, 0.0), extent: sides.extent };
        let mut cells = self.neighbours(node, &points, reading)?;
        // A sample may lie up to a cell outside of the image.
        let (low, high) = (self.number(-1.0), self.number(sides.extent as f32));
        let low = self.combined(node, Pair::GreaterOrEqual, &points, &low)?;
        let high = self.combined(node, Pair::LessOrEqual, &points, &high)?;
        let is_near = self.combined(node, Pair::Mul, &low, &high)?;
        for cell in &mut cells {
            if let Some(weights) = cell.weights.take() {
                cell.weights = Some(self.combined(node, Pair::Keep, &weights, &is_near)?);
            }
        }
        Ok(Samples { cells, boxes, width, count: per_bin, shares })
    }
}
