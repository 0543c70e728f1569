//! Images that a session has seen, and their maps as pictures.

use anyhow::{Result, ensure};
use unpool_cnn::{Activation, Attribution, Session, Targets};

use crate::contact::{Panel, SIDE};
use crate::maps::{self, Drawn};
use crate::network::Fitted;
use crate::visualize::batch::Batch;
use crate::visualize::method::{Method, Way};
use crate::visualize::sessions::Request;

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
