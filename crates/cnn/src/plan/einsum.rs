//! Einsum of one or two operands: sums and products over axes that letters name.

use std::collections::BTreeMap;

use crate::error::Fault;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::reduce::Total;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{coordinates, strides};
use crate::plan::value::{Tensor, Value};

/// An operand with the names of its axes.
struct Named {
    tensor: Tensor,
    names: Vec<char>,
}

impl Builder<'_> {
    pub(super) fn einsum(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let equation = node.attributes().string("equation", "")?.replace(' ', "");
        let (left, right) = match equation.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&equation[..], None),
        };
        let count = left.split(',').count();
        if count != node.inputs.len() || count > 2 {
            let found = format!("equation is {equation:?} for {} operands", node.inputs.len());
            return Err(Fault::new(found, "one or two operands, each named, are needed").into());
        }
        let mut operands = Vec::new();
        for (i, part) in left.split(',').enumerate() {
            let tensor = self.tensor(node, i, "an operand")?;
            let names = names(part, tensor.shape.len(), &equation)?;
            operands.push(self.diagonal(node, Named { tensor, names })?);
        }
        let mut sizes = BTreeMap::new();
        for operand in &operands {
            for (&name, &size) in operand.names.iter().zip(&operand.tensor.shape) {
                if *sizes.entry(name).or_insert(size) != size {
                    let found = format!("equation is {equation:?}: {name} has two extents");
                    return Err(Fault::new(found, "one is needed").into());
                }
            }
        }
        let result = match right {
            Some(right) => {
                let dots = operands.iter().map(|o| dots(&o.names)).max().unwrap_or(0);
                let names = names(right, right.replace("...", "").len() + dots, &equation)?;
                if distinct(&names).len() != names.len() {
                    let found = format!("equation is {equation:?}");
                    return Err(Fault::new(found, "a letter once in the result is needed").into());
                }
                names
            }
            // Without a result, letters that occur once, in alphabetical order after the dots.
            None => {
                let times =
                    |name: char| operands.iter().filter(|o| o.names.contains(&name)).count();
                sizes.keys().copied().filter(|&n| n.is_ascii_digit() || times(n) == 1).collect()
            }
        };
        if let Some(name) = result.iter().find(|name| !sizes.contains_key(name)) {
            let found = format!("equation is {equation:?}: {name} names no axis");
            return Err(Fault::new(found, "a letter of an operand is needed").into());
        }
        let y = self.contracted(node, operands, &result, &sizes)?;
        Ok(vec![Value::Tensor(y)])
    }

    /// The elements at which axes of one name have one coordinate.
    fn diagonal(&mut self, node: &Node, operand: Named) -> Result<Named, Refusal> {
        let Named { tensor, names } = operand;
        let own = distinct(&names);
        if own.len() == names.len() {
            return Ok(Named { tensor, names });
        }
        let extent = |name: &char| {
            let axes = (0..names.len()).filter(|&axis| names[axis] == *name);
            axes.map(|axis| tensor.shape[axis]).min().unwrap_or(1)
        };
        let shape: Vec<_> = own.iter().map(extent).collect();
        let steps = strides(&tensor.shape);
        let at = (0..shape.iter().product()).map(|i| {
            let at = coordinates(&shape, i);
            let axes = names.iter().enumerate();
            let cell = axes.map(|(axis, name)| {
                steps[axis] * at[own.iter().position(|n| n == name).unwrap_or(0)]
            });
            cell.sum()
        });
        let flat = Move::Shape(vec![tensor.shape.iter().product()]);
        let moves = [flat, Move::pick(0, at), Move::Shape(shape)];
        let y = self.moved(node, Value::Tensor(tensor), &moves)?;
        Ok(Named { tensor: self.as_tensor(y, "an operand")?, names: own })
    }

    fn contracted(
        &mut self,
        node: &Node,
        operands: Vec<Named>,
        result: &[char],
        sizes: &BTreeMap<char, usize>,
    ) -> Result<Tensor, Refusal> {
        let all: Vec<_> = operands.iter().map(|operand| operand.names.clone()).collect();
        let mut summed = Vec::new();
        for (i, operand) in operands.into_iter().enumerate() {
            // Axes that nothing else has are summed first.
            let elsewhere = |name: &char| {
                result.contains(name)
                    || all.iter().enumerate().any(|(j, n)| j != i && n.contains(name))
            };
            let gone = (0..operand.names.len()).filter(|&axis| !elsewhere(&operand.names[axis]));
            let gone: Vec<_> = gone.collect();
            let tensor = self.total(node, &operand.tensor, &gone, Total::Sum)?;
            let kept = |axis: &usize| !gone.contains(axis);
            let axes: Vec<_> = (0..operand.names.len()).filter(kept).collect();
            let shape = axes.iter().map(|&axis| tensor.shape[axis]).collect();
            let names = axes.iter().map(|&axis| operand.names[axis]).collect();
            summed.push(Named { tensor: Tensor { shape, slot: tensor.slot }, names });
        }
        let order = |list: &[char], names: &[char]| -> Vec<usize> {
            list.iter().filter_map(|c| names.iter().position(|n| n == c)).collect()
        };
        let size = |list: &[char]| list.iter().map(|c| sizes[c]).product::<usize>();
        let Some(Named { tensor: a, names: in_a }) = summed.first() else {
            return Err(Fault::new("no operand", "one or two are needed").into());
        };
        let Some(Named { tensor: b, names: in_b }) = summed.get(1) else {
            return self.permuted(node, a, &order(result, in_a));
        };
        let common: Vec<_> = in_a.iter().filter(|c| in_b.contains(c)).copied().collect();
        let (batch, depth): (Vec<_>, Vec<_>) = common.iter().partition(|c| result.contains(c));
        let rows: Vec<_> = in_a.iter().filter(|c| !in_b.contains(c)).copied().collect();
        let columns: Vec<_> = in_b.iter().filter(|c| !in_a.contains(c)).copied().collect();
        let a = self.permuted(node, a, &order(&[&batch[..], &rows, &depth].concat(), in_a))?;
        let b = self.permuted(node, b, &order(&[&batch[..], &depth, &columns].concat(), in_b))?;
        let a = Tensor { shape: vec![size(&batch), size(&rows), size(&depth)], ..a };
        let b = Tensor { shape: vec![size(&batch), size(&depth), size(&columns)], ..b };
        let y = self.multiplied(node, &a, Value::Tensor(b))?;
        let made = [&batch[..], &rows, &columns].concat();
        let y = Tensor { shape: made.iter().map(|c| sizes[c]).collect(), ..y };
        self.permuted(node, &y, &order(result, &made))
    }
}

