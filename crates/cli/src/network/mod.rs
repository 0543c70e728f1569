//! A model file, and images of the size that it reads.

mod fitted;
pub(crate) mod labels;
pub(crate) mod preprocessing;
pub(crate) mod scores;
mod size;

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::RgbImage;
use indicatif::BinaryBytes;
use unpool_cnn::{Activation, Engine, Error, Layer, Layout, Memory, Model};

use crate::source::Source;
use size::{InputSize, USUAL};

pub(crate) use fitted::{Fit, Fitted, files};
pub(crate) use labels::{ClassName, Labels, class};
pub(crate) use preprocessing::Preprocessing;
pub(crate) use size::Size;

/// Number of best classes that are listed with their scores.
pub(crate) const CLASSES: usize = 5;

// A group of arguments has the name of its struct, and the commands' own structs are called `Args`.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// An ONNX file; - for standard input.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: Source,
    /// Size of the input, height first, where the model leaves it open: one number for both; by
    /// default that of the image, if there is one, and else 224x224.
    #[arg(long, value_name = "HxW", allow_hyphen_values = true)]
    pub(crate) size: Option<Size>,
}

/// A model and the extents of its input.
pub(crate) struct Network {
    pub(crate) model: Arc<Model>,
    pub(crate) name: String,
    pub(crate) channels: usize,
    layout: Layout,
    /// What the file says of the extents of its input.
    dims: Vec<Option<usize>>,
    size: InputSize,
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
        Self::of(model.into(), name, args.size)
    }

    /// The network of a model, with extents where the model leaves them open.
    pub(crate) fn of(model: Arc<Model>, name: String, asked: Option<Size>) -> Result<Self> {
        let dims = model.input_dims().unwrap_or_else(|| vec![None; 4]);
        let layout = model.input_layout();
        let (channels, height, width) = match (layout, &dims[..]) {
            (Layout::ChannelsLast, &[_, height, width, channels])
            | (_, &[_, channels, height, width]) => (channels, height, width),
            // No images, but arrays go in.
            _ => (None, None, None),
        };
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
            size: InputSize {
                height: height.or(asked.map(|s| s.height)),
                width: width.or(asked.map(|s| s.width)),
            },
            free: is_free,
            model,
            name,
        })
    }

    /// The name of the file, without its directory.
    pub(crate) fn file_name(&self) -> String {
        let path = std::path::Path::new(&self.name);
        path.file_name().map_or(self.name.clone(), |name| name.to_string_lossy().into())
    }

    /// The size of its input for images. Refuses a network that does not read images.
    pub(crate) fn image_size(&self) -> Result<InputSize> {
        ensure!(
            self.dims.len() == 4,
            "{}: its input has {} extents; batch, channels, height and width are needed",
            self.name,
            self.dims.len()
        );
        Ok(self.size)
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

    /// A shape of the input: extents that are left open are those of usual images.
    pub(crate) fn usual_shape(&self) -> Vec<usize> {
        if self.dims.len() == 4 {
            return self.shape(self.size.of(None)).to_vec();
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
        with.red_first(self.channels_first(map))
    }

    /// An input as the picture that it was made of.
    pub(crate) fn picture(&self, input: &[f32], size: Size, with: &Preprocessing) -> RgbImage {
        with.picture(&self.channels_first(input), (size.width as u32, size.height as u32))
    }

    fn channels_first(&self, map: &[f32]) -> Vec<f32> {
        match self.layout {
            Layout::ChannelsLast => turned(map, map.len() / self.channels),
            _ => map.to_vec(),
        }
    }

    /// What to say of a network that was probably trained on other numbers than go into it.
    pub(crate) fn advice(&self, scores: &Layer, with: &Preprocessing) -> Option<&'static str> {
        let trained_on_imagenet = self.channels == 3 && [1000, 1001].contains(&scores.channels());
        (trained_on_imagenet && with.is_assumed).then_some(
            "values of 0 to 1 go in; networks of 1,000 classes are usually trained on those of \
             --preset imagenet, keras or caffe",
        )
    }
}

/// A matrix of so many rows, transposed.
fn turned(data: &[f32], rows: usize) -> Vec<f32> {
    let columns = data.len() / rows.max(1);
    (0..data.len()).map(|i| data[i % rows * columns + i / rows]).collect()
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
}
