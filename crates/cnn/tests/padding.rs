//! The ways in which ONNX writes padding down: each is the explicit padding that it stands for.

use unpool_cnn::{Engine, Keep, Model, Session};

use crate::support::onnx::{Attribute, floats, model, node};
use crate::support::random::Random;

/// Runs one operator with a 3×3 window on random numbers, and gives its result.
fn run(operator: &str, size: [usize; 2], attributes: &[Attribute]) -> (Vec<usize>, Vec<f32>) {
    let r = &mut Random::new(5);
    let shape = [2, 3, size[0], size[1]];
    let (x, w) = (r.floats(shape.iter().product()), r.floats(81));
    let inputs: &[&str] = if operator == "AveragePool" { &["x"] } else { &["x", "w"] };
    let mut all = attributes.to_vec();
    all.push(Attribute::Ints("kernel_shape", vec![3, 3]));
    let bytes =
        model(&[node(operator, inputs, &["y"], &all)], &[floats("w", &[3, 3, 3, 3], &w)], 17);
    let plan = Model::from_bytes(&bytes).and_then(|m| m.plan(&shape)).expect("it fits");
    let mut session = Session::new(&Engine::Cpu, plan, Keep::Output).expect("memory");
    session.forward(&x).expect("it runs");
    let y = session.output().expect("a result");
    (y.shape, y.data)
}

fn strides(n: i64) -> Attribute {
    Attribute::Ints("strides", vec![n, n])
}

fn pads(pads: [i64; 4]) -> Attribute {
    Attribute::Ints("pads", pads.to_vec())
}

#[test]
fn same_and_valid_are_the_pads_that_they_stand_for() {
    // With stride 2 an even size needs one cell of padding, an odd one two.
    for operator in ["Conv", "AveragePool"] {
        for (name, explicit) in [
            ("SAME_UPPER", [1, 0, 1, 1]),
            ("SAME_LOWER", [1, 1, 1, 0]),
            ("VALID", [0, 0, 0, 0]),
            ("NOTSET", [0, 0, 0, 0]),
        ] {
            let auto = run(operator, [7, 8], &[strides(2), Attribute::Text("auto_pad", name)]);
            assert_eq!(
                auto,
                run(operator, [7, 8], &[strides(2), pads(explicit)]),
                "{operator} {name}"
            );
        }
    }
}

#[test]
fn a_transposed_convolution_is_cut_as_it_is_asked_to_be() {
    let of = |attributes: &[Attribute]| run("ConvTranspose", [4, 5], attributes);
    let plain = of(&[strides(2), pads([1, 0, 0, 0])]);
    assert_eq!(plain.0, [2, 3, 8, 11]);
    // One more cell at the far end is one cell of padding less.
    let wider = [strides(2), pads([1, 0, 1, 1]), Attribute::Ints("output_padding", vec![1, 1])];
    assert_eq!(of(&wider), plain);
    // The size 2·n is one cell less than what the windows span: after is cut, or before.
    let same = |name| of(&[strides(2), Attribute::Text("auto_pad", name)]);
    assert_eq!(same("SAME_UPPER"), of(&[strides(2), pads([0, 0, 1, 1])]));
    assert_eq!(same("SAME_LOWER"), of(&[strides(2), pads([1, 1, 0, 0])]));
    let shaped = of(&[strides(2), Attribute::Ints("output_shape", vec![8, 9])]);
    assert_eq!(shaped, of(&[strides(2), pads([1, 1, 0, 1])]));
}
