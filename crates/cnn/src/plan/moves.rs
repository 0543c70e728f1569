//! The moves of each operator that rearranges elements: which cell of the operand each cell of the result
//! is.

use crate::error::{Fault, extents};
use crate::onnx::graph::Node;
use crate::plan::arrangement::{Move, expansion};
use crate::plan::builder::Builder;
use crate::plan::shape::{
    broadcast_shape, cells_along, checked_len, coordinates, resolve_axes, resolve_axis,
    resolve_index, strides,
};

impl Builder<'_> {
    /// The moves of a node whose first operand has this shape.
    pub(super) fn moves(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        Ok(match node.operator.as_str() {
            "Flatten" => vec![Move::Shape(flattened(node, shape)?)],
            "Reshape" => vec![Move::Shape(self.reshaped(node, shape)?)],
            "Squeeze" => vec![Move::Shape(self.squeezed(node, shape)?)],
            "Unsqueeze" => vec![Move::Shape(self.unsqueezed(node, shape)?)],
            "Dropout" => {
                self.check_dropout(node)?;
                Vec::new()
            }
            "Transpose" => vec![Move::Permute(permutation(node, shape)?)],
            "Slice" => self.slices(node, shape)?,
            "Gather" => self.gathered(node, shape)?,
            "GatherElements" => self.gathered_elements(node, shape)?,
            "GatherND" => self.gathered_nd(node, shape)?,
            "Expand" => {
                let to = self.needed_list(node, 1, "shape")?;
                let to = sizes(&to, "shape")?;
                expansion(shape, &broadcast_shape(shape, &to)?)?
            }
            "Tile" => self.tiled(node, shape)?,
            "DepthToSpace" | "SpaceToDepth" => blocks(node, shape)?,
            "Pad" => self.padded(node, shape)?,
            "CenterCropPad" => self.centred(node, shape)?,
            "Compress" => self.compressed(node, shape)?,
            "ReverseSequence" => self.reversed(node, shape)?,
            // Identity.
            _ => Vec::new(),
        })
    }

    pub(super) fn needed_list(&self, node: &Node, i: usize, name: &str) -> Result<Vec<i64>, Fault> {
        self.list(node, i, name)?
            .ok_or_else(|| Fault::new(format!("{name} is left out"), "it is needed"))
    }

    /// Whole numbers of any shape that the model carries.
    pub(super) fn positions(&self, node: &Node) -> Result<(Vec<usize>, Vec<i64>), Fault> {
        let Some(constant) = self.carried(node, 1, "indices")? else {
            return Err(Fault::new("indices are left out", "they are needed"));
        };
        let data = constant.as_ints("indices")?.to_vec();
        Ok((constant.shape().to_vec(), data))
    }

    fn check_dropout(&self, node: &Node) -> Result<(), Fault> {
        let training = match self.carried(node, 2, "training_mode")? {
            Some(constant) => constant.to_floats().1.iter().any(|&x| x != 0.0),
            None => false,
        };
        if training {
            return Err(Fault::new("training_mode is true", "a model for inference is needed"));
        }
        Ok(())
    }

    fn reshaped(&self, node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
        let target = self.needed_list(node, 1, "shape")?;
        let keeps_zero = node.attributes().flag("allowzero")?;
        let count: usize = shape.iter().product();
        let refused = || {
            Fault::new(
                format!("shape is {target:?}"),
                format!("one of {count} elements is needed, as {} has", extents(shape)),
            )
        };
        let mut wide = Vec::with_capacity(target.len());
        let mut open = None;
        for (i, &n) in target.iter().enumerate() {
            wide.push(match n {
                -1 if open.is_none() => {
                    open = Some(i);
                    1
                }
                0 if !keeps_zero => *shape.get(i).ok_or_else(refused)?,
                n => usize::try_from(n).map_err(|_| refused())?,
            });
        }
        let found = wide.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or_else(refused)?;
        match open {
            Some(i) if found > 0 && count.is_multiple_of(found) => wide[i] = count / found,
            None if found == count => {}
            // An exporter that was given one size of batch writes it into the shape.
            None if self.stated_batch.is_some()
                && self.stated_batch == wide.first().copied()
                && found > 0
                && (count * wide[0]).is_multiple_of(found) =>
            {
                wide[0] = count * wide[0] / found;
            }
            _ => return Err(refused()),
        }
        Ok(wide)
    }

    fn squeezed(&self, node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
        let axes = match self.list_since(node, 13, "axes", 1)? {
            Some(axes) => resolve_axes(&axes, shape.len())?,
            None => (0..shape.len()).filter(|&axis| shape[axis] == 1).collect(),
        };
        if let Some(&axis) = axes.iter().find(|&&axis| shape[axis] != 1) {
            let found = format!("axis {axis} has {} cells", shape[axis]);
            return Err(Fault::new(found, "one cell is needed on an axis that is dropped"));
        }
        Ok((0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect())
    }

    fn unsqueezed(&self, node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
        let axes = self
            .list_since(node, 13, "axes", 1)?
            .ok_or_else(|| Fault::new("axes are left out", "they are needed"))?;
        let axes = resolve_axes(&axes, shape.len() + axes.len())?;
        let mut wide = shape.to_vec();
        for axis in axes {
            wide.insert(axis, 1);
        }
        Ok(wide)
    }

    /// Starts, ends and steps are attributes until operator set 9, operands since.
    fn slices(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let needed = |list: Option<Vec<i64>>, name: &str| {
            list.ok_or_else(|| Fault::new(format!("{name} are left out"), "they are needed"))
        };
        let starts = needed(self.list_since(node, 10, "starts", 1)?, "starts")?;
        let ends = needed(self.list_since(node, 10, "ends", 2)?, "ends")?;
        let count = starts.len();
        let axes =
            self.list_since(node, 10, "axes", 3)?.unwrap_or_else(|| (0..count as i64).collect());
        let steps = self.list_since(node, 10, "steps", 4)?.unwrap_or_else(|| vec![1; count]);
        if [ends.len(), axes.len(), steps.len()] != [count; 3] || steps.contains(&0) {
            return Err(Fault::new(
                format!("starts {starts:?}, ends {ends:?}, axes {axes:?} and steps {steps:?}"),
                "as many of each, and steps other than 0, are needed",
            ));
        }
        (0..count)
            .map(|i| {
                let axis = resolve_axis(axes[i], shape.len(), false)?;
                Ok(Move::pick(axis, cells(shape[axis] as i64, starts[i], ends[i], steps[i])))
            })
            .collect()
    }

    fn gathered(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let axis = resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)?;
        let (own, indices) = self.positions(node)?;
        let at = indices.iter().map(|&index| resolve_index(index, shape[axis]));
        let at = at.collect::<Result<Vec<_>, _>>()?;
        let result = [&shape[..axis], &own, &shape[axis + 1..]].concat();
        Ok(vec![Move::pick(axis, at), Move::Shape(result)])
    }

    fn gathered_elements(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let axis = resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)?;
        let (own, indices) = self.positions(node)?;
        let at = cells_along(shape, axis, &own, &indices)?;
        Ok(vec![Move::Shape(vec![shape.iter().product()]), Move::pick(0, at), Move::Shape(own)])
    }

    fn gathered_nd(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let batch = node.attributes().int("batch_dims", 0)?;
        let (own, indices) = self.positions(node)?;
        let (batch, depth) = (usize::try_from(batch).unwrap_or(usize::MAX), own.last().copied());
        let fits = |depth: usize| {
            batch < own.len() && batch + depth <= shape.len() && own[..batch] == shape[..batch]
        };
        let Some(depth) = depth.filter(|&depth| fits(depth)) else {
            return Err(Fault::new(
                format!("indices are {} with {batch} batch axes", extents(&own)),
                format!("a shape that indexes {} is needed", extents(shape)),
            ));
        };
        // Rows of the axes that are not indexed stay together.
        let rows = &shape[..batch + depth];
        let (steps, rest) = (strides(rows), &shape[batch + depth..]);
        let lists = own[..own.len() - 1].iter().product::<usize>();
        let in_batch = own[batch..own.len() - 1].iter().product::<usize>();
        let at = (0..lists).map(|i| {
            let mut at = coordinates(&shape[..batch], i / in_batch.max(1));
            for (d, &index) in indices[i * depth..(i + 1) * depth].iter().enumerate() {
                at.push(resolve_index(index, shape[batch + d])?);
            }
            Ok(at.iter().zip(&steps).map(|(at, step)| at * step).sum())
        });
        let at = at.collect::<Result<Vec<usize>, Fault>>()?;
        let flat = [&[rows.iter().product()], rest].concat();
        let result = [&own[..own.len() - 1], rest].concat();
        Ok(vec![Move::Shape(flat), Move::pick(0, at), Move::Shape(result)])
    }

    /// The cells of an axis, or of all of the tensor, for which a condition holds.
    fn compressed(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let Some(condition) = self.carried(node, 1, "condition")? else {
            return Err(Fault::new("condition is left out", "it is needed"));
        };
        let attributes = node.attributes();
        let (mut moves, axis, extent) = match attributes.has("axis") {
            true => {
                let axis = resolve_axis(attributes.int("axis", 0)?, shape.len(), false)?;
                (vec![], axis, shape[axis])
            }
            false => {
                let count = shape.iter().product();
                (vec![Move::Shape(vec![count])], 0, count)
            }
        };
        let values = condition.to_floats().1;
        if values.len() > extent {
            let found = format!("condition has {} elements", values.len());
            return Err(Fault::new(found, format!("at most {extent} are allowed")));
        }
        moves.push(Move::pick(axis, (0..values.len()).filter(|&i| values[i] != 0.0)));
        Ok(moves)
    }

    /// The first cells of one of the first two axes, as many as a list says for each cell of the other, from the last
    /// of them to the first.
    fn reversed(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let lens = self.needed_list(node, 1, "sequence_lens")?;
        let (batch, time) =
            (node.attributes().int("batch_axis", 1)?, node.attributes().int("time_axis", 0)?);
        let &[rows, columns, ref rest @ ..] = shape else {
            let found = format!("input is {}", extents(shape));
            return Err(Fault::new(found, "at least two axes are needed"));
        };
        let (extent, count) = if time == 0 { (rows, columns) } else { (columns, rows) };
        let fits = [(0, 1), (1, 0)].contains(&(batch, time))
            && lens.len() == count
            && lens.iter().all(|&len| (0..=extent as i64).contains(&len));
        if !fits {
            let found = format!("sequence_lens {lens:?} along axis {time} of {}", extents(shape));
            let allowed = "a length for each cell of the other of the first two axes is needed";
            return Err(Fault::new(found, allowed));
        }
        let at = (0..rows * columns).map(|i| {
            let (row, column) = (i / columns, i % columns);
            let flipped =
                |n: usize, len: i64| if n < len as usize { len as usize - 1 - n } else { n };
            match time {
                0 => flipped(row, lens[column]) * columns + column,
                _ => row * columns + flipped(column, lens[row]),
            }
        });
        let flat = [&[rows * columns], rest].concat();
        Ok(vec![Move::Shape(flat), Move::pick(0, at), Move::Shape(shape.to_vec())])
    }

    fn tiled(&self, node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
        let repeats = self.needed_list(node, 1, "repeats")?;
        let repeats = sizes(&repeats, "repeats")?;
        if repeats.len() != shape.len() {
            let found = format!("{} repeats", repeats.len());
            return Err(Fault::new(found, format!("{} are needed", shape.len())));
        }
        let all = repeats.iter().enumerate().filter(|(_, n)| **n != 1);
        all.map(|(axis, &n)| {
            checked_len(&[n, shape[axis]])?;
            Ok(Move::pick(axis, (0..n).flat_map(|_| 0..shape[axis])))
        })
        .collect()
    }
}

