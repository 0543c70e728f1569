//! The options of `pool` and `unpool` for windows, shapes and index spaces, and their syntax.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use anyhow::{Result, bail};
use unpool::{IndexSpace, PerAxis, Window};

use crate::axes::Axes;

/// Everything about a window but its kernel, and the order of axes.
#[derive(clap::Args)]
pub(crate) struct WindowArgs {
    /// Cells from one window to the next; the kernel if left out.
    #[arg(long, value_name = "NxN", allow_hyphen_values = true)]
    stride: Option<Sizes>,
    /// same, same_lower, valid, or cells on each side: 1 or, per axis, 1,1; before:after, 1:2,0:1.
    #[arg(long, default_value = "valid", value_name = "P", allow_hyphen_values = true)]
    padding: Padding,
    /// Cells from one cell of the window to the next.
    #[arg(long, value_name = "NxN", allow_hyphen_values = true)]
    dilation: Option<Sizes>,
    /// Round output sizes up: a last, partial window counts.
    #[arg(long)]
    ceil: bool,
    /// The order of axes: nchw or nhwc (batch, channels, one to three spatial axes), without
    /// batch or channels chw, hwc, nhw, hw, and the like with l or dhw for hw: ncl, ndhwc, l.
    #[arg(long, default_value = "nchw", value_name = "ORDER")]
    layout: Axes,
}

impl WindowArgs {
    /// The window on an array of so many spatial axes. One number is that of every axis.
    pub(crate) fn window(&self, kernel: &Sizes, spatial: usize) -> Result<Window> {
        let padding = match &self.padding.0 {
            unpool::Padding::Explicit(sides) => self.per_axis("padding", *sides, spatial)?.into(),
            other => *other,
        };
        let mut window = Window::new(self.per_axis("kernel", &kernel.0[..], spatial)?)
            .with_padding(padding)
            .with_ceil_mode(self.ceil);
        if let Some(Sizes(stride)) = &self.stride {
            window = window.with_stride(self.per_axis("stride", &stride[..], spatial)?);
        }
        if let Some(Sizes(dilation)) = &self.dilation {
            window = window.with_dilation(self.per_axis("dilation", &dilation[..], spatial)?);
        }
        Ok(window)
    }

    /// The values of an option for each axis.
    fn per_axis<T: Copy + Default>(
        &self,
        option: &str,
        said: impl Into<PerAxis<T>>,
        spatial: usize,
    ) -> Result<PerAxis<T>> {
        let said = said.into();
        let numbers = said.axes().unwrap_or(1);
        let said = if numbers == 1 { PerAxis::from(said[0]) } else { said };
        match said.for_axes(spatial) {
            Some(said) => Ok(said),
            None => {
                let (one, joint) = match option {
                    "kernel" | "stride" => ("2", "x"),
                    "padding" => ("1", ","),
                    _ => ("1", "x"),
                };
                let such_as = match spatial {
                    1 => format!("axis takes 1, such as {one}"),
                    n => format!("axes take {n}, such as {}, or 1", vec![one; n].join(joint)),
                };
                bail!(
                    "--{option} has {} numbers; {spatial} spatial {such_as}{}",
                    numbers,
                    self.layout.hint(spatial, numbers)
                )
            }
        }
    }

    pub(crate) fn layout(&self) -> &Axes {
        &self.layout
    }
}

/// A number for every spatial axis, or one for all: `2`, `2x2`, `2x2x2`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sizes(Vec<usize>);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        numbers(text, "2 or 2x2").map(Self)
    }
}

/// Every extent of an array: `1,1,5,5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extents(pub(crate) Vec<usize>);

impl FromStr for Extents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        numbers(text, "1,1,5,5").map(Self)
    }
}

/// Separators of the numbers of axes.
pub(crate) const BETWEEN: [char; 4] = ['x', 'X', '×', ','];

fn numbers(text: &str, such_as: &str) -> Result<Vec<usize>, String> {
    let wanted = || format!("whole numbers are wanted, such as {such_as}");
    text.split(BETWEEN).map(|part| number(part, 1).map_err(|e| e.unwrap_or_else(wanted))).collect()
}

/// A whole number. The error is a message for a number that is negative or too large, and `None` for
/// text that is no number. Messages name `least`; a 0 below it passes, and the library refuses it.
pub(crate) fn number(text: &str, least: usize) -> Result<usize, Option<String>> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if text.strip_prefix('-').is_some_and(is_number) {
        return Err(Some(format!("{text} is negative; at least {least} is allowed")));
    }
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => Some(format!("{text} is larger than {}", usize::MAX)),
        _ => None,
    })
}

/// The number of something that is counted from 0, such as a class.
pub(crate) fn ordinal(text: &str) -> Result<usize, String> {
    number(text, 0).map_err(|error| error.unwrap_or_else(|| "a whole number is wanted".into()))
}

/// The elements of a list, each once, where it stands first.
pub(crate) fn distinct<T: PartialEq>(list: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for element in list {
        if !distinct.contains(&element) {
            distinct.push(element);
        }
    }
    distinct
}

/// The padding rule.
#[derive(Clone, Debug, PartialEq)]
struct Padding(unpool::Padding);

impl FromStr for Padding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || "same, same_lower, valid, 1, 1,1 or 1:2,0:1 is wanted".to_owned();
        let cells = |text: &str| number(text, 0).map_err(|error| error.unwrap_or_else(wanted));
        Ok(Self(match text {
            "valid" => unpool::Padding::Valid,
            "same" => unpool::Padding::Same,
            "same_lower" | "same-lower" => unpool::Padding::SameLower,
            _ => {
                let axis = |part: &str| {
                    let (before, after) = part.split_once(':').unwrap_or((part, part));
                    Ok((cells(before)?, cells(after)?))
                };
                unpool::Padding::Explicit(
                    text.split(BETWEEN).map(axis).collect::<Result<_, String>>()?,
                )
            }
        }))
    }
}

/// The format of an argmax: the library's taps, or the indices of another framework.
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
