//! Attribution by a session, which waits for each way forward and back.

use super::Attribution;
use super::quadrature;
use crate::activation::{Activation, Projection};
use crate::back::Manner;
use crate::class_activation::Cam;
use crate::error::Error;
use crate::noise::normal;
use crate::plan::Plan;
use crate::rule::Rule;
use crate::session::Session;
use crate::targets::Targets;

/// The layer that the score is read from, its signal, and the images.
struct Question<'a> {
    layer: usize,
    signal: &'a [f32],
    images: &'a [f32],
}

impl Session {
    /// How much each element of the images counts for a target of a layer: a map of the input's shape
    /// for each image of the batch. Runs [`forward`](Self::forward) with `images` and, depending on the
    /// method, with others; in the end the session has the responses to `images`. Waits for the
    /// device.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`forward`](Self::forward) and [`look_back`](Self::look_back), and an
    /// error if the method has parameters that it does not allow, names a layer that was not kept, or
    /// needs [`Keep::Relevance`](crate::Keep::Relevance) where that was not asked for.
    pub fn attribute(
        &mut self,
        method: &Attribution,
        images: &[f32],
        layer: &str,
        target: impl Into<Targets>,
    ) -> Result<Projection, Error> {
        method.check()?;
        let targets = target.into();
        let index = self.index_with(layer, &targets)?;
        if matches!(method, Attribution::Relevance(_)) && !self.has_relevance {
            let allowed = "it was not kept by Keep::Relevance, which is needed".into();
            return Err(Error::NotKept { layer: layer.into(), allowed });
        }
        if let Attribution::GuidedGradCam { at } = method {
            self.kept_index(at)?;
        }
        self.forward(images)?;
        let activation =
            if targets.needs_activation() { Some(self.activation(layer)?) } else { None };
        let (signal, units) = targets.signal(&self.plan().layers[index], activation);
        let asked = Question { layer: index, signal: &signal, images };
        let map = match *method {
            Attribution::LookBack(rule) => self.back(&asked, Manner::Rule(rule))?,
            Attribution::InputTimesGradient => {
                times(self.back(&asked, Manner::Rule(Rule::Gradient))?, images)
            }
            Attribution::Relevance(relevance) => {
                times(self.back(&asked, Manner::Relevance(relevance))?, images)
            }
            Attribution::GuidedGradCam { ref at } => self.guided_grad_cam(&asked, at)?,
            Attribution::IntegratedGradients { baseline, steps } => {
                let at = |share: f64| {
                    let between = |x: &f32| baseline + (share * f64::from(x - baseline)) as f32;
                    images.iter().map(between).collect()
                };
                let points = quadrature::points(steps).into_iter().map(|(x, w)| (at(x), w));
                let mean = self.mean_gradient(&asked, points)?;
                let way: Vec<_> = images.iter().map(|x| x - baseline).collect();
                times(mean, &way)
            }
            Attribution::SmoothGrad { noise, samples, seed } => {
                let image_len = images.len() / self.plan().input_shape()[0];
                let deviations: Vec<_> = images
                    .chunks_exact(image_len)
                    .map(|image| f64::from(noise) * range(image))
                    .collect();
                let noisy = |sample: usize| {
                    let one = |(i, x): (usize, &f32)| {
                        let k = (sample * image_len + i % image_len) as u64;
                        (f64::from(*x) + deviations[i / image_len] * normal(seed, k)) as f32
                    };
                    (images.iter().enumerate().map(one).collect(), 1.0 / samples as f64)
                };
                self.mean_gradient(&asked, (0..samples).map(noisy))?
            }
            Attribution::Occlusion { size, stride, value } => {
                self.occluded(&asked, [size, stride], value)?
            }
        };
        Ok(Projection { map, units })
    }

    fn back(&mut self, asked: &Question<'_>, manner: Manner) -> Result<Activation, Error> {
        self.send_back_from(asked.layer, asked.signal, manner, None)?.wait()
    }

    /// The sum of the gradients at other images, each with its weight.
    fn mean_gradient(
        &mut self,
        asked: &Question<'_>,
        images: impl Iterator<Item = (Vec<f32>, f64)>,
    ) -> Result<Activation, Error> {
        let mut sum = vec![0.0; asked.images.len()];
        for (image, weight) in images {
            self.forward(&image)?;
            let gradient = self.back(asked, Manner::Rule(Rule::Gradient))?;
            for (sum, x) in sum.iter_mut().zip(&gradient.data) {
                *sum += weight * f64::from(*x);
            }
        }
        self.forward(asked.images)?;
        let shape = self.plan().input_shape().to_vec();
        Ok(Activation { shape, data: sum.into_iter().map(|x| x as f32).collect() })
    }

