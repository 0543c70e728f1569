//! Engines against each other on the same input, and against themselves: other runs, other
//! workgroup sizes, and geometries that were made from the pooled shape alone.

use std::ops::Range;

use unpool::{Cell, Element, Engine, Geometry, Overlap, Step, operands};

use crate::engines::numbers;
use crate::support::cases::{Case, Pads, parse};
use crate::support::compare::{Report, same, same_bits};
use crate::support::devices::{at_once, engines, gpus, new_engines};
use crate::support::fill::{Fill, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Bits, Plan};

/// Everything an engine makes of a geometry and an input.
struct All<T> {
    /// The values of a pooling without argmax.
    alone: Vec<T>,
    values: Vec<T>,
    taps: Vec<u32>,
    last: Vec<T>,
    /// `None` where the CPU reports an overflow.
    sum: Option<Vec<T>>,
    read: Vec<T>,
}

fn all<T: Cell>(engine: &Engine, geometry: &Geometry, input: &[T]) -> All<T> {
    let pooled = engine.max_pool(geometry, input).unwrap();
    let (values, taps) = (&pooled.values, &pooled.taps);
    All {
        alone: engine.max_pool_values(geometry, input).unwrap(),
        last: engine.max_unpool(geometry, values, taps, Overlap::Last).unwrap(),
        sum: engine.max_unpool(geometry, values, taps, Overlap::Sum).ok(),
        read: engine.max_unpool_backward(geometry, input, taps).unwrap(),
        taps: numbers(taps),
        values: pooled.values,
    }
}

fn agree<T: Cell + Bits>(report: &mut Report, engines: &[(String, Engine)], name: &str) {
    let geometry = parse(name).geometry().unwrap();
    for kind in Fill::ALL {
        let input: Vec<T> = fill(kind, geometry.input_len(), 31);
        let found: Vec<(String, All<T>)> =
            at_once(engines, |(on, engine)| (on.clone(), all(engine, &geometry, &input)));
        for (i, (on, one)) in found.iter().enumerate() {
            for (other, another) in &found[..i] {
                let element = T::ELEMENT.name();
                let of = |what| format!("{name} {element} {kind:?}: {what} on {on} and {other}");
                report.add(same_bits(&of("values"), &one.values, &another.values));
                report.add(same_bits(&of("values alone"), &one.alone, &another.values));
                report.add(same(&of("taps"), &one.taps, &another.taps));
                report.add(same_bits(&of("last"), &one.last, &another.last));
                report.add(same_bits(&of("read"), &one.read, &another.read));
                if let (Some(one), Some(another)) = (&one.sum, &another.sum) {
                    report.add(same_bits(&of("sum"), one, another));
                }
            }
        }
    }
}

/// Larger than the table's cases: many workgroups, and numbers of them that do not divide.
#[test]
fn all_engines_give_each_other_the_same_bits() {
    let mut report = Report::default();
    for name in [
        "n2c7h61w45_k3s2psame_last",
        "n2c8h61w45_k3s2psame_last",
        "n2c7h61w45_k3s2psame_first",
        "n3c16h33w29_k2_last",
        "n3c5h33w29_k2_first",
        "n1c3h57w64_k5s1d2p3_last",
        "n1c4d9h17w21_k3s2p1_first",
        "n2c3h33w32_k3s2p1_first",
    ] {
        let engines = new_engines();
        agree::<f32>(&mut report, &engines, name);
        agree::<half::f16>(&mut report, &engines, name);
        agree::<half::bf16>(&mut report, &engines, name);
        agree::<i8>(&mut report, &engines, name);
    }
    report.finish();
}

/// The bytes that pooling, unpooling both ways and reading back leave in their buffers.
fn bytes_of_a_run(
    gpu: &unpool::Gpu,
    steps: &[&Step],
    outputs: &mut [Guarded],
    poison: u8,
) -> Vec<Vec<u8>> {
    for output in &mut *outputs {
        output.poison(gpu, poison);
    }
    run(gpu, steps);
    outputs.iter().map(|output| output.bytes(gpu).unwrap()).collect()
}

