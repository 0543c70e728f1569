//! Elements at positions that the image decides, and weights that are computed.

use unpool_cnn::{Keep, Model, Rule, Session};

use crate::support::engines::engines;
use crate::support::onnx::{Attribute, Bytes, floats, ints, model, node};
use crate::support::random::Random;

const SHAPE: [usize; 3] = [2, 5, 3];

/// What a model makes of an image, and what a signal sends back, on every engine.
fn each(
    bytes: &[u8],
    (shape, image): (&[usize], &[f32]),
    mut check: impl FnMut(&str, Vec<f32>, &mut dyn FnMut(&[f32]) -> Vec<f32>),
) {
    for (name, engine) in engines().iter() {
        let plan = Model::from_bytes(bytes).and_then(|model| model.plan(shape)).expect("it fits");
        let output = plan.output().name().to_owned();
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        session.forward(image).expect("it runs");
        let found = session.output().expect("a result").data;
        check(name, found, &mut |signal| {
            session.vector_jacobian(&output, signal, Rule::Gradient).expect("it runs").data
        });
    }
}

/// Numbers with many equals, and zeros of both signs.
fn image() -> Vec<f32> {
    let r = &mut Random::new(31);
    r.floats(30).iter().map(|x| (x * 3.0).round()).map(|x| if x == 0.0 { -x } else { x }).collect()
}

/// The positions of the `k` largest of the vectors along an axis, the lower of equals first.
fn expected(image: &[f32], axis: usize, k: usize, largest: bool) -> Vec<usize> {
    let inner: usize = SHAPE[axis + 1..].iter().product();
    let len = SHAPE[axis];
    let mut all = vec![0; 30 / len * k];
    for vector in 0..30 / len {
        let (outer, column) = (vector / inner, vector % inner);
        let value = |n: usize| image[(outer * len + n) * inner + column];
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_by(|&a, &b| {
            let by = value(a).partial_cmp(&value(b)).expect("numbers");
            if largest { by.reverse() } else { by }
        });
        for (j, n) in order.into_iter().take(k).enumerate() {
            all[(outer * k + j) * inner + column] = n;
        }
    }
    all
}

#[test]
fn the_largest_are_found_along_every_axis_and_the_lower_of_equals_comes_first() {
    let image = image();
    for (axis, k, largest, opset) in
        [(0, 1, 1, 17), (1, 3, 1, 17), (1, 5, 0, 13), (2, 2, 0, 11), (1, 4, 1, 10), (2, 3, 1, 7)]
    {
        let mut attributes = vec![Attribute::Int("axis", axis)];
        let (mut inputs, mut weights) = (vec!["x"], Vec::new());
        if opset < 10 {
            attributes.push(Attribute::Int("k", k));
        } else {
            inputs.push("k");
            weights.push(ints("k", &[k]));
        }
        if opset > 10 {
            attributes.push(Attribute::Int("largest", largest));
        }
        let (axis, k) = (axis as usize, k as usize);
        let at = expected(&image, axis, k, largest != 0);
        let inner: usize = SHAPE[axis + 1..].iter().product();
        let block = k * inner;
        let cell = |i: usize| i / block * SHAPE[axis] * inner + at[i] * inner + i % inner;
        // The values, and the positions.
        for shown in ["values", "at"] {
            let nodes = [
                node("TopK", &inputs, &["values", "at"], &attributes),
                node("Identity", &[shown], &["y"], &[]),
            ];
            let bytes = model(&nodes, &weights, opset);
            each(&bytes, (&SHAPE, &image), |name, found, back| {
                let what = format!("{name}, axis {axis}, opset {opset}, {shown}");
                if shown == "at" {
                    let at: Vec<_> = at.iter().map(|&n| n as f32).collect();
                    return assert_eq!(found, at, "{what}");
                }
                let values: Vec<_> = (0..at.len()).map(|i| image[cell(i)]).collect();
                assert_eq!(found, values, "{what}");
                let signal: Vec<_> = (0..at.len()).map(|i| 1.0 + i as f32).collect();
                let mut sent = vec![0.0; 30];
                (0..at.len()).for_each(|i| sent[cell(i)] += signal[i]);
                assert_eq!(back(&signal), sent, "{what}");
            });
        }
    }
}

