//! Class activation maps: where in a layer's maps the evidence for a score lies.

use crate::activation::Activation;

/// How the channels of a layer are weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cam {
    /// Grad-CAM (Selvaraju et al., [1610.02391](https://arxiv.org/abs/1610.02391), equations 1 and 2):
    /// each channel by the mean of its gradient.
    GradCam,
    /// Grad-CAM++ (Chattopadhyay et al., [1710.11063](https://arxiv.org/abs/1710.11063), equations 11
    /// and 19): each channel by its positive gradients, weighted so that several places of one class
    /// count alike. The score is taken as the logarithm of an exponential, as the paper does.
    GradCamPlusPlus,
}

impl Cam {
    /// Both.
    pub const ALL: [Self; 2] = [Self::GradCam, Self::GradCamPlusPlus];

    /// `grad-cam` or `grad-cam++`.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "grad-cam",
            Self::GradCamPlusPlus => "grad-cam++",
        }
    }

    /// The map of each image, `[batch, 1, …]`: the sum of the channels by their weights, where it is
    /// positive. `gradient` is that of a score with respect to the layer of `activation`; both have their
    /// channels second ([`Activation::channels_first`]).
    ///
    /// # Panics
    ///
    /// If the two have different shapes.
    pub fn map(self, activation: &Activation, gradient: &Activation) -> Activation {
        assert_eq!(activation.shape, gradient.shape, "a gradient has the shape of its layer");
        let batch = activation.shape.first().copied().unwrap_or(1);
        let channels = activation.shape.get(1).copied().unwrap_or(1);
        let mut shape = activation.shape.clone();
        if let Some(channels) = shape.get_mut(1) {
            *channels = 1;
        }
        let mut data = Vec::with_capacity(shape.iter().product());
        for image in 0..batch {
            let mut map = vec![0.0; activation.channel(image, 0).len()];
            for channel in 0..channels {
                let own = activation.channel(image, channel);
                let weight = self.weight(own, gradient.channel(image, channel));
                map.iter_mut().zip(own).for_each(|(sum, x)| *sum += weight * x);
            }
            data.extend(map.into_iter().map(|x: f32| x.max(0.0)));
        }
        Activation { shape, data }
    }

    fn weight(self, activation: &[f32], gradient: &[f32]) -> f32 {
        match self {
            Self::GradCam => gradient.iter().sum::<f32>() / gradient.len().max(1) as f32,
            Self::GradCamPlusPlus => {
                let total: f32 = activation.iter().sum();
                let share = |g: f32| {
                    let below = 2.0 * g * g + total * g * g * g;
                    if below == 0.0 { 0.0 } else { g * g / below }
                };
                gradient.iter().map(|&g| share(g) * g.max(0.0)).sum()
            }
        }
    }
}
