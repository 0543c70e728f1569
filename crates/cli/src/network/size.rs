//! The size of an image, and that of a network's input.

use std::str::FromStr;

use crate::options::{BETWEEN, number};

/// The default extents, where neither the model nor the command line fixes them: those of ImageNet.
pub(super) const USUAL: usize = 224;

/// `HEIGHTxWIDTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "HEIGHTxWIDTH, each at least 1, is needed".to_owned();
        let side = |text| match number(text, 1) {
            Ok(0) => Err(wanted()),
            other => other.map_err(|error| error.unwrap_or_else(wanted)),
        };
        let (height, width) = text.split_once(BETWEEN).unwrap_or((text, text));
        Ok(Self { height: side(height)?, width: side(width)? })
    }
}

/// The extents of a network's input, where the model or the command line fixes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InputSize {
    pub(super) height: Option<usize>,
    pub(super) width: Option<usize>,
}

impl InputSize {
    /// The size of the input for an image of that size, or for none.
    pub(crate) fn of(self, image: Option<Size>) -> Size {
        Size {
            height: self.height.or(image.map(|s| s.height)).unwrap_or(USUAL),
            width: self.width.or(image.map(|s| s.width)).unwrap_or(USUAL),
        }
    }
}
