//! ScatterND and ScatterElements: by constant indices, and by the indices of a MaxPool, which are an
//! unpooling on its taps; GatherElements by such indices.

use crate::error::{Fault, extents};
use crate::kernel::{Kernel, Pair};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{cells_along, coordinates, resolve_axis, resolve_index, strides};
use crate::plan::value::{Indices, Tensor, Value};

impl Builder<'_> {
    /// Elements of `data` replaced by updates, or increased by them.
    pub(super) fn scatter(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let data = self.value(node, 0, "data")?;
        let shape = self.shape_of(&data);
        let updates = self.value(node, 2, "updates")?;
        if let Value::Indices(indices) = self.value(node, 1, "indices")? {
            let updates = self.as_tensor(updates, "updates")?;
            return self.scatter_pooled(node, &data, &indices, &updates);
        }
        let reduction = match node.attributes().string("reduction", "none")? {
            "none" => None,
            "add" => Some((Pair::Add, 0.0)),
            "mul" => Some((Pair::Mul, 1.0)),
            "max" => Some((Pair::Max, f32::NEG_INFINITY)),
            "min" => Some((Pair::Min, f32::INFINITY)),
            other => {
                let found = format!("reduction is {other:?}");
                return Err(Fault::new(found, "none, add, mul, max and min are allowed").into());
            }
        };
        // Rows of the data that are one update each.
        let (own, indices) = self.positions(node)?;
        let (rows, row) = if node.operator == "ScatterND" {
            rows_of_lists(&shape, &own, &indices)?
        } else {
            let axis = resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)?;
            (cells_along(&shape, axis, &own, &indices)?, 1)
        };
        let count: usize = shape.iter().product::<usize>() / row.max(1);
        let of_updates = self.shape_of(&updates).iter().product::<usize>();
        if of_updates != rows.len() * row || of_updates == 0 {
            let found = format!("{of_updates} updates");
            return Err(Fault::new(found, format!("{} are needed", rows.len() * row)).into());
        }
        let mut from: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (update, &at) in rows.iter().enumerate() {
            from[at].push(update);
        }
        Ok(vec![self.put(node, (data, updates), (&from, row), reduction)?])
    }

    /// Rows of `row` elements replaced by updates, or combined with them: for each row, which ones.
    fn put(
        &mut self,
        node: &Node,
        (data, updates): (Value, Value),
        (from, row): (&[Vec<usize>], usize),
        reduction: Option<(Pair, f32)>,
    ) -> Result<Value, Refusal> {
        let shape = self.shape_of(&data);
        let count = self.shape_of(&updates).iter().product::<usize>() / row.max(1);
        if let (Value::Constant(data), Value::Constant(updates), None) =
            (&data, &updates, reduction)
        {
            return Ok(Value::Constant(replaced(data, updates, from, row)));
        }
        let (data, updates) = (self.as_tensor(data, "data")?, self.as_tensor(updates, "updates")?);
        let data = Tensor { shape: vec![from.len(), row], slot: data.slot };
        let updates = Value::Tensor(Tensor { shape: vec![count, row], slot: updates.slot });
        let pick = |at: Vec<Option<usize>>, fill: f32| Move::Pick { axis: 0, at, fill };
        let y = match reduction {
            None => {
                let kept = from.iter().enumerate();
                let kept = kept.map(|(at, updates)| updates.is_empty().then_some(at)).collect();
                let last = from.iter().map(|updates| updates.last().copied()).collect();
                let kept = self.moved(node, Value::Tensor(data), &[pick(kept, 0.0)])?;
                let added = self.moved(node, updates, &[pick(last, 0.0)])?;
                let (kept, added) = (self.as_tensor(kept, "data")?, self.as_tensor(added, "")?);
                self.combined(node, Pair::Add, &kept, &added)?
            }
            Some((pair, neutral)) => {
                // One update of each row at a time, in their order.
                let mut y = data;
                for turn in 0..from.iter().map(Vec::len).max().unwrap_or(0) {
                    let at = from.iter().map(|updates| updates.get(turn).copied()).collect();
                    let part = self.moved(node, updates.clone(), &[pick(at, neutral)])?;
                    let part = self.as_tensor(part, "updates")?;
                    y = self.combined(node, pair, &y, &part)?;
                }
                y
            }
        };
        Ok(Value::Tensor(Tensor { shape, slot: y.slot }))
    }

    /// A cache whose cells along an axis are replaced by new ones, from a position on that may differ from image to
    /// image.
    pub(super) fn scatter_tensor(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let cache = self.value(node, 0, "past_cache")?;
        let update = self.value(node, 1, "update")?;
        let (shape, own) = (self.shape_of(&cache), self.shape_of(&update));
        let attributes = node.attributes();
        let axis = resolve_axis(attributes.int("axis", -2)?, shape.len(), false)?;
        let is_circular = match attributes.string("mode", "linear")? {
            "linear" => false,
            "circular" => true,
            other => {
                let found = format!("mode is {other:?}");
                return Err(Fault::new(found, "linear and circular are allowed").into());
            }
        };
        let first = self.list(node, 2, "write_indices")?.unwrap_or_else(|| vec![0; shape[0]]);
        let fits = axis > 0
            && own.len() == shape.len()
            && (0..shape.len())
                .all(|i| if i == axis { own[i] <= shape[i] } else { own[i] == shape[i] })
            && first.len() == shape[0]
            && own.iter().all(|&n| n > 0);
        if !fits {
            let found = format!("update is {} at {first:?}", extents(&own));
            let allowed = format!("a part of {} for each image is needed", extents(&shape));
            return Err(Fault::new(found, allowed).into());
        }
        let (extent, width) = (shape[axis], own[axis]);
        let lists: usize = shape[..axis].iter().product();
        let mut from = vec![Vec::new(); lists * extent];
        for list in 0..lists {
            let first = first[list / (lists / shape[0])];
            for i in 0..width {
                let at = first.saturating_add(i as i64);
                let at = if is_circular { at.rem_euclid(extent as i64) } else { at };
                let at = usize::try_from(at).ok().filter(|&at| at < extent).ok_or_else(|| {
                    Fault::new(
                        format!("write_indices {first}"),
                        format!("{extent} cells are there"),
                    )
                })?;
                from[list * extent + at].push(list * width + i);
            }
        }
        let row = shape[axis + 1..].iter().product();
        Ok(vec![self.put(node, (cache, update), (&from, row), None)?])
    }

    /// Zeros into which values are put at the indices of a pooling: PyTorch's decomposition of
    /// unpooling.
    fn scatter_pooled(
        &mut self,
        node: &Node,
        data: &Value,
        indices: &Indices,
        updates: &Tensor,
    ) -> Result<Vec<Value>, Refusal> {
        let shape = self.shape_of(data);
        let zeros = match data {
            Value::Constant(constant) => constant.to_floats().1.iter().all(|&x| x == 0.0),
            _ => false,
        };
        if !zeros {
            let found = "data is not zero everywhere";
            return Err(Fault::new(found, "zeros are needed around the values of a pooling").into());
        }
        let planes = indices.first.len();
        let count: usize = shape.iter().product();
        let cells = count / planes.max(1);
        let depth = indices.shape.last().copied().unwrap_or(1);
        let flat = match node.operator.as_str() {
            // Lists of one number each, into one axis.
            "ScatterND" => shape.len() == 1 && depth == 1 && indices.steps_by(cells),
            _ => match resolve_axis(node.attributes().int("axis", 0)?, shape.len(), false)? {
                0 if shape.len() == 1 => indices.steps_by(cells),
                axis => axis + 1 == shape.len() && shape[axis] == cells && indices.steps_by(0),
            },
        };
        let fits = flat
            && count == cells * planes
            && cells >= indices.cells()
            && updates.shape.iter().product::<usize>() == planes * indices.windows();
        if !fits {
            return Err(Fault::new(
                format!(
                    "indices of {planes} planes of {} cells, for data of {}",
                    indices.cells(),
                    extents(&shape)
                ),
                "planes one after the other, each at least as large as was pooled, are needed",
            )
            .into());
        }
        let restored = indices.geometry.input_shape().dims().to_vec();
        let taps = indices.taps();
        let values =
            Tensor { shape: indices.geometry.pooled_shape().dims().to_vec(), slot: updates.slot };
        let kernel = Kernel::MaxUnpool(*indices.geometry);
        let y = self.by(node, &restored, kernel, &[&values, &taps])?;
        // Positions count through a plane's memory, so a larger plane goes on at its end.
        let own = indices.cells();
        let y = Tensor { shape: vec![planes, own], slot: y.slot };
        let at = (0..cells).map(|cell| (cell < own).then_some(cell)).collect();
        let y = self.moved(
            node,
            Value::Tensor(y),
            &[Move::Pick { axis: 1, at, fill: 0.0 }, Move::Shape(shape)],
        )?;
        Ok(vec![y])
    }

    /// Elements of planes at the indices of a pooling, at constant ones or at computed ones.
    pub(super) fn gather_elements(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let indices = match self.value(node, 1, "indices")? {
            Value::Constant(_) => return self.rearranged(node),
            Value::Tensor(positions) => return self.gather_computed(node, &positions),
            Value::Indices(indices) => indices,
        };
        let data = self.tensor(node, 0, "data")?;
        let rank = data.shape.len();
        let axis = resolve_axis(node.attributes().int("axis", 0)?, rank, false)?;
        let planes = indices.first.len();
        let cells = data.shape[axis];
        let count: usize = data.shape.iter().product();
        let fits = axis + 1 == rank
            && cells == indices.cells()
            && count == cells * planes
            && indices.steps_by(0);
        if !fits {
            return Err(Fault::new(
                format!("indices of {planes} planes, for data of {}", extents(&data.shape)),
                "the planes that were pooled, each on the last axis, are needed",
            )
            .into());
        }
        let geometry = indices.geometry.clone();
        let x = Tensor { shape: geometry.input_shape().dims().to_vec(), slot: data.slot };
        let pooled = geometry.pooled_shape().dims().to_vec();
        let kernel = Kernel::MaxUnpoolBack(*geometry);
        let y = self.by(node, &pooled, kernel, &[&x, &indices.taps()])?;
        Ok(vec![Value::Tensor(Tensor { shape: indices.shape, slot: y.slot })])
    }
}

