//! Steps in somebody else's commands: outputs poisoned first, guards around every tensor, several
//! steps in one pass, one step many times.

use std::sync::Arc;

use unpool::{Cell, Geometry, Gpu, Overlap, Step, operands, wgpu};

use crate::support::cases::{parse, table};
use crate::support::compare::{Report, same, same_bits};
use crate::support::devices::{CASES_OF_A_DEVICE, adapters, gpus, new_gpus};
use crate::support::fill::{Fill, fill};
use crate::support::guarded::{Guarded, run};
use crate::support::oracle::{self, Bits, Plan};
use crate::support::runs_in_case;

/// The tensors of one geometry and element on a device, and the oracle's results.
pub(crate) struct Tensors<T> {
    pub(crate) input: Guarded,
    values: Guarded,
    taps: Guarded,
    last: Guarded,
    sum: Guarded,
    read: Guarded,
    plan: Plan,
    cells: Vec<T>,
}

impl<T: Cell + Bits> Tensors<T> {
    pub(crate) fn new(gpu: &Gpu, geometry: &Geometry, plan: &Plan, seed: u64, poison: u8) -> Self {
        let pooling = gpu.pooling(geometry, T::ELEMENT).unwrap();
        let cells: Vec<T> = fill(Fill::Specials, plan.input_len(), seed);
        let poisoned = |name, size| Guarded::poisoned(gpu, name, size, poison);
        Self {
            input: Guarded::of(gpu, "input", &cells, poison),
            values: poisoned("values", pooling.values_bytes()),
            taps: poisoned("taps", pooling.taps_bytes()),
            last: poisoned("last", pooling.input_bytes()),
            sum: poisoned("sum", pooling.input_bytes()),
            read: poisoned("read", pooling.values_bytes()),
            plan: plan.clone(),
            cells,
        }
    }

    /// Pooling, unpooling both ways and reading back: each but the first reads what the first
    /// wrote.
    pub(crate) fn steps(&self, gpu: &Gpu, geometry: &Geometry) -> Result<[Step; 4], unpool::Error> {
        let pooling = gpu.pooling(geometry, T::ELEMENT)?;
        let [input, values, taps] = [&self.input, &self.values, &self.taps].map(Guarded::slice);
        Ok([
            pooling.max_pool(operands::MaxPool { input, values, taps })?,
            pooling.max_unpool(
                operands::MaxUnpool { values, taps, output: self.last.slice() },
                Overlap::Last,
            )?,
            pooling.max_pool_backward(operands::MaxPoolBackward {
                grad_output: values,
                taps,
                grad_input: self.sum.slice(),
            })?,
            pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                grad_output: input,
                taps,
                grad_input: self.read.slice(),
            })?,
        ])
    }

    pub(crate) fn poison(&mut self, gpu: &Gpu, poison: u8) {
        let Self { values, taps, last, sum, read, .. } = self;
        for output in [values, taps, last, sum, read] {
            output.poison(gpu, poison);
        }
    }

    /// Every tensor against the oracle, guards included.
    pub(crate) fn check(&self, gpu: &Gpu, context: &str, report: &mut Report) {
        let (plan, expected) = (&self.plan, oracle::max_pool(&self.plan, &self.cells));
        let (values, taps) = (&expected.values, &expected.taps);
        for (tensor, expected) in [
            (&self.input, &self.cells),
            (&self.values, values),
            (&self.last, &oracle::max_unpool_last(plan, values, taps)),
            (&self.sum, &oracle::max_unpool_saturated(plan, values, taps)),
            (&self.read, &oracle::max_unpool_backward(plan, &self.cells, taps)),
        ] {
            let found = tensor.elements::<T>(gpu, expected.len());
            let context = format!("{context} {tensor:?}");
            report.add(found.and_then(|found| same_bits(&context, &found, expected)));
        }
        let (bytes, expected) = (self.taps.bytes(gpu), plan.tap_bytes(taps));
        let context = format!("{context} taps");
        report.add(bytes.and_then(|b| same(&context, &b[..expected.len()], &expected)));
    }
}

