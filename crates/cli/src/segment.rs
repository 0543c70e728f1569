//! `unpool segment`: the class of each pixel, by an encoder-decoder.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use image::{Rgb, RgbImage};
use unpool_cnn::{Engine, Keep, Session};

use crate::axes::extents;
use crate::board::Board;
use crate::files;
use crate::network::{self, Fit, Fitted, Network};
use crate::outcome::Outcome;
use crate::preprocessing::Preprocessing;
use crate::sink::Sink;
use crate::source::{self, Source};

/// Colours of classes, repeated where there are more classes: black for the first, which is usually
/// the background, then seven that remain distinguishable under every common colour blindness (Okabe
/// and Ito 2008).
const COLOURS: [(&str, Rgb<u8>); 8] = [
    ("black", Rgb([0, 0, 0])),
    ("orange", Rgb([230, 159, 0])),
    ("sky blue", Rgb([86, 180, 233])),
    ("green", Rgb([0, 158, 115])),
    ("yellow", Rgb([240, 228, 66])),
    ("blue", Rgb([0, 114, 178])),
    ("vermilion", Rgb([213, 94, 0])),
    ("purple", Rgb([204, 121, 167])),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
    /// A PNG, JPEG, WebP, GIF or BMP; - for standard input.
    image: Source,
    #[command(flatten)]
    preprocessing: Preprocessing,
    /// The class map, one colour for each class; - for standard output.
    #[arg(long, default_value = "map.png", value_name = "MAP.png")]
    out: Sink,
    /// Directory for a TensorBoard event file with the class map.
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

impl Args {
    /// The file it writes, with its option.
    pub(crate) fn outputs(&self) -> [(&'static str, &Sink); 1] {
        [("--out", &self.out)]
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let png = args.out.path().map(|path| path.extension().unwrap_or_default());
    ensure!(
        png.is_none_or(|ending| ending.eq_ignore_ascii_case("png")),
        "--out {}: a .png is needed",
        args.out
    );
    source::check([("MODEL.onnx", &args.network.model), ("IMAGE", &args.image)])?;
    files::check_outputs(&args.outputs(), &[&args.image, &args.network.model])?;
    if let Some(dir) = &args.logdir {
        files::check_directory("--logdir", dir)?;
    }
    let network = Network::open(&args.network)?;
    // Every pixel has a class, so none is cut off.
    let image = Fitted::open(&args.image, &network, Fit::Squash)?;
    let tensor = network.tensor(&image, &args.preprocessing)?;
    let plan =
        network.model.plan(&network.shape(image.size())).map_err(|error| network.refused(error))?;
    let &[_, classes, map_height, map_width] = plan.output().shape() else {
        bail!(
            "{}: its output is {}; a score for each class and pixel is needed",
            network.name,
            extents(plan.output().shape())
        );
    };
    let engine = Engine::named(&args.device)?;
    let session = Session::new(&engine, plan, Keep::Output);
    let mut session = session.map_err(|error| network.refused(error))?;
    let start = Instant::now();
    session.forward(&tensor).map_err(|error| network.refused(error))?;
    let output = session.output()?;
    network.check_finite(&output)?;
    let found = output.classes();
    let seconds = start.elapsed().as_secs_f32();
    let map = RgbImage::from_fn(map_width as u32, map_height as u32, |x, y| {
        colour(found[y as usize * map_width + x as usize]).1
    });
    files::write(&[(args.out.clone(), files::png(&map)?)])?;
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
    for class in 0..classes {
        let count = found.iter().filter(|&&c| c == class).count();
        if count > 0 {
            let percent = 100.0 * count as f64 / found.len() as f64;
            writeln!(out, "class   {class}, {}: {percent:.1} % of the pixels", colour(class).0)?;
        }
    }
    writeln!(out, "wrote   {}", args.out)?;
    Ok(Outcome::Agrees)
}

fn colour(class: usize) -> (&'static str, Rgb<u8>) {
    COLOURS[class % COLOURS.len()]
}
