//! `unpool verify`: the CPU and a device against cases that other frameworks computed, and against the
//! definition where windows reach far.

use std::io::Write;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use unpool::Engine;

use crate::check::Check;
use crate::outcome::Outcome;
use crate::reach;
use crate::source::{self, Source};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of cases, one JSON object a line, - for standard input; the built-in cases if none is
    /// named.
    #[arg(value_name = "FILE.jsonl")]
    files: Vec<Source>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    source::check(args.files.iter().map(|file| ("FILE.jsonl", file)))?;
    // Every file is read before the first case is run: a broken one is told at once.
    let mut checks: Vec<Box<dyn Check>> = Vec::new();
    if args.files.is_empty() {
        checks.extend(boxed(unpool_vectors::builtin()));
        checks.extend(boxed(reach::cases()?));
    }
    for file in &args.files {
        checks.extend(boxed(match file.path() {
            Some(path) => unpool_vectors::read(path)?,
            None => unpool_vectors::read_from(&file.to_string(), file.open()?)?,
        }));
    }
    let device = Engine::named(&args.device)?;
    let mut engines = vec![Engine::Cpu];
    if !matches!(device, Engine::Cpu) {
        engines.push(device);
    }
    let mut outcome = Outcome::Agrees;
    for engine in &engines {
        if verify(engine, &checks, out)? > 0 {
            outcome = Outcome::Differs;
        }
    }
    Ok(outcome)
}

fn boxed<C: Check + 'static>(checks: Vec<C>) -> impl Iterator<Item = Box<dyn Check>> {
    checks.into_iter().map(|check| Box::new(check) as Box<dyn Check>)
}

/// Runs every check on `engine`, prints those that fail and the count, and gives the number of
/// failures.
fn verify(engine: &Engine, checks: &[Box<dyn Check>], out: &mut impl Write) -> Result<usize> {
    let device = engine.description();
    // indicatif draws on standard error, and only if that is a terminal.
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?;
    let bar = ProgressBar::new(checks.len() as u64).with_style(style);
    let mut failed = 0;
    for check in checks {
        if let Err(difference) = check.check(engine) {
            failed += 1;
            let failure = format!("{}\n  {difference}", check.title());
            bar.suspend(|| writeln!(out, "{failure}"))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    writeln!(out, "{device}: {} passed, {failed} failed", checks.len() - failed)?;
    Ok(failed)
}
