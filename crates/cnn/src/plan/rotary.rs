//! RotaryEmbedding: pairs of numbers of each head turned by angles of their position (Su et al. 2021, 2104.09864).
//!
//! A turn is the cosine times a number, and the sine times the other number of its pair, which a sparse matrix along
//! the axis puts in its place. What lies past the part that is turned has a cosine of 1 and a sine of 0.

use crate::error::{Fault, extents};
use crate::kernel::{Pair, Sparse};
use crate::onnx::graph::Node;
use crate::plan::arrangement::Move;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::shape::resolve_index;
use crate::plan::value::{Tensor, Value};

/// Which numbers of a head are a pair.
struct Pairs {
    /// The numbers of a head, and how many of them are turned.
    size: usize,
    turned: usize,
    are_neighbours: bool,
}

impl Pairs {
    /// The pair of a number, and whether it is the first of the two; `None` for one that is not turned.
    fn of(&self, i: usize) -> Option<(usize, bool)> {
        let half = self.turned / 2;
        match () {
            () if i >= self.turned => None,
            () if self.are_neighbours => Some((i / 2, i.is_multiple_of(2))),
            () => Some((i % half, i < half)),
        }
    }

    /// The other number of each pair, with the sign that a turn gives it.
    fn others(&self) -> Sparse {
        let distance = if self.are_neighbours { 1 } else { self.turned / 2 };
        let mut matrix = Sparse::new(self.size);
        for i in 0..self.size {
            matrix.push(self.of(i).map(|(_, is_first)| match is_first {
                true => (i + distance, -1.0),
                false => (i - distance, 1.0),
            }));
        }
        matrix
    }
}

impl Builder<'_> {
    pub(super) fn rotary_embedding(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let attributes = node.attributes();
        let stated = attributes.int("num_heads", 0)?;
        // The heads before the positions, or after them side by side.
        let (split, length, table) = match x.shape[..] {
            [_, _, length, size] => (x.shape.clone(), length, [1, length, size]),
            [batch, length, width] => {
                let heads = usize::try_from(stated).ok().filter(|&n| n > 0 && width % n == 0);
                let Some(heads) = heads else {
                    let found = format!("num_heads is {stated} for X of {}", extents(&x.shape));
                    return Err(Fault::new(found, format!("a divisor of {width} is needed")).into());
                };
                (vec![batch, length, heads, width / heads], length, [length, 1, width / heads])
            }
            _ => {
                let found = format!("X is {}", extents(&x.shape));
                return Err(Fault::new(found, "three or four axes are needed").into());
            }
        };
        let size = split[3];
        let turned = match attributes.int("rotary_embedding_dim", 0)? {
            0 => size,
            n => usize::try_from(n).unwrap_or(usize::MAX),
        };
        if turned > size || turned % 2 == 1 {
            let found = format!("rotary_embedding_dim is {turned}, of {size} numbers");
            return Err(Fault::new(found, "an even number of them is needed").into());
        }
        let are_neighbours = attributes.flag("interleaved")?;
        let pairs = Pairs { size, turned, are_neighbours };
        let cosine = self.table(node, (1, "cos_cache"), &pairs, (length, 1.0))?;
        let sine = self.table(node, (2, "sin_cache"), &pairs, (length, 0.0))?;
        let wide = |t: Tensor| Tensor { shape: [&t.shape[..1], &table].concat(), slot: t.slot };
        let x = Tensor { shape: split.clone(), slot: x.slot };
        let others = self.along(node, &x, 3..4, &pairs.others())?;
        let kept = self.combined(node, Pair::Mul, &x, &wide(cosine))?;
        let others = self.combined(node, Pair::Mul, &others, &wide(sine))?;
        let y = self.combined(node, Pair::Add, &kept, &others)?;
        if y.shape != split {
            let found = format!("angles of {}, for X of {}", extents(&y.shape), extents(&split));
            return Err(Fault::new(found, "one batch of both is needed").into());
        }
        let shape = self.shape_of(&self.value(node, 0, "X")?);
        Ok(vec![Value::Tensor(Tensor { shape, slot: y.slot })])
    }

    /// The cosines or sines of each number of a head, `[batch, positions, size]`.
    fn table(
        &mut self,
        node: &Node,
        (i, operand): (usize, &str),
        pairs: &Pairs,
        (length, fill): (usize, f32),
    ) -> Result<Tensor, Refusal> {
        let mut value = self.value(node, i, operand)?;
        if let Some(ids) = self.carried(node, 3, "position_ids")? {
            let rows = self.shape_of(&value).first().copied().unwrap_or(0);
            let at = ids.as_ints("position_ids")?.iter().map(|&id| resolve_index(id, rows));
            let at = at.collect::<Result<Vec<_>, _>>()?;
            let rest = self.shape_of(&value).get(1..).unwrap_or_default().to_vec();
            let shape = [ids.shape(), &rest].concat();
            value = self.moved(node, value, &[Move::pick(0, at), Move::Shape(shape)])?;
        }
        let shape = self.shape_of(&value);
        if shape.len() != 3 || shape[1..] != [length, pairs.turned / 2] {
            let found = format!("{operand} is {}", extents(&shape));
            let allowed =
                format!("{} for each position is needed, {length} in all", pairs.turned / 2);
            return Err(Fault::new(found, allowed).into());
        }
        let at = (0..pairs.size).map(|i| pairs.of(i).map(|(pair, _)| pair)).collect();
        let value = self.moved(node, value, &[Move::Pick { axis: 2, at, fill }])?;
        self.as_tensor(value, operand)
    }
}
