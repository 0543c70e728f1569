//! `unpool layers`: the layers of a model, with their shapes and receptive fields.

use std::io::Write;

use anyhow::Result;
use indicatif::HumanCount;
use unpool_cnn::{Layer, Plan};

use crate::axes::extents;
use crate::network::{self, Network};
use crate::outcome::Outcome;
use crate::table::Table;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: network::Args,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let network = Network::open(&args.network)?;
    let shape = network.usual_shape();
    let plan = network.model.plan(&shape).map_err(|error| network.refused(error))?;
    let mut table = Table::new(["layer", "operator", "shape", "parameters", "sees"]).right_from(2);
    for layer in plan.layers() {
        let parameters = match layer.parameters() {
            0 => String::new(),
            n => HumanCount(n as u64).to_string(),
        };
        table.row([
            layer.name().to_owned(),
            layer.operator().to_owned(),
            extents(layer.shape().get(1..).unwrap_or_default()),
            parameters,
            receptive_field(&plan, layer),
        ]);
    }
    let parameters: usize = plan.layers().iter().map(Layer::parameters).sum();
    writeln!(out, "{}\n", table.fitted_or_whole())?;
    writeln!(
        out,
        "{}: input {} of {}, {} layers, {} parameters",
        network.name,
        plan.input_name(),
        extents(&plan.input_shape()[1..]),
        plan.layers().len(),
        HumanCount(parameters as u64)
    )?;
    Ok(Outcome::Agrees)
}

/// The size of the receptive field of the unit in the middle of a channel.
pub(crate) fn receptive_field(plan: &Plan, layer: &Layer) -> String {
    // In the middle of every axis, where no border cuts the field.
    let middle = layer.spatial().iter().fold(0, |at, n| at * n + n / 2);
    let region = plan.receptive_field(layer, middle);
    if region.whole {
        return "everything".into();
    }
    extents(&region.size())
}