/// The cells of a slice, as NumPy counts them.
fn cells(extent: i64, start: i64, end: i64, step: i64) -> Vec<usize> {
    let within = |n: i64, low: i64, high: i64| {
        (if n < 0 { n.saturating_add(extent) } else { n }).clamp(low, high)
    };
    let mut at = Vec::new();
    if step > 0 {
        let (mut i, end) = (within(start, 0, extent), within(end, 0, extent));
        while i < end {
            at.push(i as usize);
            i = i.saturating_add(step);
        }
    } else {
        let (mut i, end) = (within(start, 0, extent - 1), within(end, -1, extent - 1));
        while i > end && i >= 0 {
            at.push(i as usize);
            i = i.saturating_add(step);
        }
    }
    at
}

/// Sizes that are not negative.
pub(super) fn sizes(list: &[i64], name: &str) -> Result<Vec<usize>, Fault> {
    list.iter()
        .map(|&n| {
            usize::try_from(n).ok().filter(|&n| n <= i32::MAX as usize).ok_or_else(|| {
                Fault::new(
                    format!("{name} is {list:?}"),
                    format!("sizes of 0 to {} are allowed", i32::MAX),
                )
            })
        })
        .collect()
}

fn flattened(node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
    let axis = resolve_axis(node.attributes().int("axis", 1)?, shape.len(), true)?;
    Ok(vec![shape[..axis].iter().product(), shape[axis..].iter().product()])
}

