//! A model against its definition, and its way back against the adjoint law, on every engine.

use unpool_cnn::{Activation, Engine, Keep, Model, Rule, Session};

use crate::support::compare::close;
use crate::support::engines::engines;
use crate::support::random::Random;

const ALLOWED: f32 = 1e-4;

fn run(engine: &Engine, bytes: &[u8], shape: &[usize], x: &[f32]) -> (Session, Activation) {
    let plan = Model::from_bytes(bytes).expect("a model").plan(shape).expect("it fits");
    let mut session = Session::new(engine, plan, Keep::All).expect("memory");
    session.forward(x).expect("it runs");
    let y = session.output().expect("a result");
    (session, y)
}

/// Checks ⟨J v, w⟩ = ⟨v, Jᵀ w⟩ for a map that is linear around `x`: with J v from two runs.
fn adjoint(place: &str, engine: &Engine, bytes: &[u8], shape: &[usize], x: &[f32], r: &mut Random) {
    let (mut session, y) = run(engine, bytes, shape, x);
    let (v, w) = (r.floats(x.len()), r.floats(y.data.len()));
    // Small enough that no ReLU and no maximum changes its side, as a rule.
    let moved: Vec<_> = x.iter().zip(&v).map(|(x, v)| x + v * 1e-3).collect();
    let back = session.vector_jacobian("y", &w, Rule::Gradient).expect("it runs");
    session.forward(&moved).expect("it runs");
    let there = session.output().expect("a result");
    let left: f64 =
        (0..w.len()).map(|i| f64::from(there.data[i] - y.data[i]) * 1e3 * f64::from(w[i])).sum();
    let right: f64 = (0..v.len()).map(|i| f64::from(v[i]) * f64::from(back.data[i])).sum();
    let size: f64 = (0..v.len()).map(|i| f64::from(v[i] * back.data[i]).abs()).sum();
    assert!((left - right).abs() <= 0.02 * size.max(0.05), "{place}: {left} and {right}");
}

/// Checks a model of an output `y` against what it should give, forward and back, on every engine.
pub(crate) fn check(
    name: &str,
    case: u64,
    bytes: &[u8],
    shape: &[usize],
    x: &[f32],
    expected: &[f32],
) {
    for (engine_name, engine) in engines().iter() {
        let place = format!("{engine_name} {name} case {case}");
        let (_, y) = run(engine, bytes, shape, x);
        close(&place, &y.data, expected, ALLOWED);
        adjoint(&place, engine, bytes, shape, x, &mut Random::new(case + 1000));
    }
}
