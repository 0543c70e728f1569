//! The units of a layer that are looked back from.

use crate::activation::Activation;
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

    /// Writes the signal of an image, whose channels have so many positions, over zeros. `activation`
    /// has the responses of all images, and the number of this one. Returns the unit, if it is one.
    pub(crate) fn start(
        self,
        signal: &mut [f32],
        positions: usize,
        activation: Option<(&Activation, usize)>,
    ) -> Option<Unit> {
        let own = |channel: usize| channel * positions..(channel + 1) * positions;
        let unit = match self {
            Self::Layer => {
                signal.fill(1.0);
                None
            }
            Self::Channel(channel) | Self::Class(channel) => {
                signal[own(channel)].fill(1.0);
                None
            }
            Self::Responses(channel) => {
                if let Some((all, image)) = activation {
                    signal[own(channel)].copy_from_slice(all.channel(image, channel));
                }
                None
            }
            Self::Strongest(channel) => {
                activation.and_then(|(all, image)| all.strongest(image, channel))
            }
            Self::Unit { channel, position } => activation.map(|(all, image)| {
                let value = all.channel(image, channel)[position];
                Unit { channel, position, value }
            }),
        };
        if let Some(Unit { channel, position, .. }) = unit {
            signal[channel * positions + position] = 1.0;
        }
        unit
    }
}
