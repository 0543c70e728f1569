//! What an Attention adds to its scores: the numbers of a mask, and -∞ where a query may not see a key.
//!
//! A query that may see no key at all has weights of 0. It gets scores of its own, without what would be added, so that
//! no softmax is over -∞ alone, and its weights are cut off after it.

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
    /// The same, with 0 for queries that see no key.
    pub(super) finite: Tensor,
    /// Whether a query sees a key; `None` where each does.
    pub(super) seeing: Option<Tensor>,
}

/// The keys that a query may see, by their positions.
struct Sight {
    is_causal: bool,
    /// How far a query sees to each side; -1 is as far as there are keys.
    left: i64,
    right: i64,
    /// The position of the first query among the keys, and the number of keys that are there: one for all images, or
    /// one for each.
    first: Vec<i64>,
    keys: Vec<i64>,
}

impl Sight {
    /// Whether the position of a query counts.
    fn is_positional(&self) -> bool {
        self.is_causal || self.left >= 0 || self.right >= 0
    }

    fn has(&self, image: usize, query: usize, key: usize) -> bool {
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
        let sight = self.sight(node, scores, past)?;
        let images = sight.keys.len().max(sight.first.len());
        let by_position =
            match (sight.is_positional(), sight.keys.iter().all(|&n| n >= keys as i64)) {
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
                let sight = match shape {
                    Some(shape) => Some(self.seen(&sight, shape)?),
                    None => None,
                };
                return Ok(Some(self.computed_mask(node, mask, sight)?));
            }
        };
        // Both are known.
        let (own_shape, own) = own.to_floats();
        let shape = broadcast_shape(&shape, &own_shape)?;
        let steps = strides(&own_shape);
        let mut numbers = Vec::with_capacity(checked_len(&shape)?);
        for i in 0..checked_len(&shape)? {
            let at = coordinates(&shape, i);
            let cell =
                (0..4).map(|axis| at[axis].min(own_shape[axis] - 1) * steps[axis]).sum::<usize>();
            let is_seen = by_position.is_none() || sight.has(at[0], at[2], at[3]);
            numbers.push(if is_seen { own[cell] } else { f32::NEG_INFINITY });
        }
        let rows = numbers.chunks(shape[3]);
        let sees: Vec<bool> = rows.map(|row| row.iter().any(|&x| x != f32::NEG_INFINITY)).collect();
        let all = self.numbers(numbers.clone(), &shape);
        if sees.iter().all(|&sees| sees) {
            return Ok(Some(Mask { finite: all.clone(), numbers: all, seeing: None }));
        }
        let blind = numbers.chunks_mut(shape[3]).zip(&sees).filter(|(_, sees)| !**sees);
        blind.for_each(|(row, _)| row.fill(0.0));
        let finite = self.numbers(numbers, &shape);
        let sees = sees.into_iter().map(f32::from).collect();
        let seeing = Some(self.numbers(sees, &[shape[0], shape[1], shape[2], 1]));
        Ok(Some(Mask { numbers: all, finite, seeing }))
    }

    /// What positions allow, as a node says.
    fn sight(
        &self,
        node: &Node,
        [batch, _, queries, keys]: [usize; 4],
        past: usize,
    ) -> Result<Sight, Fault> {
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
        Ok(Sight {
            is_causal: attributes.flag("is_causal")?,
            left: reach("left_window_size")?,
            right: reach("right_window_size")?,
            first,
            keys: there,
        })
    }

    /// The operand that masks scores, as numbers of four axes that are added to them; keys that it does not reach are
    /// not seen.
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
        let unseen = Value::Constant(Constant::floats(vec![1; 4], vec![f32::NEG_INFINITY]));
        self.paired(node, Pair::Drop, unseen, mask)
    }

    /// 0 where a query may see a key by its position, else -∞.
    fn seen(&mut self, sight: &Sight, shape: [usize; 4]) -> Result<Tensor, Fault> {
        let number = |i: usize| {
            let at = coordinates(&shape, i);
            if sight.has(at[0], at[2], at[3]) { 0.0 } else { f32::NEG_INFINITY }
        };
        let numbers = (0..checked_len(&shape)?).map(number).collect();
        Ok(self.numbers(numbers, &shape))
    }

    /// What is added where the mask depends on the image.
    fn computed_mask(
        &mut self,
        node: &Node,
        mask: Tensor,
        sight: Option<Tensor>,
    ) -> Result<Mask, Refusal> {
        let numbers = match sight {
            Some(sight) => self.combined(node, Pair::Add, &mask, &sight)?,
            None => mask,
        };
        let highest = self.total(node, &numbers, &[3], Total::Fold(Fold::Max))?;
        let is_least = Function::IsInf { negative: true, positive: false };
        let blind = self.mapped(node, is_least, &highest)?;
        let finite = self.combined(node, Pair::Drop, &numbers, &blind)?;
        let seeing = self.mapped(node, Function::Not, &blind)?;
        Ok(Mask { numbers, finite, seeing: Some(seeing) })
    }
}