impl Indices {
    /// The taps as a tensor.
    pub(super) fn taps(&self) -> Tensor {
        Tensor { shape: self.geometry.pooled_shape().dims().to_vec(), slot: self.taps }
    }

    /// Indices plus a constant, or minus one, or modulo one, that is the same in all of a plane.
    pub(super) fn shifted(mut self, pair: Pair, shift: &Constant) -> Result<Self, Fault> {
        let refused = || {
            Fault::new(
                format!("indices of a MaxPool and numbers of {}", extents(shift.shape())),
                "a sum or a difference with one number a plane is needed",
            )
        };
        let data = shift.as_ints("the other operand").map_err(|_| refused())?;
        let per_plane = self.per_plane(shift.shape(), data).ok_or_else(refused)?;
        let cells = self.cells() as i64;
        let first = self.first.iter().zip(per_plane).map(|(&first, shift)| match pair {
            Pair::Add => Some(first.saturating_add(shift)),
            Pair::Sub => Some(first.saturating_sub(shift)),
            // Positions within planes that follow each other.
            Pair::Mod if shift == cells && first % cells == 0 => Some(0),
            _ => None,
        });
        self.first = std::sync::Arc::new(first.collect::<Option<_>>().ok_or_else(refused)?);
        Ok(self)
    }

