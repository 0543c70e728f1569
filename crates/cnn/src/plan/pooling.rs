//! MaxPool and MaxUnpool on `unpool`'s geometry and taps, and average pooling.

use std::sync::Arc;

use unpool::{Geometry, GeometryError, Shape};

use crate::axis::Axis;
use crate::error::{Fault, extents};
use crate::kernel::{Average, Fit, Kernel};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::operands::spatial_axes;
use crate::plan::refusal::Refusal;
use crate::plan::shape::len;
use crate::plan::sliding::Sliding;
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    pub(super) fn max_pool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let sliding = Sliding::read(node.attributes(), axes, None)?;
        let geometry = Geometry::new(&sliding.window(), Shape::channels_first(x.shape.clone()))?;
        let values = self.result(node, geometry.pooled_shape().dims(), &[&x])?;
        let varies = self.slots[x.slot].varies;
        let what = format!("the argmax of {}", node.name);
        let taps = self.reserved(&what, geometry.taps_bytes().into(), varies)?;
        let kernel = Kernel::MaxPool(geometry);
        self.push(kernel, vec![x.slot], vec![values.slot, taps]);
        Ok(vec![Value::Tensor(values), Value::Indices { geometry: Arc::new(geometry), taps }])
    }

    /// Values go back through the taps of the pooling that made the indices, each to its own row and
    /// column, whatever the size of the output: no index is read with a wrong width. Cells outside
    /// the pooled size are zero.
    pub(super) fn max_unpool(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let axes = spatial_axes(&x)?;
        let Value::Indices { geometry, taps } = self.value(node, 1, "I")? else {
            let found = format!("I ({:?}) is no argmax", node.inputs[1]);
            return Err(Fault::new(found, "the Indices of a MaxPool are needed").into());
        };
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
            Some(*geometry)
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
            let y = self.result(node, &shape, &[&x])?;
            self.push(Kernel::MaxUnpool(direct), vec![x.slot, taps], vec![y.slot]);
            return Ok(vec![Value::Tensor(y)]);
        }
        if let Some(i) = (0..axes).find(|&i| size[i] < pooled_size[i]) {
            return Err(Fault::new(
                format!("output_shape has {} on spatial axis {i}", size[i]),
                format!("at least {} is needed, as was pooled", pooled_size[i]),
            )
            .into());
        }
        let restored = self.result(node, geometry.input_shape().dims(), &[&x])?;
        self.push(Kernel::MaxUnpool(*geometry), vec![x.slot, taps], vec![restored.slot]);
        let y = self.result(node, &shape, &[&x])?;
        let fit = Fit { planes: len(&shape[..2]), from: three(pooled_size), to: three(&size) };
        self.push(Kernel::Fit(fit), vec![restored.slot], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
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
        let pooled = Shape::channels_first(x.shape.clone());
        match Geometry::unpooled_shape(&sliding.window(), &pooled) {
            Ok(unpooled) => Ok(unpooled.spatial().to_vec()),
            Err(GeometryError::OutputSize { axis, found, .. }) => {
                let found = format!("on axis {axis} the unpooled size would be {found}");
                Err(Fault::new(found, "at least 1 is needed").into())
            }
            Err(error) => Err(error.into()),
        }
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
            (Axis::of(&geometry), node.attributes().flag("count_include_pad")?)
        };
        let mut shape = x.shape[..2].to_vec();
        shape.extend(axes[3 - count..].iter().map(|a| a.output as usize));
        let y = self.result(node, &shape, &[&x])?;
        let average = Average { planes: len(&x.shape[..2]), axes, counts_padding };
        self.push(Kernel::Average(average), vec![x.slot], vec![y.slot]);
        Ok(vec![Value::Tensor(y)])
    }
}

/// Spatial extents with 1 in front to make three.
fn three(spatial: &[usize]) -> [u32; 3] {
    let mut all = [1; 3];
    for (to, &from) in all[3 - spatial.len()..].iter_mut().zip(spatial) {
        *to = from as u32;
    }
    all
}
