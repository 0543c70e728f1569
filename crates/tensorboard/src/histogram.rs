//! How values are spread, in TensorBoard's own buckets.

use crate::proto::HistogramProto;

/// The smallest edge of a bucket, and how much larger each is than the one before: those of
/// TensorFlow, so that histograms of several programs can be laid over each other.
const SMALLEST: f64 = 1e-12;
const GROWTH: f64 = 1.1;
const LARGEST: f64 = 1e20;

/// A histogram of finite values.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    inner: HistogramProto,
}

impl Histogram {
    /// Counts values. Those that are not finite are left out.
    ///
    /// ```
    /// let histogram = unpool_tensorboard::Histogram::of(&[1.0, 2.0, 2.0, f32::NAN]);
    /// assert_eq!(histogram.count(), 3);
    /// ```
    pub fn of(values: &[f32]) -> Self {
        let positive: Vec<f64> = std::iter::successors(Some(SMALLEST), |edge| Some(edge * GROWTH))
            .take_while(|&edge| edge < LARGEST)
            .collect();
        let mut edges: Vec<f64> = positive.iter().rev().map(|edge| -edge).collect();
        edges.push(0.0);
        edges.extend(&positive);
        edges.push(f64::MAX);
        let mut counts = vec![0.0; edges.len()];
        let (mut num, mut sum, mut sum_squares) = (0.0, 0.0, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.iter().map(|&v| f64::from(v)).filter(|v| v.is_finite()) {
            counts[edges.partition_point(|&edge| edge <= value)] += 1.0;
            num += 1.0;
            sum += value;
            sum_squares += value * value;
            (min, max) = (min.min(value), max.max(value));
        }
        if num == 0.0 {
            (min, max) = (0.0, 0.0);
        }
        let (bucket_limit, bucket) = filled(&edges, &counts);
        let inner = HistogramProto { min, max, num, sum, sum_squares, bucket_limit, bucket };
        Self { inner }
    }

    /// Values that were counted.
    pub fn count(&self) -> u64 {
        self.inner.num as u64
    }

    pub(crate) fn into_proto(self) -> HistogramProto {
        self.inner
    }
}

/// The buckets from the first to the last that is not empty, and an empty one before them, whose
/// edge is where the first begins.
fn filled(edges: &[f64], counts: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let first = counts.iter().position(|&count| count > 0.0);
    let last = counts.iter().rposition(|&count| count > 0.0);
    let (Some(first), Some(last)) = (first, last) else { return (vec![0.0], vec![0.0]) };
    let first = first.saturating_sub(1);
    (edges[first..=last].to_vec(), counts[first..=last].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_under_the_edge_of_its_bucket_and_none_is_lost() {
        let values = [-3.5, -1e-15, 0.0, 1e-13, 0.25, 0.25, 7.0, f32::INFINITY];
        let HistogramProto { min, max, num, bucket_limit, bucket, .. } =
            Histogram::of(&values).into_proto();
        assert_eq!((min, max, num), (-3.5, 7.0, 7.0));
        assert_eq!(bucket.iter().sum::<f64>(), 7.0);
        assert_eq!(bucket.len(), bucket_limit.len());
        for (i, edge) in bucket_limit.iter().enumerate() {
            let below = values.iter().filter(|v| v.is_finite() && f64::from(**v) < *edge).count();
            assert_eq!(bucket[..=i].iter().sum::<f64>(), below as f64, "edge {edge}");
        }
    }

    #[test]
    fn nothing_gives_an_empty_histogram() {
        assert_eq!(Histogram::of(&[]).count(), 0);
    }
}