fn permutation(node: &Node, shape: &[usize]) -> Result<Vec<usize>, Fault> {
    let rank = shape.len();
    let Some(order) = node.attributes().ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let all: Vec<_> = order.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    let mut sorted = all.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() || order.len() != rank {
        let allowed = format!("each of the axes 0 to {} is needed once", rank.max(1) - 1);
        return Err(Fault::new(format!("perm is {order:?}"), allowed));
    }
    Ok(all)
}

/// Channels that are blocks of pixels, and the other way round.
fn blocks(node: &Node, shape: &[usize]) -> Result<Vec<Move>, Fault> {
    let size = node.attributes().int("blocksize", 0)?;
    let to_space = node.operator == "DepthToSpace";
    let fits = |size: usize, [_, c, h, w]: [usize; 4]| {
        if to_space { c % (size * size) == 0 } else { h % size == 0 && w % size == 0 }
    };
    let size = usize::try_from(size).ok().filter(|&n| n > 0 && n < 1 << 15);
    let dims = <[usize; 4]>::try_from(shape).ok();
    let (Some(size), Some([n, c, h, w])) =
        (size, dims.filter(|&d| size.is_some_and(|s| fits(s, d))))
    else {
        return Err(Fault::new(
            format!("blocks of {size:?} in {}", extents(shape)),
            "four axes that the block divides are needed",
        ));
    };
    let mode = node.attributes().string("mode", "DCR")?;
    if !["DCR", "CRD"].contains(&mode) {
        return Err(Fault::new(format!("mode is {mode:?}"), "DCR and CRD are allowed"));
    }
    let blocks_first = mode == "DCR";
    if !to_space {
        let order = if blocks_first { vec![0, 3, 5, 1, 2, 4] } else { vec![0, 1, 3, 5, 2, 4] };
        return Ok(vec![
            Move::Shape(vec![n, c, h / size, size, w / size, size]),
            Move::Permute(order),
            Move::Shape(vec![n, c * size * size, h / size, w / size]),
        ]);
    }
    let channels = c / (size * size);
    let (split, order) = if blocks_first {
        (vec![n, size, size, channels, h, w], vec![0, 3, 4, 1, 5, 2])
    } else {
        (vec![n, channels, size, size, h, w], vec![0, 1, 4, 2, 5, 3])
    };
    let joined = vec![n, channels, h * size, w * size];
    Ok(vec![Move::Shape(split), Move::Permute(order), Move::Shape(joined)])
}
