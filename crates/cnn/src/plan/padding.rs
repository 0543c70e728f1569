//! Pad and CenterCropPad: cells before and after those of an axis, or fewer than there are.

use crate::error::Fault;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::moves::sizes;
use crate::plan::shape::{checked_len, resolve_axis};

impl Builder<'_> {
    /// Pads, before all axes and then after them, are attributes until operator set 10, operands since.
    pub(super) fn padded(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let pads = self.list_since(node, 11, "pads", 1)?;
        let pads = pads.ok_or_else(|| Fault::new("pads are left out", "they are needed"))?;
        let fill = if self.opset < 11 {
            node.attributes().float("value", 0.0)?
        } else {
            self.scalar(node, 2, "constant_value")?.unwrap_or(0.0)
        };
        let axes = match self.list(node, 3, "axes")? {
            Some(axes) => {
                let resolved = axes.iter().map(|&axis| resolve_axis(axis, shape.len(), false));
                resolved.collect::<Result<Vec<_>, _>>()?
            }
            None => (0..shape.len()).collect(),
        };
        let limit = i64::from(i32::MAX);
        if pads.len() != 2 * axes.len() || pads.iter().any(|n| n.abs() > limit) {
            let found = format!("pads are {pads:?}");
            return Err(Fault::new(found, format!("{} are needed", 2 * axes.len())));
        }
        let mode = node.attributes().string("mode", "constant")?;
        let mut moves = Vec::new();
        for (i, &axis) in axes.iter().enumerate() {
            let (before, after, n) = (pads[i], pads[axes.len() + i], shape[axis] as i64);
            if (before, after) == (0, 0) {
                continue;
            }
            let cell = |at: i64| {
                let inside = match mode {
                    "constant" => at,
                    "edge" => at.clamp(0, n - 1),
                    "wrap" => at.rem_euclid(n),
                    _ => {
                        // A mirror at each end: a period is there and back.
                        let period = (2 * (n - 1)).max(1);
                        let folded = at.rem_euclid(period);
                        if folded < n { folded } else { period - folded }
                    }
                };
                usize::try_from(inside).ok().filter(|&inside| inside < n as usize)
            };
            if !["constant", "edge", "wrap", "reflect"].contains(&mode) || n == 0 {
                let found = format!("mode is {mode:?} over {n} cells");
                return Err(Fault::new(found, "constant, edge, wrap and reflect are allowed"));
            }
            checked_len(&[(before + n + after).max(0) as usize])?;
            let at = (-before..n + after).map(cell).collect();
            moves.push(Move::Pick { axis, at, fill });
        }
        Ok(moves)
    }

    /// The middle of some axes, or zeros around them; of an odd number of cells the last is one more.
    pub(super) fn centred(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let to = sizes(&self.needed_list(node, 1, "shape")?, "shape")?;
        let axes = match node.attributes().ints("axes")? {
            Some(axes) => {
                let resolved = axes.iter().map(|&axis| resolve_axis(axis, shape.len(), false));
                resolved.collect::<Result<Vec<_>, _>>()?
            }
            None => (0..shape.len()).collect(),
        };
        if axes.len() != to.len() {
            let found = format!("shape is {to:?}");
            return Err(Fault::new(found, format!("{} sizes are needed", axes.len())));
        }
        let all = axes.iter().zip(&to).filter(|&(&axis, &to)| to != shape[axis]);
        all.map(|(&axis, &to)| {
            checked_len(&[to])?;
            let from = shape[axis];
            let (skipped, before) = (from.saturating_sub(to) / 2, to.saturating_sub(from) / 2);
            let cell = |i: usize| (i + skipped).checked_sub(before).filter(|&cell| cell < from);
            Ok(Move::Pick { axis, at: (0..to).map(cell).collect(), fill: 0.0 })
        })
        .collect()
    }
}
