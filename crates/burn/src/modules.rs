//! Modules that read like Burn's own, over one to three axes.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::{Int, Tensor};
use unpool::{Geometry, IndexSpace, Overlap, Padding, PerAxis, Shape, Window};

use crate::error::Error;
use crate::max_pool::{try_max_pool, try_max_pool_values};
use crate::max_unpool::try_max_unpool;
use crate::taps::Taps;

/// A padding of Burn's.
trait BurnPadding {
    /// The same, as this library says it.
    fn padding(&self) -> Padding;
}

impl BurnPadding for PaddingConfig1d {
    fn padding(&self) -> Padding {
        match *self {
            Self::Same => Padding::Same,
            Self::Valid => Padding::Valid,
            Self::Explicit(left, right) => Padding::from([(left, right)]),
        }
    }
}

impl BurnPadding for PaddingConfig2d {
    fn padding(&self) -> Padding {
        match *self {
            Self::Same => Padding::Same,
            Self::Valid => Padding::Valid,
            Self::Explicit(top, left, bottom, right) => {
                Padding::from([(top, bottom), (left, right)])
            }
        }
    }
}

impl BurnPadding for PaddingConfig3d {
    fn padding(&self) -> Padding {
        match *self {
            Self::Same => Padding::Same,
            Self::Valid => Padding::Valid,
            Self::Explicit(depth, height, width) => Padding::from([depth, height, width]),
        }
    }
}

