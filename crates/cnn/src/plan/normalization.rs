//! Normalisation: by stored moments, by those of a layer, an instance or a group of channels, and by
//! neighbouring channels; softmax.

use std::sync::Arc;

use crate::error::{Fault, extents};
use crate::kernel::{Affine, Function, Kernel, Pair, Sparse, Vectors};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::reduce::Total;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{len, resolve_axes, resolve_axis, vectors_along};
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    /// By stored moments, or by moments that nodes compute. In training by its own, but weights alone, which exporters
    /// standardise like this: those of images depend on the other images of the batch.
    pub(super) fn batch_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.with_channels(node)?;
        let epsilon = node.attributes().float("epsilon", 1e-5)?;
        let channels = x.shape[1];
        // Before operator set 14 there is no mode, but more than one result in training.
        let is_training = match self.opset {
            ..14 => node.outputs.iter().skip(1).any(|name| !name.is_empty()),
            _ => node.attributes().flag("training_mode")?,
        };
        if is_training && self.slots[x.slot].varies {
            let found = match self.opset {
                ..14 => format!("it has {} results, as in training", node.outputs.len()),
                _ => "training_mode is 1".into(),
            };
            return Err(Fault::new(found, "a model for inference is needed").into());
        }
        let mut is_stored = !is_training;
        for i in 1..5 {
            is_stored &= !matches!(self.value_or_none(node, i)?, Some(Value::Tensor(_)));
        }
        if !is_stored {
            let mut y = if is_training {
                let axes: Vec<_> = (0..x.shape.len()).filter(|&axis| axis != 1).collect();
                self.normalized_over(node, &x, &axes, 1e-5)?
            } else {
                let mean = self.of_channels(node, 3, "mean", &x)?;
                let var = self.of_channels(node, 4, "var", &x)?;
                let power = Function::Power { offset: epsilon, exponent: -0.5 };
                let factor = self.mapped(node, power, &var)?;
                let y = self.combined(node, Pair::Sub, &x, &mean)?;
                self.combined(node, Pair::Mul, &y, &factor)?
            };
            for (i, pair, name) in [(1, Pair::Mul, "scale"), (2, Pair::Add, "B")] {
                let operand = self.of_channels(node, i, name, &x)?;
                y = self.combined(node, pair, &y, &operand)?;
            }
            return Ok(vec![Value::Tensor(y)]);
        }
        let operand = |i: usize, name: &str| self.needed_per_channel(node, i, name, channels);
        let (scale, shift) = (operand(1, "scale")?, operand(2, "B")?);
        let (mean, var) = (operand(3, "mean")?, operand(4, "var")?);
        let scale: Vec<f32> =
            scale.iter().zip(var.iter()).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let shift = (0..channels).map(|c| shift[c] - mean[c] * scale[c]).collect();
        let y = self.affine(node, &x, scale, shift)?;
        Ok(vec![Value::Tensor(y)])
    }

    /// An operand of a number for each channel of `x`, computed or not, so that it repeats to `x`.
    fn of_channels(
        &mut self,
        node: &Node,
        i: usize,
        name: &str,
        x: &Tensor,
    ) -> Result<Tensor, Refusal> {
        let operand = self.tensor(node, i, name)?;
        if operand.shape != x.shape[1..2] {
            let found = format!("{name} has shape {}", extents(&operand.shape));
            return Err(Fault::new(found, format!("{} elements are needed", x.shape[1])).into());
        }
        let mut shape = vec![1; x.shape.len() - 1];
        shape[0] = x.shape[1];
        Ok(Tensor { shape, ..operand })
    }

    fn needed_per_channel(
        &self,
        node: &Node,
        i: usize,
        name: &str,
        channels: usize,
    ) -> Result<Arc<Vec<f32>>, Fault> {
        self.per_channel(node, i, name, channels)?
            .ok_or_else(|| Fault::new(format!("{name} is left out"), "it is needed"))
    }

    fn with_channels(&mut self, node: &Node) -> Result<Tensor, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        if x.shape.len() < 2 {
            let found = format!("X has shape {}", extents(&x.shape));
            return Err(Fault::new(found, "batch and channels are needed").into());
        }
        Ok(x)
    }

    /// A scale and a shift for each channel.
    fn affine(
        &mut self,
        node: &Node,
        x: &Tensor,
        scale: Vec<f32>,
        shift: Vec<f32>,
    ) -> Result<Tensor, Refusal> {
        let channels = x.shape[1];
        let [scale, shift] = [scale, shift].map(|data| self.numbers(data, &[channels]));
        let affine =
            Affine { len: len(&x.shape), channels: channels as u32, inner: len(&x.shape[2..]) };
        Ok(self.by(node, &x.shape, Kernel::Affine(affine), &[x, &scale, &shift])?)
    }

    /// Each channel of an image by its own mean and deviation.
    pub(super) fn instance_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.with_channels(node)?;
        let channels = x.shape[1];
        let scale = self.needed_per_channel(node, 1, "scale", channels)?;
        let shift = self.needed_per_channel(node, 2, "B", channels)?;
        let y = self.normalized(node, &x, x.shape[0] * channels, 1e-5)?;
        let y = self.affine(node, &y, scale.to_vec(), shift.to_vec())?;
        Ok(vec![Value::Tensor(y)])
    }

    /// Groups of channels by their own means and deviations. Scale and bias are of the groups until operator
    /// set 20, of the channels since.
    pub(super) fn group_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.with_channels(node)?;
        let channels = x.shape[1];
        let groups = usize::try_from(node.attributes().int("num_groups", 0)?).unwrap_or(0);
        if groups == 0 || channels % groups != 0 {
            let found = format!("num_groups is {groups}");
            return Err(Fault::new(found, format!("a divisor of {channels} is needed")).into());
        }
        let count = if self.opset < 21 { groups } else { channels };
        let wide = |list: Arc<Vec<f32>>| {
            (0..channels).map(|c| list[c * count / channels]).collect::<Vec<_>>()
        };
        let scale = wide(self.needed_per_channel(node, 1, "scale", count)?);
        let shift = wide(self.needed_per_channel(node, 2, "bias", count)?);
        let y = self.normalized(node, &x, x.shape[0] * groups, 1e-5)?;
        let y = self.affine(node, &y, scale, shift)?;
        Ok(vec![Value::Tensor(y)])
    }

    /// Everything from an axis on by its mean and deviation.
    pub(super) fn layer_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axis = resolve_axis(node.attributes().int("axis", -1)?, x.shape.len(), false)?;
        let outer = x.shape[..axis].iter().product();
        let mut y = if node.operator == "RMSNormalization" {
            let epsilon = node.attributes().float("epsilon", 1e-5)?;
            let squares = self.combined(node, Pair::Mul, &x, &x)?;
            let axes: Vec<_> = (axis..x.shape.len()).collect();
            let mean = self.total(node, &squares, &axes, Total::Mean)?;
            let power = Function::Power { offset: epsilon, exponent: -0.5 };
            let factor = self.mapped(node, power, &mean)?;
            self.combined(node, Pair::Mul, &x, &factor)?
        } else {
            self.normalized(node, &x, outer, 1e-5)?
        };
        for (i, pair, name) in [(1, Pair::Mul, "Scale"), (2, Pair::Add, "B")] {
            if self.value_or_none(node, i)?.is_some() {
                let operand = self.tensor(node, i, name)?;
                y = self.combined(node, pair, &y, &operand)?;
            }
        }
        Ok(vec![Value::Tensor(y)])
    }

    /// `outer` equal parts of a tensor, each by its mean and deviation.
    fn normalized(
        &mut self,
        node: &Node,
        x: &Tensor,
        outer: usize,
        default: f32,
    ) -> Result<Tensor, Refusal> {
        let epsilon = node.attributes().float("epsilon", default)?;
        let count = len(&x.shape) / (outer as u32).max(1);
        let vectors = Vectors { outer: outer as u32, len: count, inner: 1 };
        Ok(self.by(node, &x.shape, Kernel::Normalize { vectors, epsilon }, &[x])?)
    }

    /// Over any axes, without scale and shift.
    pub(super) fn mean_variance_normalization(
        &mut self,
        node: &Node,
    ) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = node.attributes().ints("axes")?.unwrap_or(&[0, 2, 3]);
        let axes = resolve_axes(axes, x.shape.len())?;
        Ok(vec![Value::Tensor(self.normalized_over(node, &x, &axes, 1e-9)?)])
    }

    /// Parts of a tensor that lie along some of its axes, each by its mean and deviation.
    fn normalized_over(
        &mut self,
        node: &Node,
        x: &Tensor,
        axes: &[usize],
        default: f32,
    ) -> Result<Tensor, Refusal> {
        let kept = (0..x.shape.len()).filter(|axis| !axes.contains(axis));
        let order: Vec<_> = kept.chain(axes.iter().copied()).collect();
        let back: Vec<_> = (0..order.len())
            .map(|axis| order.iter().position(|&moved| moved == axis).unwrap_or(axis))
            .collect();
        let turned = self.permuted(node, x, &order)?;
        let outer = turned.shape[..order.len() - axes.len()].iter().product();
        let y = self.normalized(node, &turned, outer, default)?;
        self.permuted(node, &y, &back)
    }

    /// Vectors along an axis, divided by their norm.
    pub(super) fn lp_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "input")?;
        let axis = resolve_axis(node.attributes().int("axis", -1)?, x.shape.len(), false)?;
        let norm = match node.attributes().int("p", 2)? {
            1 => {
                let sizes = self.mapped(node, Function::Abs, &x)?;
                self.total(node, &sizes, &[axis], Total::Sum)?
            }
            2 => {
                let squares = self.combined(node, Pair::Mul, &x, &x)?;
                let sum = self.total(node, &squares, &[axis], Total::Sum)?;
                self.mapped(node, Function::Sqrt, &sum)?
            }
            other => return Err(Fault::new(format!("p is {other}"), "1 and 2 are allowed").into()),
        };
        // A vector of zeros stays one.
        let y = self.combined(node, Pair::Div, &x, &norm)?;
        Ok(vec![Value::Tensor(self.combined(node, Pair::Keep, &y, &norm)?)])
    }

    /// By the squares of neighbouring channels (Krizhevsky, Sutskever and Hinton 2012, section 3.3).
    pub(super) fn local_response_normalization(
        &mut self,
        node: &Node,
    ) -> Result<Vec<Value>, Refusal> {
        let x = self.with_channels(node)?;
        let attributes = node.attributes();
        let (alpha, beta) = (attributes.float("alpha", 1e-4)?, attributes.float("beta", 0.75)?);
        let bias = attributes.float("bias", 1.0)?;
        let size = attributes.int("size", 0)?;
        let Some(size) = usize::try_from(size).ok().filter(|&n| n > 0 && n < 1 << 20) else {
            let found = format!("size is {size}");
            return Err(Fault::new(found, "a number of channels is needed").into());
        };
        let channels = x.shape[1];
        let mut neighbours = Sparse::new(channels);
        for c in 0..channels {
            let range = c.saturating_sub((size - 1) / 2)..(c + size / 2 + 1).min(channels);
            neighbours.push(range.map(|column| (column, alpha / size as f32)));
        }
        let squares = self.combined(node, Pair::Mul, &x, &x)?;
        let sums = self.along(node, &squares, 1..2, &neighbours)?;
        let power = Function::Power { offset: bias, exponent: -beta };
        let factor = self.mapped(node, power, &sums)?;
        Ok(vec![Value::Tensor(self.combined(node, Pair::Mul, &x, &factor)?)])
    }

    /// Along one axis since operator set 13; before, over everything from an axis on.
    pub(super) fn softmax(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let rank = x.shape.len();
        let one_axis = self.opset >= 13;
        let axis = node.attributes().int("axis", if one_axis { -1 } else { 1 })?;
        let axis = resolve_axis(axis, rank, !one_axis)?;
        let after = if one_axis { axis + 1 } else { rank };
        let vectors = vectors_along(&x.shape, axis..after);
        let log = node.operator == "LogSoftmax";
        let y = self.by(node, &x.shape, Kernel::Softmax { vectors, log }, &[&x])?;
        Ok(vec![Value::Tensor(y)])
    }
}
