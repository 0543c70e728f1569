//! `unpool bench --growth`: time for a byte over the size of the tensor, drawn.

use std::io::Write;

use anyhow::Result;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Primitive};
use embedded_graphics::primitives::{Circle, Line, Polyline, PrimitiveStyle};
use image::{Rgb, RgbImage};
use unpool::Engine;
use unpool_bench::{Runs, growth};

use crate::canvas::{Canvas, Letters};
use crate::files;
use crate::outcome::Outcome;
use crate::sink::Sink;

/// The size of the image, and of the margins around the plot: left, top, right, bottom.
const SIZE: (u32, u32) = (960, 600);
const MARGIN: (u32, u32, u32, u32) = (90, 70, 260, 60);

const INK: Rgb888 = Rgb888::new(0x22, 0x22, 0x22);
const GRID: Rgb888 = Rgb888::new(0xdd, 0xdd, 0xda);
/// Of the operations that are drawn: colours that differ for eyes without red or green, too.
const SHOWN: [(&str, [Rgb888; 2]); 2] = [
    ("max_pool", [Rgb888::new(0x00, 0x5a, 0xb5), Rgb888::new(0x7f, 0xb2, 0xe5)]),
    ("max_unpool", [Rgb888::new(0xdc, 0x50, 0x10), Rgb888::new(0xf2, 0xaa, 0x84)]),
];

/// Times of one operation on one engine.
struct Curve {
    label: String,
    colour: Rgb888,
    /// Bytes of the tensor that is pooled, and picoseconds for each byte that must move.
    points: Vec<(f64, f64)>,
}

/// Measures tensors of up to `largest` bytes on the CPU and on `engine`, prints what came out, and
/// draws it to `file`.
pub(crate) fn run(
    engine: &Engine,
    runs: Runs,
    largest: u64,
    file: &Sink,
    out: &mut impl Write,
) -> Result<Outcome> {
    let engines = match engine {
        Engine::Cpu => vec![(Engine::Cpu, "CPU")],
        gpu => vec![(Engine::Cpu, "CPU"), (gpu.clone(), "GPU")],
    };
    let mut curves = Vec::new();
    for (shade, (engine, name)) in engines.iter().enumerate() {
        writeln!(out, "{name}     {}", engine.description())?;
        let mut of_engine = SHOWN.map(|(op, colours)| Curve {
            label: format!("{name} {op}"),
            colour: colours[shade],
            points: Vec::new(),
        });
        for case in growth()?.iter().filter(|case| case.input_bytes() <= largest) {
            for row in unpool_bench::run(engine, case, runs)? {
                let Some(i) = SHOWN.iter().position(|(op, _)| *op == row.op) else { continue };
                let each = row.median_ms * 1e9 / row.bytes as f64;
                writeln!(out, "{:>11} B {:<10} {each:>7.1} ps/B", case.input_bytes(), row.op)?;
                of_engine[i].points.push((case.input_bytes() as f64, each));
            }
        }
        curves.extend(of_engine);
    }
    let mut title: Vec<_> = engines.iter().map(|(engine, _)| engine.description()).collect();
    title.insert(0, "Time for a byte that must move, 2x2 pooling of f32, channels last".to_owned());
    files::write(&[(file.clone(), files::png(&draw(&title, &curves))?)])?;
    Ok(Outcome::Agrees)
}

/// Both axes are logarithmic.
fn draw(title: &[String], curves: &[Curve]) -> RgbImage {
    let mut image = RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([255; 3]));
    let mut canvas = Canvas(&mut image);
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let bound = |of: fn(&(f64, f64)) -> f64| {
        let logs = points().map(move |point| of(point).log10());
        logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (x, y) = (bound(|point| point.0), bound(|point| point.1));
    let y = (y.0.floor(), y.1.ceil());
    let (left, top) = (f64::from(MARGIN.0), f64::from(MARGIN.1));
    let width = f64::from(SIZE.0 - MARGIN.0 - MARGIN.2);
    let height = f64::from(SIZE.1 - MARGIN.1 - MARGIN.3);
    let at = |bytes: f64, each: f64| {
        let right = (bytes.log10() - x.0) / (x.1 - x.0);
        let down = (y.1 - each.log10()) / (y.1 - y.0);
        Point::new((left + right * width) as i32, (top + down * height) as i32)
    };

    for (i, line) in title.iter().enumerate() {
        canvas.text(line, (16, 8 + 18 * i as u32), Letters::Text, INK);
    }
    let rule = PrimitiveStyle::with_stroke(GRID, 1);
    for power in y.0 as i32..=y.1 as i32 {
        let each = 10_f64.powi(power);
        let (from, to) = (at(10_f64.powf(x.0), each), at(10_f64.powf(x.1), each));
        canvas.draw(&Line::new(from, to).into_styled(rule));
        let label = if power < 3 { format!("{each} ps") } else { format!("{} ns", each / 1e3) };
        let indent = (MARGIN.0 - 9).saturating_sub(Letters::Text.width(&label));
        canvas.text(&label, (indent, from.y as u32 - 7), Letters::Text, INK);
    }
    for power in (12..=30).step_by(3) {
        let bytes = 2_f64.powi(power);
        let (from, to) = (at(bytes, 10_f64.powf(y.0)), at(bytes, 10_f64.powf(y.1)));
        canvas.draw(&Line::new(from, to).into_styled(rule));
        let (unit, name) = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
            .into_iter()
            .find(|(unit, _)| power >= *unit)
            .unwrap_or((0, "B"));
        let label = format!("{} {name}", 1 << (power - unit));
        canvas.text(&label, (from.x as u32 - 25, from.y as u32 + 8), Letters::Text, INK);
    }
    canvas.text("tensor that is pooled", (MARGIN.0, SIZE.1 - 24), Letters::Text, INK);
    for (i, curve) in curves.iter().enumerate() {
        let stroke = PrimitiveStyle::with_stroke(curve.colour, 3);
        let line: Vec<_> = curve.points.iter().map(|&(bytes, each)| at(bytes, each)).collect();
        canvas.draw(&Polyline::new(&line).into_styled(stroke));
        for &point in &line {
            let dot = Circle::with_center(point, 8);
            canvas.draw(&dot.into_styled(PrimitiveStyle::with_fill(curve.colour)));
        }
        let key =
            Point::new((SIZE.0 - MARGIN.2 + 24) as i32, (MARGIN.1 + 30 * i as u32 + 8) as i32);
        canvas.draw(&Line::new(key, key + Point::new(30, 0)).into_styled(stroke));
        canvas.text(&curve.label, (key.x as u32 + 42, key.y as u32 - 7), Letters::Text, INK);
    }
    image
}
