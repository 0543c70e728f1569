//! Windows that slide: kernel, strides, dilations, padding and the size that comes out, as ONNX
//! writes them down.

use unpool::{Padding, Window};

use crate::error::Fault;
use crate::kernel::Axis;
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
    /// `kernel` where it is known from the weights; otherwise the attribute must say it.
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

    /// As a window of `unpool`.
    pub(super) fn window(&self) -> Window {
        Window::new(self.kernel.clone())
            .with_stride(self.strides.clone())
            .with_dilation(self.dilations.clone())
            .with_padding(self.pads)
            .with_ceil_mode(self.ceil)
    }

    /// The axes over an input of these extents, as many as there are in front made three.
    pub(super) fn over(&self, spatial: &[usize]) -> Result<[Axis; 3], Fault> {
        let mut axes = [Axis::NONE; 3];
        let skipped = 3 - spatial.len();
        for (i, &input) in spatial.iter().enumerate() {
            axes[skipped + i] = self.axis(i, input)?;
        }
        Ok(axes)
    }

    fn axis(&self, i: usize, input: usize) -> Result<Axis, Fault> {
        let (n, stride) = (input as i64, self.strides[i] as i64);
        let extent = extent(self.kernel[i], self.dilations[i]);
        let same = |lower: bool| {
            let output = (n + stride - 1) / stride;
            let need = ((output - 1) * stride + extent - n).max(0);
            let before = if lower { need - need / 2 } else { need / 2 };
            (output, before, need - before)
        };
        let (output, before, after) = match self.pads {
            Padding::Same => same(false),
            Padding::SameLower => same(true),
            Padding::Valid => ((n - extent).div_euclid(stride) + 1, 0, 0),
            Padding::Explicit(pads) => {
                let (before, after) = (pads[i].0 as i64, pads[i].1 as i64);
                let room = n + before + after - extent;
                let round = if self.ceil { stride - 1 } else { 0 };
                let mut output = (room + round).div_euclid(stride) + 1;
                // A window that starts past the input and the padding before it does not count.
                if self.ceil && (output - 1) * stride >= n + before {
                    output -= 1;
                }
                (output, before, after)
            }
            other => {
                return Err(Fault::new(
                    format!("padding is {other:?}"),
                    "valid, same, same_lower and explicit padding are allowed",
                ));
            }
        };
        if output < 1 {
            return Err(Fault::new(
                format!(
                    "on axis {i} the window spans {extent} cells and the padded input has {}",
                    n + before + after
                ),
                "a window that fits is needed",
            ));
        }
        axis(
            input as i64,
            output,
            [self.kernel[i], self.strides[i], self.dilations[i]],
            before,
            after,
        )
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
        output: output as u32,
        kernel: kernel as u32,
        stride: stride as u32,
        dilation: dilation as u32,
        before: before as u32,
        after: after as u32,
    })
}
