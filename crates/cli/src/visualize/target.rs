//! The units to explain, as the arguments and the responses choose them.

use anyhow::{Result, bail};
use unpool_cnn::{Activation, Layer, Target};

use crate::network::Labels;
use crate::responses::strongest_channels;
use crate::visualize::args::{Args, Of};

/// Refuses a channel that a layer does not have.
pub(crate) fn check_channel(layer: &Layer, channel: usize) -> Result<()> {
    if channel >= layer.channels() {
        let last = layer.channels() - 1;
        bail!("--channel {channel}: {} has channels 0 to {last}", layer.name());
    }
    Ok(())
}

/// The target of a layer, and the channel that it is in.
pub(crate) fn target(
    args: &Args,
    layer: &Layer,
    activation: &Activation,
    best: Option<usize>,
) -> Result<(Target, usize)> {
    let strongest = || strongest_channels(activation, 0).first().map_or(0, |&(c, _)| c);
    let channel = match (args.channel, best) {
        (Some(channel), _) | (None, Some(channel)) => channel,
        (None, None) => strongest(),
    };
    check_channel(layer, channel)?;
    Ok(match args.of.unwrap_or(Of::Responses) {
        Of::Layer => (Target::Layer, channel),
        _ if best.is_some() => (Target::Class(channel), channel),
        Of::Responses => (Target::Responses(channel), channel),
        Of::Channel => (Target::Channel(channel), channel),
        Of::Strongest => (Target::Strongest(channel), channel),
    })
}

/// The target in words.
pub(crate) fn described(target: Target, labels: &Labels) -> String {
    match target {
        Target::Layer => "the whole layer".into(),
        Target::Responses(c) => format!("channel {c} as it responded"),
        Target::Channel(c) => format!("channel {c}, all its units"),
        Target::Strongest(c) => format!("channel {c}, its strongest unit"),
        Target::Class(c) => format!("class {}", labels.named(c)),
        Target::Unit { channel, position } => format!("channel {channel}, unit {position}"),
    }
}
