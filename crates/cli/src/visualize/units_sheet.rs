//! The sheet of an image's units: a row for each layer, with the map of each method.

use std::time::Instant;

use anyhow::Result;
use unpool_cnn::{Layer, Target};

use crate::axes::extents;
use crate::contact::{Contact, Panel, Row, SIDE};
use crate::layers::receptive_field;
use crate::network::scores::Class;
use crate::responses::{GRID, grid};
use crate::visualize::method::Seen;
use crate::visualize::output::Output;
use crate::visualize::sessions::{Opened, Request};
use crate::visualize::target::{described, target};

pub(crate) fn draw(
    open: &mut Opened,
    (seen, step): (&Seen<'_>, usize),
    classes: &[Class],
    output: &mut Output<'_>,
) -> Result<Contact> {
    let Seen { request, image, .. } = seen;
    let Request { args, network, methods, .. } = request;
    let (session, scores) = (&mut open.session, open.scores.as_str());
    let maps_layer = session.plan().last_maps().map(|layer| layer.name().to_owned());
    let best = classes.first().map(|class| class.number);
    let bar = request.progress(open.names.len() * methods.len(), &image.name)?;
    let mut rows = Vec::new();
    for name in &open.names {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?.channels_first(layer.layout());
        let best = best.filter(|_| name == scores);
        let (target, channel) = target(args, &layer, &activation, best)?;
        let activations = grid(&activation, 0, channel, SIDE);
        let response = activation.strongest(0, channel).map_or(0.0, |unit| unit.value);
        output.log(|board| {
            board.image(&format!("{name}/activations"), step, &activations)?;
            board.histogram(&format!("{name}/histogram"), step, &activation.data)
        })?;
        let mut panels = vec![
            Panel::new("the image", &image.picture),
            Panel::new(grid_caption(&layer), &activations),
        ];
        let start = Instant::now();
        for &method in methods {
            let at = maps_layer.as_deref().filter(|_| name == scores);
            let map = seen.map(session, method, (name, target), at)?;
            output.map((&image.name, step), (name, method.name()), &map.picture, &map.numbers)?;
            panels.push(map.panel);
            bar.inc(1);
        }
        let seconds = start.elapsed().as_secs_f32();
        output.log(|board| board.scalar(&format!("seconds/back/{name}"), step, seconds))?;
        rows.push(Row {
            heading: format!(
                "{name}  {}  {}",
                layer.operator(),
                extents(layer.shape().get(1..).unwrap_or_default())
            ),
            text: format!(
                "{}, {} {response:.3}; a unit sees {}",
                described(target, &open.labels),
                if matches!(target, Target::Class(_)) { "score" } else { "strongest response" },
                receptive_field(session.plan(), &layer)
            ),
            panels,
        });
    }
    bar.finish_and_clear();
    Ok(Contact {
        title: format!("What {} saw in {}", network.file_name(), image.name),
        lines: vec![
            "Each method's picture is the response taken back to the image: red raises it, blue lowers it."
                .into(),
            "Deconvnet and guided show what is in the image more than what decides: see unpool-cnn's README."
                .into(),
        ],
        rows,
    })
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
