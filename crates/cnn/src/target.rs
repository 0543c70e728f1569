//! The units of a layer that are looked back from.

use unpool::Layout;

use crate::activation::{Activation, transposed};
use crate::error::Error;
use crate::plan::Layer;
use crate::unit::Unit;

/// The units of a layer to look back from, in every image of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The sum of the whole layer: `tf.gradients(layer_output, input)`.
    Layer,
    /// The sum of a channel.
    Channel(usize),
    /// A channel with its own responses as the signal, as Zeiler and Fergus take a feature map
    /// back; under the gradient rule, the gradient of half the sum of their squares.
    Responses(usize),
    /// The strongest unit of a channel, in each image its own; the first of equals.
    Strongest(usize),
    /// One unit.
    Unit {
        /// Its channel.
        channel: usize,
        /// Its position in that channel, flattened.
        position: usize,
    },
    /// The score of a class: a unit of a layer that has one unit per class.
    Class(usize),
}

impl Target {
    /// Checks it against a layer.
    pub(crate) fn check(self, layer: &Layer) -> Result<(), Error> {
        let refused = |found: String, allowed: String| {
            Err(Error::Target { layer: layer.name().into(), found, allowed })
        };
        let (channels, positions) = (layer.channels(), layer.positions());
        let (what, channel) = match self {
            Self::Layer => return Ok(()),
            Self::Class(class) if positions > 1 => {
                let found = format!("class {class} of {positions} units each");
                return refused(found, "a layer with one unit per class is needed".into());
            }
            Self::Class(class) => ("class", class),
            Self::Channel(n) | Self::Responses(n) | Self::Strongest(n) => ("channel", n),
            Self::Unit { channel, position } if position >= positions => {
                let found = format!("unit {position} of channel {channel}");
                return refused(found, format!("0 to {} are allowed", positions - 1));
            }
            Self::Unit { channel, .. } => ("channel", channel),
        };
        if channel >= channels {
            return refused(
                format!("{what} {channel}"),
                format!("0 to {} are allowed", channels - 1),
            );
        }
        Ok(())
    }

    /// Whether the signal depends on the responses of the layer.
    pub(crate) fn needs_activation(self) -> bool {
        matches!(self, Self::Responses(_) | Self::Strongest(_) | Self::Unit { .. })
    }

    /// The signal that starts at the layer: 1 at each unit of the target, or the response of the
    /// unit. For a target of a single unit, also that unit in each image.
    pub(crate) fn signal(
        self,
        layer: &Layer,
        activation: Option<Activation>,
    ) -> (Vec<f32>, Vec<Option<Unit>>) {
        let (channels, positions) = (layer.channels(), layer.positions());
        // All of this with the channels first, until the end.
        let activation = activation.map(|activation| activation.channels_first(layer.layout()));
        let activation = activation.as_ref();
        let image = channels * positions;
        let batch = layer.shape().iter().product::<usize>() / image;
        let mut signal = vec![0.0; batch * image];
        let mut units = vec![None; batch];
        for (i, signal) in signal.chunks_exact_mut(image).enumerate() {
            let own = |channel: usize| channel * positions..(channel + 1) * positions;
            match self {
                Self::Layer => signal.fill(1.0),
                Self::Channel(channel) | Self::Class(channel) => signal[own(channel)].fill(1.0),
                Self::Responses(channel) => {
                    if let Some(activation) = activation {
                        signal[own(channel)].copy_from_slice(activation.channel(i, channel));
                    }
                }
                Self::Strongest(channel) => {
                    units[i] = activation.and_then(|a| a.strongest(i, channel));
                }
                Self::Unit { channel, position } => {
                    let value = activation.map(|a| a.channel(i, channel)[position]);
                    units[i] = value.map(|value| Unit { channel, position, value });
                }
            }
            if let Some(Unit { channel, position, .. }) = units[i] {
                signal[channel * positions + position] = 1.0;
            }
        }
        if layer.layout() == Layout::ChannelsLast {
            signal = transposed(&signal, batch, positions);
        }
        (signal, units)
    }
}
