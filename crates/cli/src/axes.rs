//! The order of an array's axes, as `--layout` names it: batch and channels may be left out.
//!
//! The library's shapes have both always. An axis that an array lacks is 1 in them, and is removed
//! from the result.

use std::str::FromStr;

use anyhow::{Result, bail};
use unpool::{Layout, Shape};

/// The letters of the spatial axes, by their number.
const SPATIAL: [&[&str]; 3] = [&["l", "w"], &["hw"], &["dhw"]];

/// An order of axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axes {
    /// As it was written, in lower case.
    name: String,
    batch: bool,
    channels: Option<Layout>,
    /// How many are spatial; one to three where it is left open.
    spatial: Option<usize>,
}

impl FromStr for Axes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_lowercase();
        let (batch, rest) = name.strip_prefix('n').map_or((false, &*name), |rest| (true, rest));
        let (channels, letters) = match (rest.strip_prefix('c'), rest.strip_suffix('c')) {
            (Some(letters), _) => (Some(Layout::ChannelsFirst), letters),
            (None, Some(letters)) => (Some(Layout::ChannelsLast), letters),
            (None, None) => (None, rest),
        };
        let spatial = SPATIAL.iter().position(|names| names.contains(&letters)).ok_or(
            "nchw or nhwc is wanted, or without n (batch) or c (channels), such as chw and hw; \
             with l or w for one axis and dhw for three, such as ncl and ndhwc",
        )? + 1;
        // These two are the names of the orders themselves, of any number of axes.
        let open = batch && channels.is_some() && letters == "hw";
        Ok(Self { batch, channels, spatial: Some(spatial).filter(|_| !open), name })
    }
}

impl Axes {
    /// The shape of an array of these extents, with batch and channels.
    pub(crate) fn shape(&self, extents: &[usize]) -> Result<Shape> {
        let Self { name, batch, channels, spatial } = self;
        let found = extents.len();
        let without = usize::from(*batch) + usize::from(channels.is_some());
        match spatial {
            Some(spatial) if found != without + spatial => {
                bail!("an array of {}; --layout {name} has {}", axes(found), without + spatial)
            }
            None if !(3..=5).contains(&found) => {
                let hint = match found {
                    1 => "; --layout l takes one of 1 axis",
                    2 => "; --layout hw takes one of 2 axes",
                    _ => "",
                };
                bail!(
                    "an array of {}; --layout {name} takes 3 to 5: batch, channels, and 1 to 3 \
                     spatial ones{hint}",
                    axes(found)
                )
            }
            _ => {}
        }
        let mut extents = extents.to_vec();
        if !batch {
            extents.insert(0, 1);
        }
        let layout = channels.unwrap_or(Layout::ChannelsFirst);
        if channels.is_none() {
            extents.insert(1, 1);
        }
        Ok(Shape::new(layout, extents))
    }

    /// The extents of an array of this shape: those that it has axes for.
    pub(crate) fn extents(&self, shape: &Shape) -> Vec<usize> {
        let mut extents = shape.dims().to_vec();
        if self.channels.is_none() {
            extents.remove(1);
        }
        if !self.batch {
            extents.remove(0);
        }
        extents
    }

    /// What else an array of so many axes can be, where kernels of `numbers` do not fit it.
    pub(crate) fn hint(&self, spatial: usize, numbers: usize) -> &'static str {
        match (self.spatial, spatial, numbers) {
            (None, 1, 2) => "; --layout chw or hwc has 3 axes, of which 2 are spatial",
            _ => "",
        }
    }
}

/// `1 axis`, `2 axes`.
pub(crate) fn axes(count: usize) -> String {
    if count == 1 { "1 axis".into() } else { format!("{count} axes") }
}

/// Extents as messages have them: `2×3×4`.
pub(crate) fn extents<T: ToString>(extents: &[T]) -> String {
    extents.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_gives_the_library_a_shape_and_takes_it_back() {
        let (first, last) = (Shape::channels_first, Shape::channels_last);
        for (name, extents, shape) in [
            ("nchw", &[2, 3, 4, 5][..], first(vec![2, 3, 4, 5])),
            ("nchw", &[2, 3, 4], first(vec![2, 3, 4])),
            ("nhwc", &[2, 4, 5, 6, 3], last(vec![2, 4, 5, 6, 3])),
            ("NCHW", &[2, 3, 4, 5], first(vec![2, 3, 4, 5])),
            ("nhw", &[2, 4, 5], first(vec![2, 1, 4, 5])),
            ("chw", &[3, 4, 5], first(vec![1, 3, 4, 5])),
            ("hwc", &[4, 5, 3], last(vec![1, 4, 5, 3])),
            ("hw", &[4, 5], first(vec![1, 1, 4, 5])),
            ("ncl", &[2, 3, 4], first(vec![2, 3, 4])),
            ("nlc", &[2, 4, 3], last(vec![2, 4, 3])),
            ("ncw", &[2, 3, 4], first(vec![2, 3, 4])),
            ("nwc", &[2, 4, 3], last(vec![2, 4, 3])),
            ("nl", &[2, 4], first(vec![2, 1, 4])),
            ("cl", &[3, 4], first(vec![1, 3, 4])),
            ("lc", &[4, 3], last(vec![1, 4, 3])),
            ("l", &[4], first(vec![1, 1, 4])),
            ("w", &[4], first(vec![1, 1, 4])),
            ("ncdhw", &[2, 3, 4, 5, 6], first(vec![2, 3, 4, 5, 6])),
            ("ndhwc", &[2, 4, 5, 6, 3], last(vec![2, 4, 5, 6, 3])),
            ("ndhw", &[2, 4, 5, 6], first(vec![2, 1, 4, 5, 6])),
            ("cdhw", &[3, 4, 5, 6], first(vec![1, 3, 4, 5, 6])),
            ("dhwc", &[4, 5, 6, 3], last(vec![1, 4, 5, 6, 3])),
            ("dhw", &[4, 5, 6], first(vec![1, 1, 4, 5, 6])),
        ] {
            let order: Axes = name.parse().expect("it is an order of axes");
            let found = order.shape(extents).expect("as many axes");
            assert_eq!(found, shape, "{name}");
            assert_eq!(order.extents(&found), extents, "{name}");
        }
    }

    #[test]
    fn letters_that_are_no_order_are_refused() {
        for name in ["", "n", "c", "nc", "wh", "whc", "cnhw", "nchwc", "hwn", "nchwd", "row", "lw"]
        {
            assert!(name.parse::<Axes>().is_err(), "{name}");
        }
    }
}
