//! Images of the size that a network reads.

use anyhow::{Context, Result, bail};
use image::RgbImage;
use image::imageops::{self, FilterType};

use super::size::{InputSize, Size};
use crate::picture;
use crate::source::Source;

/// The longer side of the pictures that are kept for sheets, at most.
const SHOWN: u32 = 512;

/// How an image gets the size of the input, where its proportions are others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Fit {
    /// The shorter side is resized, and the middle cut out: as classifiers are trained.
    Crop,
    /// Both sides are resized.
    Squash,
}

/// An image, resized to the network's input.
pub(crate) struct Fitted {
    /// The file's name without its directory and ending.
    pub(crate) name: String,
    /// At the input's size.
    pub(crate) picture: RgbImage,
    /// The part of the image that the network reads, and the whole, for people to look at.
    pub(crate) part: RgbImage,
    pub(crate) whole: RgbImage,
    /// The size it had, and the size of the part.
    original: (u32, u32),
    cut: (u32, u32),
}

impl Fitted {
    /// The size of the picture.
    pub(crate) fn size(&self) -> Size {
        let (width, height) = self.picture.dimensions();
        Size { height: height as usize, width: width as usize }
    }

    pub(crate) fn open(source: &Source, input: InputSize, fit: Fit) -> Result<Self> {
        Self::of(source.stem(), picture::open(source)?, input, fit)
    }

    /// A picture that is to be called `name`.
    pub(crate) fn of(name: String, image: RgbImage, input: InputSize, fit: Fit) -> Result<Self> {
        let original = image.dimensions();
        let own = Size { height: original.1 as usize, width: original.0 as usize };
        let Size { height, width } = input.of(Some(own));
        let side = |n: usize| u32::try_from(n).context("--size is too large for an image");
        let (width, height) = (side(width)?, side(height)?);
        let whole = shown(&image);
        let part = match fit {
            Fit::Squash => image,
            Fit::Crop => middle(image, (width, height)),
        };
        let cut = part.dimensions();
        let picture = if cut == (width, height) {
            part.clone()
        } else {
            imageops::resize(&part, width, height, FilterType::Triangle)
        };
        let part = shown(&part);
        Ok(Self { name, picture, part, whole, original, cut })
    }

    /// Where in the whole the part is that the network reads, in pixels of the whole as it is shown:
    /// the corner, and the extents.
    pub(crate) fn frame(&self) -> [(u32, u32); 2] {
        let scale = f64::from(self.whole.width()) / f64::from(self.original.0);
        let to = |n: u32| (f64::from(n) * scale).round() as u32;
        let start = ((self.original.0 - self.cut.0) / 2, (self.original.1 - self.cut.1) / 2);
        [(to(start.0), to(start.1)), (to(self.cut.0), to(self.cut.1))]
    }

    /// Whether a part of it was cut off.
    pub(crate) fn is_cropped(&self) -> bool {
        self.cut != self.original
    }

    /// The size in words, height first as in `--size`.
    pub(crate) fn described(&self) -> String {
        let size = |(width, height)| format!("{height}×{width}");
        let (own, before) = (size(self.picture.dimensions()), size(self.original));
        match (self.original == self.picture.dimensions(), self.is_cropped()) {
            (true, _) => format!("{own} (height×width)"),
            (_, true) => format!("{before} (height×width), its middle resized to {own}"),
            _ => format!("{before} (height×width), resized to {own}"),
        }
    }
}

/// An image as it is shown: no larger than people need it.
fn shown(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    if longer <= SHOWN {
        return image.clone();
    }
    let to = |n: u32| (u64::from(n) * u64::from(SHOWN) / u64::from(longer)).max(1) as u32;
    imageops::resize(image, to(width), to(height), FilterType::Triangle)
}

/// The largest part in the middle of an image that has the proportions of a size.
fn middle(image: RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let (w, h) = image.dimensions();
    let share = |side: u32, other: u32, by: u32| {
        let part = (f64::from(other) * f64::from(side) / f64::from(by)).round() as u32;
        part.max(1)
    };
    let (width, height) = (share(width, h, height).min(w), share(height, w, width).min(h));
    if (width, height) == (w, h) {
        return image;
    }
    imageops::crop_imm(&image, (w - width) / 2, (h - height) / 2, width, height).to_image()
}

/// The images of a list of files and directories, in the order of their names.
pub(crate) fn files(sources: &[Source]) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    for source in sources {
        let Some(path) = source.path().filter(|path| path.is_dir()) else {
            files.push(source.clone());
            continue;
        };
        let mut inside = Vec::new();
        let entries = path.read_dir().with_context(|| path.display().to_string())?;
        for entry in entries {
            let file = entry.with_context(|| path.display().to_string())?.path();
            let ending = file.extension().unwrap_or_default();
            if picture::has_ending(&ending.to_string_lossy()) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            bail!("{}: holds no {}", path.display(), picture::NAMES);
        }
        inside.sort();
        files.extend(inside.into_iter().map(Source::File));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_image_has_the_proportions_that_are_asked_for() {
        for (from, to, part) in [
            ((640, 480), (224, 224), (480, 480)),
            ((480, 640), (224, 224), (480, 480)),
            ((100, 100), (224, 224), (100, 100)),
            ((300, 100), (200, 100), (200, 100)),
            ((1, 5), (224, 224), (1, 1)),
        ] {
            assert_eq!(middle(RgbImage::new(from.0, from.1), to).dimensions(), part, "{from:?}");
        }
    }
}
