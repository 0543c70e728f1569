//! [`Scatter`]: unpooling by arbitrary indices.
//!
//! PyTorch's `max_unpool` and ONNX's `MaxUnpool` accept indices that no window made: any value may go
//! to any cell that the index space reaches.

use crate::argmax::{Index, IndexStrides};
use crate::error::{Error, GeometryError, check_len};
use crate::geometry::{Geometry, check_elements, spatial_axes};
use crate::index_space::IndexSpace;
use crate::shape::{Layout, Shape};
use crate::window::Window;

/// Unpooling by arbitrary indices: the shape of values and indices, the shape of the output, and the
/// shape and [`IndexSpace`] in which the indices are flattened.
///
/// [`cpu::scatter`](crate::cpu::scatter) and `Engine::scatter` run it.
///
/// ```
/// use unpool::{IndexSpace, Overlap, Scatter, Shape, cpu};
///
/// // torch.nn.functional.max_unpool2d by indices that no pooling made
/// let scatter = Scatter::new(
///     Shape::nchw([1, 1, 1, 3]),
///     Shape::nchw([1, 1, 2, 2]),
///     IndexSpace::Plane,
/// )?;
/// let output = cpu::scatter(&scatter, &[1.0_f32, 2.0, 3.0], &[3_i64, 0, 3], Overlap::Last)?;
/// assert_eq!(output, [2.0, 0.0, 0.0, 3.0]);
/// # Ok::<(), unpool::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scatter {
    pooled: Shape,
    output: Shape,
    indexed: Shape,
    space: IndexSpace,
}

/// The shape in which the indices of ONNX's `MaxUnpool` are flattened when `output_shape` is given.
/// The specification leaves it open, and there are two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndicesIn {
    /// The given `output_shape`: ONNX Runtime. This reading undoes a pooling of that shape.
    Given,
    /// The shape inferred from window and pooled shape, whose cells fill the corner of
    /// `output_shape` at the origin: the reference implementation of ONNX, and its test
    /// `maxunpool_export_with_output_shape`.
    Inferred,
}

impl Scatter {
    /// Indices that are flattened in the shape of the output: PyTorch, TensorFlow, ONNX Runtime.
    ///
    /// # Errors
    ///
    /// - [`GeometryError::UnsupportedRank`] if a shape has not one to three spatial axes.
    /// - [`GeometryError::Mismatch`] if the shapes differ in layout, rank, batch or channels.
    /// - [`GeometryError::Zero`] or [`GeometryError::NoChannels`] if a size other than the batch
    ///   is 0.
    /// - [`GeometryError::TooManyElements`] if a shape has more elements than a `u32` counts.
    pub fn new(pooled: Shape, output: Shape, space: IndexSpace) -> Result<Self, GeometryError> {
        check_shape("pooled", &pooled)?;
        check_shape("output", &output)?;
        check_around(&pooled, &output)?;
        Ok(Self { pooled, output, indexed: output, space })
    }

    /// The same scatter by indices that are flattened in another shape, whose cells then fill the
    /// corner of the output at the origin.
    ///
    /// # Errors
    ///
    /// - [`GeometryError::Mismatch`] if `shape` differs from the output in more than its spatial
    ///   extents.
    /// - [`GeometryError::OutputSize`] if `shape` is larger than the output on an axis.
    /// - The errors of [`Scatter::new`] for a single shape.
    pub fn with_index_shape(self, shape: Shape) -> Result<Self, GeometryError> {
        check_shape("index", &shape)?;
        check_around(&self.output, &shape)?;
        let sizes = shape.spatial().iter().zip(self.output.spatial());
        for (axis, (&index, &output)) in sizes.enumerate() {
            if index > output {
                let (found, lowest, highest) = (output as i128, index as i128, u32::MAX.into());
                return Err(GeometryError::OutputSize { axis, found, lowest, highest });
            }
        }
        Ok(Self { indexed: shape, ..self })
    }

