//! Operators that only rearrange elements, as a list of moves, on constants and on tensors alike; Concat
//! and Split.

use ndarray::{ArrayD, Axis};

use crate::error::{Fault, extents};
use crate::kernel::{Along, BROADCAST_AXES, Kernel, Pair, Permute, Run, Runs, Sparse};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::folding::array;
use crate::plan::operands::indices_read;
use crate::plan::pointwise::broadcast;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{checked_len, len, resolve_axis};
use crate::plan::value::{Tensor, Value};

/// One step of rearranging a tensor.
#[derive(Clone, Debug)]
pub(super) enum Move {
    /// The same elements in another shape.
    Shape(Vec<usize>),
    /// Axis `i` of the result is axis `order[i]` of the tensor.
    Permute(Vec<usize>),
    /// Along an axis the cells at these positions, and `fill` where there is none.
    Pick { axis: usize, at: Vec<Option<usize>>, fill: f32 },
}

impl Move {
    /// A pick without anything to fill.
    pub(super) fn pick(axis: usize, at: impl IntoIterator<Item = usize>) -> Self {
        Self::Pick { axis, at: at.into_iter().map(Some).collect(), fill: 0.0 }
    }
}

impl Builder<'_> {
    /// An operator that is a list of moves.
    pub(super) fn rearranged(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "the input")?;
        let shape = self.shape_of(&value);
        let moves = self.moves(node, &shape)?;
        Ok(vec![self.moved(node, value, &moves)?])
    }

    /// A value after moves.
    pub(super) fn moved(
        &mut self,
        node: &Node,
        value: Value,
        moves: &[Move],
    ) -> Result<Value, Refusal> {
        Ok(match value {
            Value::Constant(Constant::Floats { shape, data }) => {
                let data = moves_of_array(array(&shape, &data.read())?, moves, |fill| fill)?;
                Value::Constant(Constant::floats(data.shape().to_vec(), data.into_iter().collect()))
            }
            Value::Constant(Constant::Ints { shape, data }) => {
                let data = moves_of_array(array(&shape, &data)?, moves, |fill| fill as i64)?;
                Value::Constant(Constant::ints(data.shape().to_vec(), data.into_iter().collect()))
            }
            Value::Indices(mut indices) => {
                for step in moves {
                    match step {
                        Move::Shape(shape) => indices.shape.clone_from(shape),
                        _ => return Err(indices_read("the input").into()),
                    }
                }
                Value::Indices(indices)
            }
            Value::Tensor(mut tensor) => {
                for (i, step) in moves.iter().enumerate() {
                    tensor = match step {
                        Move::Pick { axis, at, .. } if at.is_empty() => {
                            // No element is left of it.
                            let mut shape = tensor.shape.clone();
                            shape[*axis] = 0;
                            let empty = Value::Constant(Constant::floats(shape, Vec::new()));
                            return self.moved(node, empty, &moves[i + 1..]);
                        }
                        Move::Shape(shape) => Tensor { shape: shape.clone(), slot: tensor.slot },
                        Move::Permute(order) => self.permuted(node, &tensor, order)?,
                        Move::Pick { axis, at, fill } => {
                            self.picked(node, &tensor, *axis, at, *fill)?
                        }
                    };
                }
                Value::Tensor(tensor)
            }
        })
    }

    pub(super) fn permuted(
        &mut self,
        node: &Node,
        x: &Tensor,
        order: &[usize],
    ) -> Result<Tensor, Refusal> {
        let shape: Vec<_> = order.iter().map(|&axis| x.shape[axis]).collect();
        // Axes of one cell do not count; where there are too many, axes that stay neighbours are one.
        let real: Vec<_> = order.iter().copied().filter(|&axis| x.shape[axis] > 1).collect();
        if real.is_sorted() {
            return Ok(Tensor { shape, slot: x.slot });
        }
        let merges = real.len() > BROADCAST_AXES;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &axis in &real {
            let between = |last: usize| (last + 1..axis).all(|i| x.shape[i] == 1);
            match groups.last_mut() {
                Some(group) if merges && group.last().is_some_and(|&l| l < axis && between(l)) => {
                    group.push(axis);
                }
                _ => groups.push(vec![axis]),
            }
        }
        let mut sorted: Vec<usize> = (0..groups.len()).collect();
        sorted.sort_by_key(|&group| groups[group][0]);
        let lead = BROADCAST_AXES.checked_sub(groups.len()).ok_or_else(|| {
            let found = format!("{order:?} moves {} axes", groups.len());
            Fault::new(found, format!("{BROADCAST_AXES} are allowed"))
        })?;
        let mut dims = [1; BROADCAST_AXES];
        for (i, &group) in sorted.iter().enumerate() {
            dims[lead + i] = groups[group].iter().map(|&axis| x.shape[axis] as u32).product();
        }
        let mut full = std::array::from_fn(|i| i);
        for (i, full) in full[lead..].iter_mut().enumerate() {
            *full = lead + sorted.iter().position(|&group| group == i).unwrap_or(i);
        }
        let permute = Permute { dims, order: full };
        Ok(self.by(node, &shape, Kernel::Permute(permute), &[x])?)
    }

    fn picked(
        &mut self,
        node: &Node,
        x: &Tensor,
        axis: usize,
        at: &[Option<usize>],
        fill: f32,
    ) -> Result<Tensor, Refusal> {
        let matrix = Sparse::picking(x.shape[axis], at.iter().copied());
        let mut shape = x.shape.clone();
        shape[axis] = at.len();
        let y = self.along(node, x, axis..axis + 1, &matrix)?;
        let y = Tensor { shape: shape.clone(), ..y };
        if fill == 0.0 || at.iter().all(Option::is_some) {
            return Ok(y);
        }
        let mut wide = vec![1; shape.len()];
        wide[axis] = at.len();
        let fills = at.iter().map(|cell| if cell.is_some() { 0.0 } else { fill }).collect();
        let fills = self.numbers(fills, &wide);
        let all = broadcast(Pair::Add, &shape, &wide)?.0;
        Ok(self.by(node, &shape, Kernel::Pair(Pair::Add, all), &[&y, &fills])?)
    }

    /// A sparse matrix along neighbouring axes, which become one.
    pub(super) fn along(
        &mut self,
        node: &Node,
        x: &Tensor,
        axes: std::ops::Range<usize>,
        matrix: &Sparse,
    ) -> Result<Tensor, Refusal> {
        let (before, after) = (&x.shape[..axes.start], &x.shape[axes.end..]);
        let shape = [before, &[matrix.rows()], after].concat();
        if matrix.is_identity() {
            return Ok(Tensor { shape, slot: x.slot });
        }
        if matrix.rows() == 0 {
            let found = format!("the result would be {}", extents(&shape));
            return Err(Fault::new(found, "at least one element is needed").into());
        }
        let mut upload = |matrix: &Sparse| {
            matrix.tensors().map(|data| {
                let len = data.len();
                self.weights(&data.into(), 0..len, &[len])
            })
        };
        let [starts, columns, values] = upload(matrix);
        let transposed = upload(&matrix.transposed()).map(|tensor| tensor.slot);
        let along = Along {
            outer: len(before),
            from: matrix.columns() as u32,
            to: matrix.rows() as u32,
            inner: len(after),
            transposed,
        };
        let x = Tensor { shape: [before, &[matrix.columns()], after].concat(), slot: x.slot };
        let reads = [&x, &starts, &columns, &values];
        Ok(self.by(node, &shape, Kernel::Along(along), &reads)?)
    }

    /// A tensor repeated to a shape, by NumPy's rule.
    pub(super) fn expanded(
        &mut self,
        node: &Node,
        x: &Tensor,
        shape: &[usize],
    ) -> Result<Tensor, Refusal> {
        match self.moved(node, Value::Tensor(x.clone()), &expansion(&x.shape, shape)?)? {
            Value::Tensor(tensor) => Ok(tensor),
            _ => Ok(x.clone()),
        }
    }

    pub(super) fn concat(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let count = node.inputs.len();
        let values = (0..count).map(|i| self.value(node, i, "an operand"));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        Ok(vec![self.concatenated(node, values, node.attributes().int("axis", 1)?)?])
    }

    /// Values one after the other along an axis.
    pub(super) fn concatenated(
        &mut self,
        node: &Node,
        values: Vec<Value>,
        axis: i64,
    ) -> Result<Value, Refusal> {
        let shapes: Vec<_> = values.iter().map(|value| self.shape_of(value)).collect();
        let rank = shapes.first().map_or(0, Vec::len);
        let axis = resolve_axis(axis, rank, false)?;
        let mut shape = shapes.first().cloned().unwrap_or_default();
        shape[axis] = 0;
        for own in &shapes {
            let same = own.len() == rank && (0..rank).all(|i| i == axis || own[i] == shape[i]);
            if !same {
                return Err(Fault::new(
                    format!("operands {} and {}", extents(&shapes[0]), extents(own)),
                    format!("shapes that differ on axis {axis} only are needed"),
                )
                .into());
            }
            shape[axis] = shape[axis].saturating_add(own[axis]);
        }
        if let Some(constant) = joined(&values, axis)? {
            return Ok(Value::Constant(constant));
        }
        // Empty parts, as of a list that a loop began, add nothing.
        let mut parts = Vec::with_capacity(values.len());
        for (value, own) in values.into_iter().zip(&shapes) {
            if own[axis] > 0 {
                parts.push(self.as_tensor(value, "an operand")?);
            }
        }
        Ok(Value::Tensor(self.side_by_side(node, &parts, axis, &shape)?))
    }

    /// Tensors one after the other along an axis, together of a shape.
    pub(super) fn side_by_side(
        &mut self,
        node: &Node,
        parts: &[Tensor],
        axis: usize,
        shape: &[usize],
    ) -> Result<Tensor, Refusal> {
        let all: Vec<_> = parts.iter().collect();
        let y = self.result(node, shape, &all)?;
        let step = len(&shape[axis..]);
        let mut offset = 0;
        for part in parts {
            let run = len(&part.shape[axis..]);
            let runs = Runs {
                count: len(&shape[..axis]),
                len: run,
                from: Run { offset: 0, step: run },
                to: Run { offset, step },
            };
            self.push(Kernel::Runs(runs), &[part], &[&y]);
            offset += run;
        }
        Ok(y)
    }

    /// Neighbouring parts along an axis; as many equal ones as there are outputs, unless told.
    pub(super) fn split(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "input")?;
        let shape = self.shape_of(&value);
        let axis = resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)?;
        let (extent, count) = (shape[axis], node.outputs.len());
        let sizes = match self.list_since(node, 13, "split", 1)? {
            Some(sizes) => sizes,
            None => {
                let part = extent.div_ceil(count.max(1));
                let size = |i: usize| extent.saturating_sub(i * part).min(part) as i64;
                (0..count).map(size).collect()
            }
        };
        let fits = sizes.len() == count
            && sizes.iter().all(|&n| n >= 0)
            && sizes.iter().try_fold(0i64, |n, &m| n.checked_add(m)) == Some(extent as i64);
        if !fits {
            return Err(Fault::new(
                format!("split is {sizes:?}"),
                format!("{count} parts of together {extent} are needed"),
            )
            .into());
        }
        let (mut parts, mut start) = (Vec::with_capacity(count), 0);
        for size in sizes {
            let end = start + size as usize;
            parts.push(self.moved(node, value.clone(), &[Move::pick(axis, start..end)])?);
            start = end;
        }
        Ok(parts)
    }
}

