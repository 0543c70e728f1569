//! From times to ratios: the rows of one case.

use serde::Serialize;
use unpool::Error;

use crate::case::Case;
use crate::op::Op;
use crate::runs::{Order, Runs};

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
    /// The time over that of a copy of as many bytes as must move.
    pub ratio_to_floor: f64,
    /// Bytes that must move.
    pub bytes: u64,
    /// Time to translate the shader and to compile the pipeline, on a device.
    pub compile_ms: Option<f64>,
}

/// Why a case was not measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The engine gave other bits than the reference.
    #[error("{} of {case} differs from the reference: nothing is timed", .op.name())]
    Wrong {
        /// The case.
        case: &'static str,
        /// The operation.
        op: Op,
    },
}

/// The work of one timed run: the copy, or an operation.
#[derive(Clone, Copy)]
pub(crate) enum Timed {
    Copy,
    Op(Op),
}

/// The rows of a case; `time` runs the copy or an operation once and returns its milliseconds.
pub(crate) fn rows(
    case: &Case,
    device: &str,
    Runs { each, order }: Runs,
    compile_ms: Option<[f64; Op::ALL.len()]>,
    mut time: impl FnMut(Timed) -> Result<f64, BenchError>,
) -> Result<Vec<Row>, BenchError> {
    let (mut copies, mut ops) = (Vec::new(), [const { Vec::new() }; Op::ALL.len()]);
    // One warm-up run before the timed ones, and the copy before the operations.
    let (runs, columns) = (each + 1, Op::ALL.len() + 1);
    for i in 0..runs * columns {
        let (run, column) = match order {
            Order::Interleaved => (i / columns, i % columns),
            Order::Repeated => (i % runs, i / runs),
        };
        let (timed, times) = match column {
            0 => (Timed::Copy, &mut copies),
            _ => (Timed::Op(Op::ALL[column - 1]), &mut ops[column - 1]),
        };
        let took = time(timed)?;
        if run > 0 {
            times.push(took);
        }
    }
    let copy_ms = quantile(copies, 0.5);
    // A copy reads and writes the tensor.
    let floor_ms = copy_ms * case.bytes() as f64 / (2 * case.input_bytes()) as f64;
    let rows = Op::ALL
        .into_iter()
        .zip(ops)
        .map(|(op, times)| {
            let median_ms = quantile(times.clone(), 0.5);
            Row {
                device: device.to_owned(),
                case: case.name,
                op: op.name(),
                median_ms,
                p10_ms: quantile(times.clone(), 0.1),
                p90_ms: quantile(times, 0.9),
                copy_ms,
                ratio_to_copy: median_ms / copy_ms,
                ratio_to_floor: median_ms / floor_ms,
                bytes: case.bytes(),
                compile_ms: compile_ms.map(|all| all[op as usize]),
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

/// Element `i` of a test tensor: both signs, few ties, the same on every run. The values are mixed
/// like a hash, so that branch prediction cannot learn which cell of a window is the largest.
pub fn fill(i: usize) -> f32 {
    let mut mixed = (i as u32).wrapping_add(0x9e37_79b9);
    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    mixed ^= mixed >> 16;
    (mixed >> 8) as f32 / 65_536.0 - 128.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Size, cases};

    /// The order of the runs, one letter for each operation and a dash for the copy.
    fn sequence(order: Order) -> String {
        let case = &cases(Size::Small).expect("the table is right")[0];
        let mut said = String::new();
        let runs = Runs { each: 2, order };
        let rows = rows(case, "none", runs, None, |timed| {
            said += match timed {
                Timed::Copy => "-",
                Timed::Op(Op::MaxPool) => "p",
                Timed::Op(Op::MaxUnpool) => "u",
                Timed::Op(Op::MaxPoolBackward) => "b",
                Timed::Op(Op::MaxUnpoolBackward) => "g",
            };
            // The first run of each takes longest, and is not timed.
            Ok(if said.matches(said.chars().last().unwrap_or('-')).count() == 1 {
                9.0
            } else {
                1.0
            })
        });
        for row in rows.expect("nothing fails") {
            assert_eq!(
                (row.median_ms, row.copy_ms, row.ratio_to_copy),
                (1.0, 1.0, 1.0),
                "{}",
                row.op
            );
        }
        said
    }

    #[test]
    fn operations_are_interleaved_or_repeated_after_a_warm_up_run() {
        assert_eq!(sequence(Order::Interleaved), "-pubg-pubg-pubg");
        assert_eq!(sequence(Order::Repeated), "---pppuuubbbggg");
    }
}
