//! The sheet of an image's units: a row for each layer, with the map of each method.

use std::time::Instant;

use anyhow::Result;
use unpool_cnn::{Layer, Target};

use crate::axes::extents;
use crate::contact::{Contact, Panel, Row, SIDE};
use crate::layers::receptive_field;
use crate::network::Fitted;
use crate::network::scores::Class;
use crate::responses::{GRID, grid};
use crate::visualize::method::Method;
use crate::visualize::output::Output;
use crate::visualize::seen::{Seen, single};
use crate::visualize::sessions::{Opened, Request};
use crate::visualize::target::{described, target};

pub(crate) fn draw(
    open: &mut Opened,
    (seen, first): (&Seen<'_>, usize),
    classes: &[Vec<Class>],
    output: &mut Output<'_>,
) -> Result<Vec<Contact>> {
    let Seen { request, batch, .. } = seen;
    let Request { args, network, .. } = request;
    // A network without classes has its units shown, whether or not they are asked for.
    let methods = args.methods_or(&Method::OF_UNITS);
    let (session, scores) = (&mut open.session, open.scores.as_str());
    let maps_layer = session.plan().last_maps().map(|layer| layer.name().to_owned());
    let bar = request.progress(open.names.len() * methods.len(), batch.name())?;
    let mut rows: Vec<Vec<Row>> = batch.images.iter().map(|_| Vec::new()).collect();
    for name in &open.names {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?.channels_first(layer.layout());
        let sees = receptive_field(session.plan(), &layer);
        let mut targets = Vec::new();
        for (i, image) in batch.images.iter().enumerate() {
            let own = single(&activation, i);
            let best = classes[i].first().map(|class| class.number).filter(|_| name == scores);
            let (target, channel) = target(args, &layer, &own, best)?;
            let activations = grid(&own, 0, channel, SIDE);
            let response = own.strongest(0, channel).map_or(0.0, |unit| unit.value);
            output.log(|board| {
                board.image(&format!("{name}/activations"), first + i, &activations)?;
                board.histogram(&format!("{name}/histogram"), first + i, &own.data)
            })?;
            let shape = extents(layer.shape().get(1..).unwrap_or_default());
            let is_score = matches!(target, Target::Class(_));
            rows[i].push(Row {
                heading: format!("{name}  {}  {shape}", layer.operator()),
                text: format!(
                    "{}, {} {response:.3}; a unit sees {sees}",
                    described(target, &open.labels),
                    if is_score { "score" } else { "strongest response" },
                ),
                panels: vec![
                    Panel::new("the image", &image.picture),
                    Panel::new(grid_caption(&layer), &activations),
                ],
            });
            targets.push(Some(target));
        }
        let targets = batch.targets(targets);
        let start = Instant::now();
        for &method in &methods {
            let at = maps_layer.as_deref().filter(|_| name == scores);
            let maps = seen.maps(session, method, (name, &targets), at)?;
            for (i, (map, image)) in maps.into_iter().zip(batch.images).enumerate() {
                let of = (name.as_str(), method.name());
                output.map((&image.name, first + i), of, &map.picture, &map.numbers)?;
                if let Some(row) = rows[i].last_mut() {
                    row.panels.push(map.panel);
                }
            }
            bar.inc(1);
        }
        let seconds = start.elapsed().as_secs_f32() / batch.images.len() as f32;
        for step in first..first + batch.images.len() {
            output.log(|board| board.scalar(&format!("seconds/back/{name}"), step, seconds))?;
        }
    }
    bar.finish_and_clear();
    let sheet = |(image, rows): (&Fitted, Vec<Row>)| {
        Contact {
        title: format!("What {} saw in {}", network.file_name(), image.name),
        lines: vec![
            "Each method's picture is the response taken back to the image: red raises it, blue lowers it."
                .into(),
            "Deconvnet and guided show what is in the image more than what decides: see unpool-cnn's README."
                .into(),
        ],
        rows,
    }
    };
    Ok(batch.images.iter().zip(rows).map(sheet).collect())
}

/// The caption of the grid of activations of a layer.
fn grid_caption(layer: &Layer) -> String {
    match (layer.channels(), layer.positions()) {
        (n, 1) if n > GRID => format!("best {GRID} of {n} scores"),
        (n, 1) => format!("{n} scores"),
        (n, _) if n > GRID => format!("strongest {GRID} of {n} channels"),
        (n, _) => format!("{n} channels"),
    }
}
