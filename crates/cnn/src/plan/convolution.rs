//! Conv and ConvTranspose: a sum over channels and taps, and its transpose.
//!
//! Weights that pass [`WEIGHTS_BYTES`] are cut by rows, so that each piece can be bound.

use unpool::{Axis, Padding};

use crate::elements::Elements;
use crate::error::{Fault, extents};
use crate::kernel::{Conv, Kernel, Pair, Steps};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::operands::spatial_axes;
use crate::plan::pointwise::broadcast;
use crate::plan::refusal::Refusal;
use crate::plan::sliding::{Sliding, axis, extent};
use crate::plan::value::{Tensor, Value};

/// The largest binding under WebGPU's default limits.
const WEIGHTS_BYTES: usize = 128 << 20;

/// The weights of a convolution: those that the model carries, or a tensor that is computed of them once, as where
/// they are normalised.
enum Filters {
    Carried(Elements),
    Computed(Tensor),
}

/// A bias that a convolution adds, one number per channel of what it writes.
pub(super) type Bias = Option<Elements>;

impl Builder<'_> {
    pub(super) fn conv(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let (shape, weights) = self.filters(node, axes)?;
        let groups = groups(node, x.shape[1], shape[1])?;
        if shape[0] % groups != 0 {
            let found = format!("W has {} output channels in {groups} groups", shape[0]);
            return Err(Fault::new(found, "a multiple of the groups is needed").into());
        }
        let bias = self.per_channel(node, 2, "B", shape[0])?.map(Elements::from);
        let sliding = Sliding::read(node.attributes(), axes, Some(&shape[2..]))?;
        let axes = sliding.over(&x.shape[2..])?;
        let mut result = vec![x.shape[0], shape[0]];
        result.extend(axes[5 - x.shape.len()..].iter().map(|a| a.windows as usize));
        let y = self.result(node, &result, &[&x])?;
        let conv = dense(axes, x.shape[0], groups, shape[0] / groups, shape[1]);
        match weights {
            Filters::Carried(weights) => self.convolve(conv, &x, &weights, bias, &y),
            Filters::Computed(weights) => {
                let bias = bias.map(|data| self.weights(&data, 0..data.len(), &[shape[0]]));
                let reads: Vec<_> = [&x, &weights].into_iter().chain(&bias).collect();
                self.push(Kernel::Conv(conv), &reads, &[&y]);
            }
        }
        Ok(vec![Value::Tensor(y)])
    }

    pub(super) fn conv_transpose(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let (shape, weights) = self.filters(node, axes)?;
        let groups = node.attributes().int("group", 1)?;
        let channels = x.shape[1];
        let divides = groups > 0 && channels as i64 % groups == 0;
        if shape[0] != channels || !divides {
            return Err(Fault::new(
                format!("W takes {} channels in {groups} groups", shape[0]),
                format!("{channels} channels, a multiple of the groups, are needed, as X has"),
            )
            .into());
        }
        let groups = groups as usize;
        let written = shape[1].saturating_mul(groups);
        let bias = self.per_channel(node, 2, "B", written)?.map(Elements::from);
        let sliding = Sliding::read(node.attributes(), axes, Some(&shape[2..]))?;
        let axes = transposed(node, &sliding, &x.shape[2..])?;
        let mut result = vec![x.shape[0], written];
        result.extend(axes[5 - x.shape.len()..].iter().map(|a| a.input as usize));
        let y = self.result(node, &result, &[&x])?;
        let conv = dense(axes, x.shape[0], groups, channels / groups, shape[1]);
        let bias = bias.map(|data| self.weights(&data, 0..data.len(), &[written]));
        match weights {
            Filters::Carried(weights) => self.spread(node, conv, &x, &weights, bias, &y)?,
            Filters::Computed(weights) => {
                let reads: Vec<_> = [&x, &weights].into_iter().chain(&bias).collect();
                self.push(Kernel::ConvTranspose(conv), &reads, &[&y]);
            }
        }
        Ok(vec![Value::Tensor(y)])
    }

    /// The weights of a convolution over so many spatial axes.
    fn filters(&self, node: &Node, axes: usize) -> Result<(Vec<usize>, Filters), Fault> {
        let (shape, weights) = match self.value(node, 1, "W")? {
            Value::Tensor(weights) if !self.slots[weights.slot].varies => {
                (weights.shape.clone(), Filters::Computed(weights))
            }
            Value::Constant(weights) => {
                let (shape, data) = weights.as_floats("W")?;
                (shape.to_vec(), Filters::Carried(data.clone()))
            }
            _ => {
                let allowed = "weights that no image changes are needed";
                return Err(Fault::new("W depends on the image", allowed));
            }
        };
        if shape.len() != axes + 2 || shape.contains(&0) {
            return Err(Fault::new(
                format!("W has shape {}", extents(&shape)),
                format!("{} extents of at least 1 are needed", axes + 2),
            ));
        }
        Ok((shape, weights))
    }

    /// Pieces of the rows of a convolution's weights, each with its first row.
    fn pieces(&self, conv: Conv) -> Vec<(usize, Conv)> {
        let row = conv.columns as usize * conv.taps() as usize;
        let at_most = (WEIGHTS_BYTES / 4 / row).max(1);
        if conv.groups > 1 || conv.rows as usize <= at_most {
            return vec![(0, conv)];
        }
        let starts = (0..conv.rows as usize).step_by(at_most);
        let piece = |start: usize| {
            let rows = at_most.min(conv.rows as usize - start) as u32;
            let offset = conv.y.offset + start as u32 * conv.y.channel;
            (start, Conv { rows, y: Steps { offset, ..conv.y }, ..conv })
        };
        starts.map(|start| (start, piece(start).1)).collect()
    }

    pub(super) fn convolve(
        &mut self,
        conv: Conv,
        x: &Tensor,
        data: &Elements,
        bias: Bias,
        y: &Tensor,
    ) {
        let row = conv.columns as usize * conv.taps() as usize;
        for (start, piece) in self.pieces(conv) {
            let rows = (piece.rows * piece.groups) as usize;
            let part = start * row..(start + rows) * row;
            let weights = self.weights(data, part, &[rows, row]);
            let bias = bias.as_ref().map(|bias| self.weights(bias, start..start + rows, &[rows]));
            let reads: Vec<_> = [x, &weights].into_iter().chain(&bias).collect();
            self.push(Kernel::Conv(piece), &reads, &[y]);
        }
    }

    /// The transpose of [`convolve`](Self::convolve): the results of all pieces are summed.
    fn spread(
        &mut self,
        node: &Node,
        conv: Conv,
        x: &Tensor,
        data: &Elements,
        mut bias: Option<Tensor>,
        y: &Tensor,
    ) -> Result<(), Refusal> {
        let row = conv.columns as usize * conv.taps() as usize;
        let pieces = self.pieces(conv);
        let mut sum: Option<Tensor> = None;
        for (i, &(start, piece)) in pieces.iter().enumerate() {
            let rows = (piece.rows * piece.groups) as usize;
            let weights = self.weights(data, start * row..(start + rows) * row, &[rows, row]);
            let bias = bias.take();
            let reads: Vec<_> = [x, &weights].into_iter().chain(&bias).collect();
            let last = i + 1 == pieces.len();
            let part =
                if last && sum.is_none() { y.clone() } else { self.result(node, &y.shape, &[x])? };
            self.push(Kernel::ConvTranspose(piece), &reads, &[&part]);
            sum = Some(match sum {
                None => part,
                Some(before) => {
                    let all = if last { y.clone() } else { self.result(node, &y.shape, &[x])? };
                    let same = broadcast(Pair::Add, &y.shape, &y.shape)?.0;
                    self.push(Kernel::Pair(Pair::Add, same), &[&before, &part], &[&all]);
                    all
                }
            });
        }
        Ok(())
    }
}

