//! Each operator against its definition, written down naively, over random attributes; and the way
//! back against the adjoint law, on every engine.

use unpool_cnn::Model;

use crate::support::definition::check;
use crate::support::naive::{self, Sliding};
use crate::support::onnx::{Attribute, floats, ints, model, model_of, node};
use crate::support::random::Random;

const CASES: u64 = 40;

#[test]
fn convolution_and_its_transpose_are_their_definitions() {
    for case in 0..CASES {
        let r = &mut Random::new(case);
        let axes = r.within(1, 3);
        let s = Sliding::random(r, axes);
        let groups = r.within(1, 3);
        let (rows, columns, batch) = (r.within(1, 5), r.within(1, 4), r.within(1, 3));
        convolution(case, r, &s, [batch, groups, rows, columns]);
    }
}

/// Of so many channels and windows that a GPU makes them in tiles of 64×64 and less, or shares the steps of tiles.
#[test]
fn large_convolutions_and_their_transposes_are_their_definitions() {
    for case in 0..6 {
        let r = &mut Random::new(case + 300);
        let ([groups, rows, columns], all, taps) = match case / 2 % 3 {
            0 => ([3, 130, 9], 1000_usize, 1),
            1 => ([2, 40, 40], 600, 1),
            _ => ([2, 70, 160], 300, 9),
        };
        let (s, cells, windows) = loop {
            let mut s = Sliding::random(r, 2);
            // Any stride divides what is added, so that windows fill the input as before.
            s.input.iter_mut().for_each(|cells| *cells += 12);
            let (cells, windows) = (s.input.iter().product(), s.output().iter().product());
            if s.kernel.iter().product::<usize>() >= taps && cells <= 2 * windows {
                break (s, cells, windows);
            }
        };
        let batch = all.div_ceil(if case % 2 == 1 { cells } else { windows });
        let (rows, columns) = if case % 2 == 1 { (columns, rows) } else { (rows, columns) };
        convolution(case, r, &s, [batch, groups, rows, columns]);
    }
}

fn convolution(case: u64, r: &mut Random, s: &Sliding, counts: [usize; 4]) {
    let [batch, groups, rows, columns] = counts;
    let taps: usize = s.kernel.iter().product();
    let weights = r.floats(groups * rows * columns * taps);
    let biased = (case / 2).is_multiple_of(2);
    let mut attributes = s.attributes();
    attributes.push(Attribute::Int("group", groups as i64));
    let transposed = case % 2 == 1;
    let (read, written) = if transposed { (rows, columns) } else { (columns, rows) };
    let mut shape = vec![batch, groups * read];
    shape.extend(if transposed { s.output() } else { s.input.clone() });
    let x = r.floats(shape.iter().product());
    let mut dims = vec![groups * rows, columns];
    dims.extend(&s.kernel);
    let bias = r.floats(groups * written);
    let inputs: &[&str] = if biased { &["x", "w", "b"] } else { &["x", "w"] };
    let operator = if transposed { "ConvTranspose" } else { "Conv" };
    let bytes = model(
        &[node(operator, inputs, &["y"], &attributes)],
        &[floats("w", &dims, &weights), floats("b", &[bias.len()], &bias)],
        17,
    );
    let bias = biased.then_some(bias.as_slice());
    let expected = if transposed {
        naive::conv_transpose(s, counts, &x, &weights, bias)
    } else {
        naive::conv(s, counts, &x, &weights, bias)
    };
    check(operator, case, &bytes, &shape, &x, &expected);
}

#[test]
fn averages_are_their_definition() {
    for case in 0..CASES {
        let r = &mut Random::new(case + 100);
        let axes = r.within(1, 3);
        let s = Sliding::random_pooling(r, axes);
        let planes = [r.within(1, 3), r.within(1, 3)];
        let counts_padding = r.flip();
        let mut shape = planes.to_vec();
        shape.extend(&s.input);
        let x = r.floats(shape.iter().product());
        let mut attributes = s.attributes();
        attributes
            .push(Attribute::Ints("kernel_shape", s.kernel.iter().map(|&k| k as i64).collect()));
        attributes.push(Attribute::Int("count_include_pad", counts_padding.into()));
        let bytes = model(&[node("AveragePool", &["x"], &["y"], &attributes)], &[], 19);
        let expected = naive::average(&s, planes[0] * planes[1], &x, counts_padding);
        check("AveragePool", case, &bytes, &shape, &x, &expected);
        let bytes = model(&[node("GlobalAveragePool", &["x"], &["y"], &[])], &[], 19);
        let plane: usize = s.input.iter().product();
        let expected: Vec<_> =
            x.chunks(plane).map(|p| p.iter().sum::<f32>() / plane as f32).collect();
        check("GlobalAveragePool", case, &bytes, &shape, &x, &expected);
    }
}

