//! Sums, means and extremes over axes, positions of extremes, and running sums and products.

use crate::error::{Fault, extents};
use crate::kernel::{Fold, Function, Kernel, Pair, Sparse};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{
    checked_len, coordinates, resolve_axes, resolve_axis, strides, vectors_along,
};
use crate::plan::value::{Tensor, Value};

/// What is made of the elements along reduced axes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Total {
    Sum,
    Mean,
    Fold(Fold),
}

impl Builder<'_> {
    pub(super) fn reduce(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "data")?;
        let shape = self.shape_of(&value);
        let since = if node.operator == "ReduceSum" { 13 } else { 18 };
        let stated = self.list_since(node, since, "axes", 1)?.filter(|axes| !axes.is_empty());
        let axes = match stated {
            Some(axes) => resolve_axes(&axes, shape.len())?,
            None if node.attributes().flag("noop_with_empty_axes")? => Vec::new(),
            None => (0..shape.len()).collect(),
        };
        let keeps = node.attributes().int("keepdims", 1)? != 0;
        let kept: Vec<_> = (0..shape.len())
            .filter(|axis| keeps || !axes.contains(axis))
            .map(|axis| if axes.contains(&axis) { 1 } else { shape[axis] })
            .collect();
        if let Value::Constant(Constant::Ints { data, .. }) = &value {
            let totals = totals(&node.operator, &shape, data, &axes)?;
            return Ok(vec![Value::Constant(Constant::ints(kept, totals))]);
        }
        let x = self.as_tensor(value, "data")?;
        let y = self.reduced(node, &x, &axes)?;
        Ok(vec![Value::Tensor(Tensor { shape: kept, slot: y.slot })])
    }

    /// A reduction that keeps its axes, each with one cell.
    fn reduced(&mut self, node: &Node, x: &Tensor, axes: &[usize]) -> Result<Tensor, Refusal> {
        match node.operator.as_str() {
            "ReduceSum" => self.total(node, x, axes, Total::Sum),
            "ReduceMean" => self.total(node, x, axes, Total::Mean),
            "ReduceMax" => self.total(node, x, axes, Total::Fold(Fold::Max)),
            "ReduceMin" => self.total(node, x, axes, Total::Fold(Fold::Min)),
            "ReduceProd" => self.total(node, x, axes, Total::Fold(Fold::Product)),
            "ReduceL1" => {
                let sizes = self.mapped(node, Function::Abs, x)?;
                self.total(node, &sizes, axes, Total::Sum)
            }
            "ReduceL2" => {
                let squares = self.combined(node, Pair::Mul, x, x)?;
                let sum = self.total(node, &squares, axes, Total::Sum)?;
                self.mapped(node, Function::Sqrt, &sum)
            }
            "ReduceSumSquare" => {
                let squares = self.combined(node, Pair::Mul, x, x)?;
                self.total(node, &squares, axes, Total::Sum)
            }
            "ReduceLogSum" => {
                let sum = self.total(node, x, axes, Total::Sum)?;
                self.mapped(node, Function::Log, &sum)
            }
            // ReduceLogSumExp: with the largest element taken out, so that no exponential overflows.
            _ => {
                let highest = self.total(node, x, axes, Total::Fold(Fold::Max))?;
                let lowered = self.combined(node, Pair::Sub, x, &highest)?;
                let powers = self.mapped(node, Function::Exp, &lowered)?;
                let sum = self.total(node, &powers, axes, Total::Sum)?;
                let log = self.mapped(node, Function::Log, &sum)?;
                self.combined(node, Pair::Add, &log, &highest)
            }
        }
    }

    /// Elements along axes made one; the axes are kept with one cell each.
    pub(super) fn total(
        &mut self,
        node: &Node,
        x: &Tensor,
        axes: &[usize],
        total: Total,
    ) -> Result<Tensor, Refusal> {
        let mut y = x.clone();
        let mut end = axes.len();
        // From the last axis to the first, neighbours together.
        while end > 0 {
            let mut start = end - 1;
            while start > 0 && axes[start - 1] + 1 == axes[start] {
                start -= 1;
            }
            let (first, last) = (axes[start], axes[end - 1]);
            let count: usize = y.shape[first..=last].iter().product();
            let mut shape = y.shape.clone();
            shape[first..=last].fill(1);
            if count != 1 {
                let slot = match total {
                    Total::Sum | Total::Mean => {
                        let mean = matches!(total, Total::Mean);
                        let factor = if mean { 1.0 / count as f32 } else { 1.0 };
                        let matrix = Sparse::sum(count, factor);
                        self.along(node, &y, first..last + 1, &matrix)?.slot
                    }
                    Total::Fold(fold) => {
                        let vectors = vectors_along(&y.shape, first..last + 1);
                        self.by(node, &shape, Kernel::Fold(fold, vectors), &[&y])?.slot
                    }
                };
                y = Tensor { shape, slot };
            }
            end = start;
        }
        Ok(y)
    }

    /// The position of the largest or the smallest element along an axis.
    pub(super) fn arg(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "data")?;
        let attributes = node.attributes();
        let axis = resolve_axis(attributes.int("axis", 0)?, x.shape.len(), false)?;
        let last = attributes.flag("select_last_index")?;
        let largest = node.operator == "ArgMax";
        let fold = if largest { Fold::ArgMax { last } } else { Fold::ArgMin { last } };
        let vectors = vectors_along(&x.shape, axis..axis + 1);
        let mut shape = x.shape.clone();
        if attributes.int("keepdims", 1)? != 0 {
            shape[axis] = 1;
        } else {
            shape.remove(axis);
        }
        let y = self.by(node, &shape, Kernel::Fold(fold, vectors), &[&x])?;
        Ok(vec![Value::Tensor(y)])
    }

    /// Sums or products of everything up to each element along an axis.
    pub(super) fn cumulative(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "x")?;
        let Some(axis) = self.scalar(node, 1, "axis")? else {
            return Err(Fault::new("axis is left out", "it is needed").into());
        };
        let axis = resolve_axis(axis as i64, x.shape.len(), false)?;
        let (exclusive, reverse) =
            (node.attributes().flag("exclusive")?, node.attributes().flag("reverse")?);
        let extent = x.shape[axis];
        checked_len(&[extent, extent])?;
        let own = usize::from(!exclusive);
        let range = |i: usize| if reverse { i + 1 - own..extent } else { 0..i + own };
        if node.operator == "CumSum" {
            let mut matrix = Sparse::new(extent);
            for i in 0..extent {
                matrix.push(range(i).map(|column| (column, 1.0)));
            }
            return Ok(vec![Value::Tensor(self.along(node, &x, axis..axis + 1, &matrix)?)]);
        }
        // All factors of each product, and 1 for those that it does not have.
        let factor = |n: usize| Some(n % extent).filter(|j| range(n / extent).contains(j));
        let at = (0..extent * extent).map(factor).collect();
        let mut wide = x.shape.clone();
        wide.insert(axis, extent);
        let moves = [Move::Pick { axis, at, fill: 1.0 }, Move::Shape(wide)];
        let factors = self.moved(node, Value::Tensor(x.clone()), &moves)?;
        let factors = self.as_tensor(factors, "x")?;
        let y = self.total(node, &factors, &[axis + 1], Total::Fold(Fold::Product))?;
        Ok(vec![Value::Tensor(Tensor { shape: x.shape, slot: y.slot })])
    }

    /// The maximum of each plane, or the norm of its elements.
    pub(super) fn global_pool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes: Vec<_> = (2..x.shape.len()).collect();
        if axes.is_empty() {
            let found = format!("X has shape {}", extents(&x.shape));
            return Err(Fault::new(found, "batch, channels and spatial axes are needed").into());
        }
        let y = if node.operator == "GlobalMaxPool" {
            self.total(node, &x, &axes, Total::Fold(Fold::Max))?
        } else {
            let p = node.attributes().int("p", 2)? as f32;
            let sizes = self.mapped(node, Function::Abs, &x)?;
            let powers = self.mapped(node, Function::Power { offset: 0.0, exponent: p }, &sizes)?;
            let sum = self.total(node, &powers, &axes, Total::Sum)?;
            self.mapped(node, Function::Power { offset: 0.0, exponent: 1.0 / p }, &sum)?
        };
        Ok(vec![Value::Tensor(y)])
    }
}

