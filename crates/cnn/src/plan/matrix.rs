//! Gemm and MatMul. A matrix that the model carries makes a convolution of one position; two matrices that
//! depend on the image make a product.

use unpool::Axis;

use crate::elements::Elements;
use crate::error::{Fault, extents};
use crate::kernel::{Kernel, Pair, Product, Steps};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::convolution::{Bias, dense};
use crate::plan::pointwise::broadcast;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{broadcast_shape, len};
use crate::plan::value::{Tensor, Value};

impl Builder<'_> {
    /// `alpha·A·B + beta·C`, either matrix transposed.
    pub(super) fn gemm(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let attributes = node.attributes();
        let (alpha, beta) = (attributes.float("alpha", 1.0)?, attributes.float("beta", 1.0)?);
        let (transposed_a, transposed_b) = (attributes.flag("transA")?, attributes.flag("transB")?);
        let a = self.tensor(node, 0, "A")?;
        let b = self.value(node, 1, "B")?;
        let b_shape = self.shape_of(&b);
        let ([a0, a1], [b0, b1]) = (&a.shape[..], &b_shape[..]) else {
            let found = format!("A is {} and B is {}", extents(&a.shape), extents(&b_shape));
            return Err(Fault::new(found, "two matrices are needed").into());
        };
        let (rows, depth) = if transposed_a { (*a1, *a0) } else { (*a0, *a1) };
        let (columns, b_depth) = if transposed_b { (*b0, *b1) } else { (*b1, *b0) };
        if depth != b_depth || rows * columns * depth == 0 {
            return Err(Fault::new(
                format!("A is {rows}×{depth} and B {b_depth}×{columns}"),
                "as many columns of A as rows of B, at least 1, are needed",
            )
            .into());
        }
        let c = match self.value_or_none(node, 2)? {
            Some(_) => Some(self.tensor(node, 2, "C")?),
            None => None,
        };
        let y = match b {
            Value::Constant(b) => {
                let data = b.elements();
                let weights = if transposed_b && alpha == 1.0 {
                    data
                } else if transposed_b {
                    data.read().iter().map(|w| alpha * w).collect::<Vec<_>>().into()
                } else {
                    turned(&data.read(), depth, columns, alpha)
                };
                let mut conv = dense([Axis::NONE; 3], rows, 1, columns, depth);
                if transposed_a {
                    conv.x = Steps { offset: 0, image: 1, channel: rows as u32 };
                }
                let y = self.result(node, &[rows, columns], &[&a])?;
                let bias = self.bias(node, columns, beta)?;
                let biased = bias.is_some();
                self.convolve(conv, &a, &weights, bias, &y);
                if biased {
                    return Ok(vec![Value::Tensor(y)]);
                }
                y
            }
            _ => {
                let b = self.tensor(node, 1, "B")?;
                let pick = |turned: bool, [n, m]: [u32; 2]| if turned { [m, n] } else { [n, m] };
                let (ar, bc) = (a.shape[1] as u32, b.shape[1] as u32);
                let [a_row, a_depth] = pick(transposed_a, [ar, 1]);
                let [b_depth, b_column] = pick(transposed_b, [bc, 1]);
                let product = Product {
                    batch: 1,
                    rows: rows as u32,
                    columns: columns as u32,
                    depth: depth as u32,
                    a: [0, a_row, a_depth],
                    b: [0, b_depth, b_column],
                    y: [0, columns as u32, 1],
                };
                let y = self.by(node, &[rows, columns], Kernel::Product(product), &[&a, &b])?;
                self.scaled(node, y, alpha)?
            }
        };
        let Some(c) = c else { return Ok(vec![Value::Tensor(y)]) };
        let c = self.scaled(node, c, beta)?;
        let (all, shape) = broadcast(Pair::Add, &y.shape, &c.shape)?;
        if shape != y.shape {
            let found = format!("C is {}", extents(&c.shape));
            let allowed = format!("a shape that repeats to {} is needed", extents(&y.shape));
            return Err(Fault::new(found, allowed).into());
        }
        let sum = self.by(node, &shape, Kernel::Pair(Pair::Add, all), &[&y, &c])?;
        Ok(vec![Value::Tensor(sum)])
    }

    /// C of a Gemm as a bias of its columns, if it is one that the model carries.
    fn bias(&self, node: &Node, columns: usize, beta: f32) -> Result<Bias, Fault> {
        let Some(Value::Constant(c)) = self.value_or_none(node, 2)? else { return Ok(None) };
        let (shape, data) = c.to_floats();
        let fits = matches!(shape[..], [n] | [1, n] if n == columns);
        Ok(fits.then(|| data.iter().map(|x| beta * x).collect::<Vec<_>>().into()))
    }

    /// A tensor times a number.
    pub(super) fn scaled(
        &mut self,
        node: &Node,
        x: Tensor,
        factor: f32,
    ) -> Result<Tensor, Refusal> {
        if factor == 1.0 {
            return Ok(x);
        }
        let factor = self.numbers(vec![factor], &[]);
        self.combined(node, Pair::Mul, &x, &factor)
    }

    /// A product over the last two axes, the axes before them repeated as NumPy does.
    pub(super) fn matmul(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let a = self.tensor(node, 0, "A")?;
        let b = self.value(node, 1, "B")?;
        let y = self.multiplied(node, &a, b)?;
        Ok(vec![Value::Tensor(y)])
    }

    pub(super) fn multiplied(
        &mut self,
        node: &Node,
        a: &Tensor,
        b: Value,
    ) -> Result<Tensor, Refusal> {
        let b_shape = self.shape_of(&b);
        // A vector is a row on the left and a column on the right, and that axis is dropped again.
        let (mut wide_a, mut wide_b) = (a.shape.clone(), b_shape.clone());
        if wide_a.len() == 1 {
            wide_a.insert(0, 1);
        }
        if wide_b.len() == 1 {
            wide_b.push(1);
        }
        let ([batch_a @ .., rows, depth], [batch_b @ .., b_depth, columns]) =
            (&wide_a[..], &wide_b[..])
        else {
            let found = format!("A is {} and B is {}", extents(&a.shape), extents(&b_shape));
            return Err(Fault::new(found, "at least one axis is needed in each").into());
        };
        let (rows, depth, columns) = (*rows, *depth, *columns);
        if depth != *b_depth || rows * depth * columns == 0 {
            return Err(Fault::new(
                format!("A is {} and B is {}", extents(&a.shape), extents(&b_shape)),
                "as many columns of A as rows of B, at least 1, are needed",
            )
            .into());
        }
        let batch = broadcast_shape(batch_a, batch_b)?;
        let mut shape = batch.clone();
        shape.extend((a.shape.len() > 1).then_some(rows));
        shape.extend((b_shape.len() > 1).then_some(columns));
        let one_b = batch_b.iter().product::<usize>() == 1;
        if let (Value::Constant(b), true) = (&b, one_b && batch == batch_a) {
            let weights = turned(&b.to_floats().1, depth, columns, 1.0);
            let all_rows: usize = batch_a.iter().product::<usize>() * rows;
            let y = self.result(node, &shape, &[a])?;
            let conv = dense([Axis::NONE; 3], all_rows, 1, columns, depth);
            self.convolve(conv, a, &weights, None, &y);
            return Ok(y);
        }
        let b = match b {
            Value::Tensor(tensor) => tensor,
            _ => self.tensor(node, 1, "B")?,
        };
        let full = |rows: usize, columns: usize| {
            let mut full = batch.clone();
            full.extend([rows, columns]);
            full
        };
        let a = Tensor { shape: wide_a.clone(), slot: a.slot };
        let b = Tensor { shape: wide_b.clone(), slot: b.slot };
        let a = self.expanded(node, &a, &full(rows, depth))?;
        let b = self.expanded(node, &b, &full(depth, columns))?;
        let [rows, columns, depth] = [rows, columns, depth].map(|n| n as u32);
        let product = Product {
            batch: len(&batch),
            rows,
            columns,
            depth,
            a: [rows * depth, depth, 1],
            b: [depth * columns, columns, 1],
            y: [rows * columns, columns, 1],
        };
        Ok(self.by(node, &shape, Kernel::Product(product), &[&a, &b])?)
    }
}

/// A matrix of `depth` rows, transposed and times a number.
fn turned(data: &[f32], depth: usize, columns: usize, factor: f32) -> Elements {
    let at = |i: usize| factor * data[i % depth * columns + i / depth];
    (0..data.len()).map(at).collect::<Vec<_>>().into()
}
