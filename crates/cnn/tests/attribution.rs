//! Attribution against captum's numbers, and by what each method promises.

use std::collections::HashMap;

use serde::Deserialize;
use unpool_cnn::{
    Activation, Ascent, Attribution, Cam, Engine, Error, Keep, Model, Relevance, Rule, Session,
    Target,
};

use crate::support::compare::{close, difference};
use crate::support::engines::engines;
use crate::support::expected::{path, read};
use crate::support::wire::{filled, hashed};

#[derive(Deserialize)]
struct Recorded {
    models: Vec<Case>,
}

/// A network, an image, the class, and captum's map of each method.
#[derive(Deserialize)]
struct Case {
    model: String,
    shape: Vec<usize>,
    input: Vec<f32>,
    layer: String,
    class: usize,
    maps_layer: String,
    maps_shape: Vec<usize>,
    maps: HashMap<String, Vec<f32>>,
}

impl Case {
    fn session(&self, engine: &Engine, batch: usize) -> Session {
        let file = std::fs::read(path("..").join(&self.model)).expect("it is in the repository");
        let model = Model::from_bytes(&filled(&file)).expect("a model");
        let mut shape = self.shape.clone();
        shape[0] = batch;
        let plan = model.plan(&shape).expect("the shapes fit");
        let keep = [self.layer.as_str(), self.maps_layer.as_str()];
        Session::new(engine, plan, Keep::Relevance(&keep)).expect("memory")
    }

    fn attribute(&self, session: &mut Session, method: &Attribution, images: &[f32]) -> Vec<f32> {
        let target = Target::Class(self.class);
        session.attribute(method, images, &self.layer, target).expect("it runs").map.data
    }
}

fn recorded() -> Vec<Case> {
    read::<Recorded>("../attributions/attributions.json").models
}

/// Each method as it was recorded, under its name there, with what it may differ by as a part of the
/// largest value. Sums that nearly cancel divide in LRP-γ, and integrated gradients pass the kinks of ReLU:
/// there captum in f32 differs as much from captum in f64.
fn methods(maps_layer: &str) -> Vec<(&'static str, Attribution, f32)> {
    let back = Attribution::LookBack;
    let integrated = |baseline| Attribution::IntegratedGradients { baseline, steps: 50 };
    let relevance = |epsilon, gamma| Attribution::Relevance(Relevance { epsilon, gamma });
    vec![
        ("gradient", back(Rule::Gradient), 1e-4),
        ("deconvnet", back(Rule::Deconvnet), 1e-4),
        ("guided", back(Rule::Guided), 1e-4),
        ("input_times_gradient", Attribution::InputTimesGradient, 1e-4),
        ("integrated_gradients", integrated(0.0), 1e-3),
        ("integrated_gradients_half", integrated(0.5), 1e-3),
        ("smoothgrad", Attribution::SmoothGrad { noise: 0.15, samples: 8, seed: 0 }, 1e-3),
        ("occlusion", Attribution::Occlusion { size: 7, stride: 3, value: 0.0 }, 1e-4),
        ("guided_grad_cam_bilinear", Attribution::GuidedGradCam { at: maps_layer.into() }, 1e-4),
        ("lrp_epsilon", relevance(1e-2, 0.0), 1e-4),
        ("lrp_gamma", relevance(0.0, 0.25), 1e-3),
    ]
}

/// A method that runs the network often, with few repetitions; `None` for those that run it once.
fn repeated_less(method: &Attribution) -> Option<Attribution> {
    Some(match *method {
        Attribution::IntegratedGradients { baseline, .. } => {
            Attribution::IntegratedGradients { baseline, steps: 3 }
        }
        Attribution::SmoothGrad { noise, seed, .. } => {
            Attribution::SmoothGrad { noise, samples: 2, seed }
        }
        Attribution::Occlusion { value, .. } => {
            Attribution::Occlusion { size: 16, stride: 16, value }
        }
        _ => return None,
    })
}

/// The CPU gives captum's maps. Adapters do, too, by the methods that run the network once; by the others,
/// which take minutes on software adapters, they give what the CPU gives with few repetitions.
#[test]
fn every_map_is_that_of_captum() {
    let cases = recorded();
    assert_eq!(cases.len(), 3);
    for (name, engine) in engines().iter() {
        for case in &cases {
            let mut session = case.session(engine, 1);
            let mut on_cpu = case.session(&Engine::Cpu, 1);
            let mut said = String::new();
            for (method, attribution, allowed) in methods(&case.maps_layer) {
                let place = format!("{name} {} {method}", case.model);
                let off = match repeated_less(&attribution) {
                    Some(less) if !matches!(engine, Engine::Cpu) => {
                        let found = case.attribute(&mut session, &less, &case.input);
                        let expected = case.attribute(&mut on_cpu, &less, &case.input);
                        close(&place, &found, &expected, allowed)
                    }
                    _ => {
                        let found = case.attribute(&mut session, &attribution, &case.input);
                        close(&place, &found, &case.maps[method], allowed)
                    }
                };
                said += &format!(" {method} {off:.0e}");
            }
            let target = Target::Class(case.class);
            let cam = session
                .class_activation(Cam::GradCam, &case.layer, target, &case.maps_layer)
                .expect("it runs");
            assert_eq!(cam.shape, case.maps_shape, "{}", case.model);
            let place = format!("{name} {} grad_cam", case.model);
            close(&place, &cam.data, &case.maps["grad_cam"], 1e-4);
            println!("{name} {}:{said}", case.model);
        }
    }
}