#[test]
fn twenty_runs_of_five_workgroup_sizes_give_the_same_bits() {
    at_once(&gpus(), |gpu| {
        for name in ["n2c8h31w27_k3s1p1_last", "n2c3h31w27_k5s2p2_first"] {
            let geometry = parse(name).geometry().unwrap();
            for element in [Element::F32, Element::BF16] {
                let pooling = gpu.pooling(&geometry, element).unwrap();
                let input: Vec<u8> = if element == Element::F32 {
                    bytemuck::cast_slice(&fill::<f32>(Fill::Specials, geometry.input_len(), 32))
                        .to_vec()
                } else {
                    let cells = fill::<half::bf16>(Fill::Specials, geometry.input_len(), 32);
                    bytemuck::cast_slice(&cells).to_vec()
                };
                let input = Guarded::of(gpu, "input", &input, 0);
                let mut outputs = [
                    Guarded::poisoned(gpu, "values", pooling.values_bytes(), 0),
                    Guarded::poisoned(gpu, "taps", pooling.taps_bytes(), 0),
                    Guarded::poisoned(gpu, "last", pooling.input_bytes(), 0),
                    Guarded::poisoned(gpu, "sum", pooling.input_bytes(), 0),
                    Guarded::poisoned(gpu, "read", pooling.values_bytes(), 0),
                ];
                let most = gpu.device().limits().max_compute_invocations_per_workgroup;
                let mut first = None;
                for size in [1, 32, 64, 128, 256].into_iter().filter(|&size| size <= most) {
                    let pooling = pooling.clone().with_workgroup_size(size).unwrap();
                    let [values, taps, last, sum, read] =
                        outputs.each_ref().map(|output| output.slice());
                    let steps = [
                        pooling
                            .max_pool(operands::MaxPool { input: input.slice(), values, taps })
                            .unwrap(),
                        pooling
                            .max_unpool(
                                operands::MaxUnpool { values, taps, output: last },
                                Overlap::Last,
                            )
                            .unwrap(),
                        pooling
                            .max_unpool(
                                operands::MaxUnpool { values, taps, output: sum },
                                Overlap::Sum,
                            )
                            .unwrap(),
                        pooling
                            .max_unpool_backward(operands::MaxUnpoolBackward {
                                grad_output: input.slice(),
                                taps,
                                grad_input: read,
                            })
                            .unwrap(),
                    ];
                    for round in 0..20 {
                        let steps = steps.each_ref();
                        let found = bytes_of_a_run(gpu, &steps, &mut outputs, 0xa5 ^ round);
                        let first = first.get_or_insert_with(|| found.clone());
                        assert!(
                            found == *first,
                            "{name} {element:?} on {}: run {round} of workgroups of {size} differs",
                            gpu.description()
                        );
                    }
                }
            }
        }
    });
}

/// The sizes that `pooled` windows of an axis may come from, as PyTorch has it.
fn sizes(case: &Case, axis: usize, pooled: usize) -> Range<usize> {
    let Pads::Explicit(pads) = &case.pads else { panic!("{case} has no numbers for padding") };
    let (kernel, stride) = (case.kernel[axis], case.stride[axis]);
    let default = (pooled - 1) * stride + kernel - pads[axis].0 - pads[axis].1;
    default - (stride - 1)..default + stride
}

/// The size that a pooled shape unpools to is one among several: each is exact on every engine, and
/// every other is refused.
#[test]
fn every_size_that_a_pooled_shape_allows_is_the_same_on_every_engine() {
    let mut report = Report::default();
    let engines = engines();
    let (mut allowed, mut refused) = (0, 0);
    for (name, pooled) in [("n2c3h1w1_k3s2p1_first", [4, 3]), ("n2c4h1w1_k2s3p0_last", [3, 4])] {
        let mut case = parse(name);
        let ranges = [0, 1].map(|axis| sizes(&case, axis, pooled[axis]));
        let around = |axis: usize| ranges[axis].start - 2..ranges[axis].end + 2;
        for size in around(0).flat_map(|h| around(1).map(move |w| [h, w])) {
            case.spatial = size.to_vec();
            let found = Geometry::for_pooled(&case.window(), case.shape(&pooled), Some(&size));
            // In the range, and no window without a cell.
            let in_range = (0..2).all(|axis| ranges[axis].contains(&size[axis]));
            let plan = Plan::with_pooled(&case, &pooled).ok().filter(|_| in_range);
            let (geometry, plan) = match (found, plan) {
                (Ok(geometry), Some(plan)) => (geometry, plan),
                (Err(_), None) => {
                    refused += 1;
                    continue;
                }
                (Ok(_), None) => panic!("{case} to {size:?} is taken"),
                (Err(error), Some(_)) => panic!("{case} to {size:?}: {error}"),
            };
            allowed += 1;
            let input: Vec<f32> = fill(Fill::Specials, plan.input_len(), 33);
            let expected = oracle::max_pool(&plan, &input);
            let values = &expected.values;
            let last = oracle::max_unpool_last(&plan, values, &expected.taps);
            let sum = oracle::max_unpool_sum(&plan, values, &expected.taps).unwrap();
            let read = oracle::max_unpool_backward(&plan, &input, &expected.taps);
            for (on, engine) in &engines {
                let found = all(engine, &geometry, &input);
                let of = |what| format!("{case} to {size:?}: {what} on {on}");
                report.add(same_bits(&of("values"), &found.values, values));
                report.add(same(&of("taps"), &found.taps, &expected.taps));
                report.add(same_bits(&of("last"), &found.last, &last));
                report.add(same_bits(&of("sum"), &found.sum.unwrap(), &sum));
                report.add(same_bits(&of("read"), &found.read, &read));
            }
        }
    }
    assert!(allowed > 10 && refused > 50, "{allowed} sizes are allowed, {refused} refused");
    report.finish();
}
