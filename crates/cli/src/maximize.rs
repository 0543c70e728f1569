//! `unpool maximize`: images that excite a class or a channel of a network.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use unpool_cnn::{Ascent, Engine, Keep, Session, Target};

use crate::colours::short;
use crate::contact::{Contact, Panel, Row};
use crate::files::{self, Files, plain_name};
use crate::network::labels::{self, Labels};
use crate::network::{self, ClassName, Network, preprocessing};
use crate::options::{distinct, ordinal};
use crate::outcome::Outcome;
use crate::source;
use crate::terminal::progress;

/// Classes, or channels of a layer, that are shown if none is named.
const CHANNELS: usize = 8;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
    /// A class by number or name; may be given more than once; by default the first eight.
    #[arg(long, value_name = "CLASS", allow_negative_numbers = true, value_parser = network::class)]
    class: Vec<ClassName>,
    /// A layer, by name.
    #[arg(long, value_name = "NAME", conflicts_with = "class")]
    layer: Option<String>,
    /// A channel of the layer; may be given more than once; by default the first eight.
    #[arg(long, value_name = "N", requires = "layer", allow_negative_numbers = true, value_parser = ordinal)]
    channel: Vec<usize>,
    /// Steps, each a way forward and one back.
    #[arg(long, default_value = "200", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    steps: u16,
    #[command(flatten)]
    labels: labels::Args,
    #[command(flatten)]
    preprocessing: preprocessing::Args,
    /// Directory for the sheet.
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_directory("--out", &args.out)?;
    source::check([("MODEL.onnx", &args.network.model)])?;
    let network = Network::open(&args.network)?;
    let size = network.image_size()?.of(None);
    let preprocessing = args.preprocessing.chosen(&network.model);
    let range = preprocessing.range(network.channels)?;
    let plan = network.model.plan(&network.shape(size)).map_err(|error| network.refused(error))?;
    let layer = match &args.layer {
        Some(name) => plan.layer(name)?.clone(),
        None => plan.scores().clone(),
    };
    let labels = match args.layer {
        None => Labels::of(&args.labels, &network.model, layer.channels())?,
        Some(_) => Labels::default(),
    };
    let last = layer.channels() - 1;
    let channels: Vec<usize> = match (&args.class[..], &args.channel[..]) {
        ([], []) => (0..=last.min(CHANNELS - 1)).collect(),
        ([], channels) => channels.to_vec(),
        (classes, _) => {
            classes.iter().map(|class| class.among(&layer, &labels)).collect::<Result<_>>()?
        }
    };
    let channels = distinct(channels);
    for channel in &channels {
        let name = layer.name();
        ensure!(*channel <= last, "--channel {channel}: {name} has channels 0 to {last}");
    }
    let engine = Engine::named(&args.device)?;
    let session = Session::new(&engine, plan, Keep::Layers(&[layer.name()]));
    let mut session = session.map_err(|error| network.refused(error))?;
    let ascent = Ascent { steps: args.steps.into(), ..Ascent::new(range) };

    let bar = progress(channels.len(), "images")?;
    let mut panels = Vec::new();
    for &channel in &channels {
        let image = session.maximize(layer.name(), Target::Channel(channel), &ascent)?;
        let responses = session.activation(layer.name())?.channels_first(layer.layout());
        network.check_finite(&responses)?;
        let response = responses.strongest(0, channel).map_or(0.0, |unit| unit.value);
        let response = short(response);
        let name = match args.layer {
            None => labels.named(channel),
            Some(_) => format!("channel {channel}"),
        };
        let picture = network.picture(&image.data, size, &preprocessing);
        panels.push(Panel::new(format!("{name}: {response}"), &picture));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let rows = Row::of(String::new(), String::new(), panels);
    let sheet = Contact {
        title: format!("What excites {}", network.file_name()),
        lines: vec![format!(
            "Images that {} steps of ascent from grey make for {}; beside each name the strongest \
             response.",
            args.steps,
            layer.name()
        )],
        rows,
    };
    let mut files = Files::default();
    files.add(&format!("maximize-{}", plain_name(layer.name())), &sheet.draw())?;
    files.write(&args.out, &[&args.network.model])?;
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    writeln!(out, "memory  {}", network::memory(session.memory()))?;
    writeln!(out, "values  {}", preprocessing.said)?;
    if let Some(advice) = network.advice(session.plan().scores(), &preprocessing) {
        writeln!(out, "note    {advice}")?;
    }
    for name in files.names() {
        writeln!(out, "wrote   {}", args.out.join(name).display())?;
    }
    Ok(Outcome::Agrees)
}
