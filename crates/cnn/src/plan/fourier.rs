//! DFT: the discrete Fourier transform along an axis, as a product with the matrix of its sines and cosines.
//!
//! The last axis has the real and the imaginary part; a real signal has the former alone.

use std::f64::consts::TAU;

use crate::error::{Fault, extents};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{checked_len, resolve_axis};
use crate::plan::value::{Tensor, Value};

/// A transform of `from` numbers, each of `parts` parts, to `to` of `made` parts, of `length` in all.
struct Transform {
    from: usize,
    parts: usize,
    to: usize,
    made: usize,
    length: usize,
    is_inverse: bool,
}

impl Transform {
    /// What part `p` of number `i` is multiplied with for part `q` of number `k`.
    fn entry(&self, (i, p): (usize, usize), (k, q): (usize, usize)) -> f32 {
        // What is left of half of a spectrum stands for the other half too, whose numbers are conjugate.
        let is_half = self.is_inverse && self.made == 1;
        let twice = is_half && i > 0 && 2 * i != self.length;
        let length = self.length as f64;
        let angle = TAU * ((i * k) % self.length) as f64 / length;
        let angle = if self.is_inverse { angle } else { -angle };
        // (cos + j·sin)·(a + j·b) has the parts a·cos - b·sin and a·sin + b·cos.
        let value = match (p, q) {
            (0, 0) | (1, 1) => angle.cos(),
            (0, _) => angle.sin(),
            _ => -angle.sin(),
        };
        let factor = if self.is_inverse { 1.0 / length } else { 1.0 };
        (value * factor * if twice { 2.0 } else { 1.0 }) as f32
    }

    /// The matrix, of rows `(number, part)` and columns `(number, part)`.
    fn matrix(&self) -> Result<Constant, Fault> {
        let shape = vec![self.from * self.parts, self.to * self.made];
        let count = checked_len(&shape)?;
        let entry = |n: usize| {
            let (row, column) = (n / shape[1], n % shape[1]);
            let row = (row / self.parts, row % self.parts);
            self.entry(row, (column / self.made, column % self.made))
        };
        Ok(Constant::floats(shape.clone(), (0..count).map(entry).collect()))
    }
}

impl Builder<'_> {
    pub(super) fn fourier(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "input")?;
        let rank = x.shape.len();
        let attributes = node.attributes();
        let (is_inverse, is_onesided) = (attributes.flag("inverse")?, attributes.flag("onesided")?);
        let axis = match self.opset {
            ..20 => attributes.int("axis", 1)?,
            _ => self.whole(node, 2, "axis")?.unwrap_or(-2),
        };
        let axis = resolve_axis(axis, rank, false)?;
        let parts = x.shape.last().copied().unwrap_or(0);
        let fits = axis + 1 < rank && (1..=2).contains(&parts);
        if !fits || (is_onesided && is_inverse != (parts == 2)) {
            let found =
                format!("input is {}, of which axis {axis} is transformed", extents(&x.shape));
            let allowed = "a last axis of one or two parts is needed; one for half of a spectrum, two for its inverse";
            return Err(Fault::new(found, allowed).into());
        }
        let given = x.shape[axis];
        let stated = self.whole(node, 1, "dft_length")?;
        let length = match stated {
            Some(length) => length,
            None if is_onesided && is_inverse => 2 * given as i64 - 2,
            None => given as i64,
        };
        let Some(length) = usize::try_from(length).ok().filter(|&n| n > 0 && n <= 1 << 24) else {
            let found = format!("dft_length is {length}");
            return Err(Fault::new(found, "1 and more are allowed").into());
        };
        let half = length / 2 + 1;
        let transform = Transform {
            // What the signal has too much is cut off; what it lacks is 0.
            from: given.min(if is_onesided && is_inverse { half } else { length }),
            parts,
            to: if is_onesided && !is_inverse { half } else { length },
            made: if is_onesided && is_inverse { 1 } else { 2 },
            length,
            is_inverse,
        };
        let matrix = transform.matrix()?;
        // The axis next to the parts.
        let order: Vec<_> = (0..rank - 1).filter(|&i| i != axis).chain([axis, rank - 1]).collect();
        let moved = self.permuted(node, &x, &order)?;
        let lead: Vec<_> = order[..rank - 2].iter().map(|&i| x.shape[i]).collect();
        let cut = Move::pick(rank - 2, 0..transform.from);
        let moved = self.moved(node, Value::Tensor(moved), &[cut])?;
        let moved = self.as_tensor(moved, "input")?;
        let rows = lead.iter().product();
        let flat = Tensor { shape: vec![rows, transform.from * parts], slot: moved.slot };
        let y = self.multiplied(node, &flat, Value::Constant(matrix))?;
        let shape = [&lead[..], &[transform.to, transform.made]].concat();
        let y = Tensor { shape, slot: y.slot };
        let mut back = vec![0; rank];
        order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
        Ok(vec![Value::Tensor(self.permuted(node, &y, &back)?)])
    }

    /// A whole number that the model carries, or `None` where it is left out.
    fn whole(&self, node: &Node, i: usize, operand: &str) -> Result<Option<i64>, Fault> {
        match self.carried(node, i, operand)? {
            Some(constant) => match constant.as_ints(operand)? {
                [n] => Ok(Some(*n)),
                list => {
                    let found = format!("{operand} has {} elements", list.len());
                    Err(Fault::new(found, "one is needed"))
                }
            },
            None => Ok(None),
        }
    }
}
