//! Branches that a model takes by the size of its image.

use std::slice::from_ref;

use unpool_cnn::{Engine, Keep, Model, Rule, Session, Target};

use crate::support::onnx::{Bytes, floats, ints, model, node};

/// A graph of a branch, with an output of each name.
fn graph(nodes: &[Bytes], weights: &[Bytes], outputs: &[&str]) -> Bytes {
    let graph = nodes.iter().fold(Bytes::default(), |b, node| b.message(1, node));
    let graph = weights.iter().fold(graph, |b, tensor| b.message(5, tensor));
    outputs.iter().fold(graph, |b, name| b.message(12, &Bytes::default().text(1, name)))
}

fn branch(name: &str, graph: &Bytes) -> Bytes {
    Bytes::default().text(1, name).message(6, graph).int(20, 5)
}

fn choice(condition: &str, outputs: &[&str], then: &Bytes, otherwise: &Bytes) -> Bytes {
    let node = node("If", &[condition], outputs, &[]);
    node.message(5, &branch("then_branch", then)).message(5, &branch("else_branch", otherwise))
}

/// Whether the image has one channel, as `one`.
fn one_channel() -> [Bytes; 3] {
    [
        node("Shape", &["x"], &["shape"], &[]),
        node("Gather", &["shape", "second"], &["channels"], &[]),
        node("Equal", &["channels", "unit"], &["one"], &[]),
    ]
}

fn weights() -> [Bytes; 2] {
    [ints("second", &[1]), ints("unit", &[1])]
}

fn with(nodes: &[Bytes]) -> Vec<u8> {
    model(&[&one_channel()[..], nodes].concat(), &weights(), 18)
}

fn run(bytes: &[u8], channels: usize) -> (Vec<String>, Vec<f32>, Vec<f32>) {
    let x = [-2.0, -1.0, 1.0, 2.0];
    let plan = Model::from_bytes(bytes).expect("a model").plan(&[1, channels, 2, 2 / channels]);
    let plan = plan.expect("the shapes fit");
    let mut session = Session::new(&Engine::Cpu, plan, Keep::All).expect("memory");
    session.forward(&x).expect("it runs");
    let names = session.plan().layers().iter().map(|layer| layer.name().to_owned()).collect();
    let output = session.plan().output().name().to_owned();
    let back = session.look_back(&output, Target::Layer, Rule::Gradient).expect("it runs");
    (names, session.output().expect("an output").data, back.map.data)
}

fn refused(bytes: &[u8], words: &[&str]) {
    let planned = Model::from_bytes(bytes).and_then(|model| model.plan(&[1, 1, 2, 2]));
    let error = planned.expect_err("it is refused").to_string();
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

/// Both branches call their values alike, and have weights of their own.
#[test]
fn the_branch_is_that_of_the_size() {
    let scaled = |by: f32, operator: &str| {
        let nodes = [node("Mul", &["x", "w"], &["p"], &[]), node(operator, &["p"], &["q"], &[])];
        graph(&nodes, &[floats("w", &[1], &[by])], &["q"])
    };
    let bytes = with(&[choice("one", &["y"], &scaled(2.0, "Relu"), &scaled(3.0, "Neg"))]);
    let (names, y, back) = run(&bytes, 1);
    assert_eq!((y, back), (vec![0.0, 0.0, 2.0, 4.0], vec![0.0, 0.0, 2.0, 2.0]));
    assert_eq!(names, ["p", "q"]);
    let (_, y, back) = run(&bytes, 2);
    assert_eq!((y, back), (vec![6.0, 3.0, -3.0, -6.0], vec![-3.0; 4]));
}

#[test]
fn branches_read_what_is_around_them_and_lie_in_each_other() {
    let double = graph(&[node("Add", &["a", "a"], &["r"], &[])], &[], &["r"]);
    let same = graph(&[node("Identity", &["a"], &["r"], &[])], &[], &["r"]);
    let inner = choice("two", &["s"], &double, &same);
    let negated = [node("Not", &["one"], &["two"], &[]), inner, node("Neg", &["s"], &["t"], &[])];
    // Two outputs, of which the second is a value of the graph around the branch.
    let then = graph(&negated, &[], &["t", "a"]);
    let otherwise = graph(&[node("Relu", &["a"], &["t"], &[])], &[], &["a", "t"]);
    // In the file the choice stands before what its branches read.
    let nodes = [
        choice("one", &["b", "c"], &then, &otherwise),
        node("Abs", &["x"], &["a"], &[]),
        node("Sub", &["b", "c"], &["y"], &[]),
    ];
    let (names, y, _) = run(&with(&nodes), 1);
    assert_eq!(y, [-4.0, -2.0, -2.0, -4.0]);
    assert_eq!(names, ["a", "r", "t", "y"]);
    let (_, y, _) = run(&with(&nodes), 2);
    assert_eq!(y, [0.0; 4]);
}

#[test]
fn a_branch_in_a_function_has_names_of_its_own() {
    let relu = graph(&[node("Relu", &["p"], &["r"], &[])], &[], &["r"]);
    let scaled =
        graph(&[node("Mul", &["p", "w"], &["r"], &[])], &[floats("w", &[1], &[5.0])], &["r"]);
    let body = choice("flag", &["q"], &relu, &scaled);
    let function = Bytes::default().text(1, "Own").text(10, "own").text(4, "p").text(4, "flag");
    let function = function.text(5, "q").message(7, &body);
    let call = |from: &str, to: &str| node("Own", &[from, "one"], &[to], &[]).text(7, "own");
    let bytes = Bytes(with(&[call("x", "z"), call("z", "y")])).message(25, &function).0;
    let (names, y, _) = run(&bytes, 1);
    assert_eq!(y, [0.0, 0.0, 1.0, 2.0]);
    assert_eq!(names, ["z/r", "y/r"]);
    let (_, y, _) = run(&bytes, 2);
    assert_eq!(y, [-50.0, -25.0, 25.0, 50.0]);
}

#[test]
fn choices_that_cannot_be_made_are_refused() {
    let of = |operator: &str| graph(&[node(operator, &["x"], &["r"], &[])], &[], &["r"]);
    let by_image = [
        node("Greater", &["x", "w"], &["cond"], &[]),
        choice("cond", &["y"], &of("Relu"), &of("Neg")),
    ];
    let bytes = model(&by_image, &[floats("w", &[1], &[0.0])], 18);
    refused(&bytes, &["(If)", "cond depends on the image"]);
    let several = [choice("list", &["y"], &of("Relu"), &of("Neg"))];
    refused(&model(&several, &[ints("list", &[1, 0])], 18), &["cond has 2 elements"]);
    let half = node("If", &["one"], &["y"], &[]).message(5, &branch("then_branch", &of("Relu")));
    refused(&with(from_ref(&half)), &["an If without else_branch"]);
    let astray = graph(&[node("Relu", &["nowhere"], &["r"], &[])], &[], &["r"]);
    refused(&with(&[choice("one", &["y"], &of("Relu"), &astray)]), &["\"nowhere\""]);
    // What is not supported is refused where it is reached.
    refused(&with(&[choice("one", &["y"], &of("Magic"), &of("Relu"))]), &["(Magic)"]);
    let (_, y, _) = run(&with(&[choice("one", &["y"], &of("Relu"), &of("Magic"))]), 1);
    assert_eq!(y, [0.0, 0.0, 1.0, 2.0]);
}