/// The moves that repeat a shape to another one.
pub(super) fn expansion(from: &[usize], to: &[usize]) -> Result<Vec<Move>, Fault> {
    let mut wide = vec![1; to.len().saturating_sub(from.len())];
    wide.extend(from);
    let repeated = (0..to.len()).filter(|&axis| wide[axis] != to[axis]);
    let repeats = repeated.map(|axis| {
        checked_len(&to[axis..=axis])?;
        Ok(Move::pick(axis, std::iter::repeat_n(0, to[axis])))
    });
    std::iter::once(Ok(Move::Shape(wide.clone()))).chain(repeats).collect()
}

fn moves_of_array<T: Copy>(
    mut data: ArrayD<T>,
    moves: &[Move],
    number: impl Fn(f32) -> T,
) -> Result<ArrayD<T>, Fault> {
    for step in moves {
        data = match step {
            Move::Shape(shape) => array(shape, &data.into_iter().collect::<Vec<_>>())?,
            Move::Permute(order) => data.permuted_axes(order.as_slice()),
            Move::Pick { axis, at, fill } => {
                let cells: Vec<_> = at.iter().map(|cell| cell.unwrap_or(0)).collect();
                if data.shape()[*axis] == 0 && !cells.is_empty() {
                    return Err(Fault::new("an empty operand", "elements are needed"));
                }
                let mut shape = data.shape().to_vec();
                shape[*axis] = cells.len();
                checked_len(&shape)?;
                let mut picked = data.select(Axis(*axis), &cells);
                for (i, _) in at.iter().enumerate().filter(|(_, cell)| cell.is_none()) {
                    picked.index_axis_mut(Axis(*axis), i).fill(number(*fill));
                }
                picked
            }
        };
    }
    Ok(data)
}