#[test]
fn a_batch_gives_what_its_images_give_and_leaves_its_responses() {
    let case = &recorded()[0];
    let other: Vec<f32> = case.input.iter().rev().map(|x| 0.5 * x).collect();
    let both = [case.input.clone(), other.clone()].concat();
    let (mut one, mut two) = (case.session(&Engine::Cpu, 1), case.session(&Engine::Cpu, 2));
    for (name, method, _) in methods(&case.maps_layer) {
        let all = case.attribute(&mut two, &method, &both);
        for (image, found) in [&case.input, &other].into_iter().zip(all.chunks_exact(1024)) {
            let alone = case.attribute(&mut one, &method, image);
            assert!(difference(found, &alone) < 1e-5, "{name}");
        }
        let after = two.output().expect("scores");
        two.forward(&both).expect("it runs");
        assert_eq!(two.output().expect("scores"), after, "{name}");
    }
}

#[test]
fn relevance_without_parameters_is_the_input_times_the_gradient() {
    let case = &recorded()[0];
    let mut session = case.session(&Engine::Cpu, 1);
    let relevance = Attribution::Relevance(Relevance { epsilon: 0.0, gamma: 0.0 });
    let relevance = case.attribute(&mut session, &relevance, &case.input);
    let product = case.attribute(&mut session, &Attribution::InputTimesGradient, &case.input);
    assert_eq!(relevance, product);
}

/// Networks with gates, normalisation, activations with a derivative everywhere, and sums of branches:
/// integrated gradients add up to the difference of the scores, and relevance is finite. Adapters give the
/// maps of the CPU, but not LRP-γ's: it divides by sums that nearly cancel where activations are negative.
#[test]
fn integrated_gradients_add_up_in_networks_of_every_kind() {
    for file in ["s_silu", "s_gelu", "s_gn", "s_lrn", "s_hardswish", "s_mnist_example"] {
        let bytes = std::fs::read(path("../models").join(format!("{file}_dynamo.onnx")));
        let model = Model::from_bytes(&filled(&bytes.expect("it is there"))).expect("a model");
        let dims = model.input_dims().expect("the file says them");
        let shape: Vec<_> = dims.into_iter().map(|dim| dim.unwrap_or(1)).collect();
        let plan = model.plan(&shape).expect("the shapes fit");
        let layer = plan.scores().name().to_owned();
        let on = |engine: &Engine| {
            Session::new(engine, plan.clone(), Keep::Relevance(&[&layer])).expect("memory")
        };
        let count = shape.iter().product::<usize>() as u32;
        let image: Vec<f32> = (0..count).map(|i| hashed(i + 7)).collect();
        let map = |session: &mut Session, method: &Attribution| {
            session.attribute(method, &image, &layer, Target::Layer).expect("it runs").map
        };
        let integrated = |steps| Attribution::IntegratedGradients { baseline: 0.25, steps };
        let relevance = |epsilon, gamma| Attribution::Relevance(Relevance { epsilon, gamma });

        let mut session = on(&Engine::Cpu);
        let total = |a: &Activation| a.data.iter().map(|&x| f64::from(x)).sum::<f64>();
        let mut score = |image: &[f32]| {
            session.forward(image).expect("it runs");
            total(&session.activation(&layer).expect("a tensor"))
        };
        let (from, to) = (score(&vec![0.25; image.len()]), score(&image));
        let sum = total(&map(&mut session, &integrated(40)));
        let off = (sum - (to - from)).abs() / from.abs().max(to.abs());
        println!("{file}: {sum} of {}, {off:.0e}", to - from);
        assert!(off < 5e-3, "{file}: {sum} of {}", to - from);

        let methods = [integrated(2), relevance(1e-3, 0.0), relevance(0.0, 0.25)];
        let expected = methods.each_ref().map(|method| map(&mut session, method).data);
        for (name, engine) in engines().iter() {
            let mut session = on(engine);
            for (method, expected) in methods.iter().zip(&expected) {
                let found = map(&mut session, method).data;
                assert!(found.iter().all(|x| x.is_finite()) && found.iter().any(|&x| x != 0.0));
                if !matches!(method, Attribution::Relevance(Relevance { gamma: 0.25, .. })) {
                    close(&format!("{name} {file} {method:?}"), &found, expected, 1e-3);
                }
            }
        }
    }
}

