//! Windows and strides that keep a thread busy for long: tens of thousands of iterations of a
//! loop.

use half::f16;
use unpool::{Cell, Overlap, operands};

use crate::support::cases::parse;
use crate::support::compare::{Report, same, same_bits};
use crate::support::devices::gpus;
use crate::support::fill::{Fill, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Bits, Plan};

/// Mesa's llvmpipe ends the loops of a thread after 65,535 iterations in all, without an error.
/// A window has no more cells.
const NAMES: &[&str] = &[
    // Stride blocks of 90,000 cells.
    "n1c1h600w600_k2s300_last",
    "n1c4h600w600_k2s300_last",
    "n1c1w140000_k3s70000_first",
    "n1c3h40w1100_k2x3s33x32_first",
    // Windows of as many cells as there can be, in one row, a plane, one column, one line.
    "n1c1w65535_k65535_first",
    "n1c4h257w255_k257x255_last",
    "n1c1h65535w1_k65535x1_last",
    "n1c4d65535h1w1_k65535x1x1_last",
];

#[test]
fn a_window_and_a_stride_may_be_as_large_as_they_like() {
    let mut report = Report::default();
    for name in NAMES {
        // Ascending: the maximum is each window's last cell.
        check(name, |i, _| i as f32, &mut report);
    }
    report.finish();
}

/// Small windows of such cells are pooled in words, 16 bytes a work item.
#[test]
fn a_window_of_small_cells_may_be_as_large_as_it_likes() {
    let mut report = Report::default();
    for name in ["n1c8h257w255_k257x255_last", "n2c16h4w9_k4x9_last", "n1c8h600w600_k2s300_last"] {
        // The maximum is the last cell of each channel.
        let last = |i, len| i + parse(name).channels >= len;
        check(name, |i, len| u8::from(last(i, len)), &mut report);
        check(name, |i, len| f16::from_f32(last(i, len).into()), &mut report);
    }
    report.finish();
}

fn check<T: Cell + Bits>(name: &str, cell: impl Fn(usize, usize) -> T, report: &mut Report) {
    let case = parse(name);
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    let input: Vec<T> = (0..plan.input_len()).map(|i| cell(i, plan.input_len())).collect();
    let expected = oracle::max_pool(&plan, &input);
    let values: Vec<T> = fill(Fill::Permutation, plan.pooled_len(), 71);
    let last = oracle::max_unpool_last(&plan, &values, &expected.taps);
    let sum = oracle::max_unpool_sum(&plan, &values, &expected.taps).unwrap();
    let read = oracle::max_unpool_backward(&plan, &input, &expected.taps);
    for gpu in gpus().iter() {
        let pooling = gpu.pooling(&geometry, T::ELEMENT).unwrap();
        let poisoned = |name, size| Guarded::poisoned(gpu, name, size, 0xa5);
        let (x, v) = (Guarded::of(gpu, "input", &input, 0), Guarded::of(gpu, "v", &values, 0));
        let pooled = poisoned("values", pooling.values_bytes());
        let taps = poisoned("taps", pooling.taps_bytes());
        let right = Guarded::of(gpu, "right taps", &plan.tap_bytes(&expected.taps), 0);
        let outputs = [(); 2].map(|()| poisoned("output", pooling.input_bytes()));
        let back = poisoned("grad_input", pooling.values_bytes());
        let steps = [
            pooling
                .max_pool(operands::MaxPool {
                    input: x.slice(),
                    values: pooled.slice(),
                    taps: taps.slice(),
                })
                .unwrap(),
            pooling
                .max_unpool(
                    operands::MaxUnpool {
                        values: v.slice(),
                        taps: right.slice(),
                        output: outputs[0].slice(),
                    },
                    Overlap::Last,
                )
                .unwrap(),
            pooling
                .max_unpool(
                    operands::MaxUnpool {
                        values: v.slice(),
                        taps: right.slice(),
                        output: outputs[1].slice(),
                    },
                    Overlap::Sum,
                )
                .unwrap(),
            pooling
                .max_unpool_backward(operands::MaxUnpoolBackward {
                    grad_output: x.slice(),
                    taps: right.slice(),
                    grad_input: back.slice(),
                })
                .unwrap(),
        ];
        run(gpu, &steps.each_ref());
        let bytes = plan.tap_bytes(&expected.taps);
        let found = taps.bytes(gpu).unwrap();
        let of = |what| format!("{name}: {what} on {}", gpu.description());
        report.add(same(&of("taps"), &found[..bytes.len()], &bytes));
        for (what, tensor, expected) in [
            ("values", &pooled, &expected.values),
            ("last", &outputs[0], &last),
            ("sum", &outputs[1], &sum),
            ("read", &back, &read),
        ] {
            let found = tensor.elements::<T>(gpu, expected.len()).unwrap();
            report.add(same_bits(&of(what), &found, expected));
        }
    }
}
