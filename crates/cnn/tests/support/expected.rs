//! What PyTorch computed with the two models.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Digits {
    pub(crate) image_shape: Vec<usize>,
    pub(crate) image: Vec<f32>,
    pub(crate) logits: Vec<f32>,
    pub(crate) pool1: Values,
    pub(crate) projections: Vec<Projection>,
}

#[derive(Deserialize)]
pub(crate) struct Values {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

#[derive(Deserialize)]
pub(crate) struct Projection {
    pub(crate) rule: String,
    pub(crate) layer: String,
    pub(crate) target: String,
    pub(crate) at: Option<At>,
    pub(crate) input_map: Vec<f32>,
}

#[derive(Deserialize)]
pub(crate) struct At {
    pub(crate) channel: usize,
    pub(crate) position: Vec<usize>,
}

#[derive(Deserialize)]
pub(crate) struct Segmentation {
    pub(crate) image_shape: Vec<usize>,
    pub(crate) image: Vec<f32>,
    pub(crate) classes: Vec<usize>,
    pub(crate) scores: Vec<f32>,
}

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

pub(crate) fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let bytes = std::fs::read(path(name)).expect("the vectors are in the repository");
    serde_json::from_slice(&bytes).expect("the vectors are JSON of this form")
}
