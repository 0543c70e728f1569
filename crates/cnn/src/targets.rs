//! The units that are looked back from in the images of a batch.

use unpool::Layout;

use crate::activation::{Activation, transposed};
use crate::error::Error;
use crate::plan::Layer;
use crate::target::Target;
use crate::unit::Unit;

/// The units of a layer to look back from, in the images of a batch. A [`Target`] is the same in all of
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Targets {
    /// The same units in every image.
    All(Target),
    /// In each image of the batch its own units, or none: the map of that image is 0.
    Each(Vec<Option<Target>>),
}

impl From<Target> for Targets {
    fn from(target: Target) -> Self {
        Self::All(target)
    }
}

impl From<Vec<Option<Target>>> for Targets {
    fn from(each: Vec<Option<Target>>) -> Self {
        Self::Each(each)
    }
}

impl Targets {
    fn iter(&self) -> impl Iterator<Item = Target> {
        let (all, each) = match self {
            Self::All(target) => (Some(*target), &[][..]),
            Self::Each(each) => (None, &each[..]),
        };
        all.into_iter().chain(each.iter().copied().flatten())
    }

    fn of(&self, image: usize) -> Option<Target> {
        match self {
            Self::All(target) => Some(*target),
            Self::Each(each) => each.get(image).copied().flatten(),
        }
    }

    /// Checks them against a layer.
    pub(crate) fn check(&self, layer: &Layer) -> Result<(), Error> {
        let images = layer.shape().first().copied().unwrap_or(1);
        match self {
            Self::Each(each) if each.len() != images => Err(Error::Target {
                layer: layer.name().into(),
                found: format!("targets for {} images", each.len()),
                allowed: format!("one for each of {images} is needed"),
            }),
            _ => self.iter().try_for_each(|target| target.check(layer)),
        }
    }

    /// Whether the signal depends on the responses of the layer.
    pub(crate) fn needs_activation(&self) -> bool {
        self.iter().any(Target::needs_activation)
    }

    /// The signal that starts at the layer: 1 at each unit of the target, or the response of the
    /// unit. For a target of a single unit, also that unit in each image.
    pub(crate) fn signal(
        &self,
        layer: &Layer,
        activation: Option<Activation>,
    ) -> (Vec<f32>, Vec<Option<Unit>>) {
        let (channels, positions) = (layer.channels(), layer.positions());
        let image = channels * positions;
        let batch = layer.shape().iter().product::<usize>() / image;
        // All of this with the channels first, until the end.
        let activation = activation.map(|activation| activation.channels_first(layer.layout()));
        let mut signal = vec![0.0; batch * image];
        let start = |(i, signal): (usize, &mut [f32])| {
            self.of(i)?.start(signal, positions, activation.as_ref().map(|all| (all, i)))
        };
        let units = signal.chunks_exact_mut(image).enumerate().map(start).collect();
        if layer.layout() == Layout::ChannelsLast {
            signal = transposed(&signal, batch, positions);
        }
        (signal, units)
    }
}