fn check_poisoned<T: Cell + Bits>(gpus: &[Gpu], report: &mut Report, number: usize, name: &str) {
    let case = parse(name);
    let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
    if !runs_in_case(T::ELEMENT, number) {
        return;
    }
    for gpu in gpus {
        let context = format!("{name} {} on {}:", T::ELEMENT.name(), gpu.description());
        let mut tensors = Tensors::<T>::new(gpu, &geometry, &plan, 41, 0xa5);
        let steps = tensors.steps(gpu, &geometry).unwrap();
        run(gpu, &steps.each_ref());
        tensors.check(gpu, &context, report);
        // The same steps once more, over another poison: nothing is left of the first run.
        tensors.input.poison(gpu, 0);
        tensors = Tensors { input: Guarded::of(gpu, "input", &tensors.cells, 0x5a), ..tensors };
        tensors.poison(gpu, 0x5a);
        let steps = tensors.steps(gpu, &geometry).unwrap();
        run(gpu, &steps.each_ref());
        tensors.check(gpu, &format!("{context} again,"), report);
    }
}

#[test]
fn every_bit_of_an_output_is_written_and_none_outside() {
    let mut report = Report::default();
    let mut gpus = Arc::default();
    for (number, case) in table().into_iter().enumerate() {
        if number % CASES_OF_A_DEVICE == 0 {
            drop(std::mem::take(&mut gpus));
            gpus = new_gpus();
        }
        let name = case.to_string();
        check_poisoned::<f32>(&gpus, &mut report, number, &name);
        check_poisoned::<half::f16>(&gpus, &mut report, number, &name);
        check_poisoned::<half::bf16>(&gpus, &mut report, number, &name);
        check_poisoned::<i32>(&gpus, &mut report, number, &name);
        check_poisoned::<u32>(&gpus, &mut report, number, &name);
        check_poisoned::<i8>(&gpus, &mut report, number, &name);
        check_poisoned::<u8>(&gpus, &mut report, number, &name);
    }
    report.finish();
}

/// What is left of the last word of a tensor of 8 or 16 bits is written as zero.
#[test]
fn what_is_left_of_the_last_word_becomes_zero() {
    for gpu in gpus().iter() {
        for (name, values, cells) in [
            ("n1c3h3w5_k3s1p1_last", 45, 45),
            ("n1c1h3w5_k2s1_first", 8, 15),
            ("n1c1h1w3_k1_first", 3, 3),
        ] {
            let case = parse(name);
            let (geometry, plan) = (case.geometry().unwrap(), Plan::new(&case).unwrap());
            assert_eq!((plan.pooled_len(), plan.input_len()), (values, cells));
            let tensors = Tensors::<i8>::new(gpu, &geometry, &plan, 42, 0xa5);
            run(gpu, &tensors.steps(gpu, &geometry).unwrap().each_ref());
            let Tensors { values, last, sum, read, .. } = &tensors;
            for (tensor, len) in [
                (values, plan.pooled_len()),
                (read, plan.pooled_len()),
                (last, plan.input_len()),
                (sum, plan.input_len()),
            ] {
                let bytes = tensor.bytes(gpu).unwrap();
                let rest = &bytes[len..];
                assert!(rest.iter().all(|&b| b == 0), "{name} {tensor:?}: {rest:?}");
            }
        }
    }
}

const OVERLAPPING: &str = "n2c3h13w11_k3s2p1_last";

fn overlapping() -> (Geometry, Plan) {
    let case = parse(OVERLAPPING);
    (case.geometry().unwrap(), Plan::new(&case).unwrap())
}

