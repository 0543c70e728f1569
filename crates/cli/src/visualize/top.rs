//! `unpool visualize --top`: the strongest units of a channel over all images, each with the image
//! and the projections cropped to its receptive field (Zeiler and Fergus 2013, figure 2).

use anyhow::Result;
use image::{RgbImage, imageops};
use unpool_cnn::{Found, Strongest, Target};

use crate::contact::{Contact, PAPER, Panel, Row, SIDE};
use crate::files::{Files, plain_name};
use crate::layers::receptive_field;
use crate::maps::stretched;
use crate::network::Fitted;
use crate::terminal::progress;
use crate::visualize::batch::Batch;
use crate::visualize::crop::crop;
use crate::visualize::seen::Seen;
use crate::visualize::sessions::{Opened, Request, Sessions};
use crate::visualize::target::check_channel;

/// Number of channels of a layer that are shown if none is named: those with the strongest responses.
const CHANNELS: usize = 4;

pub(crate) fn run(
    count: usize,
    sessions: &mut Sessions<'_>,
    images: &[Fitted],
    files: &mut Files,
) -> Result<()> {
    let bar = progress(2 * images.len(), "images")?;
    let mut sought: Vec<(String, Vec<Strongest>)> = Vec::new();
    let mut number = 0;
    for batch in sessions.batches(images)? {
        let channel = sessions.request.args.channel;
        let (Opened { session, names, .. }, _) = sessions.forward(&batch)?;
        for (i, name) in names.iter().enumerate() {
            let layer = session.plan().layer(name)?.clone();
            let activation = session.activation(name)?.channels_first(layer.layout());
            if number == 0 {
                let sought_in = match channel {
                    Some(channel) => {
                        check_channel(&layer, channel)?;
                        channel..channel + 1
                    }
                    None => 0..layer.channels(),
                };
                let list = |channel| Strongest::new(channel, count, images.len());
                sought.push((name.clone(), sought_in.map(list).collect()));
            }
            for strongest in &mut sought[i].1 {
                for image in 0..batch.images.len() {
                    strongest.offer(number + image, &activation, image);
                }
            }
        }
        number += batch.images.len();
        bar.inc(batch.images.len() as u64);
    }
    for (_, lists) in &mut sought {
        // A channel without any response above 0 is not shown.
        lists.retain(|list| !list.found().is_empty());
        lists.sort_by(|a, b| strongest(b).total_cmp(&strongest(a)));
        lists.truncate(CHANNELS);
    }
    let mut crops = Crops::new(sessions.request, &sought);
    for (number, image) in images.iter().enumerate() {
        crops.take(sessions, number, image)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    for ((name, _), rows) in sought.iter().zip(crops.rows()) {
        let said = match rows.len() {
            0 => "No unit responded with more than 0.",
            _ => {
                "On the left the image, cropped to the unit's receptive field; then each method's map."
            }
        };
        let sheet = Contact {
            title: format!("The strongest {count} units of {name}, in {} images", images.len()),
            lines: vec![said.into()],
            rows,
        };
        files.add(&format!("top-{}", plain_name(name)), &sheet.draw())?;
    }
    Ok(())
}

/// The strongest response that was found.
fn strongest(list: &Strongest) -> f32 {
    list.found().first().map_or(0.0, |found| found.unit.value)
}

/// The crops of each unit: one of the image, and one of each method's map.
struct Crops<'a> {
    request: &'a Request<'a>,
    sought: &'a [(String, Vec<Strongest>)],
    /// The crops by layer, channel and unit.
    cut: Vec<Vec<Vec<Vec<RgbImage>>>>,
    /// The size of the receptive field of each layer.
    fields: Vec<String>,
}

impl<'a> Crops<'a> {
    fn new(request: &'a Request<'a>, sought: &'a [(String, Vec<Strongest>)]) -> Self {
        let empty = |(_, channels): &(String, Vec<Strongest>)| {
            channels.iter().map(|s| vec![Vec::new(); s.found().len()]).collect()
        };
        let cut = sought.iter().map(empty).collect();
        Self { request, sought, cut, fields: vec![String::new(); sought.len()] }
    }

    /// Crops the units that were found in one image.
    fn take(&mut self, sessions: &mut Sessions<'_>, number: usize, image: &Fitted) -> Result<()> {
        let here = |found: &Found| found.image == number;
        let any = self.sought.iter().flat_map(|(_, c)| c).any(|s| s.found().iter().any(here));
        if !any {
            return Ok(());
        }
        let request = self.request;
        let batch = Batch::of(image);
        let (Opened { session, .. }, tensors) = sessions.forward(&batch)?;
        let seen = Seen { request, batch, tensors: &tensors };
        for (l, (name, lists)) in self.sought.iter().enumerate() {
            let layer = session.plan().layer(name)?.clone();
            self.fields[l] = receptive_field(session.plan(), &layer);
            for (c, list) in lists.iter().enumerate() {
                for (u, found) in list.found().iter().enumerate().filter(|(_, f)| here(f)) {
                    let unit = found.unit;
                    let region = session.plan().receptive_field(&layer, unit.position);
                    let mut cut = vec![crop(&image.picture, &region)];
                    let target = Target::Unit { channel: unit.channel, position: unit.position };
                    for &method in &request.methods {
                        let maps = seen.maps(session, method, (name, &target.into()), None)?;
                        cut.extend(maps.iter().map(|map| crop(&map.picture, &region)));
                    }
                    self.cut[l][c][u] = cut;
                }
            }
        }
        Ok(())
    }

    /// The rows of each layer's sheet.
    fn rows(&self) -> Vec<Vec<Row>> {
        let row = |l: usize, c: usize| {
            let list = &self.sought[l].1[c];
            let methods = self.request.methods.iter().map(|method| method.name());
            let captions = std::iter::once("the images").chain(methods);
            let panels = captions.enumerate().map(|(i, caption)| {
                let parts = self.cut[l][c].iter().filter_map(|unit| unit.get(i));
                Panel::new(caption, &tiled(&parts.collect::<Vec<_>>()))
            });
            let values: Vec<_> =
                list.found().iter().map(|f| format!("{:.2}", f.unit.value)).collect();
            let channel = list.found().first().map_or(0, |f| f.unit.channel);
            Row {
                heading: format!("channel {channel}  a unit sees {}", self.fields[l]),
                text: format!("{} found, responses {}", values.len(), values.join(" ")),
                panels: panels.collect(),
            }
        };
        (0..self.sought.len())
            .map(|l| (0..self.sought[l].1.len()).map(|c| row(l, c)).collect())
            .collect()
    }
}

/// Pictures tiled in a square, each as large as its tile allows.
fn tiled(pictures: &[&RgbImage]) -> RgbImage {
    let across = (pictures.len() as f64).sqrt().ceil().max(1.0) as u32;
    let tile = (SIDE - (across - 1) * 4) / across;
    let mut sheet = RgbImage::from_pixel(SIDE, SIDE, PAPER);
    for (i, picture) in pictures.iter().enumerate() {
        let (column, row) = (i as u32 % across, i as u32 / across);
        let (x, y) = (column * (tile + 4), row * (tile + 4));
        imageops::overlay(&mut sheet, &stretched(picture, tile), x.into(), y.into());
    }
    sheet
}
