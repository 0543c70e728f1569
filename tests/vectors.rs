//! The cases of PyTorch, TensorFlow and ONNX Runtime: every field, on every engine.

use crate::support::compare::Report;
use crate::support::devices::{CASES_OF_A_DEVICE, new_engines};

#[test]
fn every_engine_gives_the_numbers_of_every_framework() {
    let cases = unpool_vectors::builtin();
    assert_eq!(cases.len(), 350);
    let mut report = Report::default();
    // Six and more of them have the same window.
    for cases in cases.chunks(6 * CASES_OF_A_DEVICE) {
        report.add_each(&new_engines(), |(name, engine), report| {
            for case in cases {
                let found = case.check(engine);
                report.add(found.map_err(|why| format!("{} on {name}: {why}", case.name)));
            }
        });
    }
    report.finish();
}