/// The concatenation of constants, if all are.
fn joined(values: &[Value], axis: usize) -> Result<Option<Constant>, Fault> {
    let constants: Option<Vec<_>> = values
        .iter()
        .map(|value| match value {
            Value::Constant(constant) => Some(constant),
            _ => None,
        })
        .collect();
    let Some(constants) = constants else { return Ok(None) };
    let whole = constants.iter().all(|constant| matches!(constant, Constant::Ints { .. }));
    Ok(Some(if whole {
        let parts = constants.iter().map(|constant| match constant {
            Constant::Ints { shape, data } => array(shape, data),
            Constant::Floats { .. } => array(&[0], &[]),
        });
        let all = concatenated(&parts.collect::<Result<Vec<_>, _>>()?, axis)?;
        Constant::ints(all.shape().to_vec(), all.into_iter().collect())
    } else {
        let parts = constants.iter().map(|constant| {
            let (shape, data) = constant.to_floats();
            array(&shape, &data)
        });
        let all = concatenated(&parts.collect::<Result<Vec<_>, _>>()?, axis)?;
        Constant::floats(all.shape().to_vec(), all.into_iter().collect())
    }))
}

fn concatenated<T: Clone>(parts: &[ArrayD<T>], axis: usize) -> Result<ArrayD<T>, Fault> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    ndarray::concatenate(Axis(axis), &views)
        .map_err(|error| Fault::new("parts of different shapes", error.to_string()))
}
