//! Times of the CPU path.

use std::hint::black_box;
use std::time::Instant;

use unpool::{Cell, Engine, Overlap, cpu};

use crate::Runs;
use crate::case::Case;
use crate::measure::{BenchError, Row, fill, rows};

/// A cell made from a float.
pub(crate) trait FromFloat: Cell {
    fn from_float(value: f32) -> Self;
}

impl FromFloat for f32 {
    fn from_float(value: f32) -> Self {
        value
    }
}

impl FromFloat for half::f16 {
    fn from_float(value: f32) -> Self {
        Self::from_f32(value)
    }
}

pub(crate) fn run<T: FromFloat>(case: &Case, Runs(runs): Runs) -> Result<Vec<Row>, BenchError> {
    let geometry = &case.geometry;
    let x: Vec<T> = (0..geometry.input_len()).map(|i| T::from_float(fill(i))).collect();
    let mut pooled = cpu::max_pool(geometry, &x)?;
    let (mut cells, mut gradient) = (x.clone(), x.clone());
    let mut gathered = pooled.values.clone();
    let mut copy = x.clone();
    let (mut copies, mut times) = (Vec::new(), [const { Vec::new() }; 4]);
    for run in 0..=runs {
        let time = |into: &mut Vec<f64>, op: &mut dyn FnMut()| {
            let start = Instant::now();
            op();
            // The first run warms up.
            if run > 0 {
                into.push(start.elapsed().as_secs_f64() * 1e3);
            }
        };
        time(&mut copies, &mut || black_box(&mut copy).copy_from_slice(black_box(&x)));
        let mut failed = Ok(());
        let mut keep = |result: Result<(), unpool::Error>| failed = failed.clone().and(result);
        time(&mut times[0], &mut || {
            keep(cpu::max_pool_into(geometry, &x, &mut pooled.values, &mut pooled.taps));
        });
        let (values, taps) = (&pooled.values, &pooled.taps);
        time(&mut times[1], &mut || {
            keep(cpu::max_unpool_into(geometry, values, taps, Overlap::Last, &mut cells));
        });
        time(&mut times[2], &mut || {
            keep(cpu::max_pool_backward_into(geometry, values, taps, &mut gradient));
        });
        time(&mut times[3], &mut || {
            keep(cpu::max_unpool_backward_into(geometry, &x, taps, &mut gathered));
        });
        failed?;
    }
    Ok(rows(case, &Engine::Cpu.description(), copies, times))
}
