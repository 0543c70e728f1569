//! Operators that make constants: values in the file, shapes of tensors, ranges and fills.

use crate::elements::Elements;
use crate::error::{Fault, extents};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::folding;
use crate::plan::moves::sizes;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{checked_len, checked_weights, coordinates};
use crate::plan::value::Value;

impl Builder<'_> {
    /// The extents of a tensor, or some of them; Size gives their product.
    pub(super) fn shape(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "the input")?;
        let shape = self.shape_of(&value);
        if node.operator == "Size" {
            let count = shape.iter().product::<usize>() as i64;
            return Ok(vec![Value::Constant(Constant::ints(vec![], vec![count]))]);
        }
        let rank = shape.len() as i64;
        let attributes = node.attributes();
        let within = |n: i64| (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank);
        let start = within(attributes.int("start", 0)?) as usize;
        let end = within(attributes.int("end", rank)?) as usize;
        let part = shape.get(start..end).unwrap_or_default();
        let sizes: Vec<_> = part.iter().map(|&n| n as i64).collect();
        Ok(vec![Value::Constant(Constant::ints(vec![sizes.len()], sizes))])
    }

    pub(super) fn constant(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let attributes = node.attributes();
        let constant = if let Some(tensor) = attributes.tensor("value")? {
            if tensor.data_location != 0 {
                let found = "its data is in another file";
                return Err(Fault::new(found, "data in the model is needed").into());
            }
            Constant::read(tensor, None)?
        } else if attributes.has("value_float") {
            Constant::floats(vec![], vec![attributes.float("value_float", 0.0)?])
        } else if attributes.has("value_int") {
            Constant::ints(vec![], vec![attributes.int("value_int", 0)?])
        } else if let Some(list) = attributes.floats("value_floats")? {
            Constant::floats(vec![list.len()], list.to_vec())
        } else if let Some(list) = attributes.ints("value_ints")? {
            Constant::ints(vec![list.len()], list.to_vec())
        } else {
            let allowed = "value, value_float, value_floats, value_int and value_ints are allowed";
            return Err(Fault::new("no value that is a tensor of numbers", allowed).into());
        };
        Ok(vec![Value::Constant(constant)])
    }

    pub(super) fn constant_of_shape(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let Some(shape) = self.list(node, 0, "input")? else {
            return Err(Fault::new("input is left out", "it is needed").into());
        };
        let shape = sizes(&shape, "input")?;
        let value = match node.attributes().tensor("value")? {
            Some(tensor) => Constant::read(tensor, None)?,
            None => Constant::floats(vec![1], vec![0.0]),
        };
        let filled = match &value {
            Constant::Ints { data, .. } if data.len() == 1 => {
                let count = checked_len(&shape)?;
                Constant::ints(shape, vec![data[0]; count])
            }
            Constant::Floats { data, .. } if data.len() == 1 => {
                // As many as weights may be: a light model of the ONNX zoo has all of its own like this.
                let len = checked_weights(&shape)?;
                self.count(&format!("{} of {}", node.name, extents(&shape)), 4 * len as u128)?;
                let value = data.read()[0];
                Constant::Floats { shape, data: Elements::Repeated { value, len } }
            }
            _ => return Err(Fault::new("value is no scalar", "one element is needed").into()),
        };
        Ok(vec![Value::Constant(filled)])
    }

    pub(super) fn range(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let all = (0..3).map(|i| self.carried(node, i, "an operand"));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        let refused = || Fault::new("start, limit or delta", "three scalars are needed");
        if let [
            Some(Constant::Ints { data: start, .. }),
            Some(Constant::Ints { data: limit, .. }),
            Some(Constant::Ints { data: delta, .. }),
        ] = &all[..]
        {
            let ([start], [limit], [delta]) = (&start[..], &limit[..], &delta[..]) else {
                return Err(refused().into());
            };
            let span = i128::from(*limit) - i128::from(*start);
            let count = count_of(span as f64 / *delta as f64)?;
            let data = (0..count as i64).map(|i| start + i * delta).collect();
            return Ok(vec![Value::Constant(Constant::ints(vec![count], data))]);
        }
        let scalar = |i: usize| self.scalar(node, i, "an operand")?.ok_or_else(refused);
        let (start, limit, delta) = (scalar(0)?, scalar(1)?, scalar(2)?);
        let count = count_of(f64::from(limit - start) / f64::from(delta))?;
        let data = (0..count).map(|i| start + i as f32 * delta).collect();
        Ok(vec![Value::Constant(Constant::floats(vec![count], data))])
    }

    /// A matrix of the shape of another, with ones on a diagonal.
    pub(super) fn eye_like(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let shape = self.shape_of(&self.value(node, 0, "input")?);
        let &[rows, columns] = &shape[..] else {
            let found = format!("input is {}", extents(&shape));
            return Err(Fault::new(found, "a matrix is needed").into());
        };
        let shift = node.attributes().int("k", 0)?;
        let is_one =
            |i: usize| (i % columns) as i64 == ((i / columns) as i64).saturating_add(shift);
        let ones = (0..checked_len(&[rows, columns])?).map(|i| i64::from(is_one(i)));
        let ones = Constant::ints(shape, ones.collect());
        let kind = folding::Kind::of(node.attributes().int("dtype", folding::FLOAT)?)?;
        Ok(vec![Value::Constant(folding::cast(&ones, kind))])
    }

    /// The coordinates of the elements that are not 0, one row an axis.
    pub(super) fn nonzero(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let Value::Constant(constant) = self.value(node, 0, "X")? else {
            return Err(Fault::new(
                "X depends on the image, and so would the size of what this makes",
                "sizes that only the size of the image decides are needed",
            )
            .into());
        };
        let (shape, data) = constant.to_floats();
        let found = (0..data.len()).filter(|&i| data[i] != 0.0);
        let points: Vec<_> = found.map(|i| coordinates(&shape, i)).collect();
        let row = |axis: usize| points.iter().map(move |at| at[axis] as i64);
        let all = (0..shape.len()).flat_map(row).collect();
        Ok(vec![Value::Constant(Constant::ints(vec![shape.len(), points.len()], all))])
    }

    /// A triangle of the last two axes; the rest becomes 0.
    pub(super) fn triangle(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let value = self.value(node, 0, "input")?;
        let shape = self.shape_of(&value);
        let &[.., rows, columns] = &shape[..] else {
            return Err(Fault::new("input has no two axes", "two are needed").into());
        };
        let shift = match self.list(node, 1, "k")? {
            Some(list) if list.len() == 1 => list[0],
            Some(_) => return Err(Fault::new("k is a list", "a scalar is needed").into()),
            None => 0,
        };
        let upper = node.attributes().int("upper", 1)? != 0;
        let mask = (0..checked_len(&[rows, columns])?).map(|i| {
            let distance = (i % columns) as i64 - (i / columns) as i64;
            i64::from(if upper { distance >= shift } else { distance <= shift })
        });
        let mask = Value::Constant(Constant::ints(vec![rows, columns], mask.collect()));
        Ok(vec![self.kept(node, value, mask)?])
    }
}

fn count_of(span: f64) -> Result<usize, Fault> {
    if span.is_nan() {
        return Err(Fault::new("a range without steps", "a delta other than 0 is needed"));
    }
    // A number that is too large saturates.
    checked_len(&[span.ceil().max(0.0) as usize])
}
