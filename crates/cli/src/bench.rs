//! `unpool bench`: the times of the operations, as ratios to a copy on the same device; how they grow
//! with the tensor; and the shaders that are timed.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use unpool::{Engine, Kernel};
use unpool_bench::{Case, Order, Overhead, Row, Runs, Size};

use crate::outcome::Outcome;
use crate::sink::Sink;
use crate::{files, growth, terminal};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// auto, cpu, gpu, or part of an adapter's or backend's name.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
    /// Write the measurements to this file; - for standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<Sink>,
    /// Five runs instead of twenty; with --growth, no tensors of over 256 MiB.
    #[arg(long)]
    quick: bool,
    /// Tensors of up to 25 MB instead of 100 MB and more, for adapters that are software. Caches hold some
    /// of them.
    #[arg(long)]
    small: bool,
    /// Repeat each operation by itself, with warm caches, instead of interleaving them.
    #[arg(long)]
    repeated: bool,
    /// Only the cases whose name contains this.
    #[arg(long, default_value = "", value_name = "NAME")]
    case: String,
    /// Instead draw to this PNG file the time per byte for tensors from 4 KiB to over 1 GiB, on the
    /// CPU and on the device.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "case", "shaders"])]
    growth: Option<Sink>,
    /// Instead write the cases' shaders to this directory, and print for each its file and its entry
    /// point.
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    shaders: Option<PathBuf>,
}

impl Args {
    /// The files it writes, each with its option.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &Sink)> {
        let outputs = [("--json", &self.json), ("--growth", &self.growth)];
        outputs.into_iter().filter_map(|(option, sink)| Some((option, sink.as_ref()?))).collect()
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let runs = Runs {
        each: if args.quick { 5 } else { 20 },
        order: if args.repeated { Order::Repeated } else { Order::Interleaved },
    };
    files::check_outputs(&args.outputs(), &[])?;
    if let Some(directory) = &args.shaders {
        files::check_directory("--shaders", directory)?;
    }
    if let Some(file) = &args.growth {
        let largest = if args.quick { 256 << 20 } else { u64::MAX };
        return growth::run(&Engine::named(&args.device)?, runs, largest, file, out);
    }
    let all = unpool_bench::cases(if args.small { Size::Small } else { Size::Large })?;
    let cases: Vec<_> = all.iter().filter(|case| case.name.contains(&args.case)).collect();
    if cases.is_empty() {
        let names: Vec<_> = all.iter().map(|case| case.name).collect();
        bail!("no case has {:?} in its name; there are {}", args.case, names.join(", "));
    }
    if let Some(directory) = &args.shaders {
        return shaders(&cases, directory, out);
    }
    let engine = Engine::named(&args.device)?;
    writeln!(out, "device  {}", engine.description())?;
    writeln!(out, "wgpu    {WGPU}")?;
    writeln!(out, "runs    {} of each operation, times in ms", runs.each)?;
    if matches!(&engine, Engine::Gpu(gpu) if gpu.is_software()) {
        writeln!(out, "note    this adapter is software: its ratios tell nothing about a GPU")?;
    }
    writeln!(out)?;
    let narrow = terminal::columns().is_some_and(|columns| columns < terminal::width(HEADER));
    if !narrow {
        writeln!(out, "{HEADER}")?;
    }
    let mut rows = Vec::new();
    for case in cases {
        let measured =
            unpool_bench::run(&engine, case, runs).with_context(|| case.name.to_owned())?;
        for row in measured {
            writeln!(out, "{}", if narrow { lines(&row) } else { line(&row) })?;
            rows.push(row);
        }
    }
    if let Engine::Gpu(gpu) = &engine {
        let Overhead { pooling_us, step_us, record_us } = Overhead::measure(gpu)?;
        writeln!(
            out,
            "\non the host: making a Pooling {pooling_us:.1} µs, a Step {step_us:.1} µs; recording a \
             Step {record_us:.2} µs"
        )?;
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows)?;
        files::write(&[(file.clone(), text + "\n")])?;
    }
    Ok(Outcome::Agrees)
}

/// Writes the shaders that a device would compile for each case.
fn shaders(cases: &[&Case], directory: &Path, out: &mut impl Write) -> Result<Outcome> {
    let (mut sources, mut list) = (Vec::new(), String::new());
    for case in cases {
        let kernels = Kernel::all(&case.geometry, case.element);
        for (kernel, suffix) in kernels.iter().zip(["", "_values", "_last", "_sum", ""]) {
            let entry = kernel.entry_point();
            let file = directory.join(format!("{}.{entry}{suffix}.wgsl", case.name));
            list.push_str(&format!("{} {entry}\n", file.display()));
            sources.push((Sink::File(file), kernel.source(WORKGROUP_SIZE)));
        }
    }
    files::write(&sources)?;
    out.write_all(list.as_bytes())?;
    Ok(Outcome::Agrees)
}

/// The invocations of a workgroup in the shaders that are written.
const WORKGROUP_SIZE: u32 = 128;

/// The version of wgpu that the library depends on; it cannot be asked at run time.
const WGPU: &str = "30";

const HEADER: &str =
    "case           operation           median   copy ×copy ×floor  GB/s  ±%  compile";

/// A row under [`HEADER`].
fn line(row: &Row) -> String {
    let [median, copy, to_copy, to_floor, rate, spread, compile] = columns(row);
    let Row { case, op, .. } = row;
    format!(
        "{case:<14} {op:<19} {median:>6} {copy:>6} {to_copy:>5} {to_floor:>6} {rate:>5} {spread:>3} {compile:>8}"
    )
}

/// A row on several lines, for a narrow terminal.
fn lines(row: &Row) -> String {
    let [median, copy, to_copy, to_floor, rate, spread, compile] = columns(row);
    let Row { case, op, .. } = row;
    let compiled =
        row.compile_ms.map_or_else(String::new, |_| format!(", compiled in {compile} ms"));
    format!(
        "{case} {op}\n  median {median} ms ±{spread} %\n  copy {copy} ms\n  ×copy {to_copy}, ×floor {to_floor}\n  \
         {rate} GB/s{compiled}"
    )
}

/// The numbers of a row: median, time of the copy, ratio to it and to the floor, GB/s, half the distance of
/// the quantiles in percent of the median, and the time to compile.
fn columns(row: &Row) -> [String; 7] {
    let rate = row.bytes as f64 / row.median_ms / 1e6;
    let spread = (row.p90_ms - row.p10_ms) / 2.0 / row.median_ms * 100.0;
    [
        digits(row.median_ms),
        digits(row.copy_ms),
        digits(row.ratio_to_copy),
        digits(row.ratio_to_floor),
        format!("{rate:.0}"),
        format!("{:.0}", spread.min(999.0)),
        row.compile_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}")),
    ]
}

/// A number with three significant digits, where at most four decimals can show them.
fn digits(number: f64) -> String {
    let before = number.abs().log10().floor().clamp(-9.0, 9.0) as i32 + 1;
    format!("{number:.*}", (3 - before).clamp(0, 4) as usize)
}
