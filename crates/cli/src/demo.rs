//! `unpool demo`: an image through the levels and back, checked, with pictures of every step.
//!
//! Everything is computed before the first file is written, so bad input leaves nothing behind.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use indicatif::HumanCount;
use unpool::Engine;

use crate::files::{self, Files};
use crate::levels::{Level, extents, geometries, positions, run as run_levels, scatter};
use crate::outcome::Outcome;
use crate::sheet::Sheet;
use crate::source::Source;
use crate::table::Table;
use crate::{argmax_map, drawing, network, picture, reference, tilt};

/// Bytes of an index in TensorFlow, PyTorch and ONNX.
const INDEX_BYTES: usize = 8;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A PNG, JPEG, WebP, GIF or BMP, - for standard input; by default one that the program draws.
    #[arg(long, value_name = "FILE")]
    image: Option<Source>,
    /// Levels of 2×2 pooling.
    #[arg(long, default_value_t = 3, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u8).range(1..))]
    levels: u8,
    /// Directory for the pictures.
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_directory("--out", &args.out)?;
    let image = match &args.image {
        Some(file) => picture::open(file)?,
        None => drawing::draw(),
    };
    let (width, height) = (image.width() as usize, image.height() as usize);
    let geometries = geometries(height, width, args.levels.into())?;
    let engine = Engine::named(&args.device)?;

    let levels = run_levels(&engine, &geometries, picture::to_cells(&image))?;
    let comparison = reference::compare(&engine, &levels)?;
    let misplaced = reference::misplaced(&levels)?;

    let kept = positions(&levels, |_, index| Some(index))?;
    let tilted_positions = positions(&levels, tilt::decode)?;
    let moved = kept.iter().zip(&tilted_positions).filter(|(own, tilted)| own != tilted).count();
    let tilted = scatter(&levels, &tilted_positions);
    let files = pictures(&image, &levels, &tilted)?;
    files.write(&args.out, &args.image.iter().collect::<Vec<_>>())?;

    let source = args.image.as_ref().map_or("drawn".into(), Source::to_string);
    writeln!(out, "device  {}", network::device(&engine, &args.device))?;
    writeln!(out, "image   {source}, {width}×{height}\n\n{}\n", table(&levels).fitted())?;
    if matches!(engine, Engine::Cpu) {
        writeln!(out, "check   ran on the CPU, which is the reference: no device to compare")?;
    } else {
        writeln!(
            out,
            "check   {} outputs of four operations, {} levels: {}",
            comparison.outputs,
            levels.len(),
            match comparison.departures.len() {
                0 => "every bit as on the CPU".into(),
                n => format!("{n} differ from the CPU"),
            }
        )?;
    }
    let departures: Vec<_> = comparison.departures.iter().chain(&misplaced).collect();
    for departure in &departures {
        writeln!(out, "        {departure}")?;
    }
    let count = |n: usize| HumanCount(n as u64);
    if misplaced.is_none() {
        writeln!(
            out,
            "        {} values kept to the last level: each at its own position",
            count(kept.len())
        )?;
    }
    writeln!(
        out,
        "tilt    width × kernel arithmetic puts {} of them at other positions",
        count(moved)
    )?;
    let dir = args.out.display();
    writeln!(out, "wrote   {} files to {dir}: look at {dir}/sheet.png", files.len())?;
    Ok(if departures.is_empty() { Outcome::Agrees } else { Outcome::Differs })
}

fn pictures(image: &image::RgbImage, levels: &[Level], tilted: &[f32]) -> Result<Files> {
    let size = [image.height() as usize, image.width() as usize];
    let mut files = Files::default();
    for (i, Level { geometry, pooled, .. }) in levels.iter().enumerate() {
        let pooled_size = extents(geometry.pooled_shape());
        let values = picture::from_cells(&pooled.values, pooled_size);
        files.add(&format!("pooled-{}", i + 1), &values)?;
        let map = argmax_map::channels(geometry, &pooled.taps);
        files.add(&format!("argmax-{}", i + 1), &map)?;
    }
    files.add("restored", &picture::from_cells(&levels[0].restored, size))?;
    files.add("tilted", &picture::from_cells(tilted, size))?;
    files.add("sheet", &Sheet { image, levels, tilted }.draw()?)?;
    Ok(files)
}

fn table(levels: &[Level]) -> Table {
    let mut table =
        Table::new(["level", "pools", "to", "argmax, bytes", "as 64-bit indices"]).right_from(0);
    let bytes = |n: usize| HumanCount(n as u64).to_string();
    let mut total = [0, 0];
    for (i, Level { geometry, .. }) in levels.iter().enumerate() {
        let size = |shape| {
            let [height, width] = extents(shape);
            format!("{width}×{height}")
        };
        let values = geometry.pooled_len();
        let found = [values * geometry.tap_width(), values * INDEX_BYTES];
        total = [total[0] + found[0], total[1] + found[1]];
        table.row([
            (i + 1).to_string(),
            size(geometry.input_shape()),
            size(geometry.pooled_shape()),
            bytes(found[0]),
            bytes(found[1]),
        ]);
    }
    if levels.len() > 1 {
        let [taps, indices] = total.map(bytes);
        table.row(["all".into(), String::new(), String::new(), taps, indices]);
    }
    table
}