#[test]
fn functions_of_an_element_are_their_definitions() {
    let r = &mut Random::new(7);
    let shape = [2, 3, 4, 5];
    let x = r.floats(120);
    let each = |f: &dyn Fn(f32) -> f32| x.iter().map(|&v| f(v)).collect::<Vec<_>>();
    let one = |operator: &str, attributes: &[Attribute]| {
        model(&[node(operator, &["x"], &["y"], attributes)], &[], 10)
    };
    let clip = [Attribute::Float("min", -0.25), Attribute::Float("max", 0.5)];
    let leaky = [Attribute::Float("alpha", 0.2)];
    let cases: [(&str, Vec<u8>, Vec<f32>); 6] = [
        ("Relu", one("Relu", &[]), each(&|v| v.max(0.0))),
        ("LeakyRelu", one("LeakyRelu", &leaky), each(&|v| if v < 0.0 { 0.2 * v } else { v })),
        ("Clip", one("Clip", &clip), each(&|v| v.clamp(-0.25, 0.5))),
        ("Sigmoid", one("Sigmoid", &[]), each(&|v| 1.0 / (1.0 + (-v).exp()))),
        ("Identity", one("Identity", &[]), x.clone()),
        ("Dropout", one("Dropout", &[]), x.clone()),
    ];
    for (name, bytes, expected) in cases {
        check(name, 0, &bytes, &shape, &x, &expected);
    }
    let slope = r.floats(3);
    let weights = [floats("s", &[3, 1, 1], &slope)];
    let bytes = model(&[node("PRelu", &["x", "s"], &["y"], &[])], &weights, 17);
    let expected: Vec<_> =
        (0..120).map(|i| if x[i] < 0.0 { x[i] * slope[i / 20 % 3] } else { x[i] }).collect();
    check("PRelu", 0, &bytes, &shape, &x, &expected);
}

#[test]
fn softmax_is_its_definition_along_every_axis() {
    let r = &mut Random::new(8);
    let shape = [2, 3, 4, 5];
    let x = r.floats(120);
    for (opset, axis) in [(17, 0), (17, 1), (17, 2), (17, -1), (11, 1), (11, 2)] {
        let attributes = [Attribute::Int("axis", axis)];
        let bytes = model(&[node("Softmax", &["x"], &["y"], &attributes)], &[], opset);
        let axis = if axis < 0 { 3 } else { axis as usize };
        let len = if opset < 13 { shape[axis..].iter().product() } else { shape[axis] };
        let inner = if opset < 13 { 1 } else { shape[axis + 1..].iter().product() };
        let expected: Vec<_> = (0..120)
            .map(|i| {
                let first = i / (len * inner) * len * inner + i % inner;
                let sum: f32 = (0..len).map(|n| x[first + n * inner].exp()).sum();
                x[i].exp() / sum
            })
            .collect();
        check("Softmax", opset as u64 * 10 + axis as u64, &bytes, &shape, &x, &expected);
    }
    // So many that their sum, one after the other in f32, is off by more than 1e-4.
    let many = 60_000;
    for shape in [[1, 1, 1, many], [1, 1, many, 1], [1, many, 1, 2]] {
        let axis = shape.iter().position(|&n| n == many).expect("an axis");
        let x: Vec<_> =
            (0..shape.iter().product()).map(|i: usize| (i % 97) as f32 / 97.0).collect();
        let bytes = model(
            &[node("Softmax", &["x"], &["y"], &[Attribute::Int("axis", axis as i64)])],
            &[],
            17,
        );
        let inner = x.len() / many;
        let sums: Vec<f64> = (0..inner)
            .map(|i| x.iter().skip(i).step_by(inner).map(|&x| f64::from(x).exp()).sum())
            .collect();
        let value = |i: usize| (f64::from(x[i]).exp() / sums[i % inner]) as f32;
        let expected: Vec<_> = (0..x.len()).map(value).collect();
        check("Softmax of many", axis as u64, &bytes, &shape, &x, &expected);
    }
}

