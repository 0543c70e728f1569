//! The sheet of one image: a row for each layer, with the projection of each rule.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use unpool_cnn::{Cam, Layer, Session, Target};

use crate::axes::extents;
use crate::board::Board;
use crate::contact::{Contact, Panel, Row, SIDE};
use crate::layers::receptive_field;
use crate::network::{Fitted, best_classes};
use crate::projection::{GRID, evidence, grid, signed};
use crate::visualize::args::Args;
use crate::visualize::sessions::Sessions;
use crate::visualize::target::{described, target};

/// The sheet of one image, and its best classes with their scores.
pub(crate) fn draw(
    args: &Args,
    sessions: &mut Sessions<'_>,
    image: &Fitted,
    step: usize,
    mut board: Option<&mut Board>,
) -> Result<(Contact, Vec<(usize, f32)>)> {
    let network = sessions.network;
    let (channels, model) = (network.channels, network.name.clone());
    let start = Instant::now();
    let (session, names) = sessions.forward(image)?;
    let scores = session.plan().scores().name().to_owned();
    let classes = best_classes(&session.activation(&scores)?, 0);
    let best = classes.first().map(|&(class, _)| class);
    if let Some(board) = board.as_deref_mut() {
        if step == 0 {
            board.graph(session.plan())?;
            board.text("model", &model)?;
        }
        board.image("input", step, &image.picture)?;
        board.scalar("seconds/forward", step, start.elapsed().as_secs_f32())?;
    }
    let rules = args.rule.rules();
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?;
    let bar = ProgressBar::new((names.len() * rules.len()) as u64).with_style(style);
    bar.set_message(image.name.clone());
    let size = [image.picture.height() as usize, image.picture.width() as usize];
    let mut rows = Vec::new();
    for name in &names {
        let layer = session.plan().layer(name)?.clone();
        let activation = session.activation(name)?;
        let best = best.filter(|_| *name == scores);
        let (target, channel) = target(args, &layer, &activation, best)?;
        let activations = grid(&activation, 0, channel, SIDE);
        let response = activation.strongest(0, channel).map_or(0.0, |unit| unit.value);
        if let Some(board) = board.as_deref_mut() {
            board.image(&format!("{name}/activations"), step, &activations)?;
            board.histogram(&format!("{name}/histogram"), step, &activation.data)?;
        }
        let mut panels = vec![Panel::new("the image", image.picture.clone())];
        match evidence_panel(session, &scores, target, image)? {
            Some(panel) => {
                if let Some(board) = board.as_deref_mut() {
                    board.image(&format!("{name}/grad-cam"), step, &panel.picture)?;
                }
                panels.push(panel);
            }
            None => panels.push(Panel::new(grid_caption(&layer), activations)),
        }
        let start = Instant::now();
        for &rule in rules {
            let projection = session.look_back(name, target, rule)?;
            let planes = network.planes(&projection.map.data, &args.preprocessing);
            let picture = signed(&planes, channels, size);
            if let Some(board) = board.as_deref_mut() {
                board.image(&format!("{name}/{}", rule.name()), step, &picture)?;
            }
            panels.push(Panel::new(rule.name(), picture));
            bar.inc(1);
        }
        if let Some(board) = board.as_deref_mut() {
            let seconds = start.elapsed().as_secs_f32();
            board.scalar(&format!("seconds/back/{name}"), step, seconds)?;
        }
        rows.push(Row {
            heading: format!(
                "{name}  {}  {}",
                layer.operator(),
                extents(layer.shape().get(1..).unwrap_or_default())
            ),
            text: format!(
                "{}, {} {response:.3}; a unit sees {}",
                described(target),
                if matches!(target, Target::Class(_)) { "score" } else { "strongest response" },
                receptive_field(session.plan(), &layer)
            ),
            panels,
        });
    }
    bar.finish_and_clear();
    let signs = match channels {
        1 => "red raises the response, blue lowers it",
        _ => "colours around grey: what raises the response in each colour",
    };
    let model = Path::new(&model).file_name().map_or(model.clone(), |n| n.to_string_lossy().into());
    let sheet = Contact {
        title: format!("What {model} saw in {}", image.name),
        lines: vec![
            format!("Each rule's picture is the response taken back to the image: {signs}."),
            "Deconvnet and guided show what is in the image more than what decides: see unpool-cnn's README."
                .into(),
        ],
        rows,
    };
    Ok((sheet, classes))
}

/// Where the evidence for a class lies by Grad-CAM, over the image, in a network that has maps.
fn evidence_panel(
    session: &mut Session,
    scores: &str,
    target: Target,
    image: &Fitted,
) -> Result<Option<Panel>> {
    let Some(at) = session.plan().last_maps().filter(|_| matches!(target, Target::Class(_))) else {
        return Ok(None);
    };
    let at = at.name().to_owned();
    let map = session.class_activation(Cam::GradCam, scores, target, &at)?;
    let [.., height, width] = map.shape[..] else { return Ok(None) };
    let caption = if map.data.iter().all(|&x| x == 0.0) {
        "Grad-CAM: no evidence for it".to_owned()
    } else {
        "Grad-CAM: where evidence lies".to_owned()
    };
    Ok(Some(Panel::new(caption, evidence(&image.picture, &map.data, [height, width]))))
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
