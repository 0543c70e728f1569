//! Comparing sums: by the largest difference, as a part of the largest value.

/// The largest difference as a part of the largest expected value; infinite where a number is no
/// number.
pub(crate) fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "as many elements");
    let largest = expected.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let off = found.iter().zip(expected).fold(0.0f32, |m, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() { f32::INFINITY } else { m.max(d) }
    });
    if off == 0.0 { 0.0 } else { off / largest.max(f32::MIN_POSITIVE) }
}

/// Fails where the difference passes `allowed`, with the first element that does.
pub(crate) fn close(place: &str, found: &[f32], expected: &[f32], allowed: f32) -> f32 {
    let off = difference(found, expected);
    if off > allowed || off.is_nan() {
        let largest = expected.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let wrong = |i: &usize| {
            let d = (found[*i] - expected[*i]).abs();
            d.is_nan() || d > allowed * largest
        };
        let first = (0..found.len()).find(wrong);
        let values = first.map(|i| (i, found[i], expected[i]));
        panic!(
            "{place}: differs by {off:e} of the largest; (element, found, expected): {values:?}"
        );
    }
    off
}
