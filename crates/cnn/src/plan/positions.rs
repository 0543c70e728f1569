//! Operators by computed positions: TopK, GatherElements, Hardmax and OneHot.

use crate::error::{Fault, extents};
use crate::kernel::{Fold, Kernel, Pair, Take, TopK};
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{len, resolve_axis, vectors_along};
use crate::plan::value::{Tensor, Value};

/// Positions that an f32 can tell apart.
const POSITIONS: usize = 1 << 24;

impl Builder<'_> {
    /// The largest or smallest elements along an axis, and their positions.
    pub(super) fn top_k(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let attributes = node.attributes();
        let axis = resolve_axis(attributes.int("axis", -1)?, x.shape.len(), false)?;
        let k = match self.opset {
            ..10 => attributes.int("k", 0)?,
            _ => match self.list(node, 1, "K")? {
                Some(list) if list.len() == 1 => list[0],
                _ => return Err(Fault::new("K is no scalar", "one number is needed").into()),
            },
        };
        let extent = x.shape[axis];
        let kept = usize::try_from(k).ok().filter(|k| (1..=extent).contains(k));
        let Some(kept) = kept.filter(|_| extent <= POSITIONS) else {
            let found = format!("K is {k}, of {extent} elements");
            let most = extent.min(POSITIONS);
            return Err(Fault::new(found, format!("1 to {most} are allowed")).into());
        };
        let top = TopK {
            vectors: vectors_along(&x.shape, axis..axis + 1),
            kept: kept as u32,
            largest: attributes.int("largest", 1)? != 0,
        };
        let mut shape = x.shape.clone();
        shape[axis] = kept;
        let positions = self.by(node, &shape, Kernel::TopK(top), &[&x])?;
        let values = self.taken(node, &x, &positions, axis)?;
        Ok(vec![Value::Tensor(values), Value::Tensor(positions)])
    }

    /// Elements along an axis at positions of the same shape on all other axes.
    fn taken(
        &mut self,
        node: &Node,
        x: &Tensor,
        positions: &Tensor,
        axis: usize,
    ) -> Result<Tensor, Refusal> {
        let take = Take {
            outer: len(&x.shape[..axis]),
            repeats: 1,
            from: x.shape[axis] as u32,
            to: positions.shape[axis] as u32,
            inner: len(&x.shape[axis + 1..]),
        };
        Ok(self.by(node, &positions.shape, Kernel::Take(take), &[x, positions])?)
    }

    /// GatherElements at positions that depend on the image.
    pub(super) fn gather_computed(
        &mut self,
        node: &Node,
        positions: &Tensor,
    ) -> Result<Vec<Value>, Refusal> {
        let x = self.value(node, 0, "data")?;
        let shape = self.shape_of(&x);
        let axis = resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)?;
        let own = &positions.shape;
        let fits =
            own.len() == shape.len() && (0..own.len()).all(|i| i == axis || own[i] <= shape[i]);
        if !fits || shape[axis] > POSITIONS {
            let found = format!("indices are {}", extents(own));
            return Err(Fault::new(
                found,
                format!("a shape within {} is needed, of at most {POSITIONS}", extents(&shape)),
            )
            .into());
        }
        // What no position names on the other axes is cut off.
        let cut = (0..own.len()).filter(|&i| i != axis && own[i] < shape[i]);
        let cut: Vec<_> = cut.map(|i| Move::pick(i, 0..own[i])).collect();
        let x = self.moved(node, x, &cut)?;
        let x = self.as_tensor(x, "data")?;
        Ok(vec![Value::Tensor(self.taken(node, &x, positions, axis)?)])
    }

    /// 1 at the first of the largest elements, and 0 elsewhere: along one axis since operator set 13;
    /// before, over everything from an axis on.
    pub(super) fn hardmax(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "input")?;
        let rank = x.shape.len();
        let one_axis = self.opset >= 13;
        let axis = node.attributes().int("axis", if one_axis { -1 } else { 1 })?;
        let axis = resolve_axis(axis, rank, !one_axis)?;
        let vectors = vectors_along(&x.shape, axis..if one_axis { axis + 1 } else { rank });
        let fold = Kernel::Fold(Fold::ArgMax { last: false }, vectors);
        let [outer, len, inner] = [vectors.outer, vectors.len, vectors.inner].map(|n| n as usize);
        let best = self.by(node, &[outer, 1, inner], fold, &[&x])?;
        let all = self.numbers((0..len).map(|i| i as f32).collect(), &[len, 1]);
        let y = self.combined(node, Pair::Equal, &best, &all)?;
        Ok(vec![Value::Tensor(Tensor { shape: x.shape, slot: y.slot })])
    }

    /// A value at each index along a new axis, and another elsewhere.
    pub(super) fn one_hot(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let indices = self.tensor(node, 0, "indices")?;
        let depth = self.scalar(node, 1, "depth")?.unwrap_or(0.0) as i64;
        let Some(depth) = usize::try_from(depth).ok().filter(|n| (1..=POSITIONS).contains(n))
        else {
            let found = format!("depth is {depth}");
            return Err(Fault::new(found, format!("1 to {POSITIONS} are allowed")).into());
        };
        let values = self.tensor(node, 2, "values")?;
        if values.shape != [2] {
            let found = format!("values are {}", extents(&values.shape));
            return Err(Fault::new(found, "two are needed").into());
        }
        let rank = indices.shape.len();
        let axis = resolve_axis(node.attributes().int("axis", -1)?, rank + 1, false)?;
        let mut shape = indices.shape.clone();
        shape.insert(axis, 1);
        let indices = Tensor { shape: shape.clone(), slot: indices.slot };
        // An index below 0 counts from the end; one outside is none.
        let mut hot: Option<Tensor> = None;
        for first in [0, -(depth as i64)] {
            let mut wide = vec![1; rank + 1];
            wide[axis] = depth;
            let all = (0..depth as i64).map(|i| (first + i) as f32).collect();
            let all = self.numbers(all, &wide);
            let part = self.combined(node, Pair::Equal, &indices, &all)?;
            hot = Some(match hot {
                Some(before) => self.combined(node, Pair::Add, &before, &part)?,
                None => part,
            });
        }
        let mut value = |at: usize| -> Result<Tensor, Refusal> {
            let values = Value::Tensor(values.clone());
            let one = self.moved(node, values, &[Move::pick(0, [at])])?;
            self.as_tensor(one, "values")
        };
        let (off, on) = (value(0)?, value(1)?);
        let step = self.combined(node, Pair::Sub, &on, &off)?;
        let Some(hot) = hot else { return Ok(Vec::new()) };
        let y = self.combined(node, Pair::Mul, &hot, &step)?;
        Ok(vec![Value::Tensor(self.combined(node, Pair::Add, &y, &off)?)])
    }
}
