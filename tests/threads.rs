//! Threads: which types may be shared, that a pipeline is compiled once, and that recording from many threads
//! gives the same as from one.

use std::sync::{Mutex, Once};

use unpool::{Element, Gpu, Overlap, Pooling, Readback, Scattering, Step, operands};

use crate::support::cases::parse;
use crate::support::compare::Report;
use crate::support::devices::gpus;
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::Plan;

#[test]
fn everything_on_a_device_is_shared_between_threads() {
    fn shared<A: Send + Sync + 'static>() {}
    fn sent<A: Send + 'static>() {}
    shared::<Gpu>();
    shared::<Pooling>();
    shared::<Scattering>();
    shared::<Step>();
    shared::<unpool::Kernel>();
    sent::<Readback<f32>>();
}

/// What the library logs about compiling.
static COMPILED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Log;

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("unpool")
    }

    fn log(&self, record: &log::Record<'_>) {
        let message = record.args().to_string();
        if self.enabled(record.metadata()) && message.starts_with("compiling") {
            COMPILED.lock().unwrap().push(message);
        }
    }

    fn flush(&self) {}
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Log).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
}

/// Compilations of kernels of this window, one that no other test has: that a random one is the same
/// on every axis does not happen.
fn compiled(kernel: usize) -> usize {
    let of = [
        "kernel: 2, stride: 1, dilation: 1,".to_owned(),
        format!("kernel: {kernel}, stride: 2, dilation: 7,"),
    ];
    let compiled = COMPILED.lock().unwrap();
    compiled.iter().filter(|message| of.iter().all(|axis| message.contains(axis))).count()
}

#[test]
fn threads_that_ask_for_the_same_pipeline_compile_it_once() {
    listen();
    for (gpu, kernel) in gpus().iter().zip(23..) {
        let geometry = parse(&format!("n1c4h9w800_k2x{kernel}s1x2d1x7_last")).geometry().unwrap();
        let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let x = Guarded::poisoned(gpu, "x", pooling.input_bytes(), 0);
                    let v = Guarded::poisoned(gpu, "v", pooling.values_bytes(), 0);
                    let t = Guarded::poisoned(gpu, "t", pooling.taps_bytes(), 0);
                    pooling
                        .max_pool(operands::MaxPool {
                            input: x.slice(),
                            values: v.slice(),
                            taps: t.slice(),
                        })
                        .unwrap();
                    pooling
                        .max_unpool(
                            operands::MaxUnpool {
                                values: v.slice(),
                                taps: t.slice(),
                                output: x.slice(),
                            },
                            Overlap::Last,
                        )
                        .unwrap();
                });
            }
        });
        assert_eq!(compiled(kernel), 2, "{}", gpu.description());
        // Another pooling of the same window, and another input: still the same pipeline.
        let wider = parse(&format!("n2c8h11w900_k2x{kernel}s1x2d1x7_last")).geometry().unwrap();
        let wider = gpu.pooling(&wider, Element::F32).unwrap();
        let x = Guarded::poisoned(gpu, "x", wider.input_bytes(), 0);
        let v = Guarded::poisoned(gpu, "v", wider.values_bytes(), 0);
        let t = Guarded::poisoned(gpu, "t", wider.taps_bytes(), 0);
        wider
            .max_pool(operands::MaxPool { input: x.slice(), values: v.slice(), taps: t.slice() })
            .unwrap();
        assert_eq!(compiled(kernel), 2, "{}", gpu.description());
    }
}

#[test]
fn eight_threads_record_the_same_poolings_steps() {
    let case = parse("n2c3h13w11_k3s2p1_last");
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    for gpu in gpus().iter() {
        std::thread::scope(|scope| {
            for seed in 0..8 {
                let (geometry, plan) = (&geometry, &plan);
                scope.spawn(move || {
                    let mut report = Report::default();
                    let context = format!("thread {seed} on {}", gpu.description());
                    for _ in 0..5 {
                        let tensors =
                            crate::recording::Tensors::<f32>::new(gpu, geometry, plan, seed, 0xa5);
                        let steps = tensors.steps(gpu, geometry).unwrap();
                        run(gpu, &steps.each_ref());
                        tensors.check(gpu, &context, &mut report);
                    }
                    report.finish();
                });
            }
        });
    }
}

#[test]
fn what_was_compiled_beforehand_is_not_compiled_for_a_step() {
    listen();
    for (gpu, kernel) in gpus().iter().zip(53..) {
        let geometry = parse(&format!("n1c4h9w800_k2x{kernel}s1x2d1x7_last")).geometry().unwrap();
        let pooling = gpu.pooling(&geometry, Element::F32).unwrap();
        pooling.compile().unwrap();
        // Pooling with and without argmax, unpooling by either rule, and its gradient.
        assert_eq!(compiled(kernel), 5, "{}", gpu.description());
        let x = Guarded::poisoned(gpu, "x", pooling.input_bytes(), 0);
        let values = Guarded::poisoned(gpu, "values", pooling.values_bytes(), 0);
        let operands = operands::MaxPoolValues { input: x.slice(), values: values.slice() };
        pooling.max_pool_values(operands).unwrap();
        assert_eq!(compiled(kernel), 5, "{}", gpu.description());
    }
}
