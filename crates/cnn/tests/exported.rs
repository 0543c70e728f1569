//! Networks as PyTorch, Keras and the ONNX zoo export them, against what ONNX Runtime computes; see
//! `tests/models/README.md`.

use serde::Deserialize;
use unpool_cnn::{Engine, Keep, Layer, Layout, Model, Rule, Session, Target};

use crate::support::engines::engines;
use crate::support::expected::read;
use crate::support::wire::{filled, hashed};

/// What results may differ by, as a part of the largest one.
const ALLOWED: f32 = 1e-4;

#[derive(Deserialize)]
struct Recorded {
    models: Vec<Exported>,
}

#[derive(Deserialize)]
struct Exported {
    model: String,
    input_shape: Vec<usize>,
    output_shape: Vec<usize>,
    largest: f32,
    every: usize,
    output: Vec<f32>,
}

impl Exported {
    /// Runs it, and the way back from its scores, and gives the difference to ONNX Runtime.
    fn check(&self, engine: &Engine) -> f32 {
        let path = crate::support::expected::path("..").join("models").join(&self.model);
        let bytes = filled(&std::fs::read(path).expect("the model is in the repository"));
        let model = Model::from_bytes(&bytes).unwrap_or_else(|e| panic!("{}: {e}", self.model));
        let plan = model.plan(&self.input_shape);
        let plan = plan.unwrap_or_else(|e| panic!("{}: {e}", self.model));
        assert_eq!(plan.output().shape(), self.output_shape, "{}", self.model);
        let count: usize = self.input_shape.iter().product();
        let image: Vec<f32> = (0..count as u32).map(|i| hashed(i + 7)).collect();
        let scores = plan.scores().name().to_owned();
        let keep = [scores.as_str()];
        let mut session = Session::new(engine, plan, Keep::Layers(&keep)).expect("memory");
        session.forward(&image).expect("it runs");
        let output = session.output().expect("a result").data;
        let sampled = output.iter().step_by(self.every).zip(&self.output);
        let off = sampled.fold(0.0f32, |off, (a, b)| {
            let d = (a - b).abs();
            if d.is_nan() { f32::INFINITY } else { off.max(d) }
        });
        let map = session.look_back(&scores, Target::Channel(0), Rule::Guided);
        let map = map.unwrap_or_else(|e| panic!("{}: {e}", self.model)).map;
        assert_eq!(map.shape, self.input_shape, "{}", self.model);
        assert!(map.data.iter().all(|x| x.is_finite()), "{}", self.model);
        off / self.largest
    }
}

fn recorded() -> Vec<Exported> {
    read::<Recorded>("../models/models.json").models
}

#[test]
fn a_small_network_of_every_kind_of_layer_is_that_of_onnx_runtime() {
    for (name, engine) in engines().iter() {
        for exported in
            recorded().iter().filter(|e| e.input_shape.iter().product::<usize>() < 20_000)
        {
            let off = exported.check(engine);
            println!("{name} {}: {off:e}", exported.model);
            assert!(off <= ALLOWED, "{name} {}: {off:e}", exported.model);
        }
    }
}

/// `scripts/check-models` runs it, on the CPU and on one adapter: some minutes.
#[test]
#[ignore = "minutes: scripts/check-models runs it"]
fn every_network_is_that_of_onnx_runtime() {
    let only = std::env::var("UNPOOL_MODEL").unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, engine) in engines().iter().take(2) {
        for exported in recorded().iter().filter(|e| e.model.contains(&only)) {
            let started = std::time::Instant::now();
            let off = exported.check(engine);
            let seconds = started.elapsed().as_secs_f32();
            println!("{name} {}: {off:e} in {seconds:.1} s", exported.model);
            if off > ALLOWED {
                wrong.push(format!("{name} {}: {off:e}", exported.model));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn layers_know_which_of_their_axes_is_the_channels() {
    let plan = |file: &str, shape: &[usize]| {
        let path = crate::support::expected::path("..").join("models").join(file);
        let bytes = filled(&std::fs::read(path).expect("the model is in the repository"));
        Model::from_bytes(&bytes).expect("a model").plan(shape).expect("the shapes fit")
    };
    // Inside of its blocks a ConvNeXt has the channels last.
    let convnext = plan("convnext_tiny_dynamo.onnx", &[1, 3, 224, 224]);
    let last = |layer: &&Layer| layer.layout() == Layout::ChannelsLast;
    let inside = convnext.layers().iter().filter(last);
    assert!(inside.clone().any(|layer| layer.shape() == [1, 14, 14, 1536]));
    assert!(inside.clone().all(|layer| layer.operator() != "Conv"));
    assert_eq!(convnext.last_maps().expect("maps").shape(), [1, 768, 7, 7]);
    // A Keras model has them last only before its first Transpose and after its last.
    let keras = plan("keras_simple.onnx", &[1, 28, 28, 1]);
    assert_eq!(keras.layers()[0].shape(), [1, 1, 28, 28]);
    assert_eq!(keras.layers()[0].layout(), Layout::ChannelsFirst);
    let maps = keras.last_maps().expect("maps");
    assert!(maps.layout() == Layout::ChannelsFirst && maps.positions() > 1, "{maps:?}");
}
