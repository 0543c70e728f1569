//! Pictures, timings and the graph of a model as a TensorBoard event file.

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use unpool_cnn::Plan;
use unpool_tensorboard::{Histogram, Node, Picture, Writer};

use crate::{files, unfinished};

/// An event file being written: one that must not be left behind until it is finished.
pub(crate) struct Board(Writer);

impl Board {
    pub(crate) fn create(dir: &Path) -> Result<Self> {
        unfinished::directory(dir)?;
        let made = unfinished::file_by(|| {
            let writer = Writer::create(dir)?;
            let path = writer.path().to_owned();
            Ok::<_, unpool_tensorboard::Error>((writer, path))
        });
        Ok(Self(made?))
    }

    pub(crate) fn scalar(&mut self, tag: &str, step: usize, value: f32) -> Result<()> {
        Ok(self.0.scalar(tag, step as i64, value)?)
    }

    pub(crate) fn image(&mut self, tag: &str, step: usize, image: &RgbImage) -> Result<()> {
        let png = files::png(image)?;
        let (width, height) = image.dimensions();
        let picture = Picture { width, height, encoded: &png };
        Ok(self.0.image(tag, step as i64, picture)?)
    }

    pub(crate) fn histogram(&mut self, tag: &str, step: usize, values: &[f32]) -> Result<()> {
        Ok(self.0.histogram(tag, step as i64, Histogram::of(values))?)
    }

    pub(crate) fn text(&mut self, tag: &str, text: &str) -> Result<()> {
        Ok(self.0.text(tag, 0, text)?)
    }

    /// The layers, each under its own name. Weights are left out: they would hide the rest.
    pub(crate) fn graph(&mut self, plan: &Plan) -> Result<()> {
        let mut nodes = vec![Node {
            name: plan.input_name().into(),
            operator: "Placeholder".into(),
            inputs: Vec::new(),
            shape: plan.input_shape().to_vec(),
        }];
        nodes.extend(plan.layers().iter().map(|layer| {
            let named = |tensor: &String| {
                let maker = plan.layers().iter().find(|l| l.output() == tensor);
                let input = (tensor == plan.input_name()).then(|| tensor.clone());
                maker.map(|l| l.name().to_owned()).or(input)
            };
            Node {
                name: layer.name().into(),
                operator: layer.operator().into(),
                inputs: layer.inputs().iter().filter_map(named).collect(),
                shape: layer.shape().to_vec(),
            }
        }));
        Ok(self.0.graph(&nodes)?)
    }

    /// Writes the rest of the buffered events, and keeps the file.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.0.path().to_owned();
        self.0.finish()?;
        unfinished::keep(&path);
        Ok(())
    }
}
