//! Operators on each element: activations, sums and products with broadcasting, batch
//! normalisation, and softmax.

use std::sync::Arc;

use crate::error::{Fault, extents};
use crate::kernel::{Affine, BROADCAST_AXES, Broadcast, Function, Kernel, Pair, Vectors};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{len, resolve_axis};
use crate::plan::value::Value;

impl Builder<'_> {
    pub(super) fn map(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let function = match node.operator.as_str() {
            "Relu" => Function::Relu,
            "Sigmoid" => Function::Sigmoid,
            "LeakyRelu" => Function::LeakyRelu { slope: node.attributes().float("alpha", 0.01)? },
            _ => self.clip(node)?,
        };
        let y = self.result(node, &x.shape, &[&x])?;
        let len = len(&x.shape);
        self.push(Kernel::Map { function, len }, vec![x.slot], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
    }

    /// Its bounds are attributes until operator set 10, operands since.
    fn clip(&self, node: &Node) -> Result<Function, Fault> {
        let bound = |i: usize, name: &str, default: f32| {
            if self.opset < 11 {
                return node.attributes().float(name, default);
            }
            let Some(constant) = self.carried(node, i, name)? else { return Ok(default) };
            match constant.as_floats(name)? {
                (_, data) if data.len() == 1 => Ok(data[0]),
                (shape, _) => {
                    let found = format!("{name} has shape {}", extents(shape));
                    Err(Fault::new(found, "a scalar is needed"))
                }
            }
        };
        let (low, high) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
        if low.is_nan() || high.is_nan() {
            return Err(Fault::new(format!("bounds are {low} and {high}"), "numbers are needed"));
        }
        Ok(Function::Clip { low, high })
    }

    pub(super) fn pair(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let pair = match node.operator.as_str() {
            "Add" => Pair::Add,
            "Mul" => Pair::Mul,
            _ => Pair::PRelu,
        };
        if node.inputs.len() > 2 {
            let found = format!("{} operands", node.inputs.len());
            return Err(Fault::new(found, "two are allowed").into());
        }
        let values = (self.value(node, 0, "A")?, self.value(node, 1, "B")?);
        if let (Value::Constant(Constant::Ints { .. }), Value::Constant(Constant::Ints { .. })) =
            &values
        {
            return sizes(pair, &values).map(|value| vec![value]);
        }
        let (a, b) = (self.tensor(node, 0, "A")?, self.tensor(node, 1, "B")?);
        let (all, shape) = broadcast(pair, &a.shape, &b.shape)?;
        if pair == Pair::PRelu && (shape != a.shape || self.slots[b.slot].varies) {
            return Err(Fault::new(
                format!("slope is {}", extents(&b.shape)),
                format!("weights that repeat to {} are needed", extents(&a.shape)),
            )
            .into());
        }
        let y = self.result(node, &shape, &[&a, &b])?;
        self.push(Kernel::Pair(pair, all), vec![a.slot, b.slot], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
    }

    pub(super) fn batch_normalization(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        if x.shape.len() < 2 {
            let found = format!("X has shape {}", extents(&x.shape));
            return Err(Fault::new(found, "batch and channels are needed").into());
        }
        if node.attributes().flag("training_mode")? {
            let found = "training_mode is 1";
            return Err(Fault::new(found, "a model for inference is needed").into());
        }
        let epsilon = node.attributes().float("epsilon", 1e-5)?;
        let channels = x.shape[1];
        let operand = |i: usize, name: &str| {
            self.per_channel(node, i, name, channels)?
                .ok_or_else(|| Fault::new(format!("{name} is left out"), "it is needed"))
        };
        let (scale, shift) = (operand(1, "scale")?, operand(2, "B")?);
        let (mean, var) = (operand(3, "mean")?, operand(4, "var")?);
        let scale: Vec<f32> =
            scale.iter().zip(var.iter()).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let shift: Vec<f32> = (0..channels).map(|c| shift[c] - mean[c] * scale[c]).collect();
        let [scale, shift] = [scale, shift].map(|data| self.weights(&Arc::new(data), 0..channels));
        let y = self.result(node, &x.shape, &[&x])?;
        let inner = len(&x.shape[2..]);
        let affine = Affine { len: len(&x.shape), channels: channels as u32, inner };
        self.push(Kernel::Affine(affine), vec![x.slot, scale, shift], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
    }

    /// Along one axis since operator set 13; before, over everything from an axis on.
    pub(super) fn softmax(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let rank = x.shape.len();
        let one_axis = self.opset >= 13;
        let axis = node.attributes().int("axis", if one_axis { -1 } else { 1 })?;
        let axis = resolve_axis(axis, rank, !one_axis)?;
        let after = if one_axis { axis + 1 } else { rank };
        let vectors = Vectors {
            outer: len(&x.shape[..axis]),
            len: len(&x.shape[axis..after]),
            inner: len(&x.shape[after..]),
        };
        let y = self.result(node, &x.shape, &[&x])?;
        self.push(Kernel::Softmax(vectors), vec![x.slot], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
    }
}

/// How two shapes repeat to one (NumPy's rule), and that one. A slope of one axis that is not the
/// last belongs to the channels.
pub(crate) fn broadcast(
    pair: Pair,
    a: &[usize],
    b: &[usize],
) -> Result<(Broadcast, Vec<usize>), Fault> {
    let rank = a.len().max(b.len());
    let refused = || {
        Fault::new(
            format!("A is {} and B is {}", extents(a), extents(b)),
            format!("shapes of up to {BROADCAST_AXES} axes that repeat to one are needed"),
        )
    };
    if rank > BROADCAST_AXES {
        return Err(refused());
    }
    let padded = |shape: &[usize]| {
        let mut dims = [1; BROADCAST_AXES];
        dims[BROADCAST_AXES - shape.len()..].copy_from_slice(shape);
        dims
    };
    let (wide_a, mut wide_b) = (padded(a), padded(b));
    let last = a.last().copied().unwrap_or(1);
    if let (Pair::PRelu, [n]) = (pair, b)
        && a.len() > 2
        && *n != last
        && *n == a[1]
    {
        wide_b = [1; BROADCAST_AXES];
        wide_b[BROADCAST_AXES - a.len() + 1] = *n;
    }
    let mut dims = [1u32; BROADCAST_AXES];
    for (i, dim) in dims.iter_mut().enumerate() {
        *dim = match (wide_a[i], wide_b[i]) {
            (n, m) if n == m => n as u32,
            (1, n) | (n, 1) => n as u32,
            _ => return Err(refused()),
        };
    }
    let steps = |own: [usize; BROADCAST_AXES]| {
        let mut steps = [0; BROADCAST_AXES];
        let mut step = 1usize;
        for i in (0..BROADCAST_AXES).rev() {
            steps[i] = if own[i] == 1 { 0 } else { step as u32 };
            step *= own[i];
        }
        steps
    };
    let shape = dims[BROADCAST_AXES - rank..].iter().map(|&d| d as usize).collect();
    Ok((Broadcast { dims, a: steps(wide_a), b: steps(wide_b) }, shape))
}

/// Arithmetic with sizes, as exporters write it for a reshape.
fn sizes(pair: Pair, values: &(Value, Value)) -> Result<Value, Refusal> {
    let (Value::Constant(a), Value::Constant(b)) = values else {
        return Err(Fault::new("sizes that are not constant", "constants are needed").into());
    };
    let (x, y) = (a.as_list("A")?, b.as_list("B")?);
    let (long, shape) =
        if x.len() >= y.len() { (x.len(), a.shape()) } else { (y.len(), b.shape()) };
    let fits = |n: usize| n == long || n == 1;
    let at = |list: &[i64], i: usize| if list.len() == 1 { list[0] } else { list[i] };
    if pair == Pair::PRelu || !fits(x.len()) || !fits(y.len()) {
        let found = format!("{} and {} whole numbers", x.len(), y.len());
        return Err(Fault::new(found, "as many, or one, are needed").into());
    }
    let combine = |i: usize| match pair {
        Pair::Add => at(x, i).saturating_add(at(y, i)),
        _ => at(x, i).saturating_mul(at(y, i)),
    };
    Ok(Value::Constant(Constant::ints(shape.to_vec(), (0..long).map(combine).collect())))
}
