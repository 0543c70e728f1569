//! Unpooling by indices that did not come from a window of ours, as PyTorch's and ONNX's
//! `MaxUnpool` allow: any pooled value may go to any cell that its index space reaches.

use crate::argmax::{Overlap, check_len};
use crate::element::Cell;
use crate::error::{Error, GeometryError};
use crate::geometry::Geometry;
use crate::index::{Frame, Index, IndexSpace};
use crate::shape::{Layout, Shape};
use crate::window::Window;

/// Where foreign indices point: the pooled shape they come with, the shape they unpool to, and the
/// shape and [`IndexSpace`] in which they were flattened.
///
/// ```
/// use unpool::{IndexSpace, Overlap, Placement, Shape};
///
/// // torch.nn.functional.max_unpool2d of indices that no pooling made
/// let placement = Placement::new(
///     Shape::channels_first([1, 1, 1, 3]),
///     Shape::channels_first([1, 1, 2, 2]),
///     IndexSpace::Plane,
/// )?;
/// let output = placement.unpool(&[1.0_f32, 2.0, 3.0], &[3_i64, 0, 3], Overlap::Last)?;
/// assert_eq!(output, [2.0, 0.0, 0.0, 3.0]);
/// # Ok::<(), unpool::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pooled: Shape,
    output: Shape,
    frame: Shape,
    space: IndexSpace,
}

/// The shape in which ONNX's `MaxUnpool` takes its indices when `output_shape` is given. The
/// specification does not say, and there are two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndicesIn {
    /// The given `output_shape`: ONNX Runtime. The one that undoes a pooling of that shape.
    Given,
    /// The shape inferred from window and pooled shape; the result fills the corner at the origin
    /// of `output_shape`: the ONNX reference, and its test `maxunpool_export_with_output_shape`.
    Inferred,
}

impl Placement {
    /// Indices flattened in the shape they unpool to: PyTorch, TensorFlow, ONNX Runtime.
    ///
    /// # Errors
    ///
    /// If the shapes differ in layout, rank, batch or channels, a spatial extent or the channels
    /// are 0, or a shape has more elements than a `u32` counts.
    pub fn new(pooled: Shape, output: Shape, space: IndexSpace) -> Result<Self, GeometryError> {
        check_shape("pooled", &pooled)?;
        check_shape("output", &output)?;
        check_around(&pooled, &output)?;
        Ok(Self { frame: output.clone(), pooled, output, space })
    }

    /// Indices flattened in another shape, whose cells then fill the corner at the origin of the
    /// output.
    ///
    /// # Errors
    ///
    /// If `frame` differs from the output in more than its spatial extents, or is larger.
    pub fn flattened_in(mut self, frame: Shape) -> Result<Self, GeometryError> {
        check_shape("frame", &frame)?;
        check_around(&self.output, &frame)?;
        for (axis, (&found, &allowed)) in
            frame.spatial().iter().zip(self.output.spatial()).enumerate()
        {
            if found > allowed {
                return Err(GeometryError::OutputSize {
                    axis,
                    found: allowed as i128,
                    lowest: found as i128,
                    highest: i128::from(u32::MAX),
                });
            }
        }
        self.frame = frame;
        Ok(self)
    }

    /// ONNX's `MaxUnpool` with `output_shape`, in either reading.
    ///
    /// # Errors
    ///
    /// As [`Placement::new`]; and as [`Geometry::unpooled_shape`] and [`Placement::flattened_in`],
    /// where the indices count in the inferred shape.
    pub fn onnx(
        window: &Window,
        pooled: Shape,
        output: Shape,
        indices_in: IndicesIn,
    ) -> Result<Self, GeometryError> {
        let placement = Self::new(pooled, output, IndexSpace::Tensor)?;
        match indices_in {
            IndicesIn::Given => Ok(placement),
            IndicesIn::Inferred => {
                let frame = Geometry::unpooled_shape(window, &placement.pooled)?;
                placement.flattened_in(frame)
            }
        }
    }

    /// The shape of the values and of their indices.
    pub fn pooled_shape(&self) -> &Shape {
        &self.pooled
    }

    /// The shape unpooled to.
    pub fn output_shape(&self) -> &Shape {
        &self.output
    }

