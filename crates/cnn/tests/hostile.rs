//! Files that are broken, or made to break a reader: each ends in an error that says where.

use unpool_cnn::{Engine, Error, Keep, Model, Rule, Session, Target};

use crate::support::expected::path;
use crate::support::onnx::{Attribute, Bytes, floats, model, node};
use crate::support::wire::filled;

/// The refusal of a model, when read or when planned.
fn refusal(bytes: &[u8], shape: &[usize]) -> Error {
    match Model::from_bytes(bytes).and_then(|model| model.plan(shape)) {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error,
    }
}

fn refused(nodes: &[Bytes], weights: &[Bytes], what: &[&str]) {
    let said = refusal(&model(nodes, weights, 17), &[1, 2, 5, 5]).to_string();
    for what in what {
        assert!(said.contains(what), "{what:?} is not in: {said}");
    }
}

fn conv(attributes: &[Attribute]) -> [Bytes; 1] {
    [node("Conv", &["x", "w"], &["y"], attributes)]
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_a_smaller_model() {
    let whole = std::fs::read(path("digits.onnx")).expect("the model is in the repository");
    for end in (0..whole.len()).step_by(97) {
        // A cut between two fields leaves a file that can be read; it must not end the program.
        let _ = Model::from_bytes(&whole[..end]).and_then(|model| model.plan(&[1, 1, 32, 32]));
    }
    assert!(matches!(Model::from_bytes(&whole[..whole.len() / 2]), Err(Error::Decode { .. })));
    assert!(matches!(Model::from_bytes(b""), Err(Error::Decode { .. })));
    assert!(matches!(Model::from_bytes(b"PK\x03\x04 not a model"), Err(Error::Decode { .. })));
}

#[test]
fn a_file_with_changed_bytes_never_ends_the_program() {
    let whole = std::fs::read(path("segnet.onnx")).expect("the model is in the repository");
    let mut random = crate::support::random::Random::new(3);
    let mut accepted = 0;
    for _ in 0..2000 {
        let mut broken = whole.clone();
        for _ in 0..random.within(1, 8) {
            // The graph is at the ends of the file; most of the middle is weights.
            let at = random.within(0, broken.len().min(6000) - 1);
            broken[at] = random.within(0, 255) as u8;
        }
        let model = Model::from_bytes(&broken).map(|model| model.with_memory_limit(1 << 24));
        let Ok(plan) = model.and_then(|model| model.plan(&[1, 3, 9, 7])) else { continue };
        // What was accepted runs, there and back.
        let scores = plan.scores().name().to_owned();
        let mut session = Session::new(&Engine::Cpu, plan, Keep::All).expect("little memory");
        session.forward(&[0.5; 3 * 9 * 7]).expect("it runs");
        session.look_back(&scores, Target::Layer, Rule::Guided).expect("it runs");
        accepted += 1;
    }
    println!("{accepted} of 2000 were accepted");
}

#[test]
fn exported_networks_with_changed_bytes_never_end_the_program() {
    let mut random = crate::support::random::Random::new(11);
    let mut accepted = 0;
    for (name, shape) in [
        ("s_segnet_dynamo", [1, 3, 64, 64]),
        ("s_unet_bilinear_dynamo", [1, 3, 64, 64]),
        ("s_lrn_dynamo", [1, 3, 32, 32]),
        ("s_gn_dynamo", [1, 3, 32, 32]),
        ("s_reflectpad_dynamo", [1, 3, 32, 32]),
        ("s_maxadapt_dynamo", [1, 3, 32, 32]),
        ("keras_simple", [1, 28, 28, 1]),
    ] {
        let file = path("../models").join(name).with_extension("onnx");
        let whole = filled(&std::fs::read(file).expect("the model is in the repository"));
        for _ in 0..400 {
            let mut broken = whole.clone();
            for _ in 0..random.within(1, 6) {
                // The graph is at the beginning of the file, in front of the weights, or behind them.
                let near = random.within(0, broken.len().min(5000) - 1);
                let at = if random.flip() { near } else { broken.len() - 1 - near };
                broken[at] = random.within(0, 255) as u8;
            }
            let model = Model::from_bytes(&broken).map(|model| model.with_memory_limit(1 << 23));
            let Ok(plan) = model.and_then(|model| model.plan(&shape)) else { continue };
            let scores = plan.scores().name().to_owned();
            let layer = plan.scores().clone();
            plan.receptive_field(&layer, 0);
            let mut session = Session::new(&Engine::Cpu, plan, Keep::All).expect("little memory");
            session.forward(&vec![0.5; shape.iter().product()]).expect("it runs");
            session.look_back(&scores, Target::Layer, Rule::Guided).expect("it runs");
            accepted += 1;
        }
    }
    println!("{accepted} of 2800 were accepted");
}

#[test]
fn operators_that_are_not_supported_are_named_all_at_once() {
    for operator in Model::operators() {
        let bytes = model(&[node(operator, &["x"], &["y"], &[])], &[], 17);
        let planned = Model::from_bytes(&bytes).and_then(|model| model.plan(&[1, 2, 5, 5]));
        assert!(!matches!(planned, Err(Error::Operators { .. })), "{operator}");
    }
    let several = [
        node("NonMaxSuppression", &["x"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("StringSplit", &["b"], &["c"], &[]),
        node("StringSplit", &["c"], &["y"], &[]),
    ];
    refused(&several, &[], &["NonMaxSuppression (1 node)", "StringSplit (2 nodes)"]);
    let quantised = [node("QLinearConv", &["x"], &["y"], &[])];
    refused(&quantised, &[], &["the model is quantised: QLinearConv (1 node)"]);
    refused(&[node("LSTM", &["x"], &["y"], &[])], &[], &["the model is recurrent", "LSTM"]);
}

#[test]
fn a_graph_that_cannot_run_is_refused() {
    let cycle = [
        node("Relu", &["b"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("Add", &["x", "a"], &["y"], &[]),
    ];
    refused(&cycle, &[], &["cycle", "a, b, y"]);
    refused(&[node("Relu", &["nowhere"], &["y"], &[])], &[], &["\"y\" (Relu)", "nowhere"]);
    refused(
        &[node("Relu", &["x"], &["y"], &[]), node("Relu", &["x"], &["y"], &[])],
        &[],
        &["two values"],
    );
    refused(&[node("Relu", &["x"], &["z"], &[])], &[], &["outputs y"]);
    let said = refusal(&model(&[node("Relu", &["x"], &["y"], &[])], &[], 6), &[1, 2, 5, 5]);
    assert!(said.to_string().contains("operator set 6"), "{said}");
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let w = |dims: &[usize]| floats("w", dims, &vec![0.5; dims.iter().product()]);
    refused(&conv(&[]), &[w(&[4, 3, 3, 3])], &["\"y\" (Conv)", "3 channels", "2 channels"]);
    refused(&conv(&[]), &[w(&[4, 2, 3])], &["4×2×3", "4 extents"]);
    refused(&conv(&[]), &[w(&[4, 2, 7, 7])], &["spans 7", "5"]);
    refused(&conv(&[Attribute::Int("group", 0)]), &[w(&[4, 2, 3, 3])], &["0 groups"]);
    refused(
        &conv(&[Attribute::Ints("kernel_shape", vec![2, 2])]),
        &[w(&[4, 2, 3, 3])],
        &["[2, 2]", "[3, 3]"],
    );
    let short = Bytes::default()
        .int(1, 4)
        .int(1, 2)
        .int(1, 3)
        .int(1, 3)
        .int(2, 1)
        .text(8, "w")
        .bytes(9, &[0; 12]);
    refused(&conv(&[]), &[short], &["\"w\"", "12 bytes", "288"]);
    let huge = Bytes::default()
        .int(1, i64::MAX)
        .int(1, i64::MAX)
        .int(2, 1)
        .text(8, "w")
        .bytes(9, &[0; 12]);
    refused(&conv(&[]), &[huge], &["\"w\"", "elements are allowed"]);
    let negative = Bytes::default().int(1, -1).int(2, 1).text(8, "w");
    refused(&conv(&[]), &[negative], &["\"w\"", "[-1]"]);
    let elsewhere = Bytes::default()
        .int(1, 1)
        .int(2, 1)
        .text(8, "w")
        .int(14, 1)
        .message(13, &Bytes::default().text(1, "location").text(2, "../../etc/passwd"));
    refused(&conv(&[]), &[elsewhere], &["\"w\"", "directory"]);
}

#[test]
fn attributes_that_ask_for_too_much_are_refused_before_anything_is_allocated() {
    let w = || floats("w", &[4, 2, 3, 3], &[0.5; 72]);
    let pads = |n: i64| Attribute::Ints("pads", vec![n; 4]);
    refused(&conv(&[pads(1 << 40)]), &[w()], &["\"y\" (Conv)", "pads"]);
    refused(&conv(&[pads(1 << 20)]), &[w()], &["\"y\" (Conv)", "bytes"]);
    refused(&conv(&[pads(i64::from(i32::MAX))]), &[w()], &["\"y\" (Conv)"]);
    refused(&conv(&[Attribute::Ints("strides", vec![0, 1])]), &[w()], &["strides holds 0"]);
    refused(&conv(&[Attribute::Ints("dilations", vec![1 << 31, 1])]), &[w()], &["dilations"]);
    refused(&conv(&[Attribute::Int("strides", 1)]), &[w()], &["strides has type"]);
    refused(&conv(&[Attribute::Text("auto_pad", "SOME")]), &[w()], &["SOME"]);
    let pool =
        |k: i64| [node("MaxPool", &["x"], &["y"], &[Attribute::Ints("kernel_shape", vec![k, k])])];
    refused(&pool(300), &[], &["\"y\" (MaxPool)"]);
    refused(&pool(i64::MAX), &[], &["\"y\" (MaxPool)", "kernel_shape"]);
    let reshape = |to: &[i64]| {
        [node("Reshape", &["x", "to"], &["y"], &[]), crate::support::onnx::ints("to", to)]
    };
    // Tables and constants that would fill the memory.
    let list = |name: &'static str, of: &[i64]| crate::support::onnx::ints(name, of);
    for (operator, operand) in [
        ("Expand", vec![1, 1 << 30, 5, 5]),
        ("Tile", vec![1, 1 << 30, 1, 1]),
        ("Pad", vec![0, 0, 0, 1 << 30, 0, 0, 0, 1 << 30]),
    ] {
        let first = if operator == "Expand" { "one" } else { "x" };
        let nodes = [
            node("ReduceSum", &["x", "axis"], &["one"], &[]),
            node(operator, &[first, "to"], &["y"], &[]),
        ];
        refused(&nodes, &[list("axis", &[1]), list("to", &operand)], &["are allowed", operator]);
    }
    let sizes =
        [node("ConstantOfShape", &["to"], &["c"], &[]), node("Mul", &["x", "c"], &["y"], &[])];
    refused(&sizes, &[list("to", &[1 << 31, 1 << 31])], &["(ConstantOfShape)", "allowed"]);
    // As many as weights may be, which nothing makes before a session does.
    let weights = [list("to", &[1 << 14, 1 << 13])];
    let dense = [
        node("ConstantOfShape", &["to"], &["w"], &[]),
        node("Reshape", &["x", "row"], &["r"], &[]),
        node("MatMul", &["r", "w"], &["y"], &[]),
    ];
    let bytes = model(&dense, &[&weights[..], &[list("row", &[1, 1 << 14])]].concat(), 17);
    let dense = Model::from_bytes(&bytes).expect("a model");
    assert_eq!(dense.plan(&[1, 1, 128, 128]).expect("it fits").output().shape(), [1, 1 << 13]);
    let said = dense.with_memory_limit(1 << 28).plan(&[1, 1, 128, 128]);
    assert!(matches!(said, Err(Error::Memory { .. })), "{said:?}");
    let outer = [
        node("Add", &["column", "row"], &["c"], &[]),
        node("Cast", &["c"], &["f"], &[Attribute::Int("to", 1)]),
        node("Mul", &["x", "f"], &["y"], &[]),
    ];
    let column = Bytes::default();
    let column = column.int(1, 1 << 14).int(1, 1).int(2, 7).text(8, "column");
    let column = column.bytes(9, &vec![1; 8 << 14]);
    refused(&outer, &[column, list("row", &vec![1; 1 << 14])], &["(Add)", "are allowed"]);
    for to in [&[-1, -1][..], &[7, 7], &[i64::MAX, i64::MAX], &[-5], &[0, 0, 0, 0, 0]] {
        let [nodes, weights] = reshape(to);
        refused(&[nodes], &[weights], &["\"y\" (Reshape)", "50 elements"]);
    }
    refused(
        &[node("Concat", &["x", "x"], &["y"], &[Attribute::Int("axis", 9)])],
        &[],
        &["axis is 9"],
    );
    refused(
        &[node("Softmax", &["x"], &["y"], &[Attribute::Int("axis", i64::MIN)])],
        &[],
        &["axis is"],
    );
}

#[test]
fn an_input_that_the_graph_does_not_allow_is_refused() {
    let digits = Model::open(path("digits.onnx")).expect("the model is read");
    for shape in [&[1, 1, 32, 33][..], &[1, 3, 32, 32], &[1, 32, 32], &[0, 1, 32, 32], &[]] {
        let said = digits.plan(shape).expect_err("it is refused");
        assert!(matches!(said, Error::Input { .. }), "{said}");
    }
    assert!(digits.plan(&[5, 1, 32, 32]).is_ok(), "any batch");
    let segnet = Model::open(path("segnet.onnx")).expect("the model is read");
    for size in [1, 2, 3, 8, 37, 64] {
        assert!(segnet.plan(&[2, 3, size, size + 1]).is_ok(), "any size: {size}");
    }
    let small = digits.with_memory_limit(1000);
    assert!(matches!(small.plan(&[1, 1, 32, 32]), Err(Error::Memory { allowed: 1000, .. })));
}
