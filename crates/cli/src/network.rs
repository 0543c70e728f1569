//! A model file, and images of the size that it reads.

use std::io::Read;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::RgbImage;
use image::imageops::{self, FilterType};
use indicatif::BinaryBytes;
use unpool_cnn::{Activation, Engine, Error, Layer, Layout, Memory, Model};

use crate::options::{BETWEEN, number};
use crate::picture;
use crate::preprocessing::Preprocessing;
use crate::source::Source;

/// The default extents, where neither the model nor the command line fixes them: those of ImageNet.
const USUAL: usize = 224;

/// Number of best classes that are listed with their scores.
const CLASSES: usize = 5;

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

// A group of arguments has the name of its struct, and the commands' own structs are called `Args`.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// An ONNX file; - for standard input.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: Source,
    /// Size of the input, height first, where the model leaves it open: one number for both; by
    /// default the image's own, and 224x224 without an image.
    #[arg(long, value_name = "HxW", allow_hyphen_values = true)]
    size: Option<Size>,
}

/// A model and the extents of its input.
pub(crate) struct Network {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) channels: usize,
    layout: Layout,
    /// What the file says of the extents of its input.
    dims: Vec<Option<usize>>,
    height: Option<usize>,
    width: Option<usize>,
    /// Whether the model leaves one of them open.
    free: bool,
}

impl Network {
    pub(crate) fn open(args: &Args) -> Result<Self> {
        let name = args.model.to_string();
        let model = match args.model.path() {
            Some(path) => Model::open(path).map_err(|error| match error {
                // The message has the name.
                Error::File { .. } => error.into(),
                other => anyhow::Error::from(other).context(name.clone()),
            })?,
            None => {
                let mut bytes = Vec::new();
                let read = args.model.open().and_then(|mut file| file.read_to_end(&mut bytes));
                read.with_context(|| name.clone())?;
                Model::from_bytes(&bytes).with_context(|| name.clone())?
            }
        };
        let dims = model.input_dims().unwrap_or_else(|| vec![None; 4]);
        let layout = model.input_layout();
        let (channels, height, width) = match (layout, &dims[..]) {
            (Layout::ChannelsLast, &[_, height, width, channels])
            | (_, &[_, channels, height, width]) => (channels, height, width),
            // No images, but arrays go in.
            _ => (None, None, None),
        };
        let asked = args.size;
        for (side, said, asked) in
            [("height", height, asked.map(|s| s.height)), ("width", width, asked.map(|s| s.width))]
        {
            if let (Some(said), Some(asked)) = (said, asked)
                && said != asked
            {
                bail!("--size: {side} is {asked}; this model allows {said}");
            }
        }
        let is_free = dims.len() == 4 && (height.is_none() || width.is_none());
        Ok(Self {
            channels: channels.unwrap_or(3),
            layout,
            dims,
            height: height.or(asked.map(|s| s.height)),
            width: width.or(asked.map(|s| s.width)),
            free: is_free,
            model,
            name,
        })
    }

    /// Refuses an output that is not finite, as of an input far outside the training data.
    pub(crate) fn check_finite(&self, output: &Activation) -> Result<()> {
        ensure!(
            output.data.iter().all(|x| x.is_finite()),
            "{}: its output is not finite; --mean and --scale may not be those of the model",
            self.name
        );
        Ok(())
    }

    /// An error of the network. Where it needs too much memory, the message also says whether a
    /// smaller input is possible.
    pub(crate) fn refused(&self, error: Error) -> anyhow::Error {
        let is_memory = matches!(
            error,
            Error::Memory { .. }
                | Error::Device(unpool::Error::OutOfMemory | unpool::Error::Limit { .. })
        );
        match (is_memory, self.free) {
            (false, _) => error.into(),
            (true, true) => anyhow!("{}: {error}; --size HxW makes its input smaller", self.name),
            (true, false) => anyhow!("{}: {error}; it fixes the size of its input", self.name),
        }
    }

    /// The size of the input for an image of that size, or for none.
    pub(crate) fn size(&self, image: Option<Size>) -> Size {
        Size {
            height: self.height.or(image.map(|s| s.height)).unwrap_or(USUAL),
            width: self.width.or(image.map(|s| s.width)).unwrap_or(USUAL),
        }
    }

    /// A shape of the input: extents that are left open are those of usual images.
    pub(crate) fn usual_shape(&self) -> Vec<usize> {
        if self.dims.len() == 4 {
            return self.shape(self.size(None)).to_vec();
        }
        let open =
            |(i, dim): (usize, &Option<usize>)| dim.unwrap_or(if i == 0 { 1 } else { USUAL });
        self.dims.iter().enumerate().map(open).collect()
    }

    /// The shape of the input, in the order of axes that the model has.
    pub(crate) fn shape(&self, Size { height, width }: Size) -> [usize; 4] {
        match self.layout {
            Layout::ChannelsLast => [1, height, width, self.channels],
            _ => [1, self.channels, height, width],
        }
    }

