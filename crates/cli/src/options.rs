//! What `pool` and `unpool` are told about a window and its shape, and how it is written.

use std::str::FromStr;

use unpool::{IndexSpace, Layout, Window};

/// Everything about a window but its kernel, and the order of axes.
#[derive(clap::Args)]
pub(crate) struct WindowArgs {
    /// Cells from one window to the next; the kernel if left out.
    #[arg(long, value_name = "NxN")]
    stride: Option<Sizes>,
    /// same, same_lower, valid, or cells per axis: 1,1 or before:after, 1:2,0:1.
    #[arg(long, default_value = "valid", value_name = "P")]
    padding: Padding,
    /// Cells from one cell of the window to the next.
    #[arg(long, value_name = "NxN")]
    dilation: Option<Sizes>,
    /// Count a last, partial window.
    #[arg(long)]
    ceil: bool,
    /// The order of axes: nchw (batch, channels, spatial…) or nhwc, for any number of them.
    #[arg(long, default_value = "nchw", value_name = "ORDER")]
    layout: Order,
}

impl WindowArgs {
    pub(crate) fn window(&self, kernel: &Sizes) -> Window {
        let mut window =
            Window::new(kernel.0.as_slice()).padding(self.padding.0.clone()).ceil_mode(self.ceil);
        if let Some(Sizes(stride)) = &self.stride {
            window = window.stride(stride.as_slice());
        }
        if let Some(Sizes(dilation)) = &self.dilation {
            window = window.dilation(dilation.as_slice());
        }
        window
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout.0
    }
}

/// A number per spatial axis: `2`, `2x2`, `2x2x2`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sizes(Vec<usize>);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        numbers(text, 'x', "2 or 2x2").map(Self)
    }
}

/// Every extent of a shape: `1,1,5,5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extents(pub(crate) Vec<usize>);

impl FromStr for Extents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        numbers(text, ',', "1,1,5,5").map(Self)
    }
}

fn numbers(text: &str, between: char, such_as: &str) -> Result<Vec<usize>, String> {
    let numbers = text.split(between).map(|part| part.parse().ok());
    numbers
        .collect::<Option<_>>()
        .ok_or_else(|| format!("whole numbers are wanted, such as {such_as}"))
}

/// How the borders are extended.
#[derive(Clone, Debug, PartialEq)]
struct Padding(unpool::Padding);

impl FromStr for Padding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "valid" => unpool::Padding::Valid,
            "same" => unpool::Padding::Same,
            "same_lower" | "same-lower" => unpool::Padding::SameLower,
            _ => {
                let axis = |part: &str| {
                    let (before, after) = part.split_once(':').unwrap_or((part, part));
                    Some((before.parse().ok()?, after.parse().ok()?))
                };
                let axes = text.split(',').map(axis).collect::<Option<_>>();
                let wanted = "same, same_lower, valid, 1,1 or 1:2,0:1 is wanted";
                unpool::Padding::Explicit(axes.ok_or(wanted)?)
            }
        }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Order(Layout);

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "nhwc" => Ok(Self(Layout::ChannelsLast)),
            "nchw" => Ok(Self(Layout::ChannelsFirst)),
            _ => Err("nhwc or nchw is wanted"),
        }
    }
}

/// How an argmax is written: as the library keeps it, or as another framework does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ArgmaxSpace {
    Taps,
    Indices(IndexSpace),
}

impl ArgmaxSpace {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Taps => "taps",
            Self::Indices(space) => space.name(),
        }
    }
}

impl FromStr for ArgmaxSpace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "taps" => Ok(Self::Taps),
            _ => text
                .parse()
                .map(Self::Indices)
                .or(Err("taps, plane, image, batch, tensor or tensor-column-major is wanted")),
        }
    }
}
