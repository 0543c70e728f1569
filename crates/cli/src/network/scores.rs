//! The scores of classes, and their probabilities.

use unpool_cnn::{Activation, Plan};

use crate::colours::short;

/// A class with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Class {
    pub(crate) number: usize,
    pub(crate) score: f32,
    /// By the network's last layer if that is a sigmoid, else by softmax; none of a single class
    /// without either.
    pub(crate) probability: Option<f32>,
}

impl Class {
    /// The probability in percent, or the score if there is none.
    pub(crate) fn percent(&self) -> String {
        self.probability.map_or_else(|| short(self.score), percent)
    }
}

/// A part in percent.
pub(crate) fn percent(part: f32) -> String {
    match 100.0 * part {
        percent if percent > 0.0 && percent < 0.05 => "< 0.1 %".into(),
        percent => format!("{percent:.1} %"),
    }
}

/// The classes of an image, the best first; none if the layer of scores has more than one unit per
/// class.
pub(crate) fn ranked(plan: &Plan, scores: &Activation, image: usize) -> Vec<Class> {
    if scores.shape.len() < 2 || plan.scores().positions() != 1 {
        return Vec::new();
    }
    let all = scores.image(image);
    let largest = all.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = all.iter().map(|score| (score - largest).exp()).sum();
    let probability = |score: f32| match plan.output().operator() {
        "Sigmoid" => Some(1.0 / (1.0 + (-score).exp())),
        _ => (all.len() > 1).then_some((score - largest).exp() / sum),
    };
    let class =
        |(number, &score): (usize, &f32)| Class { number, score, probability: probability(score) };
    let mut classes: Vec<_> = all.iter().enumerate().map(class).collect();
    // Stable: the first of equals stays first.
    classes.sort_by(|a, b| b.score.total_cmp(&a.score));
    classes
}
