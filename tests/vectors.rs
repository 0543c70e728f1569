//! The cases of PyTorch, TensorFlow and ONNX Runtime: every field, on every engine.

use crate::support::devices::engines;

#[test]
fn every_engine_gives_the_numbers_of_every_framework() {
    let cases = unpool_vectors::builtin();
    assert_eq!(cases.len(), 350);
    let mut failures = Vec::new();
    for (name, engine) in engines() {
        for case in &cases {
            if let Err(difference) = case.check(&engine) {
                failures.push(format!("{} on {name}: {difference}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
