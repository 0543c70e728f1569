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
use std::time::Instant;

use anyhow::Result;
use unpool_cnn::Engine;

use crate::files;
use crate::network::{self, CLASSES, Fitted, Network, scores};
use crate::outcome::Outcome;
use crate::source;
use method::Seen;
use output::Output;
use sessions::{Request, Sessions};

pub(crate) use sessions::ensure_channels_second;

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
    let request = Request::new(args, &network);
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
