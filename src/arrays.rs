//! The operations on [`ndarray`] arrays, of fixed or dynamic dimension and in any memory order.
//!
//! An array in standard layout is read where it lies; any other is copied once, into the order of
//! its axes. Results are in standard layout. The array's axes are those of the shape it is checked
//! against, in the order of that shape's layout.

use std::borrow::Cow;

use ndarray::{Array, ArrayRef, Dimension, IxDyn};

#[cfg(not(target_arch = "wasm32"))]
use crate::argmax::Overlap;
use crate::argmax::Taps;
use crate::element::Cell;
#[cfg(not(target_arch = "wasm32"))]
use crate::engine::Engine;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::index::{Index, IndexSpace};
#[cfg(not(target_arch = "wasm32"))]
use crate::placement::Placement;
use crate::shape::Shape;

/// What pooling an array gives: the maxima, and where each was.
#[derive(Clone, Debug, PartialEq)]
pub struct PooledArray<T: Cell, D: Dimension> {
    /// The maxima, of [`Geometry::pooled_shape`].
    pub values: Array<T, D>,
    /// For each maximum, the cell of its window.
    pub taps: Taps,
}

impl<T: Cell, D: Dimension> PooledArray<T, D> {
    /// The indices that another framework would have returned, in the shape of the values.
    ///
    /// # Errors
    ///
    /// As [`Taps::to_indices`].
    pub fn indices<I: Index>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Array<I, D>, Error> {
        self.taps.to_index_array(geometry, space)
    }
}

/// With the feature `ndarray`: the operations on arrays. `&array`, `&view` and what else
/// dereferences to an [`ArrayRef`] is taken.
///
/// ```
/// use ndarray::{Array4, array};
/// use unpool::{Engine, Geometry, IndexSpace, Overlap, Shape, Window};
///
/// let x = array![[[[1.0_f32, 9.0, 2.0, 0.0], [3.0, 4.0, 5.0, 8.0]]]];
/// let geometry = Geometry::new(&Window::new([2, 2]), Shape::channels_first(x.shape()))?;
/// let engine = Engine::Cpu;
///
/// let pooled = engine.max_pool_array(&geometry, &x)?;
/// assert_eq!(pooled.values, array![[[[9.0, 8.0]]]]);
/// let indices: Array4<i64> = pooled.indices(&geometry, IndexSpace::Plane)?;
/// assert_eq!(indices, array![[[[1, 7]]]]);
///
/// let restored =
///     engine.max_unpool_array(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
/// assert_eq!(restored, array![[[[0.0, 9.0, 0.0, 0.0], [0.0, 0.0, 0.0, 8.0]]]]);
/// # Ok::<(), unpool::Error>(())
/// ```
///
/// # Errors
///
/// As the operation on slices, and [`Error::ArrayShape`] where an array's shape is not that of the
/// geometry.
#[cfg(not(target_arch = "wasm32"))]
impl Engine {
    /// [`Engine::max_pool`] of an array of [`Geometry::input_shape`].
    ///
    /// # Errors
    ///
    /// As there, and if the array has another shape.
    pub fn max_pool_array<T: Cell, D: Dimension>(
        &self,
        geometry: &Geometry,
        input: &ArrayRef<T, D>,
    ) -> Result<PooledArray<T, D>, Error> {
        let input = elements("input", input, geometry.input_shape())?;
        let pooled = self.max_pool(geometry, &input)?;
        let values = shaped("values", geometry.pooled_shape(), pooled.values)?;
        Ok(PooledArray { values, taps: pooled.taps })
    }

    /// [`Engine::max_unpool`] of an array of [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// As there, and if the array has another shape.
    pub fn max_unpool_array<T: Cell, D: Dimension>(
        &self,
        geometry: &Geometry,
        values: &ArrayRef<T, D>,
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Array<T, D>, Error> {
        let values = elements("values", values, geometry.pooled_shape())?;
        let output = self.max_unpool(geometry, &values, taps, overlap)?;
        shaped("output", geometry.input_shape(), output)
    }

    /// [`Engine::max_pool_backward`] of an array of [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// As there, and if the array has another shape.
    pub fn max_pool_backward_array<T: Cell, D: Dimension>(
        &self,
        geometry: &Geometry,
        grad_output: &ArrayRef<T, D>,
        taps: &Taps,
    ) -> Result<Array<T, D>, Error> {
        let grad_output = elements("grad_output", grad_output, geometry.pooled_shape())?;
        let grad_input = self.max_pool_backward(geometry, &grad_output, taps)?;
        shaped("grad_input", geometry.input_shape(), grad_input)
    }

    /// [`Engine::max_unpool_backward`] of an array of [`Geometry::input_shape`].
    ///
    /// # Errors
    ///
    /// As there, and if the array has another shape.
    pub fn max_unpool_backward_array<T: Cell, D: Dimension>(
        &self,
        geometry: &Geometry,
        grad_output: &ArrayRef<T, D>,
        taps: &Taps,
    ) -> Result<Array<T, D>, Error> {
        let grad_output = elements("grad_output", grad_output, geometry.input_shape())?;
        let grad_input = self.max_unpool_backward(geometry, &grad_output, taps)?;
        shaped("grad_input", geometry.pooled_shape(), grad_input)
    }

    /// [`Engine::max_unpool_foreign`] of arrays of [`Placement::pooled_shape`].
    ///
    /// # Errors
    ///
    /// As there, and if an array has another shape.
    pub fn max_unpool_foreign_array<T: Cell, I: Index, D: Dimension>(
        &self,
        placement: &Placement,
        values: &ArrayRef<T, D>,
        indices: &ArrayRef<I, D>,
        overlap: Overlap,
    ) -> Result<Array<T, D>, Error> {
        let values = elements("values", values, placement.pooled_shape())?;
        let indices = elements("indices", indices, placement.pooled_shape())?;
        let output = self.max_unpool_foreign(placement, &values, &indices, overlap)?;
        shaped("output", placement.output_shape(), output)
    }
}

/// With the feature `ndarray`: taps and indices as arrays of [`Geometry::pooled_shape`].
impl Taps {
    /// The taps as an array.
    ///
    /// # Errors
    ///
    /// If these are not taps of `geometry`, or `D` has another number of dimensions.
    pub fn to_array<D: Dimension>(&self, geometry: &Geometry) -> Result<Array<u16, D>, Error> {
        self.check(geometry)?;
        shaped("taps", geometry.pooled_shape(), self.iter().map(|tap| tap as u16).collect())
    }