/// A convolution between dense tensors.
pub(super) fn dense(
    axes: [Axis; 3],
    batch: usize,
    groups: usize,
    rows: usize,
    columns: usize,
) -> Conv {
    let mut conv = Conv {
        axes,
        batch: batch as u32,
        groups: groups as u32,
        rows: rows as u32,
        columns: columns as u32,
        x: Steps { offset: 0, image: 0, channel: 0 },
        y: Steps { offset: 0, image: 0, channel: 0 },
    };
    let (x, y) = (conv.input_positions(), conv.output_positions());
    // Products of extents of tensors that were counted in u32 already.
    conv.x = Steps { offset: 0, image: x * conv.groups * conv.columns, channel: x };
    conv.y = Steps { offset: 0, image: y * conv.groups * conv.rows, channel: y };
    conv
}

fn groups(node: &Node, channels: usize, columns: usize) -> Result<usize, Fault> {
    let groups = node.attributes().int("group", 1)?;
    if groups < 1 || (groups as u128) * columns as u128 != channels as u128 {
        return Err(Fault::new(
            format!("W reads {groups} groups of {columns} channels"),
            format!("{channels} channels are needed, as X has"),
        ));
    }
    Ok(groups as usize)
}

/// The axes of the convolution that a ConvTranspose transposes; `spatial` are its windows.
fn transposed(node: &Node, sliding: &Sliding, spatial: &[usize]) -> Result<[Axis; 3], Fault> {
    let (attributes, count) = (node.attributes(), spatial.len());
    let extra = attributes.sizes("output_padding", count, 0)?.unwrap_or_else(|| vec![0; count]);
    let said = attributes.sizes("output_shape", count, 1)?;
    let mut axes = [Axis::NONE; 3];
    for (i, &windows) in spatial.iter().enumerate() {
        let (stride, windows) = (sliding.strides[i] as i64, windows as i64);
        if extra[i] as i64 >= stride.max(sliding.dilations[i] as i64) {
            let found = format!("output_padding is {} on axis {i}", extra[i]);
            return Err(Fault::new(found, "less than the stride or the dilation is needed"));
        }
        let span = (windows - 1)
            .saturating_mul(stride)
            .saturating_add(extent(sliding.kernel[i], sliding.dilations[i]))
            .saturating_add(extra[i] as i64);
        let same = matches!(sliding.pads, Padding::Same | Padding::SameLower);
        let size = match &said {
            Some(said) => Some(said[i] as i64),
            None if same => Some(windows.saturating_mul(stride)),
            None => None,
        };
        let (before, after) = match (size, &sliding.pads) {
            (None, Padding::Explicit(pads)) => (pads[i].0 as i64, pads[i].1 as i64),
            (None, _) => (0, 0),
            (Some(size), pads) => {
                let total = (span - size).max(0);
                let less = total / 2;
                if matches!(pads, Padding::Same) {
                    (less, total - less)
                } else {
                    (total - less, less)
                }
            }
        };
        let size = size.unwrap_or(span - before - after);
        if size < 1 {
            let found = format!("on axis {i} {span} cells with {before} and {after} cut off");
            return Err(Fault::new(found, "at least 1 must be left"));
        }
        let window = [sliding.kernel[i], sliding.strides[i], sliding.dilations[i]];
        axes[3 - count + i] = axis(size, windows, window, before, after)?;
    }
    Ok(axes)
}
