//! The operations on [`ndarray`] arrays of fixed or dynamic dimension, in any memory order.
//!
//! An array in standard layout is read in place; any other array is first copied into standard layout.
//! Results are in standard layout. The axes of an array are in the order of the layout of the shape
//! with which it is compared.

use std::borrow::Cow;

use ndarray::{Array, ArrayRef, Dimension, IxDyn};

#[cfg(not(target_arch = "wasm32"))]
use crate::argmax::Overlap;
use crate::argmax::{Index, Taps};
use crate::cell::Cell;
#[cfg(not(target_arch = "wasm32"))]
use crate::engine::Engine;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::index_space::IndexSpace;
#[cfg(not(target_arch = "wasm32"))]
use crate::scatter::Scatter;
use crate::shape::Shape;

/// The result of pooling an array: the maxima, and the position of each.
#[derive(Clone, Debug, PartialEq)]
pub struct PooledArray<T: Cell, D: Dimension> {
    /// The maxima, of shape [`Geometry::pooled_shape`].
    pub values: Array<T, D>,
    /// For each maximum, the number of the winning cell inside its window.
    pub taps: Taps,
}

impl<T: Cell, D: Dimension> PooledArray<T, D> {
    /// The indices that another framework would have returned, in the shape of the values.
    ///
    /// # Errors
    ///
    /// - [`Error::TapWidth`] or [`Error::Length`] if these are not taps of `geometry`.
    /// - [`Error::IndexSpaceTooLarge`] if `I` cannot hold every index of the space.
    /// - [`Error::ArrayRank`] if `D` has another number of dimensions than the pooled shape.
    pub fn indices<I: Index>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Array<I, D>, Error> {
        self.taps.to_index_array(geometry, space)
    }
}

/// With the feature `ndarray`: the operations on arrays. An operand is a reference to an array, to a
/// view, or to anything else that dereferences to an [`ArrayRef`].
///
/// ```
/// use ndarray::{Array4, array};
/// use unpool::{Engine, Geometry, IndexSpace, Overlap, Shape, Window};
///
/// let x = array![[[[1.0_f32, 9.0, 2.0, 0.0], [3.0, 4.0, 5.0, 8.0]]]];
/// let geometry = Geometry::new(&Window::new(2), Shape::channels_first(x.shape()))?;
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
/// [`Error::ArrayShape`] if an operand has another shape than the geometry; [`Error::ArrayRank`] if the
/// result has another number of dimensions than `D`; and the errors of the operation on slices.
#[cfg(not(target_arch = "wasm32"))]
impl Engine {
    /// [`Engine::max_pool`] of an array of shape [`Geometry::input_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if `input` has another shape.
    /// - The errors of [`Engine::max_pool`].
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

    /// [`Engine::max_unpool`] of an array of shape [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if `values` has another shape.
    /// - The errors of [`Engine::max_unpool`].
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

    /// [`Engine::max_pool_backward`] of an array of shape [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if `grad_output` has another shape.
    /// - The errors of [`Engine::max_pool_backward`].
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

    /// [`Engine::max_unpool_backward`] of an array of shape [`Geometry::input_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if `grad_output` has another shape.
    /// - The errors of [`Engine::max_unpool_backward`].
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

    /// [`Engine::scatter`] of arrays of shape [`Scatter::pooled_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if `values` or `indices` has another shape.
    /// - The errors of [`Engine::scatter`].
    pub fn scatter_array<T: Cell, I: Index, D: Dimension>(
        &self,
        scatter: &Scatter,
        values: &ArrayRef<T, D>,
        indices: &ArrayRef<I, D>,
        overlap: Overlap,
    ) -> Result<Array<T, D>, Error> {
        let values = elements("values", values, scatter.pooled_shape())?;
        let indices = elements("indices", indices, scatter.pooled_shape())?;
        let output = self.scatter(scatter, &values, &indices, overlap)?;
        shaped("output", scatter.output_shape(), output)
    }
}

/// With the feature `ndarray`: taps and indices as arrays of [`Geometry::pooled_shape`].
impl Taps {
    /// The taps as an array.
    ///
    /// # Errors
    ///
    /// - [`Error::TapWidth`] or [`Error::Length`] if these are not taps of `geometry`.
    /// - [`Error::ArrayRank`] if `D` has another number of dimensions than the pooled shape.
    pub fn to_array<D: Dimension>(&self, geometry: &Geometry) -> Result<Array<u16, D>, Error> {
        self.check(geometry)?;
        shaped("taps", geometry.pooled_shape(), self.iter().map(|tap| tap as u16).collect())
    }

    /// Taps from an array of shape [`Geometry::pooled_shape`]. Taps past the end of the window are
    /// accepted; they unpool to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::ArrayShape`] if the array has another shape.
    pub fn from_array<D: Dimension>(
        geometry: &Geometry,
        taps: &ArrayRef<u16, D>,
    ) -> Result<Self, Error> {
        let taps = elements("taps", taps, geometry.pooled_shape())?;
        // Where a tap is one byte, 255 names no cell, as every larger number.
        let largest = if geometry.tap_width() == 1 { 255 } else { u16::MAX };
        Self::collect(geometry, |i| Ok(taps[i].min(largest).into()))
    }

    /// [`Taps::to_indices`] as an array of shape [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::TapWidth`] or [`Error::Length`] if these are not taps of `geometry`.
    /// - [`Error::IndexSpaceTooLarge`] if `I` cannot hold every index of the space.
    /// - [`Error::ArrayRank`] if `D` has another number of dimensions than the pooled shape.
    pub fn to_index_array<I: Index, D: Dimension>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Array<I, D>, Error> {
        shaped("indices", geometry.pooled_shape(), self.to_indices(geometry, space)?)
    }

    /// [`Taps::from_indices`] of an array of shape [`Geometry::pooled_shape`].
    ///
    /// # Errors
    ///
    /// - [`Error::ArrayShape`] if the array has another shape.
    /// - [`Error::IndexOutside`] for the first index that names no cell of its window.
    pub fn from_index_array<I: Index, D: Dimension>(
        geometry: &Geometry,
        space: IndexSpace,
        indices: &ArrayRef<I, D>,
    ) -> Result<Self, Error> {
        let indices = elements("indices", indices, geometry.pooled_shape())?;
        Self::from_indices(geometry, space, &indices)
    }
}

/// The elements of an array in row-major order: the array's own memory, or a copy if its memory is in
/// another order. [`Error::ArrayShape`] if the array has another shape than `shape`.
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

/// An array of `elements`, of which there are as many as `shape` has.
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