#[test]
fn what_a_method_does_not_allow_is_refused_by_name() {
    let case = &recorded()[0];
    let mut session = case.session(&Engine::Cpu, 1);
    let integrated = |baseline, steps| Attribution::IntegratedGradients { baseline, steps };
    let occlusion = |size, stride, value| Attribution::Occlusion { size, stride, value };
    let smooth = |noise, samples| Attribution::SmoothGrad { noise, samples, seed: 0 };
    let relevance = |epsilon, gamma| Attribution::Relevance(Relevance { epsilon, gamma });
    for (method, what) in [
        (integrated(0.0, 0), "integrated-gradients: 0 repetitions; 1 to 1000 are allowed"),
        (integrated(f32::NAN, 5), "integrated-gradients: a value of NaN"),
        (smooth(-1.0, 5), "smoothgrad: a noise of -1"),
        (smooth(0.1, 1001), "smoothgrad: 1001 repetitions"),
        (occlusion(3, 4, 0.0), "occlusion: windows of 3 at a distance of 4"),
        (occlusion(0, 0, 0.0), "occlusion: windows of 0"),
        (occlusion(3, 3, f32::INFINITY), "occlusion: a value of inf"),
        (relevance(-1.0, 0.0), "lrp-epsilon: epsilon -1"),
        (relevance(0.0, f32::NAN), "gamma NaN"),
        (Attribution::GuidedGradCam { at: "relu1".into() }, "\"relu1\" was not kept"),
    ] {
        let error = session.attribute(&method, &case.input, &case.layer, Target::Class(0));
        let error = error.expect_err("it is refused").to_string();
        assert!(error.contains(what), "{error}");
    }
    let plan =
        Model::open(path("digits.onnx")).expect("a model").plan(&case.shape).expect("it fits");
    let mut session = Session::on_cpu(plan, Keep::Layers(&["fc"])).expect("memory");
    let error = session.attribute(&relevance(0.1, 0.0), &case.input, "fc", Target::Class(0));
    assert!(matches!(error, Err(Error::NotKept { .. })), "{error:?}");
}

#[test]
fn a_map_is_smoothed_by_a_gaussian_and_keeps_its_sum() {
    let mut map = Activation { shape: vec![1, 1, 40, 60], data: vec![0.0; 40 * 60] };
    map.data[20 * 60 + 30] = 8.0;
    let smooth = map.smoothed(3.0).data;
    assert!((smooth.iter().sum::<f32>() - 8.0).abs() < 1e-3);
    let peak = smooth[20 * 60 + 30];
    assert!((peak - 8.0 / (std::f32::consts::TAU * 9.0)).abs() < 1e-3, "{peak}");
    assert!((smooth[20 * 60 + 33] - smooth[23 * 60 + 30]).abs() < 1e-7);
    let flat = Activation { shape: vec![1, 1, 2, 2], data: vec![1.0; 4] };
    assert!(difference(&flat.smoothed(5.0).data, &flat.data) < 1e-6);
    assert_eq!(map.smoothed(0.0), map);
}

#[test]
fn an_image_that_excites_a_class_is_found_on_every_engine() {
    let case = &recorded()[0];
    for (name, engine) in engines().iter() {
        let mut session = case.session(engine, 2);
        let after = |steps| Ascent { steps, rate: 0.2, ..Ascent::new(vec![(0.0, 1.0)]) };
        let mut found = |steps| {
            let image = session.maximize("fc", Target::Class(7), &after(steps));
            let score = session.output().expect("scores").image(1)[7];
            (image.expect("it runs"), score)
        };
        let ((_, before), (image, score)) = (found(1), found(6));
        assert!(score > before + 5.0, "{name}: {before} to {score}");
        assert_eq!(image.shape, [2, 1, 32, 32]);
        assert!(image.data.iter().all(|x| (0.0..=1.0).contains(x)), "{name}");
        // The same again, bit for bit.
        assert_eq!(found(6), (image, score), "{name}");
    }
    let mut session = case.session(&Engine::Cpu, 1);
    let usual = Ascent::new(vec![(0.0, 1.0)]);
    for (ascent, what) in [
        (Ascent { steps: 0, ..usual.clone() }, "0 steps; 1 to 10000"),
        (Ascent { rate: f32::NAN, ..usual.clone() }, "a rate of NaN"),
        (Ascent { decay: 2.0, ..usual.clone() }, "a decay of 2"),
        (Ascent { range: vec![(0.0, 1.0); 3], ..usual.clone() }, "3 ranges for 1 channels"),
        (Ascent { range: vec![(1.0, 1.0)], ..usual }, "a range from 1 to 1"),
    ] {
        let error = session.maximize("fc", Target::Class(0), &ascent).expect_err("it is refused");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn maps_are_resized_as_by_bilinear_interpolation() {
    let small = Activation { shape: vec![1, 1, 2, 2], data: vec![0.0, 1.0, 2.0, 3.0] };
    // PyTorch's interpolate(mode="bilinear", size=(4, 3)).
    let row = |y: f32| [y, y + 0.5, y + 1.0];
    let expected = [row(0.0), row(0.5), row(1.5), row(2.0)].concat();
    assert_eq!(small.resized(&[4, 3]).data, expected);
    assert_eq!(small.resized(&[4, 3]).shape, [1, 1, 4, 3]);
}
