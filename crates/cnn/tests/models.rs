//! Two trained models against what PyTorch computes with them, on every engine.

use std::task::{Context, Poll, Waker};

use unpool_cnn::{Cam, Engine, Keep, Model, Rule, Session, Target};

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

#[test]
fn what_is_awaited_is_what_is_waited_for() {
    let expected: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    for (name, engine) in engines().iter() {
        let plan = model.plan(&expected.image_shape).expect("the shapes fit");
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        session.forward(&expected.image).expect("it runs");
        let output = awaited(engine, session.read_output().expect("it is read")).expect("it comes");
        assert_eq!(output, session.output().expect("logits"), "{name}");
        for target in [Target::Strongest(3), Target::Layer] {
            let found = awaited(engine, session.look_back_by("relu3", target, &Rule::ALL));
            let one_by_one = Rule::ALL.map(|rule| session.look_back("relu3", target, rule));
            assert_eq!(found.expect("it runs"), one_by_one.map(|p| p.expect("it runs")), "{name}");
        }
        let signal = vec![0.5; 3 * 10];
        let under_way = session.send_back("fc", &signal, Rule::Gradient).expect("it runs");
        // A reading is of the moment it was made.
        let black = vec![0.0; expected.image.len()];
        session.forward(&black).expect("it runs");
        let found = awaited(engine, under_way).expect("it comes");
        session.forward(&expected.image).expect("it runs");
        let waited = session.vector_jacobian("fc", &signal, Rule::Gradient).expect("it runs");
        assert_eq!(found, waited, "{name}");
        assert!(session.send_back("fc", &signal[1..], Rule::Gradient).is_err());
        assert!(awaited(engine, session.look_back_by("fc", Target::Class(10), &[])).is_err());
    }
}

/// Drives a future as an application does whose own loop polls the device.
fn awaited<T>(engine: &Engine, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => return result,
            Poll::Pending => {
                if let Engine::Gpu(gpu) = engine {
                    gpu.device().poll(unpool::wgpu::PollType::Poll).expect("it polls");
                }
            }
        }
    }
}

#[test]
fn looking_back_in_two_steps_is_looking_back_at_once() {
    let expected: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    for (name, engine) in engines().iter() {
        let plan = model.plan(&expected.image_shape).expect("the shapes fit");
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        session.forward(&expected.image).expect("it runs");
        for rule in Rule::ALL {
            for middle in ["relu3", "pool1", "fc"] {
                let at_once = session.look_back("fc", Target::Class(3), rule).expect("it runs").map;
                let part = session.look_back_to("fc", Target::Class(3), rule, middle);
                let part = part.expect("it runs").map;
                assert_eq!(part.shape, session.plan().layer(middle).expect("a layer").shape());
                let rest = session.vector_jacobian(middle, &part.data, rule).expect("it runs");
                close(&format!("{name} {rule:?} {middle}"), &rest.data, &at_once.data, 1e-6);
            }
        }
        assert!(session.look_back_to("fc", Target::Class(3), Rule::Gradient, "nowhere").is_err());
    }
}

#[test]
fn a_class_activation_map_is_its_definition() {
    let expected: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    let plan = model.plan(&expected.image_shape).expect("the shapes fit");
    let at = plan.last_maps().expect("a layer with maps").name().to_owned();
    let mut session = Session::new(&Engine::Cpu, plan, Keep::All).expect("memory");
    session.forward(&expected.image).expect("it runs");
    let maps = session.activation(&at).expect("it was kept");
    let gradient = session.look_back_to("fc", Target::Class(6), Rule::Gradient, &at);
    let gradient = gradient.expect("it runs").map;
    for cam in Cam::ALL {
        let found = session.class_activation(cam, "fc", Target::Class(6), &at).expect("it runs");
        assert_eq!(found.shape[1], 1);
        let (channels, positions) = (maps.shape[1], maps.shape[2] * maps.shape[3]);
        for image in 0..maps.shape[0] {
            for position in 0..positions {
                let element =
                    |of: &[f32], c: usize, p: usize| of[(image * channels + c) * positions + p];
                let weight = |c: usize| -> f32 {
                    let g = |p: usize| element(&gradient.data, c, p);
                    match cam {
                        Cam::GradCam => (0..positions).map(g).sum::<f32>() / positions as f32,
                        _ => {
                            let sum: f32 = (0..positions).map(|p| element(&maps.data, c, p)).sum();
                            let share = |p: usize| {
                                let below = 2.0 * g(p).powi(2) + sum * g(p).powi(3);
                                if below == 0.0 { 0.0 } else { g(p).powi(2) / below }
                            };
                            (0..positions).map(|p| share(p) * g(p).max(0.0)).sum()
                        }
                    }
                };
                let sum: f32 =
                    (0..channels).map(|c| weight(c) * element(&maps.data, c, position)).sum();
                let value = found.data[image * positions + position];
                assert!((value - sum.max(0.0)).abs() < 1e-4 * sum.abs().max(1.0), "{cam:?}");
            }
        }
    }
}