#[test]
fn sums_and_products_repeat_as_numpy_does_and_batches_are_normalised() {
    let r = &mut Random::new(9);
    let shape = [2, 3, 4, 5];
    let x = r.floats(120);
    for (case, dims) in
        [vec![5], vec![4, 1], vec![3, 1, 1], vec![1, 3, 4, 5], vec![]].iter().enumerate()
    {
        let data = r.floats(dims.iter().product());
        let wide: Vec<usize> =
            std::iter::repeat_n(1, 4 - dims.len()).chain(dims.iter().copied()).collect();
        let at = |i: usize| {
            let place = [i / 60, i / 20 % 3, i / 5 % 4, i % 5];
            let flat = (0..4).fold(0, |n, d| n * wide[d] + if wide[d] == 1 { 0 } else { place[d] });
            data[flat]
        };
        for (operator, f) in [("Add", (|a, b| a + b) as fn(f32, f32) -> f32), ("Mul", |a, b| a * b)]
        {
            let bytes =
                model(&[node(operator, &["x", "c"], &["y"], &[])], &[floats("c", dims, &data)], 17);
            let expected: Vec<_> = (0..120).map(|i| f(x[i], at(i))).collect();
            check(operator, case as u64, &bytes, &shape, &x, &expected);
        }
    }
    // More axes than a kernel has, of which neighbours are repeated together.
    let nodes = [
        node("Reshape", &["x", "columns"], &["a"], &[]),
        node("Reshape", &["x", "rows"], &["b"], &[]),
        node("Sub", &["a", "b"], &["y"], &[]),
    ];
    let to =
        [ints("columns", &[1, 1, 2, 1, 3, 1, 20, 1]), ints("rows", &[1, 1, 2, 1, 3, 1, 1, 20])];
    let expected: Vec<_> =
        (0..2400).map(|i| x[i / 400 * 20 + i / 20 % 20] - x[i / 400 * 20 + i % 20]).collect();
    check("Sub of eight axes", 0, &model(&nodes, &to, 17), &shape, &x, &expected);
    // Both operands from the image, one of them repeated: x times its own means, and x + x.
    let nodes = [
        node("GlobalAveragePool", &["x"], &["m"], &[]),
        node("Mul", &["m", "x"], &["p"], &[]),
        node("Add", &["p", "p"], &["y"], &[]),
    ];
    let mean = |i: usize| x[i / 20 * 20..][..20].iter().sum::<f32>() / 20.0;
    let expected: Vec<_> = (0..120).map(|i| 2.0 * x[i] * mean(i)).collect();
    check("Mul of two", 0, &model(&nodes, &[], 17), &shape, &x, &expected);
    let [scale, shift, mean] = [r.floats(3), r.floats(3), r.floats(3)];
    let var: Vec<f32> = r.floats(3).iter().map(|v| v * v + 0.1).collect();
    let weights = [("s", &scale), ("b", &shift), ("m", &mean), ("v", &var)]
        .map(|(name, data)| floats(name, &[3], data));
    let attributes = [Attribute::Float("epsilon", 1e-3)];
    let bytes = model(
        &[node("BatchNormalization", &["x", "s", "b", "m", "v"], &["y"], &attributes)],
        &weights,
        17,
    );
    let expected: Vec<_> = (0..120)
        .map(|i| {
            let c = i / 20 % 3;
            (x[i] - mean[c]) / (var[c] + 1e-3).sqrt() * scale[c] + shift[c]
        })
        .collect();
    check("BatchNormalization", 0, &bytes, &shape, &x, &expected);
    // In training, which operator sets before 14 say by more results, weights are normalised by their own moments, and
    // images are refused.
    let by_own_moments = |data: &[f32]| -> Vec<f32> {
        let own = |c: usize| (0..120).filter(move |i| i / 20 % 3 == c).map(|i| data[i]);
        let moments: Vec<_> = (0..3)
            .map(|c| {
                let mean = own(c).sum::<f32>() / 40.0;
                (mean, own(c).map(|x| (x - mean) * (x - mean)).sum::<f32>() / 40.0)
            })
            .collect();
        let normalized = |i: usize| {
            let (mean, var) = moments[i / 20 % 3];
            (data[i] - mean) / (var + 1e-3).sqrt() * scale[i / 20 % 3] + shift[i / 20 % 3]
        };
        (0..120).map(normalized).collect()
    };
    let w = r.floats(120);
    let sum: Vec<_> = x.iter().zip(by_own_moments(&w)).map(|(x, w)| x + w).collect();
    let training = [Attribute::Float("epsilon", 1e-3), Attribute::Int("training_mode", 1)];
    let with_w = [&weights[..], &[floats("w", &shape, &w)]].concat();
    for (opset, outputs, attributes, found) in [
        (17, &["n", "mean", "var"][..], &training[..], "training_mode is 1"),
        (17, &["n"], &training, "training_mode is 1"),
        (9, &["n", "mean", "var", "saved"], &training[..1], "it has 4 results, as in training"),
    ] {
        let of = |read| {
            let norm = node("BatchNormalization", &[read, "s", "b", "m", "v"], outputs, attributes);
            model(&[norm, node("Add", &["x", "n"], &["y"], &[])], &with_w, opset)
        };
        check("BatchNormalization of weights", opset as u64, &of("w"), &shape, &x, &sum);
        let planned = Model::from_bytes(&of("x")).and_then(|model| model.plan(&shape));
        let said = planned.expect_err("it is refused").to_string();
        assert!(said.contains(found) && said.contains("a model for inference is needed"), "{said}");
    }
    // The same with moments that nodes compute.
    let axes = [Attribute::Ints("axes", vec![0, 2, 3]), Attribute::Int("keepdims", 0)];
    let nodes = [
        node("ReduceMean", &["x"], &["mean"], &axes),
        node("Mul", &["x", "x"], &["squares"], &[]),
        node("ReduceMean", &["squares"], &["square"], &axes),
        node("Mul", &["mean", "mean"], &["of_mean"], &[]),
        node("Sub", &["square", "of_mean"], &["var"], &[]),
        node("BatchNormalization", &["x", "s", "b", "mean", "var"], &["y"], &training[..1]),
    ];
    let bytes = model(&nodes, &weights, 17);
    let expected = by_own_moments(&x);
    check("BatchNormalization of computed moments", 0, &bytes, &shape, &x, &expected);
}