    /// Taps from an array. Numbers past the window are taken as they are: they unpool to nothing.
    ///
    /// # Errors
    ///
    /// If the array has another shape.
    pub fn from_array<D: Dimension>(
        geometry: &Geometry,
        taps: &ArrayRef<u16, D>,
    ) -> Result<Self, Error> {
        let taps = elements("taps", taps, geometry.pooled_shape())?;
        let bytes = match geometry.tap_bytes() {
            // 255 names no cell of a window that has one-byte taps, and so stands for all above.
            1 => taps.iter().map(|&tap| tap.min(255) as u8).collect(),
            _ => taps.iter().flat_map(|tap| tap.to_le_bytes()).collect::<Vec<u8>>(),
        };
        Self::from_bytes(geometry, &bytes)
    }

    /// [`Taps::to_indices`], as an array.
    ///
    /// # Errors
    ///
    /// As there, and if `D` has another number of dimensions.
    pub fn to_index_array<I: Index, D: Dimension>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Array<I, D>, Error> {
        shaped("indices", geometry.pooled_shape(), self.to_indices(geometry, space)?)
    }

    /// [`Taps::from_indices`] of an array.
    ///
    /// # Errors
    ///
    /// As there, and if the array has another shape.
    pub fn from_index_array<I: Index, D: Dimension>(
        geometry: &Geometry,
        space: IndexSpace,
        indices: &ArrayRef<I, D>,
    ) -> Result<Self, Error> {
        let indices = elements("indices", indices, geometry.pooled_shape())?;
        Self::from_indices(geometry, space, &indices)
    }
}

/// The elements of an array of that shape in row-major order: its own memory, or a copy where that
/// is in another order.
fn elements<'a, T: Copy, D: Dimension>(
    operand: &'static str,
    array: &'a ArrayRef<T, D>,
    shape: &Shape,
) -> Result<Cow<'a, [T]>, Error> {
    if array.shape() != shape.dims() {
        return Err(Error::ArrayShape {
            operand,
            found: Shape::new(shape.layout(), array.shape()).to_string(),
            allowed: shape.to_string(),
        });
    }
    Ok(match array.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(array.iter().copied().collect()),
    })
}

/// An array of some elements, which are as many as the shape says.
fn shaped<T, D: Dimension>(
    operand: &'static str,
    shape: &Shape,
    elements: Vec<T>,
) -> Result<Array<T, D>, Error> {
    Array::from_shape_vec(IxDyn(shape.dims()), elements)
        .and_then(Array::into_dimensionality)
        .map_err(|_| Error::ArrayRank {
            operand,
            found: D::NDIM.unwrap_or_default(),
            allowed: shape.dims().len(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, s};

    #[test]
    fn only_an_array_in_another_order_is_copied() {
        let x = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (12 * i + 4 * j + k) as i32);
        let shape = Shape::channels_first([2, 3, 4]);
        let lies_in_place = |view: &ArrayRef<i32, _>, shape: &Shape| {
            matches!(elements("input", view, shape), Ok(Cow::Borrowed(_)))
        };
        assert!(lies_in_place(&x, &shape));
        assert!(lies_in_place(&x.slice(s![1..2, .., ..]), &Shape::channels_first([1, 3, 4])));
        let turned = x.t();
        assert!(!lies_in_place(&turned, &Shape::channels_first([4, 3, 2])));
        let backwards = x.slice(s![..;-1, .., ..]);
        assert!(!lies_in_place(&backwards, &shape));
        let copied = elements("input", &backwards, &shape).expect("of that shape");
        assert_eq!(copied[..3], [12, 13, 14]);
    }
}
