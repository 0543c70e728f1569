//! Sequences of tensors, and the bits of whole numbers.

use crate::support::definition::check;
use crate::support::onnx::{Attribute, floats, ints, model, node};
use crate::support::random::Random;

const SHAPE: [usize; 3] = [2, 5, 3];

#[test]
fn parts_of_a_tensor_go_through_sequences() {
    let x = Random::new(3).floats(30);
    // Parts of two, two and one row; the first is dropped, another inserted, and all are put together again.
    let [rows, columns] = [1, 2].map(|axis| [Attribute::Int("axis", axis)]);
    let scalar = |name: &'static str, n: i64| {
        node("Constant", &[], &[name], &[Attribute::Int("value_int", n)])
    };
    let nodes = [
        scalar("two", 2),
        scalar("first", 0),
        scalar("last", -1),
        node("SplitToSequence", &["x", "two"], &["all"], &rows),
        node("SequenceAt", &["all", "first"], &["a"], &[]),
        node("SequenceErase", &["all", "first"], &["rest"], &[]),
        node("Neg", &["a"], &["negated"], &[]),
        node("SequenceInsert", &["rest", "negated", "last"], &["more"], &[]),
        node("ConcatFromSequence", &["more"], &["y"], &rows),
    ];
    let row = |n: usize, row: usize| &x[(n * 5 + row) * 3..][..3];
    let negated = |n: usize, at: usize| row(n, at).iter().map(|x| -x).collect::<Vec<_>>();
    let expected = (0..2).flat_map(|n| {
        [row(n, 2).to_vec(), row(n, 3).to_vec(), negated(n, 0), negated(n, 1), row(n, 4).to_vec()]
    });
    let expected: Vec<f32> = expected.flatten().collect();
    check("a sequence", 0, &model(&nodes, &[], 17), &SHAPE, &x, &expected);

    // Each column by itself, without the axis; then side by side on a new one, and their number. PyTorch's unbind has a
    // split of 1.
    let [columns] = columns;
    let unbound = [columns, Attribute::Int("keepdims", 0)];
    for inputs in [&["x"][..], &["x", "one"]] {
        let nodes = [
            scalar("one", 1),
            node("SplitToSequence", inputs, &["all"], &unbound),
            node("SequenceLength", &["all"], &["count"], &[]),
            node("Cast", &["count"], &["factor"], &[Attribute::Int("to", 1)]),
            node(
                "ConcatFromSequence",
                &["all"],
                &["turned"],
                &[Attribute::Int("axis", 1), Attribute::Int("new_axis", 1)],
            ),
            node("Mul", &["turned", "factor"], &["y"], &[]),
        ];
        let expected: Vec<_> =
            (0..30).map(|i| 3.0 * x[i / 15 * 15 + i % 5 * 3 + i / 5 % 3]).collect();
        check("columns", 1, &model(&nodes, &[], 17), &SHAPE, &x, &expected);
    }
}

#[test]
fn positions_that_a_sequence_does_not_have_are_refused() {
    let refused = |operator: &str, at: i64| {
        let nodes = [
            node("Constant", &[], &["at"], &[Attribute::Int("value_int", at)]),
            node("SplitToSequence", &["x"], &["all"], &[Attribute::Int("axis", 1)]),
            node(operator, &["all", "at"], &["one"], &[]),
            node("Relu", &["one"], &["y"], &[]),
        ];
        let read = unpool_cnn::Model::from_bytes(&model(&nodes, &[], 17));
        read.and_then(|model| model.plan(&SHAPE)).expect_err("it is refused").to_string()
    };
    for at in [5, -6, i64::MIN] {
        let error = refused("SequenceAt", at);
        assert!(error.contains(&format!("position is {at}; of 5 elements")), "{error}");
    }
    let error = refused("SequenceErase", 1);
    assert!(error.contains("it reads \"one\", which is a sequence"), "{error}");
    let error = refused("SequenceInsert", 0);
    assert!(error.contains("\"one\", which is a sequence"), "{error}");
}

#[test]
fn bits_of_whole_numbers_are_known_while_the_plan_is_made() {
    let x = Random::new(4).floats(30);
    let weights = [ints("a", &[0b1100, -1]), ints("b", &[0b1010, 1]), floats("zero", &[], &[0.0])];
    let left = [Attribute::Text("direction", "LEFT")];
    let right = [Attribute::Text("direction", "RIGHT")];
    for (operator, attributes, expected) in [
        ("BitwiseAnd", &[][..], [0b1000, 1]),
        ("BitwiseOr", &[], [0b1110, -1]),
        ("BitwiseXor", &[], [0b0110, -2]),
        ("BitShift", &left, [0b1100 << 10, -2]),
        ("BitShift", &right, [0, i64::MAX]),
        ("BitwiseNot", &[], [-13, 0]),
    ] {
        let inputs: &[&str] = if operator == "BitwiseNot" { &["a"] } else { &["a", "b"] };
        let nodes = [
            node(operator, inputs, &["bits"], attributes),
            node("Cast", &["bits"], &["numbers"], &[Attribute::Int("to", 1)]),
            node("ReduceSum", &["numbers"], &["sum"], &[Attribute::Int("keepdims", 0)]),
            node("Add", &["x", "sum"], &["y"], &[]),
        ];
        let sum: f32 = expected.iter().map(|&n| n as f32).sum();
        let expected: Vec<_> = x.iter().map(|x| x + sum).collect();
        let bytes = model(&nodes, &weights, 18);
        if sum.abs() < 1e3 {
            check(operator, 0, &bytes, &SHAPE, &x, &expected);
            continue;
        }
        // Too large a number for the way back by differences.
        let plan = unpool_cnn::Model::from_bytes(&bytes).and_then(|model| model.plan(&SHAPE));
        let mut session = unpool_cnn::Session::new(
            &unpool_cnn::Engine::Cpu,
            plan.expect("a plan"),
            unpool_cnn::Keep::Output,
        )
        .expect("memory");
        session.forward(&x).expect("it runs");
        assert_eq!(session.output().expect("a result").data, expected, "{operator}");
    }
}
