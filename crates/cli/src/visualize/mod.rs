//! `unpool visualize`: what a network sees in an image.

mod args;
mod batch;
mod crop;
mod method;
mod output;
mod overview;
mod seen;
mod sessions;
mod target;
mod top;
mod units_sheet;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::Parser;
use image::RgbImage;
use unpool_cnn::{Engine, Model};

use crate::files;
use crate::network::scores::{self, Class};
use crate::network::{self, CLASSES, Fitted, Network};
use crate::outcome::Outcome;
use crate::source;
use crate::usage;
use batch::Batch;
use output::Output;
use seen::Seen;
use sessions::{Request, Sessions};

pub(crate) use args::Args;

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_directory("--out", &args.out)?;
    for (option, dir) in [("--logdir", &args.logdir), ("--maps", &args.maps)] {
        if let Some(dir) = dir {
            files::check_directory(option, dir)?;
        }
    }
    let images = args.images.iter().map(|image| ("IMAGE", image));
    source::check(std::iter::once(("MODEL.onnx", &args.network.model)).chain(images))?;
    let network = Network::open(&args.network)?;
    let sources = network::files(&args.images)?;
    let images = sources
        .iter()
        .map(|source| Fitted::open(source, network.image_size()?, args.fit))
        .collect::<Result<Vec<_>>>()?;
    let engine = Engine::named(&args.device)?;
    let mut inputs: Vec<_> = sources.iter().collect();
    inputs.push(&args.network.model);

    // All pictures are computed before the first file is written.
    let request = Request::new(args, &network, true);
    let sessions = &mut Sessions::new(&request, &engine);
    let mut output = Output::new(args)?;
    let mut best = Vec::new();
    if let Some(count) = args.top {
        top::run(count.into(), sessions, &images, &mut output.sheets)?;
    } else {
        for batch in sessions.batches(&images)? {
            best.extend(draw(sessions, (batch, best.len()), &mut output)?);
        }
    }
    let written = output.write(&inputs)?;

    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    if let Some(open) = sessions.opened() {
        writeln!(out, "memory  {}", network::memory(open.session.memory()))?;
        writeln!(out, "values  {}", request.preprocessing.said)?;
        if let Some(advice) = network.advice(open.session.plan().scores(), &request.preprocessing) {
            writeln!(out, "note    {advice}")?;
        }
    }
    for (i, image) in images.iter().enumerate() {
        writeln!(out, "image   {}, {}", image.name, image.described())?;
        if let Some(classes) = best.get(i).filter(|classes| !classes.is_empty()) {
            writeln!(out, "        best classes {}", classes.join(", "))?;
        }
    }
    for name in written {
        writeln!(out, "wrote   {name}")?;
    }
    Ok(Outcome::Agrees)
}

/// The options of [`sheets`]: those of the command.
#[derive(Parser)]
#[command(name = "sheets", disable_help_flag = true)]
struct Options {
    #[command(flatten)]
    args: Args,
}

/// The sheets of images, each with its name, as `unpool visualize` draws them: PNG files, in the order of the
/// images. `options` are those of the command, such as `--class`; `name` is the model's name on the sheets.
/// Calls `each` after every sheet, and stops where that fails.
///
/// # Errors
///
/// Where an option is wrong or does not fit the model, the network cannot run on the images, or the device
/// has too little memory. Messages name the option.
pub fn sheets(
    (model, name): (Arc<Model>, &str),
    images: Vec<(String, RgbImage)>,
    engine: &Engine,
    options: &[String],
    mut each: impl FnMut() -> Result<()>,
) -> Result<Vec<Vec<u8>>> {
    // The model and the images are here already, so these two are not opened.
    let words = ["sheets", "model", "image"].map(String::from);
    let parsed = Options::try_parse_from(words.iter().chain(options));
    let Options { args } = parsed.map_err(|error| anyhow!(usage::misunderstood(&error).0))?;
    let network = Network::of(model, name.to_owned(), args.network.size)?;
    let images = images
        .into_iter()
        .map(|(name, image)| Fitted::of(name, image, network.image_size()?, args.fit))
        .collect::<Result<Vec<_>>>()?;
    let request = Request::new(&args, &network, false);
    let sessions = &mut Sessions::new(&request, engine);
    let mut output = Output::new(&args)?;
    let mut done = 0;
    for batch in sessions.batches(&images)? {
        let drawn = draw(sessions, (batch, done), &mut output)?;
        done += drawn.len();
        drawn.iter().try_for_each(|_| each())?;
    }
    Ok(output.sheets.into_bytes().collect())
}

/// Draws the sheets of a batch whose first image is number `first` of all, and returns the best classes of
/// each image in words.
fn draw(
    sessions: &mut Sessions<'_>,
    (batch, first): (Batch<'_>, usize),
    output: &mut Output<'_>,
) -> Result<Vec<Vec<String>>> {
    let request = sessions.request;
    let start = Instant::now();
    let (open, tensors) = sessions.forward(&batch)?;
    let activation = open.session.activation(&open.scores)?;
    let plan = open.session.plan();
    let classes = (0..batch.images.len()).map(|image| scores::ranked(plan, &activation, image));
    let classes: Vec<_> = classes.collect();
    let described =
        |class: &Class| format!("{}: {}", open.labels.named(class.number), class.percent());
    let said = classes.iter().map(|best| best.iter().take(CLASSES).map(described).collect());
    let said = said.collect();
    let seconds = start.elapsed().as_secs_f32() / batch.images.len() as f32;
    for (step, image) in (first..).zip(batch.images) {
        output.log(|board| {
            if step == 0 {
                board.graph(plan)?;
                board.text("model", &request.network.name)?;
            }
            board.image("input", step, &image.picture)?;
            board.scalar("seconds/forward", step, seconds)
        })?;
    }
    let has_classes = classes.iter().all(|best| !best.is_empty());
    let seen = Seen { request, batch, tensors: &tensors };
    let explains = has_classes || !request.args.class.is_empty();
    let sheets = match explains && !request.args.asks_for_units() {
        true => overview::draw(open, (&seen, first), &classes, output)?,
        false => units_sheet::draw(open, (&seen, first), &classes, output)?,
    };
    for (image, sheet) in batch.images.iter().zip(sheets) {
        output.sheets.add(&image.name, &sheet.draw())?;
    }
    Ok(said)
}
