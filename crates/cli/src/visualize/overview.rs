//! The sheet of what a network makes of an image: its best classes, where the evidence for them lies,
//! which pixels count, and the strongest units of some layers.

use anyhow::{Result, ensure};
use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};
use indicatif::{ProgressBar, ProgressStyle};
use unpool_cnn::{Found, Layer, Rule, Session, Strongest, Target};

use crate::axes::extents;
use crate::canvas::{Canvas, Letters};
use crate::contact::{Contact, GAP, PAPER, Panel, Row, SIDE};
use crate::layers::receptive_field;
use crate::maps::stretched;
use crate::network::{CLASSES, Fitted, Labels, scores::Class};
use crate::visualize::crop::crop;
use crate::visualize::method::{Method, Seen};
use crate::visualize::output::Output;
use crate::visualize::sessions::{Opened, Request, Sessions};

/// Layers whose strongest units are shown, and units of each.
const LAYERS: usize = 4;
const UNITS: usize = 4;

pub(crate) fn draw(
    sessions: &mut Sessions<'_>,
    (image, step): (&Fitted, usize),
    classes: &[Class],
    output: &mut Output<'_>,
) -> Result<Contact> {
    let request @ Request { args, network, preprocessing, methods } = sessions.request;
    let (open, tensor) = sessions.forward(image)?;
    let plan = open.session.plan();
    let scores = plan.layer(&open.scores)?.clone();
    let explained: Vec<usize> = match &args.class[..] {
        [] => classes.iter().take(1).map(|class| class.number).collect(),
        asked => asked.iter().map(|c| c.among(&scores, &open.labels)).collect::<Result<_>>()?,
    };
    // Where evidence is looked for.
    let at: Vec<String> = match &args.layer[..] {
        [] => plan.last_maps().map(|layer| layer.name().to_owned()).into_iter().collect(),
        _ => open.names.clone(),
    };
    for name in &at {
        let layer = plan.layer(name)?;
        ensure!(
            layer.shape().len() == 4 && layer.positions() > 1,
            "--layer {name}: is {}, which are no maps",
            extents(layer.shape())
        );
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?;
    let count = explained.len() * (at.len() + methods.len()) + LAYERS;
    let bar = ProgressBar::new(count as u64).with_style(style);
    bar.set_message(image.name.clone());

    let mut rows = vec![first_row(image, classes, &explained, &open.labels)];
    let seen = Seen { request, image, tensor: &tensor };
    for &number in &explained {
        let target = match scores.positions() {
            1 => Target::Class(number),
            _ => Target::Channel(number),
        };
        let ways = at.iter().map(|at| (Method::GradCam, Some(at.as_str())));
        let others = methods.iter().filter(|&&method| method != Method::GradCam);
        let ways = ways.chain(others.map(|&method| (method, at.last().map(String::as_str))));
        let mut panels = Vec::new();
        for (method, at) in ways {
            let map = seen.map(&mut open.session, method, (&open.scores, target), at)?;
            let of = format!("class-{}", open.labels.named(number));
            output.map((&image.name, step), (&of, method.name()), &map.picture, &map.numbers)?;
            panels.push(map.panel);
            bar.inc(1);
        }
        let probability = classes.iter().find(|class| class.number == number);
        let probability = probability.map_or(String::new(), |class| percent(class.probability));
        let place = at.join(", ");
        let text = match at.is_empty() {
            true => "What raises its score (red), and what lowers it (blue).".to_owned(),
            false => format!(
                "Where evidence for it lies by the maps of {place}; and what raises its score (red), \
                 and lowers it (blue)."
            ),
        };
        let heading = format!("{}  {probability}", open.labels.named(number));
        rows.push(Row { heading, text, panels });
    }
    if args.class.is_empty() {
        rows.extend(units(open, &seen, &bar)?);
    }
    bar.finish_and_clear();
    Ok(Contact {
        title: format!("What {} sees in {}", network.file_name(), image.name),
        lines: vec![
            format!("Image: {}. Values: {}.", image.described(), preprocessing.said),
            "The red and blue maps are smoothed over some pixels. Guided backpropagation shows what is in \
             the image more than what decides."
                .into(),
        ],
        rows,
    })
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
    let shown: Vec<_> = asked.map(|(_, class)| class).take(CLASSES + 3).collect();
    let width = 3 * SIDE + 2 * GAP;
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
        let long = (class.probability * room as f32).round() as u32;
        canvas.fill((NAME, top + 8), (room, PITCH - 16), Rgb888::new(238, 239, 240));
        canvas.fill((NAME, top + 8), (long.max(1), PITCH - 16), ink);
        let numbers = format!("{}   {:.2}", percent(class.probability), class.score);
        canvas.text(&numbers, (NAME + room + 14, top + 9), Letters::Text, ink);
    }
    picture
}

pub(crate) fn percent(part: f32) -> String {
    match 100.0 * part {
        percent if percent < 0.05 => "< 0.1 %".into(),
        percent => format!("{percent:.1} %"),
    }
}

/// A row for each of some layers: its strongest units, each with the part of the image that it can see,
/// and what of it guided backpropagation takes back.
fn units(open: &mut Opened, seen: &Seen<'_>, bar: &ProgressBar) -> Result<Vec<Row>> {
    let session = &mut open.session;
    let names: Vec<_> = open.names.iter().filter(|name| **name != open.scores).collect();
    let first = names.len().saturating_sub(LAYERS);
    let mut rows = Vec::new();
    for name in &names[first..] {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?;
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
    Ok(Panel::at_own_size(format!("channel {}: {:.2}", unit.channel, unit.value), both))
}