#[test]
fn a_step_may_be_recorded_often_into_several_passes_and_encoders() {
    let (geometry, plan) = overlapping();
    let mut report = Report::default();
    for gpu in gpus().iter() {
        let context = gpu.description();
        let mut tensors = Tensors::<f32>::new(gpu, &geometry, &plan, 43, 0xa5);
        let steps = tensors.steps(gpu, &geometry).unwrap();
        // Twice in one pass.
        run(gpu, &[steps.each_ref(), steps.each_ref()].concat());
        tensors.check(gpu, &format!("{context}: twice in a pass,"), &mut report);
        // In two encoders that are filled at the same time, each step in a pass of its own.
        tensors.poison(gpu, 0xa5);
        let mut encoders =
            [(); 2].map(|()| gpu.device().create_command_encoder(&Default::default()));
        for step in &steps {
            for encoder in &mut encoders {
                step.record_pass(encoder, None);
            }
        }
        gpu.queue().submit(encoders.map(wgpu::CommandEncoder::finish));
        tensors.check(gpu, &format!("{context}: two encoders,"), &mut report);
        // Clones are the same step.
        tensors.poison(gpu, 0x3c);
        let clones = steps.clone();
        drop(steps);
        tensors = Tensors { input: Guarded::of(gpu, "input", &tensors.cells, 0x3c), ..tensors };
        run(gpu, &clones.each_ref());
        // The clones read the input that they were made with.
        report.add(tensors.values.bytes(gpu).map(|_| ()));
    }
    report.finish();
}

#[test]
fn recording_and_making_steps_submits_nothing() {
    let (geometry, plan) = overlapping();
    for gpu in gpus().iter() {
        let tensors = Tensors::<f32>::new(gpu, &geometry, &plan, 44, 0xa5);
        let steps = tensors.steps(gpu, &geometry).unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        for step in &steps {
            step.record_pass(&mut encoder, None);
        }
        drop(encoder.finish());
        for tensor in [&tensors.values, &tensors.taps, &tensors.last] {
            let bytes = tensor.bytes(gpu).unwrap();
            assert!(bytes.iter().all(|&b| b == 0xa5), "{}: {tensor:?}", gpu.description());
        }
    }
}

#[test]
fn timestamps_around_a_step_are_written_in_order() {
    let (geometry, plan) = overlapping();
    let mut tried = 0;
    for gpu in gpus().iter() {
        if !gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            eprintln!("no timestamps on {}", gpu.description());
            continue;
        }
        tried += 1;
        let tensors = Tensors::<f32>::new(gpu, &geometry, &plan, 45, 0xa5);
        let steps = tensors.steps(gpu, &geometry).unwrap();
        let device = gpu.device();
        let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let times = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        let writes = wgpu::ComputePassTimestampWrites {
            query_set: &queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        };
        steps[0].record_pass(&mut encoder, Some(writes));
        encoder.resolve_query_set(&queries, 0..2, &times, 0);
        gpu.queue().submit([encoder.finish()]);
        let found = gpu.read::<u64>(&times).unwrap().wait().unwrap();
        assert!(found[0] <= found[1] && found[1] > 0, "{}: {found:?}", gpu.description());
    }
    let wanted = wgpu::Features::TIMESTAMP_QUERY;
    assert_eq!(tried, adapters().iter().filter(|a| a.features().contains(wanted)).count());
}

#[test]
fn a_step_says_what_it_is_and_how_many_dispatches_it_makes() {
    let (geometry, plan) = overlapping();
    let gpus = gpus();
    let gpu = &gpus[0];
    let tensors = Tensors::<f32>::new(gpu, &geometry, &plan, 46, 0xa5);
    for (step, operation) in tensors.steps(gpu, &geometry).unwrap().iter().zip([
        "max_pool",
        "max_unpool",
        "max_unpool",
        "max_unpool_backward",
    ]) {
        assert!(step.label().starts_with("unpool ") && step.label().contains(operation));
        assert_eq!(step.dispatches(), 1);
    }
}
