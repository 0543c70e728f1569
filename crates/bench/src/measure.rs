//! Times to ratios.

use serde::Serialize;
use unpool::Error;

use crate::case::Case;
use crate::{Order, Runs};

/// The operations, by the names they have everywhere.
pub(crate) const OPS: [&str; 4] =
    ["max_pool", "max_unpool", "max_pool_backward", "max_unpool_backward"];

/// One operation of one case on one device.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Adapter, backend and driver, or the CPU.
    pub device: String,
    /// The case's name.
    pub case: &'static str,
    /// The operation's name.
    pub op: &'static str,
    /// Median time.
    pub median_ms: f64,
    /// A tenth of the runs were faster.
    pub p10_ms: f64,
    /// A tenth of the runs were slower.
    pub p90_ms: f64,
    /// Median time of copying the tensor that is pooled.
    pub copy_ms: f64,
    /// `median_ms / copy_ms`.
    pub ratio_to_copy: f64,
    /// Bytes that must move.
    pub bytes: u64,
}

/// What keeps a case from being measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The engine gave other bits than the reference.
    #[error("{op} of {case} differs from the reference: nothing is timed")]
    Wrong {
        /// The case.
        case: &'static str,
        /// The operation.
        op: &'static str,
    },
}

/// What is timed: the copy, or an operation by its number.
#[derive(Clone, Copy)]
pub(crate) enum Timed {
    Copy,
    Op(usize),
}

/// The rows of a case; `time` runs something once and gives the milliseconds that it took.
pub(crate) fn rows(
    case: &Case,
    device: &str,
    Runs { each, order }: Runs,
    mut time: impl FnMut(Timed) -> Result<f64, BenchError>,
) -> Result<Vec<Row>, BenchError> {
    let (mut copies, mut ops) = (Vec::new(), [const { Vec::new() }; OPS.len()]);
    // One run more than are timed, of one thing more than there are operations.
    let (runs, things) = (each + 1, OPS.len() + 1);
    for i in 0..runs * things {
        let (run, thing) = match order {
            Order::Turns => (i / things, i % things),
            Order::Repeated => (i % runs, i / runs),
        };
        let (timed, times) = match thing {
            0 => (Timed::Copy, &mut copies),
            _ => (Timed::Op(thing - 1), &mut ops[thing - 1]),
        };
        let took = time(timed)?;
        if run > 0 {
            times.push(took);
        }
    }
    let copy_ms = quantile(copies, 0.5);
    let rows = OPS
        .into_iter()
        .zip(ops)
        .map(|(op, times)| {
            let median_ms = quantile(times.clone(), 0.5);
            Row {
                device: device.to_owned(),
                case: case.name,
                op,
                median_ms,
                p10_ms: quantile(times.clone(), 0.1),
                p90_ms: quantile(times, 0.9),
                copy_ms,
                ratio_to_copy: median_ms / copy_ms,
                bytes: case.bytes(op),
            }
        })
        .collect();
    Ok(rows)
}

pub(crate) fn quantile(mut times: Vec<f64>, q: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Element `i` of a tensor of both signs with few ties, the same on every run. No processor guesses
/// which cell of a window is the largest, as it does where the numbers follow a rule.
pub fn fill(i: usize) -> f32 {
    let mut mixed = (i as u32).wrapping_add(0x9e37_79b9);
    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    mixed ^= mixed >> 16;
    (mixed >> 8) as f32 / 65_536.0 - 128.0
}
