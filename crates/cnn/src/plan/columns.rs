//! Col2Im: blocks that slide over an image, as columns, summed to the image. A sparse matrix over all taps of all
//! blocks, known from the shapes, so that the way back is its transpose.

use crate::error::{Fault, extents};
use crate::kernel::Sparse;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::moves;
use crate::plan::refusal::Refusal;
use crate::plan::shape::checked_len;
use crate::plan::sliding::Sliding;
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    pub(super) fn columns_to_image(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "input")?;
        let sizes =
            |list: Option<Vec<i64>>, name: &str| moves::sizes(&list.unwrap_or_default(), name);
        let image = sizes(self.list(node, 1, "image_shape")?, "image_shape")?;
        let block = sizes(self.list(node, 2, "block_shape")?, "block_shape")?;
        let rank = image.len();
        let taps = checked_len(&block)?;
        let &[n, rows, columns] = &x.shape[..] else {
            let found = format!("input is {}", extents(&x.shape));
            return Err(Fault::new(found, "three axes are needed").into());
        };
        if !(1..=3).contains(&rank) || block.len() != rank || taps == 0 || rows % taps != 0 {
            let found = format!("image_shape {image:?} and block_shape {block:?}, of {rows} rows");
            let allowed =
                "one to three extents of each, and a multiple of the block's cells, are needed";
            return Err(Fault::new(found, allowed).into());
        }
        let sliding = Sliding::read(node.attributes(), rank, Some(&block))?;
        let axes = sliding.over(&image)?;
        let axes = &axes[3 - rank..];
        let windows: usize = axes.iter().map(|axis| axis.windows as usize).product();
        if windows != columns {
            let found = format!("{columns} columns");
            return Err(Fault::new(found, format!("{windows} blocks fit the image")).into());
        }
        let cells = checked_len(&image)?;
        checked_len(&[taps, columns])?;
        let cell = |i: usize| {
            let (mut tap, mut window) = (i / columns, i % columns);
            let (mut at, mut step) = (0, 1);
            for axis in axes.iter().rev() {
                let (kernel, output) = (axis.kernel as usize, axis.windows as usize);
                let own = axis.start((window % output) as u32)
                    + (tap % kernel) as i64 * i64::from(axis.dilation);
                let own = usize::try_from(own).ok().filter(|&own| own < axis.input as usize)?;
                (at, step) = (at + own * step, step * axis.input as usize);
                (tap, window) = (tap / kernel, window / output);
            }
            Some(at)
        };
        let matrix = Sparse::picking(cells, (0..taps * columns).map(cell)).transposed();
        let channels = rows / taps;
        let x = Tensor { shape: vec![n, channels, taps * columns], slot: x.slot };
        let y = self.along(node, &x, 2..3, &matrix)?;
        let shape = [&[n, channels], &image[..]].concat();
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }
}