    /// ONNX's `MaxUnpool` with `output_shape`, in either reading.
    ///
    /// # Errors
    ///
    /// - The errors of [`Scatter::new`].
    /// - Under [`IndicesIn::Inferred`], the errors of [`Geometry::unpooled_shape`] and of
    ///   [`Scatter::with_index_shape`].
    pub fn onnx(
        window: &Window,
        pooled: Shape,
        output: Shape,
        indices_in: IndicesIn,
    ) -> Result<Self, GeometryError> {
        let scatter = Self::new(pooled, output, IndexSpace::Tensor)?;
        match indices_in {
            IndicesIn::Given => Ok(scatter),
            IndicesIn::Inferred => {
                scatter.with_index_shape(Geometry::unpooled_shape(window, &pooled)?)
            }
        }
    }

    /// The shape of the values and of their indices.
    pub fn pooled_shape(&self) -> &Shape {
        &self.pooled
    }

    /// The shape of the output.
    pub fn output_shape(&self) -> &Shape {
        &self.output
    }

    /// The shape in which the indices are flattened.
    pub fn index_shape(&self) -> &Shape {
        &self.indexed
    }

    /// The space in which the indices are flattened.
    pub fn index_space(&self) -> IndexSpace {
        self.space
    }

    pub(crate) fn index_strides(&self) -> IndexStrides {
        IndexStrides::new(&self.indexed, self.space)
    }

    pub(crate) fn pooled_len(&self) -> usize {
        self.pooled.len().unwrap_or(usize::MAX)
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output.len().unwrap_or(usize::MAX)
    }

    /// Spatial extents z, y, x of the output, and the channels inside a pixel.
    pub(crate) fn output_extents(&self) -> ([u32; 3], u32) {
        let inner = match self.output.layout() {
            Layout::ChannelsLast => self.output.channels() as u32,
            Layout::ChannelsFirst => 1,
        };
        (IndexStrides::new(&self.output, self.space).extents, inner)
    }

    /// The indices as a device stores them, after a check of each.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn narrowed<I: Index>(&self, indices: &[I]) -> Result<Vec<u32>, Error> {
        self.targets(indices)?;
        self.index_strides().check_fits::<u32>()?;
        Ok(indices.iter().map(|i| i.wide() as u32).collect())
    }

    /// The element of the output that each index names, or [`Error::IndexOutOfRange`] for the first
    /// index that names none.
    pub(crate) fn targets<I: Index>(&self, indices: &[I]) -> Result<Vec<usize>, Error> {
        check_len("indices", indices.len(), self.pooled_len())?;
        let strides = self.index_strides();
        let (extents, inner) = self.output_extents();
        let inner = inner as usize;
        let around = self.pooled.spatial().iter().product::<usize>() * inner;
        let mut targets = Vec::with_capacity(indices.len());
        for (element, index) in indices.iter().enumerate() {
            let (outer, within) = ((element / around) as u32, (element % inner) as u32);
            let Some((outer, cell, within)) = strides.locate(outer, within, index.wide()) else {
                return Err(Error::IndexOutOfRange {
                    element,
                    index: index.wide(),
                    highest: strides.size() - 1,
                    space: self.space,
                });
            };
            let at = cell
                .into_iter()
                .zip(extents)
                .fold(outer as usize, |at, (c, extent)| at * extent as usize + c as usize);
            targets.push(at * inner + within as usize);
        }
        Ok(targets)
    }
}

/// An error unless a shape is one of a tensor that is not empty, but for its batch.
fn check_shape(argument: &'static str, shape: &Shape) -> Result<(), GeometryError> {
    spatial_axes(argument, shape)?;
    if let Some(axis) = shape.spatial().iter().position(|&n| n == 0) {
        return Err(GeometryError::Zero { argument: "spatial size", axis });
    }
    if shape.channels() == 0 {
        return Err(GeometryError::NoChannels);
    }
    check_elements(argument, shape)
}

/// An error if two shapes differ in more than their spatial extents.
fn check_around(a: &Shape, b: &Shape) -> Result<(), GeometryError> {
    let around = |s: &Shape| (s.layout(), s.rank(), s.batch(), s.channels());
    if around(a) != around(b) {
        return Err(GeometryError::Mismatch { found: b.to_string(), allowed: a.to_string() });
    }
    Ok(())
}
