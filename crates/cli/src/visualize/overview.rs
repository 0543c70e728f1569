//! The sheet of what a network makes of an image: its best classes, where the evidence for them lies,
//! which pixels count, and the strongest units of some layers.

use anyhow::{Result, ensure};
use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};
use indicatif::ProgressBar;
use unpool_cnn::{Found, Layer, Rule, Session, Strongest, Target};

use crate::axes::extents;
use crate::canvas::{Canvas, Letters};
use crate::colours::short;
use crate::contact::{Contact, GAP, PAPER, Panel, Row, SIDE, WIDTH};
use crate::layers::receptive_field;
use crate::maps::{GRAIN, stretched};
use crate::network::{CLASSES, Fitted, Labels, scores::Class};
use crate::options::distinct;
use crate::visualize::crop::crop;
use crate::visualize::method::{Method, Seen};
use crate::visualize::output::Output;
use crate::visualize::sessions::{Opened, Request};

/// Layers whose strongest units are shown, and units of each.
const LAYERS: usize = 4;
const UNITS: usize = 4;

/// A method, and the layer in whose maps it looks for evidence if it does.
type Way = (Method, Option<String>);

pub(crate) fn draw(
    open: &mut Opened,
    (seen, step): (&Seen<'_>, usize),
    classes: &[Class],
    output: &mut Output<'_>,
) -> Result<Contact> {
    let Seen { request, image, .. } = *seen;
    let Request { args, network, preprocessing, .. } = request;
    let scores = open.session.plan().layer(&open.scores)?.clone();
    let explained: Vec<usize> = match &args.class[..] {
        [] => classes.iter().take(1).map(|class| class.number).collect(),
        asked => asked.iter().map(|c| c.among(&scores, &open.labels)).collect::<Result<_>>()?,
    };
    let explained = distinct(explained);
    let ways = ways(request, open)?;
    let layers = if args.class.is_empty() { LAYERS } else { 0 };
    let bar = request.progress(explained.len() * ways.len() + layers, &image.name)?;

    let mut rows = vec![first_row(image, classes, &explained, &open.labels)];
    for &number in &explained {
        let mut panels = Vec::new();
        for (method, at) in &ways {
            let target = match scores.positions() {
                1 => Target::Class(number),
                _ => Target::Channel(number),
            };
            let of = (open.scores.as_str(), target);
            let map = seen.map(&mut open.session, *method, of, at.as_deref())?;
            let class = format!("class-{}", open.labels.named(number));
            let of = match at.as_ref().filter(|_| !args.layer.is_empty()) {
                Some(at) => format!("{class}/{at}"),
                None => class,
            };
            output.map((&image.name, step), (&of, method.name()), &map.picture, &map.numbers)?;
            panels.push(map.panel);
            bar.inc(1);
        }
        let found = classes.iter().find(|class| class.number == number);
        let probability = found.map_or(String::new(), Class::percent);
        let heading = format!("{}  {probability}", open.labels.named(number));
        rows.extend(Row::of(heading, explanation(&ways), panels));
    }
    if args.class.is_empty() {
        rows.extend(units(open, seen, &bar)?);
    }
    bar.finish_and_clear();
    let (width, height) = image.picture.dimensions();
    let smoothed = match width.max(height) as f32 {
        longer if longer < GRAIN => "",
        _ => "The red and blue maps are smoothed over some pixels. ",
    };
    let guided = "Guided backpropagation shows what is in the image more than what decides.";
    Ok(Contact {
        title: format!("What {} sees in {}", network.file_name(), image.name),
        lines: vec![
            format!("Image: {}. Values: {}.", image.described(), preprocessing.said),
            format!("{smoothed}{guided}"),
        ],
        rows,
    })
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

/// A row for each of some layers: its strongest units, each with the part of the image that it can see,
/// and what of it guided backpropagation takes back.
fn units(open: &mut Opened, seen: &Seen<'_>, bar: &ProgressBar) -> Result<Vec<Row>> {
    let session = &mut open.session;
    let plan = session.plan();
    let has_maps = |name: &&String| {
        **name != open.scores && plan.layer(name).is_ok_and(|layer| plan.has_maps(layer))
    };
    let names: Vec<_> = open.names.iter().filter(has_maps).collect();
    let first = names.len().saturating_sub(LAYERS);
    let mut rows = Vec::new();
    for name in &names[first..] {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?.channels_first(layer.layout());
        let mut found: Vec<Found> = Vec::new();
        for channel in 0..layer.channels() {
            let mut strongest = Strongest::new(channel, 1, 1);
            strongest.offer(0, &activation, 0);
            found.extend(strongest.found());
        }
        found.sort_by(|a, b| b.unit.value.total_cmp(&a.unit.value));
        found.truncate(UNITS);
        let panels = found.iter().map(|found| unit_panel(session, seen, &layer, found));
        let panels = panels.collect::<Result<Vec<_>>>()?;
        bar.inc(1);
        if panels.is_empty() {
            continue;
        }
        rows.push(Row {
            heading: format!("{name}  {}", extents(&layer.shape()[1..])),
            text: format!(
                "Its strongest units, each with the part that it sees ({}) and what of it guided \
                 backpropagation takes back.",
                receptive_field(session.plan(), &layer)
            ),
            panels,
        });
    }
    Ok(rows)
}

/// The part of the image that a unit sees, and beside it what is taken back from the unit.
fn unit_panel(
    session: &mut Session,
    seen: &Seen<'_>,
    layer: &Layer,
    Found { unit, .. }: &Found,
) -> Result<Panel> {
    let target = Target::Unit { channel: unit.channel, position: unit.position };
    let map = session.look_back(layer.name(), target, Rule::Guided)?.map;
    let region = session.plan().receptive_field(layer, unit.position);
    let drawn = seen.drawn(Method::Guided, &map).picture;
    let side = (SIDE - 4) / 2;
    let pictures = [&seen.image.picture, &drawn].map(|p| stretched(&crop(p, &region), side));
    let height = pictures.iter().map(RgbImage::height).max().unwrap_or(1);
    let mut both = RgbImage::from_pixel(SIDE, height, PAPER);
    for (i, picture) in pictures.iter().enumerate() {
        imageops::overlay(&mut both, picture, i64::from(i as u32 * (side + 4)), 0);
    }
    Ok(Panel::at_own_size(format!("channel {}: {}", unit.channel, short(unit.value)), both))
}
