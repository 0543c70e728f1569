//! Attention (operator set 23 and newer): products of queries and keys, what is added to them, softmax, and products
//! with the values.
//!
//! Each step is a kernel of its own, so that the way back to queries, keys, values and mask is theirs. Queries whose
//! heads share the keys of one head are rows of one product: neither keys nor values are repeated.

use crate::error::{Fault, extents};
use crate::kernel::{Function, Kernel, Pair};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::mask::Mask;
use crate::plan::refusal::Refusal;
use crate::plan::shape::vectors_along;
use crate::plan::value::{Tensor, Value};

/// What the fourth output of an Attention is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Products,
    Capped,
    Biased,
    Weights,
}

impl Shown {
    /// As the node says, or `None` where it has no fourth output.
    fn read(node: &Node) -> Result<Option<Self>, Fault> {
        let mode = node.attributes().int("qk_matmul_output_mode", 0)?;
        let shown = match mode {
            0 => Self::Products,
            1 => Self::Capped,
            2 => Self::Biased,
            3 => Self::Weights,
            _ => {
                let found = format!("qk_matmul_output_mode is {mode}");
                return Err(Fault::new(found, "0 to 3 are allowed"));
            }
        };
        Ok(node.outputs.get(3).filter(|name| !name.is_empty()).map(|_| shown))
    }
}

impl Builder<'_> {
    pub(super) fn attention(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let has_side_by_side = self.shape_of(&self.value(node, 0, "Q")?).len() == 3;
        let q = self.heads(node, 0, "Q", "q_num_heads")?;
        let (k, past) = self.with_past(node, (1, "K"), (4, "past_key"))?;
        let (v, of_values) = self.with_past(node, (2, "V"), (5, "past_value"))?;
        let [batch, heads, length, size] = four(&q)?;
        let [of_keys, sharing, keys, _] = four(&k)?;
        let [.., width] = four(&v)?;
        let fits = k.shape == [batch, sharing, keys, size]
            && v.shape == [of_keys, sharing, keys, width]
            && past == of_values
            && sharing > 0
            && heads % sharing == 0;
        if !fits {
            let [q, k, v] = [&q, &k, &v].map(|x| extents(&x.shape));
            let found = format!("Q is {q}, K {k} and V {v}, with what is past");
            let allowed = "one batch, keys as long as queries, a value for each key, and a number of heads of K \
                           that divides that of Q are needed";
            return Err(Fault::new(found, allowed).into());
        }
        let shown = Shown::read(node)?;
        let attributes = node.attributes();
        let scale = attributes.float("scale", 1.0 / (size as f32).sqrt())?;
        let softcap = attributes.float("softcap", 0.0)?;
        let mask = self.masking(node, [batch, heads, length, keys], past)?;

        let shape = vec![batch, heads, length, keys];
        let rows = |x: &Tensor, last: usize| Tensor {
            shape: vec![batch, sharing, heads / sharing * length, last],
            slot: x.slot,
        };
        let q = self.scaled(node, q, scale)?;
        let turned = self.permuted(node, &k, &[0, 1, 3, 2])?;
        let products = self.multiplied(node, &rows(&q, size), Value::Tensor(turned))?;
        let products = Tensor { shape: shape.clone(), slot: products.slot };
        let capped = self.capped(node, &products, softcap)?;
        let scores = match &mask {
            Some(mask) => self.combined(node, Pair::Add, &capped, &mask.finite)?,
            None => capped.clone(),
        };
        let softmax = Kernel::Softmax { vectors: vectors_along(&shape, 3..4), log: false };
        let mut weights = self.by(node, &shape, softmax, &[&scores])?;
        if let Some(Mask { attends: Some(attends), .. }) = &mask {
            weights = self.combined(node, Pair::Keep, &weights, attends)?;
        }
        let y = self.multiplied(node, &rows(&weights, keys), Value::Tensor(v.clone()))?;
        let mut y = Tensor { shape: vec![batch, heads, length, width], slot: y.slot };
        if has_side_by_side {
            y = self.permuted(node, &y, &[0, 2, 1, 3])?;
            y.shape = vec![batch, length, heads * width];
        }
        let shown = match (shown, mask) {
            (None | Some(Shown::Products), _) => products,
            (Some(Shown::Capped), _) => capped,
            (Some(Shown::Biased), Some(Mask { attends: Some(_), numbers, .. })) => {
                self.combined(node, Pair::Add, &capped, &numbers)?
            }
            (Some(Shown::Biased), _) => scores,
            (Some(Shown::Weights), _) => weights,
        };
        Ok([y, k, v, shown].map(Value::Tensor).into())
    }

    /// An operand as `[batch, heads, length, size]`; one of three axes has the heads side by side, and an attribute
    /// says how many.
    fn heads(
        &mut self,
        node: &Node,
        i: usize,
        operand: &str,
        count: &str,
    ) -> Result<Tensor, Refusal> {
        let x = self.tensor(node, i, operand)?;
        match x.shape[..] {
            [_, _, _, _] => Ok(x),
            [batch, length, width] => {
                let stated = node.attributes().int(count, 0)?;
                let heads = usize::try_from(stated).ok().filter(|&n| n > 0 && width % n == 0);
                let Some(heads) = heads else {
                    let found =
                        format!("{count} is {stated} for {operand} of {}", extents(&x.shape));
                    return Err(Fault::new(found, format!("a divisor of {width} is needed")).into());
                };
                let shape = vec![batch, length, heads, width / heads];
                self.permuted(node, &Tensor { shape, slot: x.slot }, &[0, 2, 1, 3])
            }
            _ => {
                let found = format!("{operand} is {}", extents(&x.shape));
                Err(Fault::new(found, "three or four axes are needed").into())
            }
        }
    }

    /// Keys or values, after those of the past; and how many the latter are.
    fn with_past(
        &mut self,
        node: &Node,
        (i, operand): (usize, &str),
        (before, past): (usize, &str),
    ) -> Result<(Tensor, usize), Refusal> {
        let new = self.heads(node, i, operand, "kv_num_heads")?;
        let Some(value) = self.value_or_none(node, before)? else { return Ok((new, 0)) };
        let (shape, [batch, heads, length, size]) = (self.shape_of(&value), four(&new)?);
        let past_length = shape.get(2).copied().unwrap_or(0);
        if shape != [batch, heads, past_length, size] {
            let found =
                format!("{past} is {} and {operand} {}", extents(&shape), extents(&new.shape));
            return Err(Fault::new(found, "shapes that differ on axis 2 only are needed").into());
        }
        if past_length == 0 {
            return Ok((new, 0));
        }
        let value = self.as_tensor(value, past)?;
        let all = [batch, heads, past_length + length, size];
        Ok((self.side_by_side(node, &[value, new], 2, &all)?, past_length))
    }

    /// Products kept between `-cap` and `cap`, if there is one.
    fn capped(&mut self, node: &Node, x: &Tensor, cap: f32) -> Result<Tensor, Refusal> {
        if cap <= 0.0 {
            return Ok(x.clone());
        }
        let small = self.scaled(node, x.clone(), 1.0 / cap)?;
        let bent = self.mapped(node, Function::Tanh, &small)?;
        self.scaled(node, bent, cap)
    }
}

fn four(x: &Tensor) -> Result<[usize; 4], Fault> {
    let refused =
        |_| Fault::new(format!("a tensor of {}", extents(&x.shape)), "four axes are needed");
    <[usize; 4]>::try_from(&x.shape[..]).map_err(refused)
}
