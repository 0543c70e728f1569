//! unpool and Burn 0.22 on the same adapter in the same run.
//!
//! Both pool the same tensors and give the same gradient; the results are compared before anything
//! is timed. Then the operations take turns, each timed from the call until the device has
//! finished.

mod burn;
mod ours;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use unpool::Engine;
use unpool_bench::{Case, Size};

use burn::Burn;
use ours::Ours;
use table::{Row, Times};

/// The geometries that are compared, by their names in `unpool bench`.
const CASES: [&str; 4] = ["nhwc_2x2", "nhwc_3x3s2", "nchw_2x2", "nchw_3x3s2"];

/// Runs that warm up before the timed ones.
const WARM_UP: usize = 3;

/// unpool and Burn on the same adapter in the same run.
#[derive(Parser)]
struct Args {
    /// gpu (the best adapter), or part of an adapter's or backend's name.
    #[arg(long, default_value = "gpu", value_name = "NAME")]
    device: String,
    /// Timed runs of each operation.
    #[arg(long, default_value_t = 25, value_name = "N")]
    runs: usize,
    /// Write the measurements to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.runs > 0, "--runs 0 measures nothing");
    let Engine::Gpu(gpu) = Engine::named(&args.device)? else {
        anyhow::bail!("Burn's wgpu backend needs an adapter: {:?} is the CPU", args.device);
    };
    let burn = Burn::on(&gpu.info())?;
    println!("unpool  {}", gpu.description());
    println!("Burn    {}\n", burn.description());

    let cases = unpool_bench::cases(Size::Small)?;
    let mut rows = Vec::new();
    println!("{}", table::HEADER);
    for name in CASES {
        let case = cases.iter().find(|case| case.name == name).context(name)?;
        let pairs = measure(&Ours::new(&gpu, case)?, &burn, case, args.runs).context(name)?;
        for (op, [ours, peer]) in ["max_pool", "max_pool_backward"].into_iter().zip(pairs) {
            println!("{}", table::line(name, op, &ours, &peer));
            rows.push(Row::new("unpool", &gpu.description(), name, op, &ours));
            rows.push(Row::new(burn::VERSION, &burn.description(), name, op, &peer));
        }
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows)?;
        fs::write(file, text + "\n").with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The times of pooling and of its gradient, unpool's and Burn's, after comparing what they give.
fn measure(ours: &Ours, burn: &Burn, case: &Case, runs: usize) -> Result<[[Times; 2]; 2]> {
    let theirs = burn.operands(case, ours.input(), ours.grad())?;
    let pooled = theirs.pool();
    ours.pool();
    let (values, indices) = theirs.read(&pooled)?;
    ensure!(ours.values()? == values, "the values differ");
    ensure!(ours.indices()? == indices, "the indices differ");
    ours.backward();
    ensure!(
        ours.gradient()? == theirs.read_gradient(theirs.backward(&pooled))?,
        "the gradients differ"
    );

    let mut times: [[Times; 2]; 2] = Default::default();
    for run in 0..WARM_UP + runs {
        let [pool, backward] = [
            [timed(|| ours.pool()), timed(|| theirs.pool_and_sync())],
            [timed(|| ours.backward()), timed(|| theirs.backward_and_sync(&pooled))],
        ];
        if run >= WARM_UP {
            for (times, found) in times.iter_mut().flatten().zip([pool, backward].concat()) {
                times.push(found);
            }
        }
    }
    Ok(times)
}

/// Milliseconds of a call.
fn timed(call: impl FnOnce()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64() * 1e3
}
