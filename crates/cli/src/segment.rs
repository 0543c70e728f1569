//! `unpool segment`: the class of each pixel, by an encoder-decoder.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use unpool_cnn::{Engine, Keep, Session};

use crate::axes::extents;
use crate::board::Board;
use crate::files;
use crate::network::labels::{self, Labels};
use crate::network::scores::percent;
use crate::network::{self, Fit, Fitted, Network, preprocessing};
use crate::outcome::Outcome;
use crate::segmentation::{Share, colour, map, overlay};
use crate::sink::Sink;
use crate::source::{self, Source};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
    /// A PNG, JPEG, WebP, GIF or BMP; - for standard input.
    image: Source,
    #[command(flatten)]
    labels: labels::Args,
    #[command(flatten)]
    preprocessing: preprocessing::Args,
    /// The class map, one colour for each class; - for standard output.
    #[arg(long, default_value = "map.png", value_name = "MAP.png")]
    out: Sink,
    /// The image with its classes over it, and their names beside it.
    #[arg(long, value_name = "OVERLAY.png")]
    overlay: Option<Sink>,
    /// Directory for a TensorBoard event file with the class map.
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

impl Args {
    /// The files it writes, each with its option.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &Sink)> {
        let overlay = self.overlay.iter().map(|overlay| ("--overlay", overlay));
        std::iter::once(("--out", &self.out)).chain(overlay).collect()
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    for (option, sink) in args.outputs() {
        let png = sink.path().map(|path| path.extension().unwrap_or_default());
        ensure!(
            png.is_none_or(|ending| ending.eq_ignore_ascii_case("png")),
            "{option} {sink}: a .png is needed"
        );
    }
    source::check([("MODEL.onnx", &args.network.model), ("IMAGE", &args.image)])?;
    files::check_outputs(&args.outputs(), &[&args.image, &args.network.model])?;
    if let Some(dir) = &args.logdir {
        files::check_directory("--logdir", dir)?;
    }
    let network = Network::open(&args.network)?;
    // Every pixel has a class, so none is cut off.
    let image = Fitted::open(&args.image, network.image_size()?, Fit::Squash)?;
    let preprocessing = args.preprocessing.chosen(&network.model);
    let tensor = network.tensor(&image, &preprocessing)?;
    let plan =
        network.model.plan(&network.shape(image.size())).map_err(|error| network.refused(error))?;
    let (scores, classes) = (plan.output(), plan.output().channels());
    let Ok(size) = <[usize; 2]>::try_from(scores.spatial()) else {
        bail!(
            "{}: its output is {}; a score for each class and pixel is needed",
            network.name,
            extents(scores.shape())
        );
    };
    let layout = scores.layout();
    let labels = Labels::of(&args.labels, &network.model, classes.max(2))?;
    let engine = Engine::named(&args.device)?;
    let session = Session::new(&engine, plan, Keep::Output);
    let mut session = session.map_err(|error| network.refused(error))?;
    let start = Instant::now();
    session.forward(&tensor).map_err(|error| network.refused(error))?;
    let output = session.output()?.channels_first(layout);
    network.check_finite(&output)?;
    let (found, classes) = match classes {
        // One map: where the object is, as networks for two classes have it.
        1 => {
            let is_sigmoid = session.plan().output().operator() == "Sigmoid";
            let least = if is_sigmoid { 0.5 } else { 0.0 };
            (output.data.iter().map(|&x| usize::from(x > least)).collect(), 2)
        }
        _ => (output.classes(), classes),
    };
    let seconds = start.elapsed().as_secs_f32();
    let map = map(&found, classes, size);
    let shares = Share::of(&found, classes);
    let named = |class: usize| labels.named(class);
    let mut files = vec![(args.out.clone(), files::png(&map)?)];
    if let Some(sink) = &args.overlay {
        files.push((
            sink.clone(),
            files::png(&overlay(&image.part, &map, &shares, classes, named))?,
        ));
    }
    files::write(&files)?;
    if let Some(logdir) = &args.logdir {
        let mut board = Board::create(logdir)?;
        board.graph(session.plan())?;
        board.image("input", 0, &image.picture)?;
        board.image("classes", 0, &map)?;
        board.scalar("seconds/forward", 0, seconds)?;
        board.finish()?;
    }
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    writeln!(out, "memory  {}", network::memory(session.memory()))?;
    writeln!(out, "image   {}, {}", args.image, image.described())?;
    writeln!(out, "values  {}", preprocessing.said)?;
    for Share { class, part } in &shares {
        let (percent, colour) = (percent(*part as f32), colour(*class, classes).0);
        writeln!(out, "class   {}, {colour}: {percent} of the pixels", labels.named(*class))?;
    }
    for (_, sink) in args.outputs() {
        writeln!(out, "wrote   {sink}")?;
    }
    Ok(Outcome::Agrees)
}