#[test]
fn bytes_are_read_as_floats_where_a_cast_makes_them_floats() {
    let shape = [1, 2, 3, 4];
    let x: Vec<_> = (0..24).map(|i| (i * 11 % 256) as f32).collect();
    let cast = |from: &str, to: i64| node("Cast", &[from], &["f"], &[Attribute::Int("to", to)]);
    let scaled = node("Div", &["f", "all"], &["y"], &[]);
    let all = [floats("all", &[1], &[255.0])];
    let turn = node("Transpose", &["x"], &["t"], &[Attribute::Ints("perm", vec![0, 2, 3, 1])]);
    let bytes = model_of(2, &[turn, cast("t", 1), scaled.clone()], &all, 17);
    let expected: Vec<_> = (0..24).map(|i| x[i % 2 * 12 + i / 2] / 255.0).collect();
    check("bytes", 0, &bytes, &shape, &x, &expected);
    assert_eq!(Model::from_bytes(&bytes).expect("a model").largest_pixel(), Some(255.0));
    // Whole numbers are divided as whole numbers, and other types are not images.
    for (data_type, nodes) in [
        (2, vec![node("Div", &["x", "x"], &["d"], &[]), cast("d", 1), scaled.clone()]),
        (2, vec![cast("x", 7), scaled.clone()]),
        (6, vec![cast("x", 1), scaled.clone()]),
    ] {
        let refused = Model::from_bytes(&model_of(data_type, &nodes, &all, 17));
        let said = refused.expect_err("it is refused").to_string();
        assert!(said.contains("bytes that a Cast makes floats"), "{said}");
    }
}

