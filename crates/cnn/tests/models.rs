//! Two trained models against what PyTorch computes with them, on every engine.

use unpool_cnn::{Keep, Model, Rule, Session, Target};

use crate::support::compare::close;
use crate::support::engines::engines;
use crate::support::expected::{Digits, Segmentation, path, read};

/// What sums may differ by, as a part of the largest value.
const ALLOWED: f32 = 1e-4;

#[test]
fn a_classifier_responds_as_in_pytorch() {
    let expected: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    for (name, engine) in engines().iter() {
        let plan = model.plan(&expected.image_shape).expect("the shapes fit");
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        session.forward(&expected.image).expect("it runs");
        let logits = session.output().expect("logits");
        let off = close(&format!("{name} logits"), &logits.data, &expected.logits, ALLOWED);
        let pooled = session.activation("pool1").expect("pool1");
        assert_eq!(pooled.shape, expected.pool1.shape);
        let pool_off =
            close(&format!("{name} pool1"), &pooled.data, &expected.pool1.values, ALLOWED);
        println!("{name}: logits {off:e}, pool1 {pool_off:e}");
    }
}

#[test]
fn every_projection_is_that_of_pytorch() {
    let expected: Digits = read("digits.json");
    assert_eq!(expected.projections.len(), 42);
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    for (name, engine) in engines().iter() {
        let plan = model.plan(&expected.image_shape).expect("the shapes fit");
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        session.forward(&expected.image).expect("it runs");
        let mut largest = 0.0f32;
        for projection in &expected.projections {
            let rule = Rule::ALL.into_iter().find(|rule| rule.name() == projection.rule);
            let rule = rule.expect("one of the three rules");
            let place =
                format!("{name} {} {} {}", projection.rule, projection.layer, projection.target);
            let target = match &projection.at {
                None => Target::Layer,
                Some(at) => Target::Strongest(at.channel),
            };
            let found = session.look_back(&projection.layer, target, rule).expect("it runs");
            if let Some(at) = &projection.at {
                let positions: Vec<_> =
                    found.units.iter().map(|u| u.expect("one unit an image").position).collect();
                assert_eq!(positions, at.position, "{place}");
            }
            largest = largest.max(close(&place, &found.map.data, &projection.input_map, ALLOWED));
        }
        println!("{name}: 42 projections, at most {largest:e}");
    }
}

#[test]
fn a_segmentation_of_odd_size_is_that_of_pytorch() {
    let expected: Segmentation = read("segnet.json");
    let model = Model::open(path("segnet.onnx")).expect("the model is read");
    for (name, engine) in engines().iter() {
        for keep in [Keep::Output, Keep::All] {
            let plan = model.plan(&expected.image_shape).expect("the shapes fit");
            let mut session = Session::new(engine, plan, keep).expect("memory");
            session.forward(&expected.image).expect("it runs");
            let scores = session.output().expect("scores");
            let off = close(&format!("{name} scores"), &scores.data, &expected.scores, ALLOWED);
            assert_eq!(scores.classes(), expected.classes, "{name}");
            println!("{name} {keep:?}: scores {off:e}, {:?}", session.memory());
        }
    }
}
