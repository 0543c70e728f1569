//! A model file, and the preprocessing of images for it: size, channels, mean and scale.

use std::io::Read;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use indicatif::BinaryBytes;
use unpool_cnn::{Activation, Engine, Error, Memory, Model};

use crate::options::{BETWEEN, number};
use crate::picture;
use crate::source::Source;

/// The default extents, where neither the model nor the command line fixes them: those of ImageNet.
const USUAL: usize = 224;

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

/// How a pixel becomes a number: from 0 to 1, less the mean, times the scale.
#[derive(clap::Args)]
pub(crate) struct Preprocessing {
    /// Mean of each channel, which is subtracted from values of 0 to 1; one number or one per channel.
    #[arg(
        long,
        value_name = "M,…",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = finite,
        default_value = "0"
    )]
    mean: Vec<f32>,
    /// Factor of each channel, after the mean is subtracted: 1 over the standard deviation.
    #[arg(
        long,
        value_name = "S,…",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = factor,
        default_value = "1"
    )]
    scale: Vec<f32>,
}

fn finite(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|x: &f32| x.is_finite()).ok_or_else(|| "a number is needed".into())
}

fn factor(text: &str) -> Result<f32, String> {
    finite(text).ok().filter(|&x| x != 0.0).ok_or_else(|| "a number other than 0 is needed".into())
}

/// A model and the extents of its input.
pub(crate) struct Network {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) channels: usize,
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
        let [_, channels, height, width] = dims[..] else {
            bail!(
                "{name}: its input has {} extents; batch, channels, height and width are needed",
                dims.len()
            );
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
        Ok(Self {
            channels: channels.unwrap_or(3),
            height: height.or(asked.map(|s| s.height)),
            width: width.or(asked.map(|s| s.width)),
            free: height.is_none() || width.is_none(),
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

    /// Extents of the input for an image of that size, or for none.
    pub(crate) fn input(&self, image: Option<Size>) -> [usize; 4] {
        let height = self.height.or(image.map(|s| s.height)).unwrap_or(USUAL);
        let width = self.width.or(image.map(|s| s.width)).unwrap_or(USUAL);
        [1, self.channels, height, width]
    }
}

/// An image, resized to the network's input.
pub(crate) struct Fitted {
    /// The file's name without its directory and ending.
    pub(crate) name: String,
    /// At the input's size.
    pub(crate) picture: RgbImage,
    /// The size it had.
    pub(crate) original: (u32, u32),
}

impl Fitted {
    pub(crate) fn open(source: &Source, network: &Network) -> Result<Self> {
        let image = picture::open(source)?;
        let (width, height) = image.dimensions();
        let own = Size { height: height as usize, width: width as usize };
        let [_, _, height, width] = network.input(Some(own));
        let side = |n: usize| u32::try_from(n).context("--size is too large for an image");
        let (width, height) = (side(width)?, side(height)?);
        let picture = if image.dimensions() == (width, height) {
            image.clone()
        } else {
            imageops::resize(&image, width, height, FilterType::Triangle)
        };
        Ok(Self { name: source.stem(), picture, original: image.dimensions() })
    }

    /// The tensor, channels first.
    pub(crate) fn tensor(&self, channels: usize, with: &Preprocessing) -> Result<Vec<f32>> {
        let per_channel = |option: &str, list: &[f32]| match list.len() {
            1 => Ok(vec![list[0]; channels]),
            n if n == channels => Ok(list.to_vec()),
            n if channels == 1 => bail!("--{option}: {n} numbers; the model reads 1 channel"),
            n => bail!("--{option}: {n} numbers; 1 or {channels} are needed"),
        };
        let (mean, scale) = (per_channel("mean", &with.mean)?, per_channel("scale", &with.scale)?);
        let value: fn(&Rgb<u8>, usize) -> f32 = match channels {
            1 => |pixel, _| luma(pixel),
            3 => |pixel, c| f32::from(pixel.0[c]) / 255.0,
            n => bail!("the model reads {n} channels; 1 and 3 can be made of an image"),
        };
        let plane = |c: usize| {
            let (mean, scale) = (mean[c], scale[c]);
            self.picture.pixels().map(move |pixel| (value(pixel, c) - mean) * scale)
        };
        Ok((0..channels).flat_map(plane).collect())
    }

    /// The size in words, height first as in `--size`.
    pub(crate) fn described(&self) -> String {
        let size = |(width, height)| format!("{height}×{width}");
        let own = size(self.picture.dimensions());
        if self.original == self.picture.dimensions() {
            format!("{own} (height×width)")
        } else {
            format!("{} (height×width), resized to {own}", size(self.original))
        }
    }
}

/// Brightness from 0 to 1; exactly the grey of a grey pixel.
fn luma(pixel: &Rgb<u8>) -> f32 {
    let [r, g, b] = pixel.0.map(f32::from);
    if r == g && g == b { r / 255.0 } else { (0.299 * r + 0.587 * g + 0.114 * b) / 255.0 }
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
