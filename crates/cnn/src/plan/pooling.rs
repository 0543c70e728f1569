//! MaxPool and MaxUnpool on `unpool`'s geometry and taps, and average pooling.

use unpool::{Axis, Geometry, GeometryError, Shape};

use crate::error::{Fault, extents};
use crate::kernel::{Average, Function, Kernel};
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::convolution::dense;
use crate::plan::operands::spatial_axes;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{checked_len, len, resolve_index};
use crate::plan::sliding::Sliding;
use crate::plan::value::{Indices, Tensor, Value};

impl Builder<'_> {
    pub(super) fn max_pool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let sliding = Sliding::read(node.attributes(), axes, None)?;
        let shape = Shape::channels_first(x.shape.clone());
        let geometry = Geometry::new(&sliding.window(), shape)?;
        if *geometry.input_shape().dims() == *geometry.pooled_shape().dims()
            && sliding.kernel.iter().all(|&k| k == 1)
        {
            // Each window is a cell, so its index is known: exporters number cells in this way.
            let all = (0..i64::from(len(&x.shape))).collect();
            let indices = Value::Constant(Constant::ints(x.shape.clone(), all));
            return Ok(vec![Value::Tensor(x), indices]);
        }
        let values = self.result(node, geometry.pooled_shape().dims(), &[&x])?;
        let varies = self.slots[x.slot].varies;
        let what = format!("the argmax of {}", node.name);
        let taps = self.reserved(&what, geometry.taps_bytes().into(), varies)?;
        let indices = Indices::new(geometry, taps);
        self.push(Kernel::MaxPool(geometry), &[&x], &[&values, &indices.taps()]);
        Ok(vec![Value::Tensor(values), Value::Indices(indices)])
    }

    /// Values go back through the taps of the pooling that made the indices, each to its own row and
    /// column, whatever the size of the output: no index is read with a wrong width. Cells outside
    /// the pooled size are zero.
    pub(super) fn max_unpool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let indices = match self.value(node, 1, "I")? {
            Value::Indices(indices) => indices,
            Value::Constant(Constant::Ints { data, .. }) => {
                return self.unpooled_at(node, &x, &data);
            }
            _ => {
                let found = format!("I ({:?}) is no argmax", node.inputs[1]);
                return Err(Fault::new(found, "the Indices of a MaxPool are needed").into());
            }
        };
        let (geometry, taps) = (*indices.geometry, indices.taps());
        if x.shape != geometry.pooled_shape().dims() {
            return Err(Fault::new(
                format!("X is {}", extents(&x.shape)),
                format!("{} is needed, as the argmax has", geometry.pooled_shape()),
            )
            .into());
        }
        let sliding = Sliding::read(node.attributes(), axes, None)?;
        let size = self.unpooled_size(node, &sliding, &x)?;
        let pooled_size = geometry.input_shape().spatial();
        let fitting =
            Geometry::for_pooled(geometry.window(), *geometry.pooled_shape(), Some(&size));
        let mut shape = x.shape[..2].to_vec();
        shape.extend(&size);
        // A geometry that restores the pooled size, or another size with the same window positions.
        let direct = if size == pooled_size {
            Some(geometry)
        } else {
            fitting.ok().filter(|fitting| {
                // Padding that depends on the size would move every window.
                fitting
                    .pads()
                    .as_slice()
                    .iter()
                    .zip(geometry.pads().as_slice())
                    .all(|(a, b)| a.0 == b.0)
            })
        };
        if let Some(direct) = direct {
            let y = self.by(node, &shape, Kernel::MaxUnpool(direct), &[&x, &taps])?;
            return Ok(vec![Value::Tensor(y)]);
        }
        if let Some(i) = (0..axes).find(|&i| size[i] < pooled_size[i]) {
            return Err(Fault::new(
                format!("output_shape has {} on spatial axis {i}", size[i]),
                format!("at least {} is needed, as was pooled", pooled_size[i]),
            )
            .into());
        }
        let restored = geometry.input_shape().dims();
        let y = self.by(node, restored, Kernel::MaxUnpool(geometry), &[&x, &taps])?;
        Ok(vec![self.moved(node, Value::Tensor(y), &extension(pooled_size, &size)?)?])
    }

    /// Values put at constant indices, which count through the tensor of the size that ONNX infers.
    fn unpooled_at(
        &mut self,
        node: &Node,
        x: &Tensor,
        indices: &[i64],
    ) -> Result<Vec<Value>, Refusal> {
        let sliding = Sliding::read(node.attributes(), x.shape.len() - 2, None)?;
        let inferred = inferred_size(&sliding, x)?;
        let shape = [&x.shape[..2], &inferred].concat();
        let count = checked_len(&shape)?;
        let mut from = vec![None; count];
        for (value, &index) in indices.iter().enumerate() {
            from[resolve_index(index, count)?] = Some(value);
        }
        if indices.len() != x.shape.iter().product::<usize>() {
            let found = format!("{} indices", indices.len());
            return Err(Fault::new(found, "one for each element of X is needed").into());
        }
        let mut moves = vec![
            Move::Shape(vec![indices.len()]),
            Move::Pick { axis: 0, at: from, fill: 0.0 },
            Move::Shape(shape),
        ];
        let size = self.unpooled_size(node, &sliding, x)?;
        moves.extend(extension(&inferred, &size)?);
        Ok(vec![self.moved(node, Value::Tensor(x.clone()), &moves)?])
    }

    /// The spatial extents that `output_shape` asks for, or those that ONNX infers.
    fn unpooled_size(
        &self,
        node: &Node,
        sliding: &Sliding,
        x: &Tensor,
    ) -> Result<Vec<usize>, Refusal> {
        if let Some(said) = self.carried(node, 2, "output_shape")? {
            let said = said.as_list("output_shape")?;
            let around = |n: &i64, m: &usize| usize::try_from(*n).ok() == Some(*m);
            let fits = said.len() == x.shape.len()
                && said.iter().zip(&x.shape).take(2).all(|(n, m)| around(n, m))
                && said.iter().all(|&n| n > 0 && n <= i64::from(i32::MAX));
            if !fits {
                return Err(Fault::new(
                    format!("output_shape is {said:?}"),
                    format!(
                        "{}×{} and {} spatial extents of at least 1 are needed",
                        x.shape[0],
                        x.shape[1],
                        x.shape.len() - 2
                    ),
                )
                .into());
            }
            return Ok(said[2..].iter().map(|&n| n as usize).collect());
        }
        Ok(inferred_size(sliding, x)?)
    }

    pub(super) fn average_pool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let count = spatial_axes(&x)?;
        let (axes, counts_padding) = if node.operator == "GlobalAveragePool" {
            let mut axes = [Axis::NONE; 3];
            for (axis, &n) in axes[3 - count..].iter_mut().zip(&x.shape[2..]) {
                *axis = Axis { input: n as u32, kernel: n as u32, ..Axis::NONE };
            }
            (axes, false)
        } else {
            let sliding = Sliding::read(node.attributes(), count, None)?;
            // A window without any cell of the input has no average: `Geometry` refuses it.
            let shape = Shape::channels_first(x.shape.clone());
            let geometry = Geometry::new(&sliding.window(), shape)?;
            (geometry.axes(), node.attributes().flag("count_include_pad")?)
        };
        let mut shape = x.shape[..2].to_vec();
        shape.extend(axes[3 - count..].iter().map(|a| a.windows as usize));
        let average = Average { planes: len(&x.shape[..2]), axes, counts_padding };
        let y = self.by(node, &shape, Kernel::Average(average), &[&x])?;
        Ok(vec![Value::Tensor(y)])
    }

    /// The norm of each window: a sum of powers, as a convolution of ones over each channel.
    pub(super) fn lp_pool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let count = spatial_axes(&x)?;
        let p = node.attributes().int("p", 2)? as f32;
        let sliding = Sliding::read(node.attributes(), count, None)?;
        let shape = Shape::channels_first(x.shape.clone());
        let geometry = Geometry::new(&sliding.window(), shape)?;
        let sizes = self.mapped(node, Function::Abs, &x)?;
        let powers = self.mapped(node, Function::Power { offset: 0.0, exponent: p }, &sizes)?;
        let sum = self.result(node, geometry.pooled_shape().dims(), &[&x])?;
        let conv = dense(geometry.axes(), x.shape[0], x.shape[1], 1, 1);
        let ones = vec![1.0; x.shape[1] * sliding.kernel.iter().product::<usize>()];
        self.convolve(conv, &powers, &ones.into(), None, &sum);
        let root = Function::Power { offset: 0.0, exponent: 1.0 / p };
        Ok(vec![Value::Tensor(self.mapped(node, root, &sum)?)])
    }
}

/// The spatial extents from which a pooling makes those of `x`, as ONNX infers them.
fn inferred_size(sliding: &Sliding, x: &Tensor) -> Result<Vec<usize>, Fault> {
    let pooled = Shape::channels_first(x.shape.clone());
    match Geometry::unpooled_shape(&sliding.window(), &pooled) {
        Ok(unpooled) => Ok(unpooled.spatial().to_vec()),
        Err(GeometryError::OutputSize { axis, found, .. }) => {
            let found = format!("on axis {axis} the unpooled size would be {found}");
            Err(Fault::new(found, "at least 1 is needed"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Rows and columns, added at the far ends or cut off there.
fn extension(from: &[usize], to: &[usize]) -> Result<Vec<Move>, Fault> {
    let along = |i: usize| {
        checked_len(&to[i..=i])?;
        let own = |cell: usize| (cell < from[i]).then_some(cell);
        Ok(Move::Pick { axis: 2 + i, at: (0..to[i]).map(own).collect(), fill: 0.0 })
    };
    (0..from.len()).map(along).collect()
}