#[test]
fn elements_are_gathered_at_positions_that_the_image_decides() {
    // The elements of -x at the positions of the two largest of x, of fewer columns.
    let image = image();
    let weights = [ints("k", &[2]), ints("start", &[0]), ints("end", &[2]), ints("axis", &[2])];
    let nodes = [
        node("TopK", &["x", "k"], &["v", "at"], &[Attribute::Int("axis", 1)]),
        node("Slice", &["at", "start", "end", "axis"], &["some"], &[]),
        node("Neg", &["x"], &["n"], &[]),
        node("GatherElements", &["n", "some"], &["y"], &[Attribute::Int("axis", 1)]),
    ];
    let at = expected(&image, 1, 2, true);
    let cells: Vec<usize> = (0..8)
        .map(|i| {
            let (outer, j, column) = (i / 4, i / 2 % 2, i % 2);
            outer * 15 + at[(outer * 2 + j) * 3 + column] * 3 + column
        })
        .collect();
    each(&model(&nodes, &weights, 17), (&SHAPE, &image), |name, found, back| {
        let values: Vec<_> = cells.iter().map(|&cell| -image[cell]).collect();
        assert_eq!(found, values, "{name}");
        let mut sent = vec![0.0; 30];
        cells.iter().for_each(|&cell| sent[cell] -= 2.0);
        assert_eq!(back(&[2.0; 8]), sent, "{name}");
    });
}

#[test]
fn a_convolution_takes_weights_that_are_normalised() {
    let r = &mut Random::new(8);
    let (image, kernel) = (r.floats(2 * 3 * 6 * 5), r.floats(4 * 3 * 9));
    let norms = kernel.chunks_exact(27).map(|k| k.iter().map(|x| x * x).sum::<f32>().sqrt());
    let rows = kernel.chunks_exact(27).zip(norms);
    let normal: Vec<f32> = rows.flat_map(|(k, n)| k.iter().map(move |x| x / n)).collect();
    let bias = floats("b", &[4], &[0.1, -0.2, 0.3, 0.4]);
    for (operator, dims) in [("Conv", [4, 3, 3, 3]), ("ConvTranspose", [3, 4, 3, 3])] {
        // Norms over the first axis of what is stored, whose meaning the operator decides.
        let k = floats("k", &[4, 27], &kernel);
        let weights = [k, ints("shape", &dims.map(|n| n as i64)), bias.clone(), ints("axes", &[1])];
        let nodes = [
            node("ReduceL2", &["k", "axes"], &["n"], &[]),
            node("Div", &["k", "n"], &["flat"], &[]),
            node("Reshape", &["flat", "shape"], &["w"], &[]),
            node(operator, &["x", "w", "b"], &["y"], &[]),
        ];
        let computed = model(&nodes, &weights, 18);
        let plain = [node(operator, &["x", "w", "b"], &["y"], &[])];
        let plain = model(&plain, &[floats("w", &dims, &normal), bias.clone()], 18);
        let mut expected = Vec::new();
        each(&plain, (&[2, 3, 6, 5], &image), |_, found, back| {
            let signal = vec![1.0; found.len()];
            expected.push((found, back(&signal)));
        });
        let mut expected = expected.into_iter();
        each(&computed, (&[2, 3, 6, 5], &image), |name, found, back| {
            let (output, sent) = expected.next().expect("as many engines");
            let close = |a: &[f32], b: &[f32]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
            };
            assert!(close(&found, &output), "{name} {operator}");
            assert!(close(&back(&vec![1.0; found.len()]), &sent), "{name} {operator}");
        });
    }
}

#[test]
fn positions_and_sizes_that_cannot_be_are_refused() {
    let refused = |nodes: &[Bytes], weights: &[Bytes]| {
        let opened = Model::from_bytes(&model(nodes, weights, 17));
        opened.and_then(|model| model.plan(&SHAPE)).expect_err("it is refused").to_string()
    };
    for k in [0, -1, 6] {
        let nodes = [node("TopK", &["x", "k"], &["y", "at"], &[Attribute::Int("axis", 1)])];
        let error = refused(&nodes, &[ints("k", &[k])]);
        assert!(error.contains(&format!("K is {k}, of 5 elements; 1 to 5 are allowed")), "{error}");
    }
    let error = refused(&[node("NonMaxSuppression", &["x", "x"], &["y"], &[])], &[]);
    let expected = "size depends on what is in the image: NonMaxSuppression (1 node)";
    assert!(error.contains(expected), "{error}");
    let error = refused(&[node("NonZero", &["x"], &["y"], &[])], &[]);
    assert!(error.contains("so would the size"), "{error}");
    let nodes = [node("Conv", &["x", "x"], &["y"], &[])];
    let error = refused(&nodes, &[]);
    assert!(error.contains("W depends on the image"), "{error}");
    // A grid of other axes, offsets that do not fit, and blocks that do not tile.
    let grid = floats("g", &[2, 4, 2], &[0.0; 16]);
    let error = refused(&[node("GridSample", &["x", "g"], &["y"], &[])], &[grid]);
    assert!(error.contains("X is 2×5×3 and grid 2×4×2"), "{error}");
    let blocks = [ints("image", &[4]), ints("block", &[2])];
    let error = refused(&[node("Col2Im", &["x", "image", "block"], &["y"], &[])], &blocks);
    assert!(error.contains("of 5 rows"), "{error}");
}
