//! `unpool run`: the outputs of a network, or of some of its layers, for an image or an array.

use std::io::Write;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use unpool_cnn::{Activation, Engine, Keep, Session};

use crate::axes::extents;
use crate::files;
use crate::network::labels::{self, Labels};
use crate::network::{
    self, CLASSES, Fit, Fitted, Network, Preprocessing, preprocessing, scores::Class,
    scores::percent, scores::ranked,
};
use crate::npy::{Array, ArraySource, Needed, Number};
use crate::options::distinct;
use crate::outcome::Outcome;
use crate::sink::Sink;
use crate::source::{self, Source};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
    /// An image (PNG, JPEG, WebP, GIF, BMP), or an array of floats of the input's shape (.npy).
    #[arg(value_name = "INPUT")]
    input: Source,
    /// The output, an array (.npy); - for standard output. With more than one layer, the name of each
    /// stands before the ending.
    #[arg(long, value_name = "OUT.npy")]
    out: Option<Sink>,
    /// A layer whose responses are wanted instead of the output; may be given more than once.
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,
    /// The best classes with their scores, and shapes, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    labels: labels::Args,
    #[command(flatten)]
    preprocessing: preprocessing::Args,
    /// How an image whose proportions are others gets the size of the input.
    #[arg(long, value_enum, default_value = "crop", value_name = "HOW")]
    fit: Fit,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

impl Args {
    /// The file it writes, with its option.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &Sink)> {
        self.out.iter().map(|out| ("--out", out)).collect()
    }

    /// The file of a layer.
    fn file(&self, out: &Sink, layer: &str) -> Sink {
        let Some(path) = out.path().filter(|_| self.layer.len() > 1) else { return out.clone() };
        let safe = files::plain_name(layer);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Sink::File(path.with_file_name(format!("{stem}.{}.npy", safe.trim_matches('_'))))
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    source::check([("MODEL.onnx", &args.network.model), ("INPUT", &args.input)])?;
    files::check_outputs(&args.outputs(), &[&args.input, &args.network.model])?;
    ensure!(
        args.layer.len() < 2 || args.out.as_ref().is_none_or(|out| !out.is_standard()),
        "--out -: standard output takes one array, and {} layers are asked for",
        args.layer.len()
    );
    let network = Network::open(&args.network)?;
    let preprocessing = args.preprocessing.chosen(&network.model);
    let (shape, tensor, described) = input(args, &network, &preprocessing)?;
    let plan = network.model.plan(&shape).map_err(|error| network.refused(error))?;
    let names = match &args.layer[..] {
        [] => vec![plan.output().name().to_owned()],
        names => names
            .iter()
            .map(|name| Ok(plan.layer(name)?.name().to_owned()))
            .collect::<Result<Vec<_>>>()?,
    };
    let names = distinct(names);
    if let Some(sink) = &args.out {
        let files: Vec<_> = names.iter().map(|name| args.file(sink, name)).collect();
        let files: Vec<_> = files.iter().map(|file| ("--out", file)).collect();
        files::check_outputs(&files, &[&args.input, &args.network.model])?;
    }
    let scores = plan.scores().clone();
    let labels = Labels::of(&args.labels, &network.model, scores.channels())?;
    let mut kept: Vec<_> = names.iter().map(String::as_str).collect();
    kept.push(scores.name());
    let engine = Engine::named(&args.device)?;
    let session = Session::new(&engine, plan, Keep::Layers(&kept));
    let mut session = session.map_err(|error| network.refused(error))?;
    let start = Instant::now();
    session.forward(&tensor).map_err(|error| network.refused(error))?;
    let activations = names.iter().map(|name| session.activation(name));
    let activations = activations.collect::<Result<Vec<_>, _>>()?;
    let seconds = start.elapsed().as_secs_f32();
    if let Some(sink) = &args.out {
        let mut ready = Vec::new();
        for (name, Activation { shape, data }) in names.iter().zip(&activations) {
            let array = Array::new(Number::F32, shape.clone(), data);
            ready.push((args.file(sink, name), array.to_file()?));
        }
        files::write(&ready)?;
    }
    let all = session.activation(scores.name())?;
    let images = 0..all.shape.first().copied().unwrap_or(1);
    let classes: Vec<_> = images
        .map(|image| ranked(session.plan(), &all, image).into_iter().take(CLASSES))
        .filter(|best| best.len() > 0)
        .collect();
    if args.json {
        let layers: Vec<_> = names
            .iter()
            .zip(&activations)
            .map(|(name, a)| json!({ "layer": name, "shape": a.shape }))
            .collect();
        let images: Vec<_> = classes
            .into_iter()
            .map(|image| {
                let class = |class: Class| {
                    json!({
                        "class": class.number,
                        "name": labels.get(class.number),
                        "score": class.score,
                        "probability": class.probability,
                    })
                };
                image.map(class).collect::<Vec<_>>()
            })
            .collect();
        let all = json!({
            "model": network.name,
            "input": shape,
            "device": engine.description(),
            "seconds": seconds,
            "layers": layers,
            "classes": images,
        });
        writeln!(out, "{all}")?;
        return Ok(Outcome::Agrees);
    }
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    writeln!(out, "memory  {}", network::memory(session.memory()))?;
    writeln!(out, "input   {}, {described}", args.input)?;
    if is_image(&args.input) {
        writeln!(out, "values  {}", preprocessing.said)?;
        if let Some(advice) = network.advice(&scores, &preprocessing) {
            writeln!(out, "note    {advice}")?;
        }
    }
    for (name, activation) in names.iter().zip(&activations) {
        writeln!(out, "layer   {name}, {}", extents(&activation.shape))?;
    }
    for image in classes {
        let class = |class: Class| match class.probability {
            Some(part) => {
                format!("{}: {} ({:.4})", labels.named(class.number), percent(part), class.score)
            }
            None => format!("{}: {:.4}", labels.named(class.number), class.score),
        };
        writeln!(out, "best    {}", image.map(class).collect::<Vec<_>>().join(", "))?;
    }
    writeln!(out, "time    {seconds:.3} s forward")?;
    if let Some(sink) = &args.out {
        for name in &names {
            writeln!(out, "wrote   {}", args.file(sink, name))?;
        }
    }
    Ok(Outcome::Agrees)
}

/// Whether an input is an image: everything that does not have the name of an array.
fn is_image(input: &Source) -> bool {
    let ending = input.path().and_then(|path| path.extension()).unwrap_or_default();
    !["npy", "npz"].iter().any(|array| ending.eq_ignore_ascii_case(array))
}

/// The input's shape and elements, and its description.
fn input(
    args: &Args,
    network: &Network,
    preprocessing: &Preprocessing,
) -> Result<(Vec<usize>, Vec<f32>, String)> {
    if is_image(&args.input) {
        let image = Fitted::open(&args.input, network.image_size()?, args.fit)?;
        let tensor = network.tensor(&image, preprocessing)?;
        return Ok((network.shape(image.size()).to_vec(), tensor, image.described()));
    }
    let source = ArraySource { source: &args.input, array: None, option: "INPUT" };
    let array = Array::open(source, Needed::Elements)?;
    let found = array.number.name();
    ensure!(
        array.number == Number::F32,
        "{}: holds {found}; float32 is needed, as x.astype('float32') makes it",
        args.input
    );
    ensure!(
        args.preprocessing.is_default(),
        "{}: is an array, which goes in as it is; --preset, --mean and --scale are for images",
        args.input
    );
    let (tensor, described) = (array.numbers(), format!("{} of {found}", extents(&array.shape)));
    Ok((array.shape, tensor, described))
}
