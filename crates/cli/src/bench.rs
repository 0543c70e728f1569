//! `unpool bench`: how long the operations take, as ratios to a copy on the same device.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use unpool::Engine;
use unpool_bench::{Row, Runs};

use crate::Outcome;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// auto, cpu, gpu, or part of an adapter's or backend's name.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
    /// Write the measurements to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the huge case out, and take five runs instead of twenty.
    #[arg(long)]
    quick: bool,
    /// Only the cases whose name holds this.
    #[arg(long, default_value = "", value_name = "NAME")]
    case: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let engine = Engine::named(&args.device)?;
    let runs = Runs(if args.quick { 5 } else { 20 });
    let cases = unpool_bench::cases()?.into_iter();
    let cases: Vec<_> = cases
        .filter(|case| case.name.contains(&args.case) && !(args.quick && case.name == "huge"))
        .collect();
    if cases.is_empty() {
        bail!("no case has {:?} in its name", args.case);
    }
    writeln!(out, "device  {}", engine.description())?;
    writeln!(out, "wgpu    {WGPU}")?;
    writeln!(out, "runs    {} of each operation, times in ms\n", runs.0)?;
    writeln!(out, "{HEADER}")?;
    let mut rows = Vec::new();
    for case in &cases {
        let measured =
            unpool_bench::run(&engine, case, runs).with_context(|| case.name.to_owned())?;
        for row in measured {
            writeln!(out, "{}", line(&row))?;
            rows.push(row);
        }
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows)?;
        fs::write(file, text + "\n").with_context(|| file.display().to_string())?;
    }
    Ok(Outcome::Agrees)
}

/// The version of wgpu that the library works with; nothing tells it at run time.
const WGPU: &str = "30";

const HEADER: &str =
    "case          operation            median  (10 %… 90 %)   copy   ×copy   GB/s";

fn line(row: &Row) -> String {
    format!(
        "{:<13} {:<19} {:>7.3}  ({:>6.3}…{:>6.3}) {:>6.2} {:>7.3} {:>6.1}",
        row.case,
        row.op,
        row.median_ms,
        row.p10_ms,
        row.p90_ms,
        row.copy_ms,
        row.ratio_to_copy,
        row.bytes as f64 / row.median_ms / 1e6,
    )
}