/// The modules over a number of axes. A size is a number in 1-D and an array else, and the strides of
/// a configuration have the name that Burn's have.
macro_rules! modules {
    (
        $axes:literal, $dims:literal;
        pool: $pool:ident, $pool_config:ident;
        unpool: $unpool:ident, $unpool_config:ident;
        rank: $rank:literal;
        size: $size:ty, $one:literal;
        strides: $strides:ident;
        padding: $padding:ident, $valid:literal;
    ) => {
        #[doc = concat!("Configuration of a [`", stringify!($pool), "`], with the fields and defaults of Burn's.")]
        #[derive(Debug, Config)]
        pub struct $pool_config {
            /// The size of the kernel.
            pub kernel_size: $size,
            /// The strides.
            #[config(default = "kernel_size")]
            pub $strides: $size,
            /// The padding. `Same` gives `ceil(size / stride)` values, as in TensorFlow.
            #[config(default = $valid)]
            pub padding: $padding,
            /// The dilation.
            #[config(default = $one)]
            pub dilation: $size,
            /// Whether a last, partial window counts.
            #[config(default = "false")]
            pub ceil_mode: bool,
        }

        impl $pool_config {
            /// The module.
            pub fn init(&self) -> $pool {
                $pool {
                    stride: self.$strides,
                    kernel_size: self.kernel_size,
                    padding: self.padding.clone(),
                    dilation: self.dilation,
                    ceil_mode: self.ceil_mode,
                }
            }
        }

        #[doc = concat!($axes, "-D max pooling with argmax. Made by [`", stringify!($pool_config), "::init`].")]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $pool {
            /// The strides.
            pub stride: $size,
            /// The size of the kernel.
            pub kernel_size: $size,
            /// The padding.
            #[module(skip)]
            pub padding: $padding,
            /// The dilation.
            pub dilation: $size,
            /// Whether a last, partial window counts.
            pub ceil_mode: bool,
        }

        impl $pool {
            /// The window.
            pub fn window(&self) -> Window {
                Window::new(self.kernel_size)
                    .with_stride(self.stride)
                    .with_padding(self.padding.padding())
                    .with_dilation(self.dilation)
                    .with_ceil_mode(self.ceil_mode)
            }

            #[doc = concat!("The maxima of ", $dims, ", and where they were.")]
            ///
            /// # Panics
            ///
            /// If the window does not fit the input.
            pub fn forward(&self, input: Tensor<$rank>) -> (Tensor<$rank>, Taps<$rank>) {
                try_max_pool(input, self.window()).unwrap_or_else(|error| panic!("{error}"))
            }

            /// The maxima alone, as Burn's module gives.
            ///
            /// # Panics
            ///
            /// If the window does not fit the input.
            pub fn forward_values(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                try_max_pool_values(input, self.window()).unwrap_or_else(|error| panic!("{error}"))
            }
        }

        impl ModuleDisplay for $pool {
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

        #[doc = concat!("Configuration of a [`", stringify!($unpool), "`].")]
        #[derive(Debug, Config)]
        pub struct $unpool_config {
            /// The size of the kernel that pooled. Taps know it: it matters only for indices.
            pub kernel_size: $size,
            /// The strides.
            #[config(default = "kernel_size")]
            pub $strides: $size,
            /// The padding.
            #[config(default = $valid)]
            pub padding: $padding,
            /// Whether values that meet in a cell are added. Else the last one stays.
            #[config(default = "false")]
            pub sum: bool,
        }

        impl $unpool_config {
            /// The module.
            pub fn init(&self) -> $unpool {
                $unpool {
                    stride: self.$strides,
                    kernel_size: self.kernel_size,
                    padding: self.padding.clone(),
                    sum: self.sum,
                }
            }
        }

        #[doc = concat!($axes, "-D unpooling. Made by [`", stringify!($unpool_config), "::init`].")]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $unpool {
            /// The strides of the pooling.
            pub stride: $size,
            /// The size of the kernel that pooled.
            pub kernel_size: $size,
            /// The padding of the pooling.
            #[module(skip)]
            pub padding: $padding,
            /// Whether values that meet in a cell are added.
            pub sum: bool,
        }

        impl $unpool {
            /// What a cell gets where windows share it.
            pub fn overlap(&self) -> Overlap {
                if self.sum { Overlap::Sum } else { Overlap::Last }
            }

            /// The values at the cells that the taps name, in the shape that was pooled.
            ///
            /// # Panics
            ///
            /// If the values do not have the shape of the taps.
            pub fn forward(&self, values: Tensor<$rank>, taps: &Taps<$rank>) -> Tensor<$rank> {
                try_max_unpool(values, taps, self.overlap())
                    .unwrap_or_else(|error| panic!("{error}"))
            }

            /// The values at the plane indices that Burn's or PyTorch's pooling returned.
            /// `output_size` is the size of the spatial axes; without it, PyTorch's default. The
            /// indices are read from their device, and checked.
            ///
            /// # Errors
            ///
            /// Those of [`Geometry::for_pooled`], of [`Taps::from_indices`] and of
            /// [`try_max_unpool`](crate::try_max_unpool).
            pub fn try_forward_indices(
                &self,
                values: Tensor<$rank>,
                indices: Tensor<$rank, Int>,
                output_size: Option<$size>,
            ) -> Result<Tensor<$rank>, Error> {
                let window = Window::new(self.kernel_size)
                    .with_stride(self.stride)
                    .with_padding(self.padding.padding());
                let pooled = Shape::channels_first(values.dims());
                let size = output_size.map(PerAxis::from);
                let size = size.as_ref().map(PerAxis::as_slice);
                let geometry = Geometry::for_pooled(&window, pooled, size)?;
                let taps = Taps::from_indices_of(indices, &geometry, IndexSpace::Plane)?;
                try_max_unpool(values, &taps, self.overlap())
            }
        }

        impl ModuleDisplay for $unpool {
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
    };
}

modules! {
    "1", "`[batch, channels, length]`";
    pool: MaxPool1d, MaxPool1dConfig;
    unpool: MaxUnpool1d, MaxUnpool1dConfig;
    rank: 3;
    size: usize, "1";
    strides: stride;
    padding: PaddingConfig1d, "PaddingConfig1d::Valid";
}

modules! {
    "2", "`[batch, channels, height, width]`";
    pool: MaxPool2d, MaxPool2dConfig;
    unpool: MaxUnpool2d, MaxUnpool2dConfig;
    rank: 4;
    size: [usize; 2], "[1, 1]";
    strides: strides;
    padding: PaddingConfig2d, "PaddingConfig2d::Valid";
}

modules! {
    "3", "`[batch, channels, depth, height, width]`";
    pool: MaxPool3d, MaxPool3dConfig;
    unpool: MaxUnpool3d, MaxUnpool3dConfig;
    rank: 5;
    size: [usize; 3], "[1, 1, 1]";
    strides: strides;
    padding: PaddingConfig3d, "PaddingConfig3d::Valid";
}
