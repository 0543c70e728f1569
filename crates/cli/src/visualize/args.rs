//! The arguments of `unpool visualize`.

use std::path::PathBuf;

use crate::network::labels::{self, ClassName};
use crate::network::{self, Fit, preprocessing};
use crate::options::{distinct, ordinal};
use crate::source::Source;
use crate::visualize::method::Method;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) network: network::Args,
    /// PNG, JPEG, WebP, GIF or BMP files, or directories of them; - for standard input.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<Source>,
    /// A layer to explain, by name; may be given more than once. With --class, a layer in whose
    /// maps Grad-CAM looks for the class.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) layer: Vec<String>,
    /// Every layer.
    #[arg(long)]
    pub(crate) all: bool,
    /// A channel; by default the strongest of each layer.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = ordinal)]
    pub(crate) channel: Option<usize>,
    /// The units to explain, of the channel or of the layer; by default responses.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "top")]
    pub(crate) of: Option<Of>,
    /// The N strongest units of a channel over all images, cropped to their receptive fields.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) top: Option<u16>,
    /// A class by number or name, to be explained instead of the best one; may be given more than
    /// once.
    #[arg(long, value_name = "CLASS", conflicts_with_all = ["all", "of"], allow_negative_numbers = true, value_parser = network::class)]
    pub(crate) class: Vec<ClassName>,
    /// Methods of attribution, with commas between them; by default three or four of them.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,…")]
    method: Vec<Method>,
    #[command(flatten)]
    pub(crate) labels: labels::Args,
    #[command(flatten)]
    pub(crate) preprocessing: preprocessing::Args,
    /// How an image whose proportions are others gets the size of the input.
    #[arg(long, value_enum, default_value = "crop", value_name = "HOW")]
    pub(crate) fit: Fit,
    /// Directory for the pictures.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Directory for every map as an array (.npy).
    #[arg(long, value_name = "DIR", conflicts_with = "top")]
    pub(crate) maps: Option<PathBuf>,
    /// Directory for a TensorBoard event file.
    #[arg(long, value_name = "DIR", conflicts_with = "top")]
    pub(crate) logdir: Option<PathBuf>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) device: String,
}

impl Args {
    /// Whether units of layers are asked for, rather than an explanation of the classes of an image.
    pub(crate) fn asks_for_units(&self) -> bool {
        let layers = !self.layer.is_empty() && self.class.is_empty();
        layers || self.all || self.channel.is_some() || self.of.is_some()
    }

    /// Whether methods are asked for.
    pub(crate) fn asks_for_methods(&self) -> bool {
        !self.method.is_empty()
    }

    /// The methods that are asked for, or others.
    pub(crate) fn methods_or(&self, usual: &[Method]) -> Vec<Method> {
        let asked = if self.method.is_empty() { usual } else { &self.method };
        distinct(asked.iter().copied())
    }
}

/// The units of a channel or a layer.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Of {
    /// All units of the channel, each weighted by its response.
    Responses,
    /// All units of the channel, equally weighted.
    Channel,
    /// The strongest unit of the channel.
    Strongest,
    /// All units of the layer.
    Layer,
}
