//! Times, and how they are written.

use serde::Serialize;

/// Milliseconds of the timed runs of one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn push(&mut self, milliseconds: f64) {
        let at = self.0.partition_point(|&other| other < milliseconds);
        self.0.insert(at, milliseconds);
    }

    fn quantile(&self, q: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

/// One operation of one library: the keys of `unpool bench`, and whose it is.
#[derive(Serialize)]
pub(crate) struct Row {
    library: String,
    device: String,
    case: String,
    op: String,
    median_ms: f64,
    min_ms: f64,
    runs: usize,
}

impl Row {
    pub(crate) fn new(library: &str, device: &str, case: &str, op: &str, times: &Times) -> Self {
        Self {
            library: library.into(),
            device: device.into(),
            case: case.into(),
            op: op.into(),
            median_ms: times.quantile(0.5),
            min_ms: times.quantile(0.0),
            runs: times.0.len(),
        }
    }
}

pub(crate) const HEADER: &str =
    "case        op                  unpool ms   Burn ms   ratio   ratio of minima";

pub(crate) fn line(case: &str, op: &str, ours: &Times, peer: &Times) -> String {
    let [ratio, of_minima] = [0.5, 0.0].map(|q| peer.quantile(q) / ours.quantile(q));
    format!(
        "{case:<11} {op:<18} {:>10.2} {:>9.2} {ratio:>7.1} {of_minima:>17.1}",
        ours.quantile(0.5),
        peer.quantile(0.5),
    )
}