    /// The input for an image of the input's size.
    pub(crate) fn tensor(&self, image: &Fitted, with: &Preprocessing) -> Result<Vec<f32>> {
        let planes = with.planes(&image.picture, self.channels)?;
        Ok(match self.layout {
            Layout::ChannelsLast => turned(&planes, self.channels),
            _ => planes,
        })
    }

    /// A map of the input's shape as planes of colours, red first.
    pub(crate) fn planes(&self, map: &[f32], with: &Preprocessing) -> Vec<f32> {
        with.red_first(match self.layout {
            Layout::ChannelsLast => turned(map, map.len() / self.channels),
            _ => map.to_vec(),
        })
    }

    /// What to say of a network that was probably trained on other numbers than go into it.
    pub(crate) fn advice(&self, scores: &Layer, with: &Preprocessing) -> Option<&'static str> {
        let trained_on_imagenet = self.channels == 3 && [1000, 1001].contains(&scores.channels());
        (trained_on_imagenet && with.is_default()).then_some(
            "values of 0 to 1 go in; networks of 1,000 classes are usually trained on those of \
             --preset imagenet, keras or caffe",
        )
    }
}

/// The classes with the best scores of an image, of a layer with one unit per class.
pub(crate) fn best_classes(scores: &Activation, image: usize) -> Vec<(usize, f32)> {
    if scores.shape.len() < 2 || scores.shape.iter().skip(2).product::<usize>() != 1 {
        return Vec::new();
    }
    let mut classes: Vec<_> = scores.image(image).iter().copied().enumerate().collect();
    // Stable: the first of equals stays first.
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    classes.truncate(CLASSES);
    classes
}

/// A matrix of so many rows, transposed.
fn turned(data: &[f32], rows: usize) -> Vec<f32> {
    let columns = data.len() / rows.max(1);
    (0..data.len()).map(|i| data[i % rows * columns + i / rows]).collect()
}

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
    /// The size it had.
    original: (u32, u32),
    /// Whether a part of it was cut off.
    cropped: bool,
}

impl Fitted {
    /// The size of the picture.
    pub(crate) fn size(&self) -> Size {
        let (width, height) = self.picture.dimensions();
        Size { height: height as usize, width: width as usize }
    }

    pub(crate) fn open(source: &Source, network: &Network, fit: Fit) -> Result<Self> {
        ensure!(
            network.dims.len() == 4,
            "{}: its input has {} extents; batch, channels, height and width are needed",
            network.name,
            network.dims.len()
        );
        let image = picture::open(source)?;
        let original = image.dimensions();
        let own = Size { height: original.1 as usize, width: original.0 as usize };
        let Size { height, width } = network.size(Some(own));
        let side = |n: usize| u32::try_from(n).context("--size is too large for an image");
        let (width, height) = (side(width)?, side(height)?);
        let part = match fit {
            Fit::Squash => image,
            Fit::Crop => middle(image, (width, height)),
        };
        let cropped = part.dimensions() != original;
        let picture = if part.dimensions() == (width, height) {
            part
        } else {
            imageops::resize(&part, width, height, FilterType::Triangle)
        };
        Ok(Self { name: source.stem(), picture, original, cropped })
    }

    /// The size in words, height first as in `--size`.
    pub(crate) fn described(&self) -> String {
        let size = |(width, height)| format!("{height}×{width}");
        let (own, before) = (size(self.picture.dimensions()), size(self.original));
        match (self.original == self.picture.dimensions(), self.cropped) {
            (true, _) => format!("{own} (height×width)"),
            (_, true) => format!("{before} (height×width), its middle resized to {own}"),
            _ => format!("{before} (height×width), resized to {own}"),
        }
    }
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

/// The device, and why it is not a GPU where it is not.
pub(crate) fn device(engine: &Engine, asked: &str) -> String {
    let why = match engine {
        Engine::Gpu(gpu) if gpu.is_software() => " (software: slower than the CPU path)",
        Engine::Gpu(_) => "",
        Engine::Cpu if asked.eq_ignore_ascii_case("cpu") => ", as asked",
        _ => " (no GPU found: `unpool devices` says why)",
    };
    format!("{}{why}", engine.description())
}

/// What a session asked for.
pub(crate) fn memory(memory: Memory) -> String {
    let bytes = BinaryBytes;
    format!(
        "{} of weights, {} of tensors ({} if none were reused)",
        bytes(memory.weights),
        bytes(memory.tensors),
        bytes(memory.unshared)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_go_to_the_end_and_back() {
        let planes: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let pixels = turned(&planes, 3);
        assert_eq!(pixels[..6], [0.0, 8.0, 16.0, 1.0, 9.0, 17.0]);
        assert_eq!(turned(&pixels, 8), planes);
    }

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
