//! Modules that read like Burn's own.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::nn::PaddingConfig2d;
use burn::tensor::{Int, Tensor};
use unpool::{Geometry, IndexSpace, Overlap, Padding, Shape, Window};

use crate::error::Error;
use crate::max_pool::{max_pool2d, max_pool2d_values};
use crate::max_unpool::{max_unpool2d, try_max_unpool};
use crate::taps::Taps;

/// Configuration of a [`MaxPool2d`], with the fields and defaults of Burn's.
#[derive(Debug, Config)]
pub struct MaxPool2dConfig {
    /// The size of the kernel.
    pub kernel_size: [usize; 2],
    /// The strides.
    #[config(default = "kernel_size")]
    pub strides: [usize; 2],
    /// The padding. `Same` gives `ceil(size / stride)` values, as in TensorFlow.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// The dilation.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Whether a last, partial window counts.
    #[config(default = "false")]
    pub ceil_mode: bool,
}

impl MaxPool2dConfig {
    /// The module.
    pub fn init(&self) -> MaxPool2d {
        MaxPool2d {
            stride: self.strides,
            kernel_size: self.kernel_size,
            padding: self.padding.clone(),
            dilation: self.dilation,
            ceil_mode: self.ceil_mode,
        }
    }
}

/// 2-D max pooling with argmax. Made by [`MaxPool2dConfig::init`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct MaxPool2d {
    /// The strides.
    pub stride: [usize; 2],
    /// The size of the kernel.
    pub kernel_size: [usize; 2],
    /// The padding.
    #[module(skip)]
    pub padding: PaddingConfig2d,
    /// The dilation.
    pub dilation: [usize; 2],
    /// Whether a last, partial window counts.
    pub ceil_mode: bool,
}

impl MaxPool2d {
    /// The window.
    pub fn window(&self) -> Window {
        window(self.kernel_size, self.stride, &self.padding)
            .with_dilation(self.dilation)
            .with_ceil_mode(self.ceil_mode)
    }

    /// The maxima of `[batch, channels, height, width]`, and where they were.
    ///
    /// # Panics
    ///
    /// If the window does not fit the input.
    pub fn forward(&self, input: Tensor<4>) -> (Tensor<4>, Taps<4>) {
        max_pool2d(input, self.window())
    }

    /// The maxima alone, as Burn's module gives.
    ///
    /// # Panics
    ///
    /// If the window does not fit the input.
    pub fn forward_values(&self, input: Tensor<4>) -> Tensor<4> {
        max_pool2d_values(input, self.window())
    }
}

impl ModuleDisplay for MaxPool2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("kernel_size", &format!("{:?}", self.kernel_size))
            .add("stride", &format!("{:?}", self.stride))
            .add_debug_attribute("padding", &self.padding)
            .add("dilation", &format!("{:?}", self.dilation))
            .add("ceil_mode", &self.ceil_mode)
            .optional()
    }
}

/// Configuration of a [`MaxUnpool2d`].
#[derive(Debug, Config)]
pub struct MaxUnpool2dConfig {
    /// The size of the kernel that pooled. Taps know it: it matters only for indices.
    pub kernel_size: [usize; 2],
    /// The strides.
    #[config(default = "kernel_size")]
    pub strides: [usize; 2],
    /// The padding.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// Whether values that meet in a cell are added. Else the last one stays.
    #[config(default = "false")]
    pub sum: bool,
}

impl MaxUnpool2dConfig {
    /// The module.
    pub fn init(&self) -> MaxUnpool2d {
        MaxUnpool2d {
            stride: self.strides,
            kernel_size: self.kernel_size,
            padding: self.padding.clone(),
            sum: self.sum,
        }
    }
}

/// 2-D unpooling. Made by [`MaxUnpool2dConfig::init`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct MaxUnpool2d {
    /// The strides of the pooling.
    pub stride: [usize; 2],
    /// The size of the kernel that pooled.
    pub kernel_size: [usize; 2],
    /// The padding of the pooling.
    #[module(skip)]
    pub padding: PaddingConfig2d,
    /// Whether values that meet in a cell are added.
    pub sum: bool,
}

impl MaxUnpool2d {
    /// What a cell gets where windows share it.
    pub fn overlap(&self) -> Overlap {
        if self.sum { Overlap::Sum } else { Overlap::Last }
    }

    /// The values at the cells that the taps name, in the shape that was pooled.
    ///
    /// # Panics
    ///
    /// If the values do not have the shape of the taps.
    pub fn forward(&self, values: Tensor<4>, taps: &Taps<4>) -> Tensor<4> {
        max_unpool2d(values, taps, self.overlap())
    }

    /// The values at the plane indices that Burn's or PyTorch's pooling returned. `output_size` is
    /// `[height, width]`; without it, PyTorch's default. The indices are read from their device, and
    /// checked.
    ///
    /// # Errors
    ///
    /// Those of [`Geometry::for_pooled`], of [`Taps::from_indices`] and of
    /// [`try_max_unpool`](crate::try_max_unpool).
    pub fn try_forward_indices(
        &self,
        values: Tensor<4>,
        indices: Tensor<4, Int>,
        output_size: Option<[usize; 2]>,
    ) -> Result<Tensor<4>, Error> {
        let window = window(self.kernel_size, self.stride, &self.padding);
        let pooled = Shape::nchw(values.dims());
        let size = output_size.as_ref().map(|size| &size[..]);
        let geometry = Geometry::for_pooled(&window, pooled, size)?;
        let taps = Taps::from_indices_of(indices, &geometry, IndexSpace::Plane)?;
        try_max_unpool(values, &taps, self.overlap())
    }
}

impl ModuleDisplay for MaxUnpool2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("kernel_size", &format!("{:?}", self.kernel_size))
            .add("stride", &format!("{:?}", self.stride))
            .add_debug_attribute("padding", &self.padding)
            .add("sum", &self.sum)
            .optional()
    }
}

fn window(kernel: [usize; 2], stride: [usize; 2], padding: &PaddingConfig2d) -> Window {
    let padding = match *padding {
        PaddingConfig2d::Same => Padding::Same,
        PaddingConfig2d::Valid => Padding::Valid,
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            Padding::from([(top, bottom), (left, right)])
        }
    };
    Window::new(kernel).with_stride(stride).with_padding(padding)
}
