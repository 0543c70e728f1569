//! `unpool visualize`: what layers of a network responded to, in the image's own space.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use unpool_cnn::{Activation, Engine, Layer, Rule, Target};

use crate::axes::extents;
use crate::board::Board;
use crate::contact::{Contact, Panel, Row, SIDE};
use crate::files::Files;
use crate::layers::sees;
use crate::network::{self, Fitted, Network, Preprocessing};
use crate::options::ordinal;
use crate::projection::{GRID, grid, signed, strongest_channels};
use crate::sessions::Sessions;
use crate::source::{self, Source};
use crate::{Outcome, files, top};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) network: network::Args,
    /// PNG, JPEG, WebP, GIF or BMP files, or directories of them; - for standard input.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<Source>,
    /// A layer to look back from, by name; may be given again. By default some activations and the
    /// class scores.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) layer: Vec<String>,
    /// Every layer.
    #[arg(long)]
    pub(crate) all: bool,
    /// A channel; by default the strongest of each layer.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = ordinal)]
    pub(crate) channel: Option<usize>,
    /// What of the channel, or of the layer, is looked back from.
    #[arg(long, value_enum, default_value = "responses", value_name = "WHAT")]
    of: Of,
    /// The N strongest units of a channel over all images, cropped to what they see.
    #[arg(long, value_name = "N", conflicts_with = "class", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=100))]
    top: Option<u16>,
    /// The score of a class; by default, at the class scores, that of the best.
    #[arg(long, value_name = "N", conflicts_with_all = ["layer", "all", "of"], allow_negative_numbers = true, value_parser = ordinal)]
    pub(crate) class: Option<usize>,
    /// Which rule at ReLU.
    #[arg(long, value_enum, default_value = "all", value_name = "RULE")]
    pub(crate) rule: RuleName,
    #[command(flatten)]
    pub(crate) preprocessing: Preprocessing,
    /// Directory for the pictures.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Directory for a TensorBoard event file.
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) device: String,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// The channel as it responded, each unit as strongly as it did.
    Responses,
    /// All units of the channel, each as strongly.
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

/// Classes that are named, with their scores.
const CLASSES: usize = 5;

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_directory("--out", &args.out)?;
    if let Some(dir) = &args.logdir {
        files::check_directory("--logdir", dir)?;
    }
    let images = args.images.iter().map(|image| ("IMAGE", image));
    source::check(std::iter::once(("MODEL.onnx", &args.network.model)).chain(images))?;
    let network = Network::open(&args.network)?;
    let sources = network::files(&args.images)?;
    let images =
        sources.iter().map(|source| Fitted::open(source, &network)).collect::<Result<Vec<_>>>()?;
    let engine = Engine::named(&args.device)?;
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    let mut inputs: Vec<_> = sources.iter().collect();
    inputs.push(&args.network.model);
    pictures(args, &network, &engine, (&images, &inputs), out)
}

/// Computes everything, then writes the files.
fn pictures(
    args: &Args,
    network: &Network,
    engine: &Engine,
    (images, inputs): (&[Fitted], &[&Source]),
    out: &mut impl Write,
) -> Result<Outcome> {
    let mut board = args.logdir.as_deref().map(Board::create).transpose()?;
    let (mut files, mut seen) = (Files::default(), Vec::new());
    let sessions = &mut Sessions { args, network, engine, open: None };
    if let Some(count) = args.top {
        top::run(args, count.into(), sessions, images, &mut files)?;
    } else {
        for (step, image) in images.iter().enumerate() {
            let (sheet, classes) = look(args, sessions, image, step, board.as_mut())?;
            seen.push(classes);
            files.add(&image.name, &sheet.draw())?;
        }
    }
    files.write(&args.out, inputs)?;
    if let Some(board) = board {
        board.finish()?;
    }
    if let Some((_, session)) = &sessions.open {
        writeln!(out, "memory  {}", network::memory(session.memory()))?;
    }
    for (i, image) in images.iter().enumerate() {
        writeln!(out, "image   {}, {}", image.name, image.described())?;
        if let Some(classes) = seen.get(i).filter(|classes| !classes.is_empty()) {
            let scores: Vec<_> =
                classes.iter().map(|(class, score)| format!("{class}: {score:.2}")).collect();
            writeln!(out, "        best classes {}", scores.join(", "))?;
        }
    }
    for name in files.names() {
        writeln!(out, "wrote   {}", args.out.join(name).display())?;
    }
    if let Some(dir) = &args.logdir {
        writeln!(out, "wrote   {}: tensorboard --logdir {}", dir.display(), dir.display())?;
    }
    Ok(Outcome::Agrees)
}