#[test]
fn a_matrix_product_is_its_definition_however_its_operands_lie() {
    for case in 0..20 {
        let r = &mut Random::new(case + 200);
        let (turned_a, turned_b) = (case & 1 == 1, case & 2 == 2);
        let (m, k, n) = match case {
            0..16 => (r.within(1, 40), r.within(1, 70), r.within(1, 40)),
            // A GPU shares the steps of its tiles.
            _ => (130, 2100, 150),
        };
        let (alpha, beta) = (r.float(), r.float());
        let (x, b) = (r.floats(m * k), r.floats(k * n));
        let c_dims: &[usize] = match case / 4 {
            0 => &[n],
            1 => &[m, 1],
            2 => &[1, n],
            _ => &[],
        };
        let c = r.floats(c_dims.iter().product());
        // A product reads matrices, an input has three extents or more.
        let a_dims = if turned_a { [k, m] } else { [m, k] };
        let nodes = [
            node("Reshape", &["x", "to"], &["a"], &[]),
            node(
                "Gemm",
                &["a", "b", "c"],
                &["y"],
                &[
                    Attribute::Float("alpha", alpha),
                    Attribute::Float("beta", beta),
                    Attribute::Int("transA", turned_a.into()),
                    Attribute::Int("transB", turned_b.into()),
                ],
            ),
        ];
        let b_dims = if turned_b { [n, k] } else { [k, n] };
        let weights = [
            ints("to", &[a_dims[0] as i64, -1]),
            floats("b", &b_dims, &b),
            floats("c", c_dims, &c),
        ];
        let a = |i: usize, d: usize| if turned_a { x[d * m + i] } else { x[i * k + d] };
        let b = |d: usize, j: usize| if turned_b { b[j * k + d] } else { b[d * n + j] };
        let c = |i: usize, j: usize| match case / 4 {
            0 | 2 => c[j],
            1 => c[i],
            _ => c[0],
        };
        let expected: Vec<_> = (0..m * n)
            .map(|at| {
                let (i, j) = (at / n, at % n);
                alpha * (0..k).map(|d| a(i, d) * b(d, j)).sum::<f32>() + beta * c(i, j)
            })
            .collect();
        check("Gemm", case, &model(&nodes, &weights, 17), &[1, m, k], &x, &expected);
    }
}

#[test]
fn concatenation_and_its_parts_keep_every_element() {
    let r = &mut Random::new(11);
    let shape = [2, 3, 4, 5];
    let x = r.floats(120);
    for axis in 0..4usize {
        let nodes = [
            node("Relu", &["x"], &["a"], &[]),
            node("Concat", &["a", "x", "a"], &["y"], &[Attribute::Int("axis", axis as i64)]),
        ];
        let run: usize = shape[axis..].iter().product();
        let a: Vec<f32> = x.iter().map(|v| v.max(0.0)).collect();
        let parts = (0..120 / run).flat_map(|i| {
            let own = i * run..(i + 1) * run;
            [&a[own.clone()], &x[own.clone()], &a[own]].concat()
        });
        check(
            "Concat",
            axis as u64,
            &model(&nodes, &[], 17),
            &shape,
            &x,
            &parts.collect::<Vec<_>>(),
        );
    }
}

#[test]
fn unpooling_puts_each_maximum_back_whatever_size_is_asked_for() {
    let r = &mut Random::new(12);
    let x = r.floats(2 * 3 * 7 * 9);
    let window = || {
        vec![Attribute::Ints("kernel_shape", vec![2, 2]), Attribute::Ints("strides", vec![2, 2])]
    };
    let at = |n: usize, row: usize, column: usize| x[(n * 7 + row) * 9 + column];
    // Floor leaves the last row and column out; ceil pools them on their own.
    for (ceil, size) in [(0, [6, 8]), (0, [7, 9]), (1, [7, 9]), (1, [8, 10]), (1, [12, 13])] {
        let mut pool = window();
        pool.push(Attribute::Int("ceil_mode", ceil));
        let asked = ints("size", &[2, 3, size[0] as i64, size[1] as i64]);
        // Without `output_shape` the size is inferred: 6×8 from 3×4, 8×10 from 4×5.
        let inferred = (ceil, size) == (0, [6, 8]) || (ceil, size) == (1, [8, 10]);
        let inputs: &[&str] = if inferred { &["p", "i"] } else { &["p", "i", "size"] };
        let nodes = [
            node("MaxPool", &["x"], &["p", "i"], &pool),
            node("MaxUnpool", inputs, &["y"], &window()),
        ];
        let pooled = if ceil == 1 { [4, 5] } else { [3, 4] };
        let mut expected = vec![0.0; 6 * size[0] * size[1]];
        for n in 0..6 {
            for q in 0..pooled[0] * pooled[1] {
                let (top, left) = (q / pooled[1] * 2, q % pooled[1] * 2);
                let cells = (top..(top + 2).min(7))
                    .flat_map(|row| (left..(left + 2).min(9)).map(move |column| (row, column)));
                let (row, column) = cells
                    .reduce(|a, b| if at(n, b.0, b.1) > at(n, a.0, a.1) { b } else { a })
                    .expect("a window has a cell");
                expected[(n * size[0] + row) * size[1] + column] = at(n, row, column);
            }
        }
        let bytes = model(&nodes, &[asked], 17);
        check(
            "MaxUnpool",
            size[0] as u64 * 100 + ceil as u64,
            &bytes,
            &[2, 3, 7, 9],
            &x,
            &expected,
        );
    }
}
