//! The methods that explain a response, as the command names them.

use unpool_cnn::{Attribution, Cam, Relevance, Rule};

/// Points of integrated gradients, and noisy copies of SmoothGrad.
const STEPS: usize = 24;
const SAMPLES: usize = 16;

/// The noise of SmoothGrad, as a part of the image's range.
const NOISE: f32 = 0.15;

/// Windows of occlusion along the shorter side, which overlap by half.
const WINDOWS: usize = 7;

/// A method that explains a response by the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    Gradient,
    Deconvnet,
    /// Guided backpropagation.
    Guided,
    InputTimesGradient,
    /// From an image of zeros: of the mean colour, where that is subtracted, else black.
    IntegratedGradients,
    Smoothgrad,
    /// How far the response falls where a window is covered.
    Occlusion,
    GradCam,
    #[value(name = "grad-cam++")]
    GradCamPlusPlus,
    GuidedGradCam,
    /// Layer-wise relevance propagation with an ε of 0.01.
    LrpEpsilon,
    /// Layer-wise relevance propagation with a γ of 0.25 as well.
    LrpGamma,
}

impl Method {
    /// Of the units of layers, and of a class, if none are asked for.
    pub(crate) const OF_UNITS: [Self; 3] = [Self::Gradient, Self::Deconvnet, Self::Guided];
    pub(crate) const OF_A_CLASS: [Self; 4] =
        [Self::GradCam, Self::Occlusion, Self::IntegratedGradients, Self::Guided];

    /// Its name, as in captions and the names of files.
    pub(crate) fn name(self) -> &'static str {
        match self.way(1, "") {
            Way::Attribution(attribution) => attribution.name(),
            Way::Cam(cam) => cam.name(),
        }
    }

    /// Whether it propagates relevance, for which more tensors are kept.
    pub(crate) fn is_relevance(self) -> bool {
        matches!(self, Self::LrpEpsilon | Self::LrpGamma)
    }

    /// Whether it looks for evidence in the maps of another layer.
    pub(crate) fn needs_maps(self) -> bool {
        matches!(self, Self::GradCam | Self::GradCamPlusPlus | Self::GuidedGradCam)
    }

    /// Of an image with a shorter side of so many pixels, and the maps of a layer.
    pub(crate) fn way(self, side: usize, at: &str) -> Way {
        let relevance = |epsilon, gamma| Attribution::Relevance(Relevance { epsilon, gamma });
        Way::Attribution(match self {
            Self::Gradient => Attribution::LookBack(Rule::Gradient),
            Self::Deconvnet => Attribution::LookBack(Rule::Deconvnet),
            Self::Guided => Attribution::LookBack(Rule::Guided),
            Self::InputTimesGradient => Attribution::InputTimesGradient,
            Self::IntegratedGradients => {
                Attribution::IntegratedGradients { baseline: 0.0, steps: STEPS }
            }
            Self::Smoothgrad => Attribution::SmoothGrad { noise: NOISE, samples: SAMPLES, seed: 0 },
            Self::Occlusion => {
                let size = (2 * side).div_ceil(WINDOWS + 1).max(1);
                Attribution::Occlusion { size, stride: size.div_ceil(2), value: 0.0 }
            }
            Self::GradCam => return Way::Cam(Cam::GradCam),
            Self::GradCamPlusPlus => return Way::Cam(Cam::GradCamPlusPlus),
            Self::GuidedGradCam => Attribution::GuidedGradCam { at: at.to_owned() },
            Self::LrpEpsilon => relevance(1e-2, 0.0),
            Self::LrpGamma => relevance(1e-2, 0.25),
        })
    }
}

/// What a session computes for a method.
pub(crate) enum Way {
    Attribution(Attribution),
    Cam(Cam),
}
