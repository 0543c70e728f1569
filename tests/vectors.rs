//! The cases of PyTorch, TensorFlow and ONNX Runtime: every field, on every engine.

use crate::support::compare::Report;
use crate::support::devices::engines;

#[test]
fn every_engine_gives_the_numbers_of_every_framework() {
    let cases = unpool_vectors::builtin();
    assert_eq!(cases.len(), 350);
    Report::of_each(&engines(), |(name, engine), report| {
        for case in &cases {
            let found = case.check(engine);
            report.add(found.map_err(|why| format!("{} on {name}: {why}", case.name)));
        }
    });
}
