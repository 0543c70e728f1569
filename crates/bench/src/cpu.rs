//! Times of the CPU path.

use std::hint::black_box;
use std::time::Instant;

use unpool::{Cell, Engine, Overlap, Pooled, cpu};

use crate::case::Case;
use crate::measure::{BenchError, Row, Timed, fill, rows};
use crate::op::Op;
use crate::runs::Runs;

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

impl FromFloat for half::bf16 {
    fn from_float(value: f32) -> Self {
        Self::from_f32(value)
    }
}

impl FromFloat for u8 {
    fn from_float(value: f32) -> Self {
        ((value + 128.0) / 16.0) as u8
    }
}

pub(crate) fn run<T: FromFloat>(case: &Case, runs: Runs) -> Result<Vec<Row>, BenchError> {
    let geometry = &case.geometry;
    let x: Vec<T> = (0..geometry.input_len()).map(|i| T::from_float(fill(i))).collect();
    let mut pooled = cpu::max_pool(geometry, &x)?;
    let (mut cells, mut gradient) = (x.clone(), x.clone());
    let mut gathered = pooled.values.clone();
    let mut copy = x.clone();
    rows(case, &Engine::Cpu.description(), runs, None, |timed| {
        let Pooled { values, taps } = &mut pooled;
        let start = Instant::now();
        match timed {
            Timed::Copy => black_box(&mut copy).copy_from_slice(black_box(&x)),
            Timed::Op(Op::MaxPool) => cpu::max_pool_into(geometry, &x, values, taps)?,
            Timed::Op(Op::MaxUnpool) => {
                cpu::max_unpool_into(geometry, values, taps, Overlap::Last, &mut cells)?
            }
            Timed::Op(Op::MaxPoolBackward) => {
                cpu::max_pool_backward_into(geometry, values, taps, &mut gradient)?
            }
            Timed::Op(Op::MaxUnpoolBackward) => {
                cpu::max_unpool_backward_into(geometry, &x, taps, &mut gathered)?
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e3)
    })
}
