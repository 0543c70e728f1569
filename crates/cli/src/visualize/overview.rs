//! The sheet that explains an image: its best classes, where the evidence for them lies,
//! which pixels count, and the strongest units of some layers.

use anyhow::{Result, ensure};
use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};
use indicatif::ProgressBar;
use unpool_cnn::{Activation, Layer, Rule, Strongest, Target, Unit};

use crate::axes::extents;
use crate::canvas::{Canvas, Letters};
use crate::colours::short;
use crate::contact::{Contact, GAP, PAPER, Panel, Row, SIDE, WIDTH};
use crate::layers::receptive_field;
use crate::maps::{GRAIN, stretched};
use crate::network::{CLASSES, Fitted, Labels, scores::Class};
use crate::options::distinct;
use crate::visualize::crop::crop;
use crate::visualize::method::Method;
use crate::visualize::output::Output;
use crate::visualize::seen::{Seen, single};
use crate::visualize::sessions::{Opened, Request};

/// Layers whose strongest units are shown, and units of each.
const LAYERS: usize = 4;
const UNITS: usize = 4;

/// A method, and the layer in whose maps it looks for evidence if it does.
type Way = (Method, Option<String>);

pub(crate) fn draw(
    open: &mut Opened,
    (seen, first): (&Seen<'_>, usize),
    classes: &[Vec<Class>],
    output: &mut Output<'_>,
) -> Result<Vec<Contact>> {
    let Seen { request, batch, .. } = *seen;
    let Request { args, network, preprocessing, .. } = request;
    let scores = open.session.plan().layer(&open.scores)?.clone();
    let asked = args.class.iter().map(|class| class.among(&scores, &open.labels));
    let asked = distinct(asked.collect::<Result<Vec<_>>>()?);
    // The classes that are explained: as many of each image.
    let best = |classes: &Vec<Class>| classes.iter().take(1).map(|class| class.number).collect();
    let explained: Vec<Vec<usize>> = match &asked[..] {
        [] => classes.iter().map(best).collect(),
        _ => batch.images.iter().map(|_| asked.clone()).collect(),
    };
    let count = explained.first().map_or(0, Vec::len);
    let ways = ways(request, open)?;
    let layers = if asked.is_empty() { LAYERS } else { 0 };
    let bar = request.progress(count * ways.len() + layers, batch.name())?;

    let images = batch.images.iter().enumerate();
    let first_row = |(i, image): (usize, &Fitted)| {
        vec![first_row(image, &classes[i], &explained[i], &open.labels)]
    };
    let mut rows: Vec<Vec<Row>> = images.map(first_row).collect();
    for n in 0..count {
        let target = |explained: &Vec<usize>| match scores.positions() {
            1 => Target::Class(explained[n]),
            _ => Target::Channel(explained[n]),
        };
        let targets = batch.targets(explained.iter().map(target).map(Some));
        let mut panels: Vec<Vec<Panel>> = batch.images.iter().map(|_| Vec::new()).collect();
        for (method, at) in &ways {
            let of = (open.scores.as_str(), &targets);
            let maps = seen.maps(&mut open.session, *method, of, at.as_deref())?;
            for (i, (map, image)) in maps.into_iter().zip(batch.images).enumerate() {
                let class = format!("class-{}", open.labels.named(explained[i][n]));
                let of = match at.as_ref().filter(|_| !args.layer.is_empty()) {
                    Some(at) => format!("{class}/{at}"),
                    None => class,
                };
                let of = (of.as_str(), method.name());
                output.map((&image.name, first + i), of, &map.picture, &map.numbers)?;
                panels[i].push(map.panel);
            }
            bar.inc(1);
        }
        for (i, panels) in panels.into_iter().enumerate() {
            let number = explained[i][n];
            let found = classes[i].iter().find(|class| class.number == number);
            let probability = found.map_or(String::new(), Class::percent);
            let heading = format!("{}  {probability}", open.labels.named(number));
            rows[i].extend(Row::of(heading, explanation(&ways), panels));
        }
    }
    if asked.is_empty() {
        units(open, seen, &bar, &mut rows)?;
    }
    bar.finish_and_clear();
    let guided = "Guided backpropagation shows what is in the image more than what decides.";
    let sheet = |(image, rows): (&Fitted, Vec<Row>)| {
        let (width, height) = image.picture.dimensions();
        let smoothed = match width.max(height) as f32 {
            longer if longer < GRAIN => "",
            _ => "The red and blue maps are smoothed over some pixels. ",
        };
        Contact {
            title: format!("What {} sees in {}", network.file_name(), image.name),
            lines: vec![
                format!("Image: {}. Values: {}.", image.described(), preprocessing.said),
                format!("{smoothed}{guided}"),
            ],
            rows,
        }
    };
    Ok(batch.images.iter().zip(rows).map(sheet).collect())
}

/// Each method that is asked for, once for each layer where it is to look for evidence: the layers that
/// are named, or the last one with maps.
fn ways(request: &Request<'_>, open: &Opened) -> Result<Vec<Way>> {
    let Request { args, methods, .. } = request;
    let plan = open.session.plan();
    let at: Vec<String> = match &args.layer[..] {
        [] => plan.last_maps().map(|layer| layer.name().to_owned()).into_iter().collect(),
        _ => open.names.clone(),
    };
    for name in &at {
        let layer = plan.layer(name)?;
        let shape = extents(layer.shape());
        ensure!(plan.has_maps(layer), "--layer {name}: is {shape}, which are no maps");
    }
    let mut ways = Vec::new();
    for &method in methods {
        match method.needs_maps() {
            // A network without maps has no evidence in them.
            true if at.is_empty() && !args.asks_for_methods() => {}
            true if !at.is_empty() => ways.extend(at.iter().map(|at| (method, Some(at.clone())))),
            _ => ways.push((method, None)),
        }
    }
    Ok(ways)
}

/// What the maps of a class are, in a sentence.
fn explanation(ways: &[Way]) -> String {
    let layers = distinct(ways.iter().filter_map(|(_, at)| at.as_deref()));
    if layers.is_empty() {
        return "What raises its score (red), and what lowers it (blue).".into();
    }
    format!(
        "Where evidence for it lies by the maps of {}; and what raises its score (red), and lowers it \
         (blue).",
        layers.join(", ")
    )
}

/// The whole image, and the best classes.
fn first_row(image: &Fitted, classes: &[Class], explained: &[usize], labels: &Labels) -> Row {
    let mut whole = image.whole.clone();
    let mut caption = "the image";
    if image.is_cropped() {
        caption = "framed: what the network reads";
        let [(x, y), (width, height)] = image.frame();
        for (inset, colour) in [(1, Rgb888::new(0, 0, 0)), (2, Rgb888::new(255, 255, 255))] {
            let size = (width.saturating_sub(2 * inset), height.saturating_sub(2 * inset));
            Canvas(&mut whole).frame((x + inset, y + inset), size, colour);
        }
    }
    let mut panels = vec![Panel::new(caption, &whole)];
    if !classes.is_empty() {
        let picture = bars(classes, explained, labels);
        panels.push(Panel::at_own_size("the best classes: probability, and score", picture));
    }
    Row { heading: String::new(), text: String::new(), panels }
}

/// The best classes with their names, probabilities and scores, those that are explained marked.
fn bars(classes: &[Class], explained: &[usize], labels: &Labels) -> RgbImage {
    const NAME: u32 = 270;
    const NUMBERS: u32 = 150;
    const PITCH: u32 = 36;
    let asked = classes
        .iter()
        .enumerate()
        .filter(|(i, class)| *i < CLASSES || explained.contains(&class.number));
    let shown: Vec<_> = asked.map(|(_, class)| class).collect();
    let width = WIDTH - SIDE - GAP;
    let height = (shown.len() as u32 * PITCH).max(SIDE / 2);
    let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    let mut canvas = Canvas(&mut picture);
    let room = width - NAME - NUMBERS;
    for (i, class) in shown.into_iter().enumerate() {
        let top = i as u32 * PITCH;
        let marked = explained.contains(&class.number);
        let ink = if marked { Rgb888::new(178, 24, 43) } else { Rgb888::new(70, 76, 86) };
        let name = Letters::Text.fitted(&labels.named(class.number), NAME - 20);
        canvas.text(&name, (10, top + 9), Letters::Text, ink);
        let long = (class.probability.unwrap_or(0.0) * room as f32).round() as u32;
        canvas.fill((NAME, top + 8), (room, PITCH - 16), Rgb888::new(238, 239, 240));
        canvas.fill((NAME, top + 8), (long.max(1), PITCH - 16), ink);
        let numbers = match class.probability {
            Some(_) => format!("{}   {}", class.percent(), short(class.score)),
            None => class.percent(),
        };
        canvas.text(&numbers, (NAME + room + 14, top + 9), Letters::Text, ink);
    }
    picture
}

/// Adds a row for each of some layers to the rows of each image: its strongest units, each with the part of
/// the image that it can see, and what of it guided backpropagation takes back.
fn units(
    open: &mut Opened,
    seen: &Seen<'_>,
    bar: &ProgressBar,
    rows: &mut [Vec<Row>],
) -> Result<()> {
    let session = &mut open.session;
    let plan = session.plan();
    let has_maps = |name: &&String| {
        **name != open.scores && plan.layer(name).is_ok_and(|layer| plan.has_maps(layer))
    };
    let names: Vec<_> = open.names.iter().filter(has_maps).collect();
    let first = names.len().saturating_sub(LAYERS);
    for name in &names[first..] {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?.channels_first(layer.layout());
        let images = 0..seen.batch.images.len();
        let found: Vec<_> = images.map(|i| strongest_units(&layer, &activation, i)).collect();
        let mut panels: Vec<Vec<Panel>> = found.iter().map(|_| Vec::new()).collect();
        for n in 0..found.iter().map(Vec::len).max().unwrap_or(0) {
            let target = |found: &Vec<Unit>| {
                let unit = found.get(n)?;
                Some(Target::Unit { channel: unit.channel, position: unit.position })
            };
            let targets = seen.batch.targets(found.iter().map(target));
            let maps = session.look_back(name, targets, Rule::Guided)?.map;
            for (i, found) in found.iter().enumerate() {
                if let Some(unit) = found.get(n) {
                    let region = session.plan().receptive_field(&layer, unit.position);
                    let drawn = seen.drawn(Method::Guided, &single(&maps, i)).picture;
                    let pictures = [&seen.batch.images[i].picture, &drawn];
                    panels[i].push(unit_panel(unit, pictures.map(|p| crop(p, &region))));
                }
            }
        }
        bar.inc(1);
        let sees = receptive_field(session.plan(), &layer);
        for (rows, panels) in rows.iter_mut().zip(panels).filter(|(_, panels)| !panels.is_empty()) {
            rows.push(Row {
                heading: format!("{name}  {}", extents(&layer.shape()[1..])),
                text: format!(
                    "Its strongest units, each with the part that it sees ({sees}) and what of it \
                     guided backpropagation takes back."
                ),
                panels,
            });
        }
    }
    Ok(())
}

/// The strongest unit of each of the channels of an image that respond most.
fn strongest_units(layer: &Layer, activation: &Activation, image: usize) -> Vec<Unit> {
    let mut found = Vec::new();
    for channel in 0..layer.channels() {
        let mut strongest = Strongest::new(channel, 1, 1);
        strongest.offer(0, activation, image);
        found.extend(strongest.found().iter().map(|found| found.unit));
    }
    found.sort_by(|a, b| b.value.total_cmp(&a.value));
    found.truncate(UNITS);
    found
}

/// The part of the image that a unit sees, and next to it the map that explains the unit.
fn unit_panel(unit: &Unit, parts: [RgbImage; 2]) -> Panel {
    let side = (SIDE - 4) / 2;
    let pictures = parts.map(|part| stretched(&part, side));
    let height = pictures.iter().map(RgbImage::height).max().unwrap_or(1);
    let mut both = RgbImage::from_pixel(SIDE, height, PAPER);
    for (i, picture) in pictures.iter().enumerate() {
        imageops::overlay(&mut both, picture, i64::from(i as u32 * (side + 4)), 0);
    }
    Panel::at_own_size(format!("channel {}: {}", unit.channel, short(unit.value)), both)
}
