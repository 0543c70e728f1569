//! Taps to the indices of other frameworks, and back.

use crate::argmax::{Index, IndexStrides, Taps};
use crate::error::{Error, check_len};
use crate::geometry::{Geometry, window_positions};
use crate::index_space::IndexSpace;

impl Taps {
    /// The indices that another framework would have returned, in the order of the pooled values.
    /// A tap that names no cell of the input becomes [`Index::NONE`].
    ///
    /// # Errors
    ///
    /// - [`Error::TapWidth`] or [`Error::Length`] if these are not taps of `geometry`.
    /// - [`Error::IndexSpaceTooLarge`] if `I` cannot hold every index of the space.
    ///
    /// ```
    /// use unpool::{cpu, Geometry, IndexSpace, Shape, Window};
    ///
    /// let geometry = Geometry::new(&Window::new(2), Shape::nchw([1, 1, 2, 4]))?;
    /// let pooled = cpu::max_pool(&geometry, &[1.0, 9.0, 2.0, 0.0, 3.0, 4.0, 5.0, 8.0])?;
    /// let indices: Vec<i64> = pooled.taps.to_indices(&geometry, IndexSpace::Plane)?;
    /// assert_eq!(indices, [1, 7]);
    /// # Ok::<(), unpool::Error>(())
    /// ```
    pub fn to_indices<I: Index>(
        &self,
        geometry: &Geometry,
        space: IndexSpace,
    ) -> Result<Vec<I>, Error> {
        self.check(geometry)?;
        let strides = IndexStrides::new(geometry.input_shape(), space);
        strides.check_fits::<I>()?;
        let mut indices = Vec::with_capacity(self.len());
        for (at, tap) in window_positions(geometry).zip(self.iter()) {
            let index = at.cell(geometry, tap).map(|cell| strides.index(at.outer, cell, at.inner));
            indices.push(index.map_or(I::NONE, I::of));
        }
        Ok(indices)
    }

    /// Taps from the indices of another framework. Each index must name a cell of its own window.
    ///
    /// # Errors
    ///
    /// - [`Error::Length`] if there is not one index for each pooled value.
    /// - [`Error::IndexOutside`] for the first index that names no cell of its window, with the
    ///   first and the last index that are allowed there.
    pub fn from_indices<I: Index>(
        geometry: &Geometry,
        space: IndexSpace,
        indices: &[I],
    ) -> Result<Self, Error> {
        check_len("indices", indices.len(), geometry.pooled_len())?;
        let strides = IndexStrides::new(geometry.input_shape(), space);
        let mut positions = window_positions(geometry);
        Self::collect(geometry, |i| {
            let at = positions.next().expect("each pooled value has a window");
            let index = indices[i].wide();
            let cell = strides.cell(at.outer, at.inner, index);
            cell.and_then(|cell| at.tap(geometry, cell)).ok_or_else(|| {
                let [first, last] = at.corners(geometry);
                let corner = |cell| strides.index(at.outer, cell, at.inner);
                let (lowest, highest) = (corner(first), corner(last));
                Error::IndexOutside { element: i, index, lowest, highest, space }
            })
        })
    }
}
