//! The units of a channel with the strongest responses, over any number of images: the rows of Zeiler and
//! Fergus's figure 2.

use crate::activation::Activation;
use crate::unit::Unit;

/// A unit and the image it responded to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The number with which the image was offered.
    pub image: usize,
    /// The unit.
    pub unit: Unit,
}

/// The strongest units of a channel over a folder of images.
///
/// Only units with a response above 0 are taken, and only those that no neighbour in the same channel
/// exceeds, so that one stroke is not shown nine times. Each image contributes at most the number
/// that fills the list when all images contribute equally.
#[derive(Clone, Debug)]
pub struct Strongest {
    channel: usize,
    count: usize,
    per_image: usize,
    found: Vec<Found>,
}

impl Strongest {
    /// A list of `count` units of a channel, to be found in `images` images.
    pub fn new(channel: usize, count: usize, images: usize) -> Self {
        let per_image = count.div_ceil(images.max(1));
        Self { channel, count, per_image, found: Vec::new() }
    }

    /// Takes the strongest units of one image of a batch, which is image number `number` of all. The
    /// channels are second ([`Activation::channels_first`]).
    ///
    /// # Panics
    ///
    /// If the activation has not that image or the channel.
    pub fn offer(&mut self, number: usize, activation: &Activation, image: usize) {
        let values = activation.channel(image, self.channel);
        let spatial = activation.shape.get(2..).unwrap_or_default();
        let peak = |position: usize| is_peak(values, spatial, position);
        let mut units: Vec<_> = (0..values.len())
            .filter(|&position| values[position] > 0.0 && peak(position))
            .map(|position| Unit { channel: self.channel, position, value: values[position] })
            .collect();
        units.sort_by(|a, b| b.value.total_cmp(&a.value));
        units.truncate(self.per_image);
        self.found.extend(units.into_iter().map(|unit| Found { image: number, unit }));
        // Stable: the first of equals stays first.
        self.found.sort_by(|a, b| b.unit.value.total_cmp(&a.unit.value));
        self.found.truncate(self.count);
    }

    /// The units, strongest first.
    pub fn found(&self) -> &[Found] {
        &self.found
    }
}

/// Whether no neighbour exceeds a unit, and no earlier neighbour equals it.
fn is_peak(values: &[f32], spatial: &[usize], position: usize) -> bool {
    // On the last three axes: a tensor may have any number of them.
    let spatial = &spatial[spatial.len().saturating_sub(3)..];
    let own = values[position];
    if own.is_nan() {
        return false;
    }
    // Every step of -1, 0 or 1 on every axis.
    (0..3usize.pow(spatial.len() as u32)).all(|code| {
        let (mut rest, mut code, mut step, mut other) = (position, code, 1i64, position as i64);
        for &n in spatial.iter().rev() {
            let (coordinate, shift) = ((rest % n) as i64, code as i64 % 3 - 1);
            if !(0..n as i64).contains(&(coordinate + shift)) {
                return true;
            }
            other += shift * step;
            step *= n as i64;
            rest /= n;
            code /= 3;
        }
        let other = other as usize;
        let value = values[other];
        value < own || (value == own && other >= position) || value.is_nan()
    })
}
