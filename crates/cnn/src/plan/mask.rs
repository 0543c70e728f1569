//! What an Attention adds to its scores: the numbers of a mask, and -∞ where a query does not attend a key.
//!
//! A query that attends no key at all has weights of 0. Nothing is added to its scores, so that no softmax is over -∞
//! alone, and its weights are cut off after it.

use crate::error::{Fault, extents};
use crate::kernel::{Fold, Function, Pair};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::reduce::Total;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{broadcast_shape, checked_len, coordinates, strides};
use crate::plan::value::{Tensor, Value};

/// What is added to scores.
pub(super) struct Mask {
    pub(super) numbers: Tensor,
    /// The same, with 0 for queries that attend no key.
    pub(super) finite: Tensor,
    /// Whether a query attends a key; `None` where each does.
    pub(super) attends: Option<Tensor>,
}

/// The keys that a query attends, by their positions.
struct PositionMask {
    is_causal: bool,
    /// How many positions a query attends to each side; -1 is all of them.
    left: i64,
    right: i64,
    /// The position of the first query among the keys, and the number of keys that are there: one for all images, or
    /// one for each.
    first: Vec<i64>,
    keys: Vec<i64>,
}

impl PositionMask {
    /// Whether the position of a query counts.
    fn is_positional(&self) -> bool {
        self.is_causal || self.left >= 0 || self.right >= 0
    }

    fn attends(&self, image: usize, query: usize, key: usize) -> bool {
        let of = |list: &[i64]| list[image.min(list.len() - 1)];
        let (at, key) = (of(&self.first).saturating_add(query as i64), key as i64);
        key < of(&self.keys)
            && !(self.is_causal && key > at)
            && !(self.left >= 0 && key < at.saturating_sub(self.left))
            && !(self.right >= 0 && key > at.saturating_add(self.right))
    }
}

