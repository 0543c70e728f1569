//! Attribution: how much each element of an image counts for a target.

#[cfg(not(target_arch = "wasm32"))]
mod by_session;
#[cfg(not(target_arch = "wasm32"))]
mod quadrature;

use crate::back::Relevance;
#[cfg(not(target_arch = "wasm32"))]
use crate::error::Error;
use crate::rule::Rule;

/// A way to say how much each element of an image counts for a target, for
/// [`Session::attribute`](crate::Session::attribute).
///
/// With a target of several units the score is their sum, weighted as by the signal of the
/// [`Target`](crate::Target).
#[derive(Clone, Debug, PartialEq)]
pub enum Attribution {
    /// The gradient, or the signal of another rule.
    LookBack(Rule),
    /// The gradient times the image (Shrikumar et al. 2016,
    /// [1605.01713](https://arxiv.org/abs/1605.01713), section 3.2).
    InputTimesGradient,
    /// The mean gradient on the straight line from a baseline to the image, times the difference of
    /// the two (Sundararajan, Taly and Yan 2017, [1703.01365](https://arxiv.org/abs/1703.01365),
    /// equation 1). The map adds up to the difference of the scores. The integral is taken by
    /// Gauss–Legendre quadrature.
    IntegratedGradients {
        /// Every element of the baseline.
        baseline: f32,
        /// Points on the line, each of which takes a way forward and one back: 1 to 1,000; 50 are usual.
        steps: usize,
    },
    /// The mean gradient at noisy copies of the image (Smilkov et al. 2017,
    /// [1706.03825](https://arxiv.org/abs/1706.03825)).
    SmoothGrad {
        /// The deviation of the noise, as a part of the image's range of values; 0.1 to 0.2 are
        /// usual.
        noise: f32,
        /// Copies, each of which takes a way forward and one back: 1 to 1,000.
        samples: usize,
        /// Where the noise begins. One seed gives the same noise on every machine, for each image of a
        /// batch alike.
        seed: u64,
    },
    /// How far the score falls where a window of the image is covered, as the mean over all windows
    /// that cover an element (Zeiler and Fergus 2013, [1311.2901](https://arxiv.org/abs/1311.2901),
    /// section 4.2). Each window takes a way forward.
    Occlusion {
        /// The window's size on each spatial axis, at least 1; less at the end of an axis.
        size: usize,
        /// The distance of windows on each spatial axis, 1 to `size`.
        stride: usize,
        /// What covered elements become.
        value: f32,
    },
    /// Guided backpropagation times Grad-CAM (Selvaraju et al. 2016,
    /// [1610.02391](https://arxiv.org/abs/1610.02391), section 3.2).
    GuidedGradCam {
        /// The layer of Grad-CAM, which must have been kept.
        at: String,
    },
    /// Layer-wise relevance propagation (Bach et al. 2015,
    /// [10.1371/journal.pone.0130140](https://doi.org/10.1371/journal.pone.0130140)). The map adds up
    /// to the score, less what biases and a positive `epsilon` take. Needs
    /// [`Keep::Relevance`](crate::Keep::Relevance) or [`Keep::All`](crate::Keep::All).
    Relevance(Relevance),
}

/// Steps and samples, at most.
#[cfg(not(target_arch = "wasm32"))]
const REPEATS: usize = 1000;

impl Attribution {
    /// Its name: `gradient`, `integrated-gradients` and so on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LookBack(rule) => rule.name(),
            Self::InputTimesGradient => "input-times-gradient",
            Self::IntegratedGradients { .. } => "integrated-gradients",
            Self::SmoothGrad { .. } => "smoothgrad",
            Self::Occlusion { .. } => "occlusion",
            Self::GuidedGradCam { .. } => "guided-grad-cam",
            Self::Relevance(Relevance { gamma, .. }) if *gamma > 0.0 => "lrp-gamma",
            Self::Relevance(_) => "lrp-epsilon",
        }
    }

    /// Refuses parameters that it cannot have.
    #[cfg(not(target_arch = "wasm32"))]
    fn check(&self) -> Result<(), Error> {
        let refused = |found: String, allowed: String| {
            Err(Error::Attribution { method: self.name().into(), found, allowed })
        };
        let finite = "a finite number is needed";
        match *self {
            Self::LookBack(_) | Self::InputTimesGradient | Self::GuidedGradCam { .. } => {}
            Self::IntegratedGradients { steps: n, .. } | Self::SmoothGrad { samples: n, .. }
                if !(1..=REPEATS).contains(&n) =>
            {
                return refused(format!("{n} repetitions"), format!("1 to {REPEATS} are allowed"));
            }
            Self::IntegratedGradients { baseline: x, .. } | Self::Occlusion { value: x, .. }
                if !x.is_finite() =>
            {
                return refused(format!("a value of {x}"), finite.into());
            }
            Self::SmoothGrad { noise, .. } if !(noise >= 0.0 && noise.is_finite()) => {
                return refused(format!("a noise of {noise}"), "0 or more is needed".into());
            }
            Self::Occlusion { size, stride, .. } if !(1..=size).contains(&stride) => {
                let found = format!("windows of {size} at a distance of {stride}");
                return refused(found, "1 to the size is needed".into());
            }
            Self::Relevance(Relevance { epsilon, gamma }) => {
                for (name, x) in [("epsilon", epsilon), ("gamma", gamma)] {
                    if !(x >= 0.0 && x.is_finite()) {
                        return refused(format!("{name} {x}"), "0 or more is needed".into());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
