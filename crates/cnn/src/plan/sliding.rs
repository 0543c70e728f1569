//! Sliding windows: kernel, strides, dilations and padding, as ONNX's attributes give them.
//!
//! Output sizes and padding are those of the library's [`Geometry`].

use unpool::{Axis, Geometry, GeometryError, Padding, Shape, Window};

use crate::error::Fault;
use crate::onnx::attributes::Attributes;

/// The attributes that convolutions and pooling share, checked against the number of axes.
pub(super) struct Sliding {
    pub(super) kernel: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) dilations: Vec<usize>,
    pub(super) pads: Padding,
    pub(super) ceil: bool,
}

impl Sliding {
    /// Reads the attributes. Weights fix the `kernel`; without weights, the attribute is needed.
    pub(super) fn read(
        attributes: Attributes<'_>,
        axes: usize,
        kernel: Option<&[usize]>,
    ) -> Result<Self, Fault> {
        let said = attributes.sizes("kernel_shape", axes, 1)?;
        let kernel = match (said, kernel) {
            (None, None) => {
                return Err(Fault::new("attribute kernel_shape is left out", "it is needed"));
            }
            (Some(said), Some(kernel)) if said != kernel => {
                return Err(Fault::new(
                    format!("attribute kernel_shape is {said:?}"),
                    format!("{kernel:?} is needed, as the weights are"),
                ));
            }
            (Some(kernel), _) => kernel,
            (None, Some(kernel)) => kernel.to_vec(),
        };
        let ones = || vec![1; axes];
        let strides = attributes.sizes("strides", axes, 1)?.unwrap_or_else(ones);
        let dilations = attributes.sizes("dilations", axes, 1)?.unwrap_or_else(ones);
        let pads = match attributes.string("auto_pad", "NOTSET")? {
            "SAME_UPPER" => Padding::Same,
            "SAME_LOWER" => Padding::SameLower,
            "VALID" => Padding::Valid,
            "NOTSET" | "" => {
                let pads = attributes.sizes("pads", 2 * axes, 0)?;
                let pads = pads.unwrap_or_else(|| vec![0; 2 * axes]);
                Padding::Explicit((0..axes).map(|i| (pads[i], pads[axes + i])).collect())
            }
            other => {
                return Err(Fault::new(
                    format!("auto_pad is {other:?}"),
                    "NOTSET, SAME_UPPER, SAME_LOWER and VALID are allowed",
                ));
            }
        };
        let ceil = attributes.flag("ceil_mode")?;
        Ok(Self { kernel, strides, dilations, pads, ceil })
    }

    /// The window as the library describes it.
    pub(super) fn window(&self) -> Window {
        Window::new(self.kernel.clone())
            .with_stride(self.strides.clone())
            .with_dilation(self.dilations.clone())
            .with_padding(self.pads)
            .with_ceil_mode(self.ceil)
    }

    /// The axes of a convolution over an input of these extents.
    pub(super) fn over(&self, spatial: &[usize]) -> Result<[Axis; 3], Fault> {
        let mut axes = [Axis::NONE; 3];
        let own = axes.iter_mut().skip(3 - spatial.len());
        for (i, (axis, &n)) in own.zip(spatial).enumerate() {
            *axis = self.axis(i, n).map_err(|error| numbered(error, i))?;
        }
        Ok(axes)
    }

    /// One axis of a convolution over `n` cells.
    ///
    /// A convolution counts padding as zeros, so a window may lie in the padding altogether, which
    /// [`Geometry`] refuses to pool. Padding that is given therefore counts as cells of the input.
    fn axis(&self, i: usize, n: usize) -> Result<Axis, GeometryError> {
        let (padding, (before, after)) = match self.pads {
            Padding::Explicit(pads) => (Padding::Valid, pads[i]),
            automatic => (automatic, (0, 0)),
        };
        let window = Window::new([self.kernel[i]])
            .with_stride([self.strides[i]])
            .with_dilation([self.dilations[i]])
            .with_padding(padding);
        let shape = Shape::channels_first([1, 1, before + n + after]);
        let [.., axis] = Geometry::new(&window, shape)?.axes();
        Ok(match self.pads {
            Padding::Explicit(_) => {
                Axis { input: n as u32, before: before as u32, after: after as u32, ..axis }
            }
            _ => axis,
        })
    }
}

/// An error of a geometry over one axis, with the number that the axis has in the tensor.
fn numbered(error: GeometryError, axis: usize) -> GeometryError {
    match error {
        GeometryError::EmptyOutput { extent, padded, .. } => {
            GeometryError::EmptyOutput { axis, extent, padded }
        }
        GeometryError::AxisTooLong { found, allowed, .. } => {
            GeometryError::AxisTooLong { axis, found, allowed }
        }
        other => other,
    }
}

/// Cells that a window spans.
pub(super) fn extent(kernel: usize, dilation: usize) -> i64 {
    (kernel as i64 - 1).saturating_mul(dilation as i64).saturating_add(1)
}

/// An axis, if all that kernels compute with it fits their numbers.
pub(super) fn axis(
    input: i64,
    output: i64,
    [kernel, stride, dilation]: [usize; 3],
    before: i64,
    after: i64,
) -> Result<Axis, Fault> {
    let windows = (output - 1).saturating_mul(stride as i64);
    let reach = windows.saturating_add(extent(kernel, dilation)).max(input + before + after);
    if reach > i64::from(i32::MAX) {
        return Err(Fault::new(
            format!("an axis reaches coordinate {reach}"),
            format!("at most {} is allowed", i32::MAX),
        ));
    }
    Ok(Axis {
        input: input as u32,
        windows: output as u32,
        kernel: kernel as u32,
        stride: stride as u32,
        dilation: dilation as u32,
        before: before as u32,
        after: after as u32,
    })
}
