//! Results that are read back from a device: tensors, and projections of layers onto the input.

use crate::unit::Unit;

/// A tensor read back from a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// `[batch, channels, …]`.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub data: Vec<f32>,
}

impl Activation {
    fn positions(&self) -> usize {
        self.shape.iter().skip(2).product()
    }

    /// One image.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn image(&self, image: usize) -> &[f32] {
        let len = self.data.len() / self.shape.first().unwrap_or(&1);
        &self.data[image * len..(image + 1) * len]
    }

    /// One channel of an image.
    ///
    /// # Panics
    ///
    /// If there is no such image or channel.
    pub fn channel(&self, image: usize, channel: usize) -> &[f32] {
        let len = self.positions();
        &self.image(image)[channel * len..(channel + 1) * len]
    }

    /// For each image and position the channel with the largest value, the first of equals: the
    /// class map of a segmentation.
    pub fn classes(&self) -> Vec<usize> {
        let (positions, channels) = (self.positions(), self.shape.get(1).copied().unwrap_or(1));
        let image = |data: &[f32]| -> Vec<usize> {
            let largest = |position: usize| {
                let value = |c: usize| data[c * positions + position];
                (1..channels).fold(0, |best, c| if value(c) > value(best) { c } else { best })
            };
            (0..positions).map(largest).collect()
        };
        self.data.chunks_exact(positions * channels).flat_map(image).collect()
    }

    /// The strongest unit of a channel of an image, the first of equals.
    ///
    /// # Panics
    ///
    /// If there is no such image or channel.
    pub fn strongest(&self, image: usize, channel: usize) -> Option<Unit> {
        let mut best: Option<Unit> = None;
        for (position, &value) in self.channel(image, channel).iter().enumerate() {
            if best.is_none_or(|best| value > best.value) {
                best = Some(Unit { channel, position, value });
            }
        }
        best
    }
}

/// The result of looking back.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// In the input's own space and shape.
    pub map: Activation,
    /// For each image the unit that was looked back from, if the target is a single unit.
    pub units: Vec<Option<Unit>>,
}