    fn guided_grad_cam(&mut self, asked: &Question<'_>, at: &str) -> Result<Activation, Error> {
        let end = self.kept_index(at)?;
        let layout = self.plan().layers[end].layout();
        let activation = self.activation(at)?.channels_first(layout);
        let gradient = Manner::Rule(Rule::Gradient);
        let gradient =
            self.send_back_from(asked.layer, asked.signal, gradient, Some(end))?.wait()?;
        let gradient = gradient.channels_first(layout);
        let guided = self.back(asked, Manner::Rule(Rule::Guided))?;
        let spatial = self.plan().input_spatial();
        if activation.shape.len() != spatial.len() + 2 {
            let found = format!("a tensor of {} extents", activation.shape.len());
            let allowed = "maps of the image's axes are needed".into();
            return Err(Error::Target { layer: at.into(), found, allowed });
        }
        let cam = Cam::GradCam.map(&activation, &gradient).resized(&spatial);
        let cells = positions(self.plan());
        let plane = cam.data.len() / cam.shape[0];
        let factors: Vec<_> = (0..guided.data.len())
            .map(|i| cam.data[i / cells.len() * plane + cells[i % cells.len()]])
            .collect();
        Ok(times(guided, &factors))
    }

    /// The score of each image of the batch.
    fn scores(&mut self, asked: &Question<'_>) -> Result<Vec<f64>, Error> {
        let responses = self.read_layer(asked.layer)?.wait()?;
        let each = asked.signal.len() / self.plan().input_shape()[0];
        let product = |(a, b): (&[f32], &[f32])| {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let images = responses.data.chunks_exact(each).zip(asked.signal.chunks_exact(each));
        Ok(images.map(product).collect())
    }

    fn occluded(
        &mut self,
        asked: &Question<'_>,
        [size, stride]: [usize; 2],
        value: f32,
    ) -> Result<Activation, Error> {
        let before = self.scores(asked)?;
        let cells = positions(self.plan());
        let spatial = self.plan().input_spatial();
        let mut sums = vec![0.0; asked.images.len()];
        let mut counts = vec![0u32; spatial.iter().product()];
        // The first window that begins at 0, and those at steps of the stride up to one that reaches
        // the end.
        let windows: Vec<_> =
            spatial.iter().map(|&n| n.saturating_sub(size).div_ceil(stride) + 1).collect();
        for number in 0..windows.iter().product() {
            let covered = cover(&spatial, &windows, number, [size, stride]);
            let mut images = asked.images.to_vec();
            for (i, x) in images.iter_mut().enumerate() {
                if covered[cells[i % cells.len()]] {
                    *x = value;
                }
            }
            self.forward(&images)?;
            let after = self.scores(asked)?;
            for (i, sum) in sums.iter_mut().enumerate() {
                if covered[cells[i % cells.len()]] {
                    *sum += before[i / cells.len()] - after[i / cells.len()];
                }
            }
            counts.iter_mut().zip(&covered).for_each(|(n, &c)| *n += u32::from(c));
        }
        self.forward(asked.images)?;
        let mean = |(i, sum): (usize, f64)| {
            (sum / f64::from(counts[cells[i % cells.len()]].max(1))) as f32
        };
        let shape = self.plan().input_shape().to_vec();
        Ok(Activation { shape, data: sums.into_iter().enumerate().map(mean).collect() })
    }
}

/// For each spatial position whether a window covers it.
fn cover(
    spatial: &[usize],
    windows: &[usize],
    number: usize,
    [size, stride]: [usize; 2],
) -> Vec<bool> {
    let mut covered = vec![true; spatial.iter().product()];
    let (mut rest, mut step) = (number, 1);
    for (&extent, &count) in spatial.iter().zip(windows).rev() {
        let start = rest % count * stride;
        for (position, covered) in covered.iter_mut().enumerate() {
            *covered &= (start..start + size).contains(&(position / step % extent));
        }
        rest /= count;
        step *= extent;
    }
    covered
}

/// For each element of an image its position, flattened over the spatial axes.
fn positions(plan: &Plan) -> Vec<usize> {
    let axes = plan.spatial_axes();
    let inner: usize = plan.input_shape()[axes.end..].iter().product();
    let count: usize = plan.input_spatial().iter().product();
    (0..plan.input_shape()[1..].iter().product()).map(|i: usize| i / inner % count).collect()
}

fn times(mut map: Activation, by: &[f32]) -> Activation {
    map.data.iter_mut().zip(by).for_each(|(x, by)| *x *= by);
    map
}

/// The distance from the least to the largest value.
fn range(values: &[f32]) -> f64 {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    f64::from(high) - f64::from(low)
}
