//! The arguments of `unpool visualize`.

use std::path::PathBuf;

use unpool_cnn::Rule;

use crate::network::{self, Fit};
use crate::options::ordinal;
use crate::preprocessing::Preprocessing;
use crate::source::Source;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) network: network::Args,
    /// PNG, JPEG, WebP, GIF or BMP files, or directories of them; - for standard input.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<Source>,
    /// A layer to look back from, by name; may be given more than once. By default up to five
    /// activations and the class scores.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) layer: Vec<String>,
    /// Every layer.
    #[arg(long)]
    pub(crate) all: bool,
    /// A channel; by default the strongest of each layer.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = ordinal)]
    pub(crate) channel: Option<usize>,
    /// The units to look back from: of the channel, or of the layer.
    #[arg(long, value_enum, default_value = "responses", value_name = "WHAT")]
    pub(crate) of: Of,
    /// The N strongest units of a channel over all images, cropped to their receptive fields.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) top: Option<u16>,
    /// The score of a class; by default the best class, at the class scores.
    #[arg(long, value_name = "N", conflicts_with_all = ["layer", "all", "of"], allow_negative_numbers = true, value_parser = ordinal)]
    pub(crate) class: Option<usize>,
    /// The rule at ReLU.
    #[arg(long, value_enum, default_value = "all", value_name = "RULE")]
    pub(crate) rule: RuleName,
    #[command(flatten)]
    pub(crate) preprocessing: Preprocessing,
    /// How an image whose proportions are others gets the size of the input.
    #[arg(long, value_enum, default_value = "crop", value_name = "HOW")]
    pub(crate) fit: Fit,
    /// Directory for the pictures.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Directory for a TensorBoard event file.
    #[arg(long, value_name = "DIR")]
    pub(crate) logdir: Option<PathBuf>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) device: String,
}

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

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RuleName {
    Gradient,
    Deconvnet,
    Guided,
    All,
}

impl RuleName {
    pub(crate) fn rules(self) -> &'static [Rule] {
        match self {
            Self::Gradient => &[Rule::Gradient],
            Self::Deconvnet => &[Rule::Deconvnet],
            Self::Guided => &[Rule::Guided],
            Self::All => &Rule::ALL,
        }
    }
}
