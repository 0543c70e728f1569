//! The ways to look back, as the command names and draws them.

use anyhow::{Result, ensure};
use unpool_cnn::{Activation, Attribution, Cam, Relevance, Rule, Session, Targets};

use crate::contact::{Panel, SIDE};
use crate::maps::{self, Drawn};
use crate::network::Fitted;
use crate::visualize::batch::Batch;
use crate::visualize::sessions::Request;

/// Points of integrated gradients, and noisy copies of SmoothGrad.
const STEPS: usize = 24;
const SAMPLES: usize = 16;

/// The noise of SmoothGrad, as a part of the image's range.
const NOISE: f32 = 0.15;

/// Windows of occlusion along the shorter side, which overlap by half.
const WINDOWS: usize = 7;

/// A way to look back.
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
    fn way(self, side: usize, at: &str) -> Way {
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

enum Way {
    Attribution(Attribution),
    Cam(Cam),
}

/// Images that a session has seen, and how their maps become pictures.
pub(crate) struct Seen<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) batch: Batch<'a>,
    pub(crate) tensors: &'a [f32],
}

/// A map, and its panel.
pub(crate) struct Map {
    pub(crate) panel: Panel,
    pub(crate) picture: image::RgbImage,
    pub(crate) numbers: Activation,
}

impl Seen<'_> {
    /// The map of each image for its target by a method; the layer `at` has the maps in which evidence
    /// is looked for.
    pub(crate) fn maps(
        &self,
        session: &mut Session,
        method: Method,
        (layer, targets): (&str, &Targets),
        at: Option<&str>,
    ) -> Result<Vec<Map>> {
        let size = self.batch.images[0].size();
        let targets = targets.clone();
        ensure!(
            at.is_some() || !method.needs_maps(),
            "--method {}: looks for a class in the maps of a layer, and {layer} has none before it",
            method.name()
        );
        let all = match method.way(size.height.min(size.width), at.unwrap_or("")) {
            Way::Cam(cam) => session.class_activation(cam, layer, targets, at.unwrap_or(""))?,
            // The session has the responses to the images already.
            Way::Attribution(Attribution::LookBack(rule)) => {
                session.look_back(layer, targets, rule)?.map
            }
            Way::Attribution(by) => session.attribute(&by, self.tensors, layer, targets)?.map,
        };
        let images = self.batch.images.iter().enumerate();
        Ok(images.map(|(i, image)| self.map(method, image, single(&all, i), at)).collect())
    }

    /// The map of one image.
    fn map(
        &self,
        method: Method,
        image: &Fitted,
        mut numbers: Activation,
        at: Option<&str>,
    ) -> Map {
        let drawn = match method {
            Method::GradCam | Method::GradCamPlusPlus => {
                maps::evidence(&maps::stretched(&image.part, SIDE), &numbers)
            }
            Method::Occlusion => {
                // All channels are covered at once and have the same numbers.
                let size = image.size();
                let shape = vec![1, 1, size.height, size.width];
                let mut data =
                    self.request.network.planes(&numbers.data, &self.request.preprocessing);
                data.truncate(size.height * size.width);
                numbers = Activation { shape, data };
                self.drawn(method, &numbers)
            }
            _ => self.drawn(method, &numbers),
        };
        let mut caption = self.caption(method, &numbers);
        if let Some(at) = at.filter(|_| method.needs_maps() && !self.request.args.layer.is_empty())
        {
            caption += &format!(" at {at}");
        }
        let panel = Panel::map(caption, &drawn);
        Map { panel, picture: drawn.picture, numbers }
    }

    /// A map in the image's space as a picture.
    pub(crate) fn drawn(&self, method: Method, map: &Activation) -> Drawn {
        let size = self.batch.images[0].size();
        let size = [size.height, size.width];
        let planes = || self.request.network.planes(&map.data, &self.request.preprocessing);
        match method {
            Method::Occlusion => maps::signed(&map.data, size),
            Method::Deconvnet | Method::Guided | Method::GuidedGradCam => {
                maps::reconstruction(&planes(), size)
            }
            _ => maps::signed(&planes(), size),
        }
    }

    fn caption(&self, method: Method, map: &Activation) -> String {
        let name = method.name();
        if map.data.iter().any(|&x| x != 0.0) {
            return name.into();
        }
        let why = match method {
            Method::GradCam | Method::GradCamPlusPlus => "no evidence for it",
            Method::Guided | Method::Deconvnet => "nothing passes",
            Method::GuidedGradCam => "nothing passes where evidence is",
            _ => "nothing changes it",
        };
        format!("{name}: {why}")
    }
}

/// One image of a batch.
pub(crate) fn single(all: &Activation, image: usize) -> Activation {
    let shape = [&[1], &all.shape[1..]].concat();
    Activation { shape, data: all.image(image).to_vec() }
}
