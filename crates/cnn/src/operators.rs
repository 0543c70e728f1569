//! Which operators a model may use, and the refusal of a model that uses others: all of them at once.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::onnx::graph::Graph;
use crate::plan::OPERATORS;

/// Operators of models with whole numbers for weights.
const QUANTISED: [&str; 7] = [
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "ConvInteger",
    "MatMulInteger",
];

/// Operators of models that repeat a step.
const RECURRENT: [&str; 5] = ["LSTM", "GRU", "RNN", "Loop", "Scan"];

/// Operators of models whose tensors have sizes that depend on what is in the image.
const SIZED_BY_THE_IMAGE: [&str; 2] = ["NonMaxSuppression", "Unique"];

/// The supported operators in alphabetical order.
pub(crate) fn supported() -> Vec<&'static str> {
    let mut all = OPERATORS.to_vec();
    all.sort_unstable();
    all
}

/// Refuses a graph with operators that are not supported.
pub(crate) fn check(graph: &Graph) -> Result<(), Error> {
    let mut missing = BTreeMap::new();
    for node in graph.nodes.iter().filter(|node| !OPERATORS.contains(&node.operator.as_str())) {
        *missing.entry(node.operator.as_str()).or_insert(0) += 1;
    }
    if missing.is_empty() {
        return Ok(());
    }
    let counted = |(operator, count): (&&str, &usize)| match count {
        1 => format!("{operator} (1 node)"),
        n => format!("{operator} ({n} nodes)"),
    };
    let found: Vec<_> = missing.iter().map(counted).collect();
    let found = found.join(", ");
    let any = |list: &[&str]| missing.keys().any(|operator| list.contains(operator));
    let (found, allowed) = if any(&QUANTISED) {
        (format!("the model is quantised: {found}"), "the same model with floats is needed")
    } else if any(&RECURRENT) {
        (format!("the model is recurrent: {found}"), "a model without loops is needed")
    } else if any(&SIZED_BY_THE_IMAGE) {
        (
            format!("the model makes tensors whose size depends on what is in the image: {found}"),
            "the part of it before them, whose sizes only the size of the image decides, is needed",
        )
    } else {
        (
            format!("operators that are not supported: {found}"),
            "Model::operators lists those that are",
        )
    };
    Err(Error::Operators { found, allowed: allowed.into() })
}