    /// One number for each plane, of numbers that repeat over the indices.
    fn per_plane(&self, shape: &[usize], data: &[i64]) -> Option<Vec<i64>> {
        let rank = self.shape.len();
        let lead = rank.checked_sub(shape.len())?;
        let fits = (0..shape.len()).all(|i| shape[i] == 1 || shape[i] == self.shape[lead + i]);
        if !fits || data.is_empty() {
            return None;
        }
        let steps = strides(shape);
        let windows = self.windows();
        let value = |i: usize| {
            let at = coordinates(&self.shape, i);
            let own = (0..shape.len()).filter(|&d| shape[d] > 1);
            data[own.map(|d| at[lead + d] * steps[d]).sum::<usize>()]
        };
        let plane = |n: usize| {
            let first = value(n * windows);
            (1..windows).all(|i| value(n * windows + i) == first).then_some(first)
        };
        (0..self.first.len()).map(plane).collect()
    }
}

/// The rows of `shape` that lists of indices name, and the elements of a row.
fn rows_of_lists(
    shape: &[usize],
    own: &[usize],
    indices: &[i64],
) -> Result<(Vec<usize>, usize), Fault> {
    let depth = own.last().copied().filter(|&depth| depth > 0 && depth <= shape.len());
    let Some(depth) = depth else {
        let found = format!("indices are {}", extents(own));
        return Err(Fault::new(found, format!("lists of up to {} are needed", shape.len())));
    };
    let (steps, row) = (strides(&shape[..depth]), shape[depth..].iter().product());
    let rows = indices.chunks_exact(depth).map(|list| {
        let at = list.iter().zip(&shape[..depth]).map(|(&index, &n)| resolve_index(index, n));
        let at = at.collect::<Result<Vec<_>, _>>()?;
        Ok(at.iter().zip(&steps).map(|(at, step)| at * step).sum())
    });
    Ok((rows.collect::<Result<_, Fault>>()?, row))
}

/// Constants with some rows replaced.
fn replaced(data: &Constant, updates: &Constant, from: &[Vec<usize>], row: usize) -> Constant {
    fn rows<T: Copy>(data: &[T], updates: &[T], from: &[Vec<usize>], row: usize) -> Vec<T> {
        let mut all = data.to_vec();
        for (at, update) in from.iter().enumerate().filter_map(|(i, u)| Some((i, *u.last()?))) {
            all[at * row..(at + 1) * row].copy_from_slice(&updates[update * row..][..row]);
        }
        all
    }
    match (data, updates) {
        (Constant::Ints { shape, data }, Constant::Ints { data: updates, .. }) => {
            Constant::ints(shape.clone(), rows(data, updates, from, row))
        }
        _ => {
            let ((shape, data), (_, updates)) = (data.to_floats(), updates.to_floats());
            Constant::floats(shape, rows(&data, &updates, from, row))
        }
    }
}
