//! Operators on each element: functions of one, and of two with broadcasting.

use crate::error::{Fault, extents};
use crate::kernel::{BROADCAST_AXES, Broadcast, Function, Kernel, Pair, strides};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::folding;
use crate::plan::refusal::Refusal;
use crate::plan::shape::len;
use crate::plan::value::{Tensor, Value};

/// `alpha` and `gamma` of Selu, where a node leaves them out.
const SELU: (f32, f32) = (1.673_263_2, 1.050_701);

impl Builder<'_> {
    /// A function of each element.
    pub(super) fn map(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let function = self.function(node)?;
        if let Value::Constant(constant) = self.value(node, 0, "X")? {
            return Ok(vec![Value::Constant(folding::map(function, &constant))]);
        }
        let x = self.tensor(node, 0, "X")?;
        Ok(vec![Value::Tensor(self.mapped(node, function, &x)?)])
    }

    pub(super) fn mapped(
        &mut self,
        node: &Node,
        function: Function,
        x: &Tensor,
    ) -> Result<Tensor, Refusal> {
        let len = len(&x.shape);
        Ok(self.by(node, &x.shape, Kernel::Map { function, len }, &[x])?)
    }

    fn function(&self, node: &Node) -> Result<Function, Fault> {
        let attributes = node.attributes();
        let alpha = |default: f32| attributes.float("alpha", default);
        Ok(match node.operator.as_str() {
            "Relu" => Function::Relu,
            "LeakyRelu" => Function::LeakyRelu { alpha: alpha(0.01)? },
            "Clip" => self.clip(node)?,
            "Sigmoid" => Function::Sigmoid,
            "Tanh" => Function::Tanh,
            "Exp" => Function::Exp,
            "Log" => Function::Log,
            "Sqrt" => Function::Sqrt,
            "Reciprocal" => Function::Reciprocal,
            "Neg" => Function::Neg,
            "Abs" => Function::Abs,
            "Erf" => Function::Erf,
            "Gelu" => match attributes.string("approximate", "none")? {
                "none" => Function::Gelu,
                "tanh" => Function::GeluTanh,
                other => {
                    let found = format!("approximate is {other:?}");
                    return Err(Fault::new(found, "none and tanh are allowed"));
                }
            },
            "Elu" => Function::Selu { alpha: alpha(1.0)?, gamma: 1.0 },
            "Selu" => {
                Function::Selu { alpha: alpha(SELU.0)?, gamma: attributes.float("gamma", SELU.1)? }
            }
            "Celu" => Function::Celu { alpha: alpha(1.0)? },
            "Softplus" => Function::Softplus,
            "Softsign" => Function::Softsign,
            "Mish" => Function::Mish,
            "Swish" => Function::Swish { alpha: alpha(1.0)? },
            "HardSigmoid" => {
                Function::HardSigmoid { alpha: alpha(0.2)?, beta: attributes.float("beta", 0.5)? }
            }
            "HardSwish" => Function::HardSwish,
            "IsNaN" => Function::IsNan,
            "IsInf" => Function::IsInf {
                negative: attributes.int("detect_negative", 1)? != 0,
                positive: attributes.int("detect_positive", 1)? != 0,
            },
            "ThresholdedRelu" => Function::ThresholdedRelu { alpha: alpha(1.0)? },
            "Shrink" => Function::Shrink {
                lambda: attributes.float("lambd", 0.5)?,
                bias: attributes.float("bias", 0.0)?,
            },
            "Floor" => Function::Floor,
            "Ceil" => Function::Ceil,
            "Round" => Function::Round,
            "Sign" => Function::Sign,
            "Not" => Function::Not,
            "Sin" => Function::Sin,
            "Cos" => Function::Cos,
            "Tan" => Function::Tan,
            "Asin" => Function::Asin,
            "Acos" => Function::Acos,
            "Atan" => Function::Atan,
            "Sinh" => Function::Sinh,
            "Cosh" => Function::Cosh,
            "Asinh" => Function::Asinh,
            "Acosh" => Function::Acosh,
            _ => Function::Atanh,
        })
    }

    /// Its bounds are attributes until operator set 10, operands since.
    fn clip(&self, node: &Node) -> Result<Function, Fault> {
        let bound = |i: usize, name: &str, default: f32| {
            if self.opset < 11 {
                return node.attributes().float(name, default);
            }
            Ok(self.scalar(node, i, name)?.unwrap_or(default))
        };
        let (low, high) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
        if low.is_nan() || high.is_nan() {
            return Err(Fault::new(format!("bounds are {low} and {high}"), "numbers are needed"));
        }
        Ok(Function::Clip { low, high })
    }

    /// A conversion: to whole numbers by cutting the fraction off, to truth values by asking for 0.
    pub(super) fn cast(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "input")?;
        let to = match node.operator.as_str() {
            // The other operand only says the type.
            "CastLike" => match self.value(node, 1, "target_type")? {
                Value::Constant(Constant::Ints { .. }) | Value::Indices(_) => folding::INT64,
                _ if self.truths.contains(&node.inputs[1]) => folding::BOOL,
                _ => folding::FLOAT,
            },
            _ => node.attributes().int("to", 0)?,
        };
        let kind = folding::Kind::of(to)?;
        Ok(vec![match value {
            Value::Constant(constant) => Value::Constant(folding::cast(&constant, kind)),
            Value::Indices(indices) if kind == folding::Kind::Ints => Value::Indices(indices),
            _ => {
                let x = self.tensor(node, 0, "input")?;
                Value::Tensor(match kind {
                    folding::Kind::Floats => x,
                    folding::Kind::Ints => self.mapped(node, Function::Truncate, &x)?,
                    folding::Kind::Truth => {
                        let not = self.mapped(node, Function::Not, &x)?;
                        self.mapped(node, Function::Not, &not)?
                    }
                })
            }
        }])
    }

    /// A function of two operands; Sum, Min, Max and Mean take any number of them.
    pub(super) fn pair(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let pair = match node.operator.as_str() {
            "Add" | "Sum" | "Mean" => Pair::Add,
            "Mul" => Pair::Mul,
            "Sub" => Pair::Sub,
            "Div" => Pair::Div,
            "Pow" => Pair::Pow,
            "Min" => Pair::Min,
            "Max" => Pair::Max,
            "Mod" if node.attributes().flag("fmod")? => Pair::Fmod,
            "Mod" => Pair::Mod,
            "Equal" => Pair::Equal,
            "Less" => Pair::Less,
            "LessOrEqual" => Pair::LessOrEqual,
            "Greater" => Pair::Greater,
            "GreaterOrEqual" => Pair::GreaterOrEqual,
            "And" => Pair::And,
            "Or" => Pair::Or,
            "Xor" => Pair::Xor,
            _ => Pair::PRelu,
        };
        let variadic = matches!(node.operator.as_str(), "Sum" | "Mean" | "Min" | "Max");
        let count = node.inputs.len();
        if (count != 2 && !variadic) || count == 0 {
            let found = format!("{count} operands");
            let needed = if variadic { "at least one is needed" } else { "two are needed" };
            return Err(Fault::new(found, needed).into());
        }
        let mut value = self.value(node, 0, "operand 0")?;
        for i in 1..count {
            let next = self.value(node, i, &format!("operand {i}"))?;
            value = self.paired(node, pair, value, next)?;
        }
        if node.operator == "Mean" && count > 1 {
            let share = Constant::floats(vec![], vec![1.0 / count as f32]);
            value = self.paired(node, Pair::Mul, value, Value::Constant(share))?;
        }
        Ok(vec![value])
    }

    /// A function of two values, at once if both are constants.
    pub(super) fn paired(
        &mut self,
        node: &Node,
        pair: Pair,
        a: Value,
        b: Value,
    ) -> Result<Value, Refusal> {
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => {
                Ok(Value::Constant(folding::pair(pair, &a, &b)?))
            }
            (Value::Indices(indices), Value::Constant(shift)) => {
                Ok(Value::Indices(indices.shifted(pair, &shift)?))
            }
            (Value::Constant(shift), Value::Indices(indices)) if pair == Pair::Add => {
                Ok(Value::Indices(indices.shifted(pair, &shift)?))
            }
            (a, b) => {
                let (a, b) = (self.as_tensor(a, "A")?, self.as_tensor(b, "B")?);
                Ok(Value::Tensor(self.combined(node, pair, &a, &b)?))
            }
        }
    }

    /// A function of two tensors.
    pub(super) fn combined(
        &mut self,
        node: &Node,
        pair: Pair,
        a: &Tensor,
        b: &Tensor,
    ) -> Result<Tensor, Refusal> {
        let (all, shape) = broadcast(pair, &a.shape, &b.shape)?;
        if pair == Pair::PRelu && (shape != a.shape || self.slots[b.slot].varies) {
            return Err(Fault::new(
                format!("slope is {}", extents(&b.shape)),
                format!("weights that repeat to {} are needed", extents(&a.shape)),
            )
            .into());
        }
        Ok(self.by(node, &shape, Kernel::Pair(pair, all), &[a, b])?)
    }

    /// A value where a mask is not 0, else 0.
    pub(super) fn kept(&mut self, node: &Node, x: Value, mask: Value) -> Result<Value, Refusal> {
        self.paired(node, Pair::Keep, x, mask)
    }

    /// One operand times Swish of another.
    pub(super) fn gated(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let (gate, x) = (self.tensor(node, 0, "A")?, self.tensor(node, 1, "B")?);
        let swish = Function::Swish { alpha: node.attributes().float("alpha", 1.0)? };
        let gate = self.mapped(node, swish, &gate)?;
        Ok(vec![Value::Tensor(self.combined(node, Pair::Mul, &gate, &x)?)])
    }

    /// Elements of one tensor where a condition is true, of another where it is false.
    pub(super) fn choose(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let condition = self.value(node, 0, "condition")?;
        let (x, y) = (self.value(node, 1, "X")?, self.value(node, 2, "Y")?);
        let x = self.paired(node, Pair::Keep, x, condition.clone())?;
        let y = self.paired(node, Pair::Drop, y, condition)?;
        Ok(vec![self.paired(node, Pair::Add, x, y)?])
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
            format!("shapes that repeat to one, in {BROADCAST_AXES} ways at most, are needed"),
        )
    };
    let padded = |shape: &[usize]| [&vec![1; rank - shape.len()][..], shape].concat();
    let (wide_a, mut wide_b) = (padded(a), padded(b));
    let last = a.last().copied().unwrap_or(1);
    if let (Pair::PRelu, [n]) = (pair, b)
        && a.len() > 2
        && *n != last
        && *n == a[1]
    {
        wide_b = vec![1; rank];
        wide_b[1] = *n;
    }
    let mut shape = Vec::with_capacity(rank);
    // Extents in A, in B and in both, of neighbouring axes in which the same is repeated.
    let mut axes: Vec<[usize; 3]> = Vec::new();
    for (n, m) in wide_a.into_iter().zip(wide_b) {
        let both = match (n, m) {
            (n, m) if n == m => n,
            (1, n) | (n, 1) => n,
            _ => return Err(refused()),
        };
        shape.push(both);
        match axes.last_mut() {
            _ if (n, m) == (1, 1) => {}
            Some(axis) if (axis[0] == 1, axis[1] == 1) == (n == 1, m == 1) => {
                *axis = [axis[0] * n, axis[1] * m, axis[2] * both];
            }
            _ => axes.push([n, m, both]),
        }
    }
    let missing = BROADCAST_AXES.checked_sub(axes.len()).ok_or_else(refused)?;
    let of = |i: usize| {
        let mut dims = [1; BROADCAST_AXES];
        axes.iter().enumerate().for_each(|(d, axis)| dims[missing + d] = axis[i] as u32);
        dims
    };
    let steps = |own: [u32; BROADCAST_AXES]| {
        let mut steps = strides(&own);
        own.iter().zip(&mut steps).filter(|(n, _)| **n == 1).for_each(|(_, step)| *step = 0);
        steps
    };
    Ok((Broadcast { dims: of(2), a: steps(of(0)), b: steps(of(1)) }.merged(), shape))
}