    /// The shape in which the indices are flattened.
    pub fn frame_shape(&self) -> &Shape {
        &self.frame
    }

    /// How the indices are flattened in it.
    pub fn index_space(&self) -> IndexSpace {
        self.space
    }

    pub(crate) fn frame(&self) -> Frame {
        Frame::new(&self.frame, self.space)
    }

    pub(crate) fn pooled_len(&self) -> usize {
        self.pooled.len().unwrap_or(usize::MAX)
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output.len().unwrap_or(usize::MAX)
    }

    /// Puts each value where its index says, and zero everywhere else, on the CPU. Values that
    /// meet in a cell are taken in raster order of the pooled tensor: the last stays, or they are
    /// summed, f16 and bf16 in f32 and rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::IndexOutOfRange`] for the first index that names no cell, before anything is
    /// written; if a number of elements differs; if a sum of integers does not fit its type.
    pub fn unpool<T: Cell, I: Index>(
        &self,
        values: &[T],
        indices: &[I],
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        check_len("values", values.len(), self.pooled_len())?;
        let targets = self.targets(indices)?;
        let mut output = vec![T::default(); self.output_len()];
        match overlap {
            Overlap::Last => {
                for (&to, &value) in targets.iter().zip(values) {
                    output[to] = value;
                }
            }
            Overlap::Sum => {
                let mut sums = vec![T::Sum::default(); output.len()];
                for (&to, &value) in targets.iter().zip(values) {
                    sums[to] = value.add_to(sums[to]);
                }
                for (element, (to, sum)) in output.iter_mut().zip(sums).enumerate() {
                    *to = T::total(sum).ok_or(Error::Overflow {
                        operand: "output",
                        element,
                        kind: T::ELEMENT,
                    })?;
                }
            }
        }
        Ok(output)
    }

    /// Spatial extents z, y, x of the output, and the channels inside a pixel.
    pub(crate) fn output_extents(&self) -> ([u32; 3], u32) {
        let inner = match self.output.layout() {
            Layout::ChannelsLast => self.output.channels() as u32,
            Layout::ChannelsFirst => 1,
        };
        (Frame::new(&self.output, self.space).extents, inner)
    }

    /// The indices as a device holds them, each checked first.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn narrowed<I: Index>(&self, indices: &[I]) -> Result<Vec<u32>, Error> {
        self.targets(indices)?;
        self.frame().check_fits::<u32>()?;
        Ok(indices.iter().map(|i| i.wide() as u32).collect())
    }

    /// The element of the output that each index names.
    fn targets<I: Index>(&self, indices: &[I]) -> Result<Vec<usize>, Error> {
        check_len("indices", indices.len(), self.pooled_len())?;
        let frame = self.frame();
        let (extents, inner) = self.output_extents();
        let inner = inner as usize;
        let around = self.pooled.spatial().iter().product::<usize>() * inner;
        let mut targets = Vec::with_capacity(indices.len());
        for (element, index) in indices.iter().enumerate() {
            let (outer, within) = ((element / around) as u32, (element % inner) as u32);
            let Some((outer, cell, within)) = frame.locate(outer, within, index.wide()) else {
                return Err(Error::IndexOutOfRange {
                    element,
                    index: index.wide(),
                    highest: frame.size() - 1,
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

fn check_shape(argument: &'static str, shape: &Shape) -> Result<(), GeometryError> {
    let rank = shape.dims().len();
    if !(3..=5).contains(&rank) {
        return Err(GeometryError::PlacementRank {
            argument,
            shape: shape.to_string(),
            found: rank,
        });
    }
    if let Some(axis) = shape.spatial().iter().position(|&n| n == 0) {
        return Err(GeometryError::Zero { argument: "spatial size", axis });
    }
    if shape.channels() == 0 {
        return Err(GeometryError::NoChannels);
    }
    crate::geometry::check_elements(argument, shape)
}

/// Whether two shapes differ in nothing but their spatial extents.
fn check_around(a: &Shape, b: &Shape) -> Result<(), GeometryError> {
    let around = |s: &Shape| (s.layout(), s.dims().len(), s.batch(), s.channels());
    if around(a) != around(b) {
        return Err(GeometryError::Mismatch { found: b.to_string(), allowed: a.to_string() });
    }
    Ok(())
}