impl Builder<'_> {
    /// What a node adds to scores of `[batch, heads, queries, keys]`, of which `past` keys come before the first query.
    pub(super) fn masking(
        &mut self,
        node: &Node,
        scores: [usize; 4],
        past: usize,
    ) -> Result<Option<Mask>, Refusal> {
        let [_, _, queries, keys] = scores;
        let positions = self.position_mask(node, scores, past)?;
        let images = positions.keys.len().max(positions.first.len());
        let by_position =
            match (positions.is_positional(), positions.keys.iter().all(|&n| n >= keys as i64)) {
                (true, _) => Some([images, 1, queries, keys]),
                (false, false) => Some([images, 1, 1, keys]),
                (false, true) => None,
            };
        let mask = match self.value_or_none(node, 3)? {
            Some(mask) => Some(self.mask_operand(node, mask, scores)?),
            None => None,
        };
        let (shape, own) = match (mask, by_position) {
            (None, None) => return Ok(None),
            (Some(Value::Constant(mask)), shape) => (shape.unwrap_or([1; 4]), mask),
            (None, Some(shape)) => (shape, Constant::floats(vec![1; 4], vec![0.0])),
            (Some(mask), shape) => {
                let mask = self.as_tensor(mask, "attn_mask")?;
                let bias = match shape {
                    Some(shape) => Some(self.position_bias(&positions, shape)?),
                    None => None,
                };
                return Ok(Some(self.computed_mask(node, mask, bias)?));
            }
        };
        Ok(Some(self.known_mask(&positions, &own, &shape)?))
    }

    /// What is added where the mask is known, over a shape that it repeats to.
    fn known_mask(
        &mut self,
        positions: &PositionMask,
        mask: &Constant,
        shape: &[usize],
    ) -> Result<Mask, Refusal> {
        let (own_shape, own) = mask.to_floats();
        let shape = broadcast_shape(shape, &own_shape)?;
        let steps = strides(&own_shape);
        let number = |i: usize| {
            let at = coordinates(&shape, i);
            let cell = |axis: usize| at[axis].min(own_shape[axis] - 1) * steps[axis];
            match positions.attends(at[0], at[2], at[3]) {
                true => own[(0..4).map(cell).sum::<usize>()],
                false => f32::NEG_INFINITY,
            }
        };
        let mut numbers: Vec<_> = (0..checked_len(&shape)?).map(number).collect();
        let rows = numbers.chunks(shape[3]);
        let attends: Vec<_> = rows.map(|row| row.iter().any(|&x| x != f32::NEG_INFINITY)).collect();
        let all = self.numbers(numbers.clone(), &shape);
        if attends.iter().all(|&attends| attends) {
            return Ok(Mask { finite: all.clone(), numbers: all, attends: None });
        }
        let rows = numbers.chunks_mut(shape[3]).zip(&attends);
        rows.filter(|(_, attends)| !**attends).for_each(|(row, _)| row.fill(0.0));
        let finite = self.numbers(numbers, &shape);
        let attends = attends.into_iter().map(f32::from).collect();
        let attends = Some(self.numbers(attends, &[shape[0], shape[1], shape[2], 1]));
        Ok(Mask { numbers: all, finite, attends })
    }

    /// What positions allow, as a node says.
    fn position_mask(
        &self,
        node: &Node,
        [batch, _, queries, keys]: [usize; 4],
        past: usize,
    ) -> Result<PositionMask, Fault> {
        let attributes = node.attributes();
        let reach = |name: &str| match attributes.int(name, -1)? {
            n if n >= -1 => Ok(n),
            n => Err(Fault::new(format!("{name} is {n}"), "-1 and more are allowed")),
        };
        let (mut first, mut there) = (vec![past as i64], vec![keys as i64]);
        if let Some(list) = self.list(node, 6, "nonpad_kv_seqlen")? {
            if list.len() != batch {
                let found = format!("nonpad_kv_seqlen has {} elements", list.len());
                return Err(Fault::new(found, format!("{batch} are needed")));
            }
            if past == 0 {
                first = list.iter().map(|n| n.saturating_sub(queries as i64)).collect();
            }
            there = list;
        }
        Ok(PositionMask {
            is_causal: attributes.flag("is_causal")?,
            left: reach("left_window_size")?,
            right: reach("right_window_size")?,
            first,
            keys: there,
        })
    }

    /// The operand that masks scores, as numbers of four axes that are added to them; keys that it does not reach are
    /// not attended.
    fn mask_operand(
        &mut self,
        node: &Node,
        mask: Value,
        scores: [usize; 4],
    ) -> Result<Value, Refusal> {
        let is_truth = match &mask {
            Value::Constant(constant) => matches!(constant, Constant::Ints { .. }),
            _ => self.truths.contains(&node.inputs[3]),
        };
        let (shape, keys) = (self.shape_of(&mask), scores[3]);
        let own = shape.last().copied().filter(|&n| n > 0 && n <= keys && shape.len() < 5);
        let wide = [&vec![1; 4_usize.saturating_sub(shape.len())], &shape[..]].concat();
        let fits = own.is_some() && (0..3).all(|i| wide[i] == 1 || wide[i] == scores[i]);
        let Some(own) = own.filter(|_| fits) else {
            let found = format!("attn_mask is {}", extents(&shape));
            let allowed = format!("a shape that repeats to {} is needed", extents(&scores));
            return Err(Fault::new(found, allowed).into());
        };
        let mut moves = vec![Move::Shape(wide)];
        if own < keys {
            let at = (0..keys).map(|key| (key < own).then_some(key)).collect();
            let fill = if is_truth { 0.0 } else { f32::NEG_INFINITY };
            moves.push(Move::Pick { axis: 3, at, fill });
        }
        let mask = self.moved(node, mask, &moves)?;
        if !is_truth {
            return Ok(mask);
        }
        let masked = Value::Constant(Constant::floats(vec![1; 4], vec![f32::NEG_INFINITY]));
        self.paired(node, Pair::Drop, masked, mask)
    }

    /// 0 where a query attends a key by its position, else -∞.
    fn position_bias(
        &mut self,
        positions: &PositionMask,
        shape: [usize; 4],
    ) -> Result<Tensor, Fault> {
        let number = |i: usize| {
            let at = coordinates(&shape, i);
            if positions.attends(at[0], at[2], at[3]) { 0.0 } else { f32::NEG_INFINITY }
        };
        let numbers = (0..checked_len(&shape)?).map(number).collect();
        Ok(self.numbers(numbers, &shape))
    }

    /// What is added where the mask depends on the image.
    fn computed_mask(
        &mut self,
        node: &Node,
        mask: Tensor,
        positions: Option<Tensor>,
    ) -> Result<Mask, Refusal> {
        let numbers = match positions {
            Some(bias) => self.combined(node, Pair::Add, &mask, &bias)?,
            None => mask,
        };
        let highest = self.total(node, &numbers, &[3], Total::Fold(Fold::Max))?;
        let is_least = Function::IsInf { negative: true, positive: false };
        let is_masked = self.mapped(node, is_least, &highest)?;
        let finite = self.combined(node, Pair::Drop, &numbers, &is_masked)?;
        let attends = Some(self.mapped(node, Function::Not, &is_masked)?);
        Ok(Mask { numbers, finite, attends })
    }
}
