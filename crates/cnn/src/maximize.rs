//! Activation maximisation: an image that excites a unit, a channel or a class.

use crate::activation::{Activation, smooth_along};
use crate::error::Error;
use crate::noise::{normal, uniform};
use crate::plan::Plan;
use crate::rule::Rule;
use crate::session::Session;
use crate::target::Target;

/// How an image is changed, step by step, so that a response rises (Erhan et al. 2009): along the
/// gradient, with what keeps the image from becoming noise (Yosinski et al. 2015,
/// [1506.06579](https://arxiv.org/abs/1506.06579), section 3; the shifts are Mordvintsev et al.'s, 2015).
#[derive(Clone, Debug, PartialEq)]
pub struct Ascent {
    /// Steps, each of which takes a way forward and one back: 1 to 10,000.
    pub steps: usize,
    /// How far a step goes: the root mean square of its change, as a part of the range of values.
    pub rate: f32,
    /// The part of the distance to the middle of the range that each step takes back, 0 to 1.
    pub decay: f32,
    /// The deviation, in cells, of the Gaussian that smooths the image after every fourth step; 0
    /// smooths nothing.
    pub blur: f32,
    /// Whether the image is shifted along each axis before a step, by a random number of cells, and back
    /// after it. What leaves it on one side comes in on the other.
    pub shifts: bool,
    /// The least and the largest value of each channel: those of black and white.
    pub range: Vec<(f32, f32)>,
    /// Of the noise that the image begins with, and of the shifts. One seed gives the same on every
    /// machine.
    pub seed: u64,
}

/// Steps between two smoothings.
const BLUR_EVERY: usize = 4;

impl Ascent {
    /// What is usual for images of some hundred cells: 200 steps.
    pub fn new(range: Vec<(f32, f32)>) -> Self {
        Self { steps: 200, rate: 0.02, decay: 0.01, blur: 1.0, shifts: true, range, seed: 0 }
    }

    fn check(&self, channels: usize) -> Result<(), Error> {
        let refused = |found: String, allowed: &str| {
            let method = "activation maximisation".into();
            Err(Error::Attribution { method, found, allowed: allowed.into() })
        };
        if !(1..=10_000).contains(&self.steps) {
            return refused(format!("{} steps", self.steps), "1 to 10000 are allowed");
        }
        for (name, x) in [("rate", self.rate), ("blur", self.blur)] {
            if !(x >= 0.0 && x.is_finite()) {
                return refused(format!("a {name} of {x}"), "0 or more is needed");
            }
        }
        if !(0.0..=1.0).contains(&self.decay) {
            return refused(format!("a decay of {}", self.decay), "0 to 1 is allowed");
        }
        if self.range.len() != channels {
            let found = format!("{} ranges for {channels} channels", self.range.len());
            return refused(found, "one for each channel is needed");
        }
        let wrong = |&&(low, high): &&(f32, f32)| !(low < high && (high - low).is_finite());
        match self.range.iter().find(wrong) {
            Some((low, high)) => refused(
                format!("a range from {low} to {high}"),
                "a finite one that rises is needed",
            ),
            None => Ok(()),
        }
    }
}

impl Session {
    /// Images for which a target of a layer responds strongly, one for each image of the batch, each
    /// from noise of its own. In the end the session has the responses to them. Waits for the device.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`look_back`](Self::look_back), and an error if a parameter is not allowed.
    pub fn maximize(
        &mut self,
        layer: &str,
        target: Target,
        ascent: &Ascent,
    ) -> Result<Activation, Error> {
        let channels = channels(self.plan());
        ascent.check(channels.iter().max().map_or(0, |last| last + 1))?;
        self.index_with(layer, &target.into())?;
        let shape = self.plan().input_shape().to_vec();
        let axes = self.plan().spatial_axes();
        let len: usize = shape.iter().product();
        let ranges: Vec<_> = (0..len).map(|i| ascent.range[channels[i % channels.len()]]).collect();
        let start = |(i, &(low, high)): (usize, &(f32, f32))| {
            let noise = 0.02 * normal(ascent.seed, i as u64) as f32;
            (0.5 * (low + high) + noise * (high - low)).clamp(low, high)
        };
        let mut images: Vec<f32> = ranges.iter().enumerate().map(start).collect();
        for step in 0..ascent.steps {
            // Along each axis so many cells.
            let shift = |axis: usize| {
                let k = (step * shape.len() + axis) as u64;
                let part = if ascent.shifts { uniform(ascent.seed, k) } else { 0.0 };
                (part * shape[axis] as f64) as usize
            };
            for axis in axes.clone() {
                rotate(&mut images, &shape, axis, shift(axis));
            }
            self.forward(&images)?;
            let gradient = self.look_back(layer, target, Rule::Gradient)?.map.data;
            let pairs = images.chunks_exact_mut(channels.len()).zip(
                gradient.chunks_exact(channels.len()).zip(ranges.chunks_exact(channels.len())),
            );
            for (image, (gradient, ranges)) in pairs {
                climb(image, gradient, ranges, ascent);
            }
            for axis in axes.clone() {
                rotate(&mut images, &shape, axis, shape[axis] - shift(axis));
            }
            if ascent.blur > 0.0 && step % BLUR_EVERY == BLUR_EVERY - 1 {
                for axis in axes.clone() {
                    images = smooth_along(&images, &shape, axis, ascent.blur);
                }
            }
        }
        self.forward(&images)?;
        Ok(Activation { shape, data: images })
    }
}

/// One step of an image.
fn climb(image: &mut [f32], gradient: &[f32], ranges: &[(f32, f32)], ascent: &Ascent) {
    let squares: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
    let size = (squares / gradient.len() as f64).sqrt() as f32;
    // Where nothing raises the response, nothing is done.
    let scale = if size > 0.0 && size.is_finite() { ascent.rate / size } else { 0.0 };
    for ((x, g), &(low, high)) in image.iter_mut().zip(gradient).zip(ranges) {
        let middle = 0.5 * (low + high);
        let kept = *x + ascent.decay * (middle - *x);
        *x = (kept + scale * g * (high - low)).clamp(low, high);
    }
}

/// Shifts a tensor along an axis by so many cells; what leaves it at the end comes in at the start.
fn rotate(data: &mut [f32], shape: &[usize], axis: usize, by: usize) {
    let inner: usize = shape[axis + 1..].iter().product();
    for vector in data.chunks_exact_mut(shape[axis] * inner) {
        vector.rotate_right(by % shape[axis] * inner);
    }
}

/// The channel of each element of an image.
fn channels(plan: &Plan) -> Vec<usize> {
    let shape = plan.input_shape();
    let axes = plan.spatial_axes();
    let axis = if axes.start == 1 { axes.end } else { 1 };
    let inner: usize = shape[axis + 1..].iter().product();
    (0..shape[1..].iter().product()).map(|i: usize| i / inner % shape[axis]).collect()
}