/// The sheet of one image, and its best classes with their scores.
fn look(
    args: &Args,
    sessions: &mut Sessions<'_>,
    image: &Fitted,
    step: usize,
    mut board: Option<&mut Board>,
) -> Result<(Contact, Vec<(usize, f32)>)> {
    let (channels, model) = (sessions.network.channels, sessions.network.name.clone());
    let start = Instant::now();
    let (session, names) = sessions.forward(image)?;
    let scores = session.plan().scores().name().to_owned();
    let classes = best_classes(&session.activation(&scores)?);
    let best = classes.first().map(|&(class, _)| class);
    if let Some(board) = board.as_deref_mut() {
        if step == 0 {
            board.graph(session.plan())?;
            board.text("model", &model)?;
        }
        board.image("input", step, &image.picture)?;
        board.scalar("seconds/forward", step, start.elapsed().as_secs_f32())?;
    }
    let rules = args.rule.rules();
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?;
    let bar = ProgressBar::new((names.len() * rules.len()) as u64).with_style(style);
    bar.set_message(image.name.clone());
    let size = [image.picture.height() as usize, image.picture.width() as usize];
    let mut rows = Vec::new();
    for name in &names {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?;
        let best = best.filter(|_| *name == scores);
        let (target, channel) = target(args, &layer, &activation, best)?;
        let activations = grid(&activation, 0, channel, SIDE);
        let response = activation.strongest(0, channel).map_or(0.0, |unit| unit.value);
        if let Some(board) = board.as_deref_mut() {
            board.image(&format!("{name}/activations"), step, &activations)?;
            board.histogram(&format!("{name}/histogram"), step, &activation.data)?;
        }
        let mut panels = vec![
            Panel::new("the image", image.picture.clone()),
            Panel::new(said_of_grid(&layer), activations),
        ];
        let start = Instant::now();
        for &rule in rules {
            let projection = session.look_back(name, target, rule)?;
            let picture = signed(&projection.map.data, channels, size);
            if let Some(board) = board.as_deref_mut() {
                board.image(&format!("{name}/{}", rule.name()), step, &picture)?;
            }
            panels.push(Panel::new(rule.name(), picture));
            bar.inc(1);
        }
        if let Some(board) = board.as_deref_mut() {
            let seconds = start.elapsed().as_secs_f32();
            board.scalar(&format!("seconds/back/{name}"), step, seconds)?;
        }
        rows.push(Row {
            heading: format!(
                "{name}  {}  {}",
                layer.operator(),
                extents(layer.shape().get(1..).unwrap_or_default())
            ),
            text: format!(
                "{}, {} {response:.3}; a unit sees {}",
                said_of_target(target),
                if matches!(target, Target::Class(_)) { "score" } else { "strongest response" },
                sees(session.plan(), &layer)
            ),
            panels,
        });
    }
    bar.finish_and_clear();
    let signs = match channels {
        1 => "red raises the response, blue lowers it",
        _ => "colours around grey: what raises the response in each colour",
    };
    let model = Path::new(&model).file_name().map_or(model.clone(), |n| n.to_string_lossy().into());
    let sheet = Contact {
        title: format!("What {model} saw in {}", image.name),
        lines: vec![
            format!("Each rule's picture is the response taken back to the image: {signs}."),
            "Deconvnet and guided show what is in the image more than what decides: see unpool-cnn's README."
                .into(),
        ],
        rows,
    };
    Ok((sheet, classes))
}

/// The classes with the best scores, of a layer with one unit per class.
fn best_classes(scores: &Activation) -> Vec<(usize, f32)> {
    let positions: usize = scores.shape.iter().skip(2).product();
    if positions != 1 {
        return Vec::new();
    }
    let mut classes: Vec<_> = scores.image(0).iter().copied().enumerate().collect();
    // Stable: the first of equals stays first.
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    classes.truncate(CLASSES);
    classes
}

/// Refuses a channel that a layer does not have.
pub(crate) fn check_channel(layer: &Layer, channel: usize) -> Result<()> {
    if channel >= layer.channels() {
        let last = layer.channels() - 1;
        bail!("--channel {channel}: {} has channels 0 to {last}", layer.name());
    }
    Ok(())
}

/// What is looked back from, and the channel it is in.
fn target(
    args: &Args,
    layer: &Layer,
    activation: &Activation,
    best: Option<usize>,
) -> Result<(Target, usize)> {
    if let Some(class) = args.class {
        if class >= layer.channels() {
            bail!("--class {class}: {} has classes 0 to {}", layer.name(), layer.channels() - 1);
        }
        return Ok(match layer.positions() {
            1 => (Target::Class(class), class),
            _ => (Target::Channel(class), class),
        });
    }
    let strongest = || strongest_channels(activation, 0).first().map_or(0, |&(c, _)| c);
    let channel = match (args.channel, best) {
        (Some(channel), _) | (None, Some(channel)) => channel,
        (None, None) => strongest(),
    };
    check_channel(layer, channel)?;
    Ok(match args.of {
        Of::Layer => (Target::Layer, channel),
        _ if best.is_some() => (Target::Class(channel), channel),
        Of::Responses => (Target::Responses(channel), channel),
        Of::Channel => (Target::Channel(channel), channel),
        Of::Strongest => (Target::Strongest(channel), channel),
    })
}

fn said_of_target(target: Target) -> String {
    match target {
        Target::Layer => "the whole layer".into(),
        Target::Responses(c) => format!("channel {c} as it responded"),
        Target::Channel(c) => format!("channel {c}, all its units"),
        Target::Strongest(c) => format!("channel {c}, its strongest unit"),
        Target::Class(c) => format!("class {c}"),
        Target::Unit { channel, position } => format!("channel {channel}, unit {position}"),
    }
}

fn said_of_grid(layer: &Layer) -> String {
    match (layer.channels(), layer.positions()) {
        (n, 1) if n > GRID => format!("best {GRID} of {n} scores"),
        (n, 1) => format!("{n} scores"),
        (n, _) if n > GRID => format!("strongest {GRID} of {n} channels"),
        (n, _) => format!("{n} channels"),
    }
}
