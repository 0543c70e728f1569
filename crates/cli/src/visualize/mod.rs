//! `unpool visualize`: what a network sees in an image.

mod args;
mod crop;
mod method;
mod output;
mod overview;
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
use crate::network::{self, CLASSES, Fitted, Network, scores};
use crate::outcome::Outcome;
use crate::source;
use crate::usage;
use method::Seen;
use output::Output;
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
        .map(|source| Fitted::open(source, &network, args.fit))
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
        for (step, image) in images.iter().enumerate() {
            best.push(draw(sessions, (image, step), &mut output)?);
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
/// images. `options` are those of the command, such as `--class`; `name` is what the sheets call the model.
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
        .map(|(name, image)| Fitted::of(name, image, &network, args.fit))
        .collect::<Result<Vec<_>>>()?;
    let request = Request::new(&args, &network, false);
    let sessions = &mut Sessions::new(&request, engine);
    let mut output = Output::new(&args)?;
    for (step, image) in images.iter().enumerate() {
        draw(sessions, (image, step), &mut output)?;
        each()?;
    }
    Ok(output.sheets.into_bytes().collect())
}

/// Draws the sheet of an image, and returns its best classes in words.
fn draw(
    sessions: &mut Sessions<'_>,
    (image, step): (&Fitted, usize),
    output: &mut Output<'_>,
) -> Result<Vec<String>> {
    let request = sessions.request;
    let start = Instant::now();
    let (open, tensor) = sessions.forward(image)?;
    let activation = open.session.activation(&open.scores)?;
    let plan = open.session.plan();
    let classes = scores::ranked(plan, &activation, 0);
    let said = classes
        .iter()
        .take(CLASSES)
        .map(|class| format!("{}: {}", open.labels.named(class.number), class.percent()));
    let said = said.collect();
    output.log(|board| {
        if step == 0 {
            board.graph(plan)?;
            board.text("model", &request.network.name)?;
        }
        board.image("input", step, &image.picture)?;
        board.scalar("seconds/forward", step, start.elapsed().as_secs_f32())
    })?;
    let asks_for_units = request.args.asks_for_units();
    let seen = Seen { request, image, tensor: &tensor };
    let sheet = match asks_for_units || (classes.is_empty() && request.args.class.is_empty()) {
        true => units_sheet::draw(open, (&seen, step), &classes, output)?,
        false => overview::draw(open, (&seen, step), &classes, output)?,
    };
    output.sheets.add(&image.name, &sheet.draw())?;
    Ok(said)
}
