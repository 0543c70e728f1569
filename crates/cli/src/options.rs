//! What `pool` and `unpool` are told about a window and its shape, and how it is written.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use anyhow::ensure;
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
    /// The window on an array of so many axes, batch and channels among them.
    pub(crate) fn window(&self, kernel: &Sizes, axes: usize) -> anyhow::Result<Window> {
        ensure!(
            (3..=5).contains(&axes),
            "an array of {axes} axes; 3 to 5 are needed: batch, channels, and 1 to 3 spatial ones"
        );
        let padding = match &self.padding.0 {
            unpool::Padding::Explicit(axes) => Some(axes.len()),
            _ => None,
        };
        let len = |sizes: &Option<Sizes>| sizes.as_ref().map(|Sizes(sizes)| sizes.len());
        for (option, found, such_as) in [
            ("kernel", Some(kernel.0.len()), ["2", "2x2", "2x2x2"]),
            ("stride", len(&self.stride), ["2", "2x2", "2x2x2"]),
            ("padding", padding, ["1", "1,1", "1,1,1"]),
            ("dilation", len(&self.dilation), ["1", "1x1", "1x1x1"]),
        ] {
            ensure!(
                found.is_none_or(|found| found == axes - 2),
                "--{option} has {} numbers; {} spatial axes take as many, such as {}",
                found.unwrap_or_default(),
                axes - 2,
                such_as[axes - 3]
            );
        }
        let mut window =
            Window::new(kernel.0.as_slice()).padding(self.padding.0.clone()).ceil_mode(self.ceil);
        if let Some(Sizes(stride)) = &self.stride {
            window = window.stride(stride.as_slice());
        }
        if let Some(Sizes(dilation)) = &self.dilation {
            window = window.dilation(dilation.as_slice());
        }
        Ok(window)
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
        numbers(text, "2 or 2x2").map(Self)
    }
}

/// Every extent of a shape: `1,1,5,5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extents(pub(crate) Vec<usize>);

impl FromStr for Extents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        numbers(text, "1,1,5,5").map(Self)
    }
}

/// What stands between the numbers of axes.
pub(crate) const BETWEEN: [char; 4] = ['x', 'X', '×', ','];

fn numbers(text: &str, such_as: &str) -> Result<Vec<usize>, String> {
    let number = |part: &str| {
        part.parse().map_err(|error: ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => format!("{part} is larger than {}", usize::MAX),
            _ => format!("whole numbers are wanted, such as {such_as}"),
        })
    };
    text.split(BETWEEN).map(number).collect()
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
                let axes = text.split(BETWEEN).map(axis).collect::<Option<_>>();
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
