//! `unpool layers`: what a model is made of, and what each layer sees.

use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement};
use indicatif::HumanCount;
use unpool_cnn::{Layer, Plan};

use crate::Outcome;
use crate::network::{self, Network};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let network = Network::open(&args.network)?;
    let plan = network.model.plan(&network.input(None))?;
    let mut table = crate::table::empty();
    if !io::stdout().is_terminal() {
        // Names stay whole for who searches or copies them.
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(["layer", "operator", "shape", "parameters", "sees"]);
    for layer in plan.layers() {
        let parameters = match layer.parameters() {
            0 => String::new(),
            n => HumanCount(n as u64).to_string(),
        };
        table.add_row([
            layer.name().to_owned(),
            layer.operator().to_owned(),
            shape(layer.shape().get(1..).unwrap_or_default()),
            parameters,
            sees(&plan, layer),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let parameters: usize = plan.layers().iter().map(Layer::parameters).sum();
    writeln!(out, "{}\n", table.trim_fmt())?;
    writeln!(
        out,
        "{}: input {} of {}, {} layers, {} parameters",
        network.name,
        plan.input_name(),
        shape(&plan.input_shape()[1..]),
        plan.layers().len(),
        HumanCount(parameters as u64)
    )?;
    Ok(Outcome::Agrees)
}

/// Extents as the tables have them.
pub(crate) fn shape(extents: &[usize]) -> String {
    extents.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// The size of the receptive field of a unit in the middle.
pub(crate) fn sees(plan: &Plan, layer: &Layer) -> String {
    let spatial = layer.shape().get(2..).unwrap_or_default();
    // In the middle of every axis, where no border cuts the field.
    let middle = spatial.iter().fold(0, |at, n| at * n + n / 2);
    let region = plan.receptive_field(layer, middle);
    if region.whole {
        return "everything".into();
    }
    region.size().iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}
