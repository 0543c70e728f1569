//! Receptive fields hold every pixel that a unit depends on; the strongest units are those.

use unpool_cnn::{Engine, Keep, Model, Rule, Session, Strongest, Target};

use crate::support::expected::{Digits, Segmentation, path, read};
use crate::support::onnx::{Attribute, ints, model, node};
use crate::support::random::Random;

/// Checks that the gradient of units is zero outside their fields.
fn check(name: &str, model: &Model, shape: &[usize], image: &[f32]) {
    let plan = model.plan(shape).expect("it fits");
    let layers = plan.layers().to_vec();
    let mut session = Session::new(&Engine::Cpu, plan, Keep::All).expect("memory");
    session.forward(image).expect("it runs");
    let [height, width] = [shape[2], shape[3]];
    for layer in &layers {
        for position in [0, layer.positions() / 2, layer.positions() - 1] {
            let field = session.plan().receptive_field(layer, position);
            let inside = field.inside(&[height, width]);
            for channel in [0, layer.channels() - 1] {
                let target = Target::Unit { channel, position };
                let map = session.look_back(layer.name(), target, Rule::Gradient);
                for (i, value) in map.expect("it runs").map.data.iter().enumerate() {
                    let (row, column) = (i / width % height, i % width);
                    let seen = inside[0].contains(&row) && inside[1].contains(&column);
                    assert!(seen || *value == 0.0, "{name} {} at {row}, {column}", layer.name());
                }
            }
        }
    }
}

#[test]
fn a_unit_depends_on_nothing_outside_its_receptive_field() {
    let digits: Digits = read("digits.json");
    let open = |name| Model::open(path(name)).expect("the model is read");
    check("digits.onnx", &open("digits.onnx"), &digits.image_shape, &digits.image);
    let scene: Segmentation = read("segnet.json");
    check("segnet.onnx", &open("segnet.onnx"), &scene.image_shape, &scene.image);
}

#[test]
fn a_field_is_the_whole_image_where_axes_change_their_meaning() {
    let axis = |axis| [Attribute::Int("axis", axis)];
    let shape = ints("shape", &[1, 3, 20]);
    let turned = ints("shape", &[1, 3, 5, 4]);
    for (name, last) in [
        ("flat", node("Flatten", &["h"], &["y"], &[])),
        ("in a row", node("Reshape", &["h", "shape"], &["y"], &[])),
        ("turned", node("Reshape", &["h", "shape"], &["y"], &[])),
        ("side by side", node("Concat", &["x", "h"], &["y"], &axis(3))),
        ("summed over", node("Softmax", &["h"], &["y"], &axis(2))),
        ("by channels", node("Softmax", &["h"], &["y"], &axis(1))),
    ] {
        let nodes = [node("Sigmoid", &["x"], &["h"], &[]), last];
        let weights = match name {
            "in a row" => std::slice::from_ref(&shape),
            "turned" => std::slice::from_ref(&turned),
            _ => &[],
        };
        let model = Model::from_bytes(&model(&nodes, weights, 17)).expect("a model");
        let image = Random::new(3).floats(60);
        check(name, &model, &[1, 3, 4, 5], &image);
        let plan = model.plan(&[1, 3, 4, 5]).expect("it fits");
        let whole = plan.receptive_field(plan.output(), 0).whole;
        assert_eq!(whole, ["flat", "in a row", "turned"].contains(&name), "{name}");
    }
}

#[test]
fn an_output_that_is_only_kept_is_not_looked_back_from() {
    let digits: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    let plan = model.plan(&digits.image_shape).expect("it fits");
    let mut session = Session::new(&Engine::Cpu, plan, Keep::Output).expect("memory");
    session.forward(&digits.image).expect("it runs");
    let name = session.plan().output().name().to_owned();
    assert!(session.activation(&name).is_ok());
    let target = Target::Class(0);
    let error = session.look_back(&name, target, Rule::Gradient).expect_err("nothing is kept");
    assert!(error.to_string().contains("none to look back from"), "{error}");
    assert!(session.vector_jacobian(&name, &[0.0; 10], Rule::Gradient).is_err());
}

#[test]
fn receptive_fields_are_those_computed_by_hand() {
    let plan = Model::open(path("digits.onnx")).and_then(|m| m.plan(&[1, 1, 32, 32]));
    let plan = plan.expect("it fits");
    // 3×3 convolutions add 2 pixels times the stride so far, the pools 1 and 2 times it.
    for (name, size) in
        [("conv1", 3), ("conv2", 5), ("pool1", 6), ("conv3", 10), ("pool2", 14), ("conv4", 22)]
    {
        let layer = plan.layer(name).expect("it is there");
        let field = plan.receptive_field(layer, layer.positions() / 2);
        assert_eq!(field.size(), [size, size], "{name}");
    }
    let whole = plan.receptive_field(plan.output(), 0);
    assert!(whole.whole);
}

#[test]
fn the_strongest_units_are_peaks_strongest_first_and_spread_over_the_images() {
    let expected: Digits = read("digits.json");
    let model = Model::open(path("digits.onnx")).expect("the model is read");
    let plan = model.plan(&expected.image_shape).expect("it fits");
    let mut session = Session::new(&Engine::Cpu, plan, Keep::Layers(&["relu3"])).expect("memory");
    session.forward(&expected.image).expect("it runs");
    let activation = session.activation("relu3").expect("it was kept");
    let mut strongest = Strongest::new(16, 6, 3);
    (0..3).for_each(|image| strongest.offer(image, &activation, image));
    let found = strongest.found();
    assert!(found.windows(2).all(|pair| pair[0].unit.value >= pair[1].unit.value));
    for image in 0..3 {
        assert!(found.iter().filter(|f| f.image == image).count() <= 2);
        let best = activation.strongest(image, 16).expect("a unit");
        assert!(found.iter().any(|f| f.image == image && f.unit == best), "image {image}");
    }
    assert!(session.activation("conv2").is_err(), "only what was asked for is kept");
}