fn dots(names: &[char]) -> usize {
    names.iter().filter(|name| name.is_ascii_digit()).count()
}

/// The names of so many axes; those that an ellipsis stands for are digits, counted from the last.
fn names(part: &str, rank: usize, equation: &str) -> Result<Vec<char>, Fault> {
    let refused = || {
        let found = format!("equation is {equation:?}: {part:?} for {rank} axes");
        Fault::new(found, "letters, one for each axis, are needed")
    };
    let (before, after, open) = match part.split_once("...") {
        Some((before, after)) => (before, after, true),
        None => (part, "", false),
    };
    let stated = before.len() + after.len();
    let hidden = rank.checked_sub(stated).filter(|&n| n == 0 || (open && n < 10));
    let hidden = hidden.ok_or_else(refused)?;
    let digits = (0..hidden).rev().filter_map(|n| char::from_digit(n as u32, 10));
    let names: Vec<_> = before.chars().chain(digits).chain(after.chars()).collect();
    let letters = before.chars().chain(after.chars()).all(|c| c.is_ascii_alphabetic());
    if letters { Ok(names) } else { Err(refused()) }
}

/// The names without repetitions, in their order.
fn distinct(names: &[char]) -> Vec<char> {
    let mut all: Vec<char> = Vec::new();
    for &name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}