/// A reduction of whole numbers, as exporters compute sizes with it.
fn totals(
    operator: &str,
    shape: &[usize],
    data: &[i64],
    axes: &[usize],
) -> Result<Vec<i64>, Fault> {
    let kept: Vec<_> =
        shape.iter().enumerate().map(|(i, &n)| if axes.contains(&i) { 1 } else { n }).collect();
    let steps = strides(&kept);
    let mut parts = vec![Vec::new(); kept.iter().product()];
    for (i, &n) in data.iter().enumerate() {
        let at = coordinates(shape, i);
        let own: usize = (0..shape.len()).map(|d| at[d].min(kept[d] - 1) * steps[d]).sum();
        parts[own].push(n);
    }
    parts
        .into_iter()
        .map(|part: Vec<i64>| {
            let sum = || part.iter().fold(0i64, |sum, &n| sum.saturating_add(n));
            let value = match operator {
                "ReduceSum" => Some(sum()),
                "ReduceMean" => sum().checked_div(part.len() as i64),
                "ReduceProd" => Some(part.iter().fold(1i64, |all, &n| all.saturating_mul(n))),
                "ReduceMax" => part.iter().max().copied(),
                "ReduceMin" => part.iter().min().copied(),
                _ => None,
            };
            value.ok_or_else(|| Fault::new("whole numbers", "floats are needed"))
        })
        .collect()
}
