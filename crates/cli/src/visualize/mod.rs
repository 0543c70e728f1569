//! `unpool visualize`: the responses of a network's layers, projected back to the image.

mod args;
mod image_sheet;
mod sessions;
mod target;
mod top;

use std::io::Write;

use anyhow::Result;
use unpool_cnn::Engine;

use crate::board::Board;
use crate::files::{self, Files};
use crate::network::{self, Fitted, Network};
use crate::outcome::Outcome;
use crate::source::{self, Source};
use sessions::Sessions;

pub(crate) use args::Args;

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_directory("--out", &args.out)?;
    if let Some(dir) = &args.logdir {
        files::check_directory("--logdir", dir)?;
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
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    let mut inputs: Vec<_> = sources.iter().collect();
    inputs.push(&args.network.model);
    pictures(args, &network, &engine, (&images, &inputs), out)
}

/// Computes all pictures before the first file is written.
fn pictures(
    args: &Args,
    network: &Network,
    engine: &Engine,
    (images, inputs): (&[Fitted], &[&Source]),
    out: &mut impl Write,
) -> Result<Outcome> {
    let mut board = args.logdir.as_deref().map(Board::create).transpose()?;
    let (mut files, mut best) = (Files::default(), Vec::new());
    let sessions = &mut Sessions { args, network, engine, open: None };
    if let Some(count) = args.top {
        top::run(args, count.into(), sessions, images, &mut files)?;
    } else {
        for (step, image) in images.iter().enumerate() {
            let (sheet, classes) = image_sheet::draw(args, sessions, image, step, board.as_mut())?;
            best.push(classes);
            files.add(&image.name, &sheet.draw())?;
        }
    }
    files.write(&args.out, inputs)?;
    if let Some(board) = board {
        board.finish()?;
    }
    if let Some((_, session)) = &sessions.open {
        writeln!(out, "memory  {}", network::memory(session.memory()))?;
        if let Some(advice) = network.advice(session.plan().scores(), &args.preprocessing) {
            writeln!(out, "note    {advice}")?;
        }
    }
    for (i, image) in images.iter().enumerate() {
        writeln!(out, "image   {}, {}", image.name, image.described())?;
        if let Some(classes) = best.get(i).filter(|classes| !classes.is_empty()) {
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
