//! Functions that a model defines of its own.

use std::slice::from_ref;

use unpool_cnn::{Keep, Model, Session};

use crate::support::onnx::{Attribute, Bytes, floats, model, node};

/// A function of the domain `own`.
fn function(name: &str, inputs: &[&str], outputs: &[&str], nodes: &[Bytes], opset: i64) -> Bytes {
    let function = Bytes::default().text(1, name).text(10, "own");
    let function = inputs.iter().fold(function, |b, name| b.text(4, name));
    let function = outputs.iter().fold(function, |b, name| b.text(5, name));
    let function = nodes.iter().fold(function, |b, node| b.message(7, node));
    function.message(9, &Bytes::default().int(2, opset))
}

/// A node that calls a function.
fn call(name: &str, inputs: &[&str], outputs: &[&str], attributes: &[Attribute]) -> Bytes {
    node(name, inputs, outputs, attributes).text(7, "own")
}

fn with(functions: &[Bytes], nodes: &[Bytes], weights: &[Bytes]) -> Vec<u8> {
    let model = Bytes(model(nodes, weights, 18));
    functions.iter().fold(model, |b, function| b.message(25, function)).0
}

fn run(bytes: &[u8], x: &[f32]) -> (Vec<String>, Vec<f32>) {
    let plan = Model::from_bytes(bytes).expect("a model").plan(&[1, 1, 1, x.len()]);
    let mut session = Session::on_cpu(plan.expect("the shapes fit"), Keep::All).expect("memory");
    session.forward(x).expect("it runs");
    let names = session.plan().layers().iter().map(|layer| layer.name().to_owned()).collect();
    (names, session.output().expect("an output").data)
}

fn refused(bytes: &[u8], words: &[&str]) {
    let error = Model::from_bytes(bytes).expect_err("it is refused").to_string();
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

/// `alpha` of a LeakyRelu inside of a function is an attribute of the call.
fn leaky() -> Bytes {
    let alpha = Bytes::default().text(1, "alpha").int(20, 1).text(21, "slope");
    let leaky = node("LeakyRelu", &["a"], &["inner"], &[]).message(5, &alpha);
    let add = node("Add", &["inner", "b"], &["c"], &[]);
    let default = Bytes::default().text(1, "slope").float(2, 0.5).int(20, 1);
    function("Leaky", &["a", "b"], &["c"], &[leaky, add], 18).message(11, &default)
}

#[test]
fn calls_are_replaced_by_the_body_each_with_values_and_attributes_of_its_own() {
    let nodes = [
        call("Leaky", &["x", "one"], &["first"], &[Attribute::Float("slope", 0.25)]),
        call("Leaky", &["first", "one"], &["y"], &[]),
    ];
    let bytes = with(&[leaky()], &nodes, &[floats("one", &[1], &[1.0])]);
    let (names, y) = run(&bytes, &[-16.0, -2.0, 3.0]);
    // −16 → −4 + 1 = −3 → −1.5 + 1; −2 → −0.5 + 1 = 0.5 → 1.5; 3 → 4 → 5.
    assert_eq!(y, [-0.5, 1.5, 5.0]);
    assert_eq!(names, ["first/inner", "first/c", "y/inner", "y/c"]);
}

#[test]
fn a_function_calls_another_and_leaves_out_what_its_caller_leaves_out() {
    let clip = node("Clip", &["a", "low", "high"], &["b"], &[]);
    let inner = function("Clipped", &["a", "low", "high"], &["b"], &[clip], 18);
    let outer_nodes = [
        call("Clipped", &["p", "", "q"], &["r"], &[]),
        node("Relu", &["r"], &["unused"], &[]),
        node("Neg", &["r"], &["s"], &[]),
    ];
    let outer = function("Outer", &["p", "q"], &["s", "unused"], &outer_nodes, 18);
    let nodes = [call("Outer", &["x", "two"], &["y"], &[])];
    let bytes = with(&[outer, inner], &nodes, &[floats("two", &[], &[2.0])]);
    let (names, y) = run(&bytes, &[-5.0, 1.0, 7.0]);
    assert_eq!(y, [5.0, -1.0, -2.0]);
    assert!(names.contains(&"y/r/b".to_owned()), "{names:?}");
}

#[test]
fn functions_that_do_not_fit_are_refused() {
    let own = |nodes: &[Bytes]| function("Own", &["a"], &["b"], nodes, 18);
    let relu = node("Relu", &["a"], &["b"], &[]);
    let one = call("Own", &["x"], &["y"], &[]);
    let many = call("Own", &["x", "x"], &["y"], &[]);
    refused(&with(&[own(from_ref(&relu))], &[many], &[]), &["\"y\" (Own)", "2 inputs", "has 1"]);
    let outputs = call("Own", &["x"], &["y", "z"], &[]);
    refused(&with(&[own(from_ref(&relu))], &[outputs], &[]), &["2 outputs", "has 1"]);
    let older = function("Own", &["a"], &["b"], &[relu], 17);
    refused(&with(&[older], from_ref(&one), &[]), &["operator set 17", "18"]);
    let itself = own(&[call("Own", &["a"], &["b"], &[])]);
    refused(&with(&[itself], from_ref(&one), &[]), &["may not call itself"]);
    // A body that makes nothing, and one that calls what is missing.
    refused(&with(&[own(&[])], &[one.clone(), node("Relu", &["y"], &["z"], &[])], &[]), &["y"]);
    let missing = own(&[call("Other", &["a"], &["b"], &[])]);
    refused(&with(&[missing], &[one], &[]), &["own.Other (1 node)"]);
}

/// Each function calls the next one twice, and the last one nothing: 2⁴⁰ calls.
#[test]
fn functions_that_grow_without_end_are_refused() {
    let name = |i: usize| format!("F{i}");
    let functions = (0..40).map(|i| {
        let next = name(i + 1);
        let calls = [call(&next, &["a"], &["b"], &[]), call(&next, &["b"], &["c"], &[])];
        function(&name(i), &["a"], &["c"], if i == 39 { &[] } else { &calls }, 18)
    });
    let functions: Vec<_> = functions.collect();
    let bytes = with(&functions, &[call("F0", &["x"], &["y"], &[])], &[]);
    refused(&bytes, &["functions that call functions without end"]);
}
