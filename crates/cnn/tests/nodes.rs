//! The ONNX project's own tests of operators, as `tests/nodes/collect.py` writes them down.

use serde::Deserialize;
use unpool_cnn::{Engine, Keep, Model, Rule, Session};

use crate::support::engines::engines;
use crate::support::random::Random;
use crate::support::wire::hashed;

/// How far an input is moved for a difference quotient.
const STEP: f32 = 1e-2;

/// What a result may differ by, as a part of the largest one, and as a part of itself: the latter is
/// what the ONNX project's own runner allows, for some results are written with four digits.
const ALLOWED: (f32, f32) = (1e-4, 1e-3);

/// What a slope may differ by, as a part of the sum of its terms' magnitudes.
const SLOPE_ALLOWED: f64 = 2e-4;

/// A number; JSON has no infinities and no NaN, which are words.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f32),
    Word(String),
}

impl Number {
    fn value(&self) -> f32 {
        match self {
            Self::Finite(x) => *x,
            Self::Word(word) => word.parse().expect("inf, -inf or nan"),
        }
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    input: Vec<Number>,
    shape: Vec<usize>,
    expected: Vec<Number>,
    /// How fast the weighted sum of the outputs changes along a direction, in double precision.
    slope: Option<f64>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let byte = |i: usize| u8::from_str_radix(&self.model[2 * i..2 * i + 2], 16);
        (0..self.model.len() / 2).map(|i| byte(i).expect("a byte")).collect()
    }

    /// What is wrong with the result, if something is.
    fn fault(&self, engine: &Engine) -> Option<String> {
        let model = match Model::from_bytes(&self.bytes()) {
            Ok(model) => model,
            Err(error) => return Some(error.to_string()),
        };
        let plan = match model.plan(&[1, 1, self.input.len()]) {
            Ok(plan) => plan,
            Err(error) => return Some(error.to_string()),
        };
        if plan.output().shape() != self.shape {
            return Some(format!("shape {:?} for {:?}", plan.output().shape(), self.shape));
        }
        let mut session = Session::new(engine, plan, Keep::Output).expect("memory");
        let image: Vec<_> = self.input.iter().map(Number::value).collect();
        session.forward(&image).expect("it runs");
        let found = session.output().expect("a result").data;
        let expected: Vec<_> = self.expected.iter().map(Number::value).collect();
        let largest =
            expected.iter().filter(|x| x.is_finite()).fold(1e-6f32, |m, x| m.max(x.abs()));
        let same = |a: f32, b: f32| {
            a == b
                || (a.is_nan() && b.is_nan())
                || (a - b).abs() <= (ALLOWED.0 * largest).max(ALLOWED.1 * b.abs())
        };
        let first = (0..found.len()).find(|&i| !same(found[i], expected[i]))?;
        Some(format!("element {first} is {}, not {}", found[first], expected[first]))
    }

    /// A session after the way forward, which keeps all tensors, and the name of the output.
    fn opened(&self, engine: &Engine) -> Option<(Session, String, Vec<f32>)> {
        let shape = [1, 1, self.input.len()];
        let plan = Model::from_bytes(&self.bytes()).and_then(|model| model.plan(&shape)).ok()?;
        let output = plan.output().name().to_owned();
        let mut session = Session::new(engine, plan, Keep::All).expect("memory");
        let image: Vec<_> = self.input.iter().map(Number::value).collect();
        session.forward(&image).expect("it runs");
        Some((session, output, image))
    }

    /// What is wrong with the way back: by the recorded slope, or without one by a difference quotient.
    fn fault_back(&self, engine: &Engine) -> Option<String> {
        // ONNX's reference sums the elements themselves, which at 0 has another slope than their magnitudes.
        let slope = self.slope.filter(|_| self.name != "test_l1normalization_axis_last");
        match slope {
            Some(slope) => self.slope_fault(engine, slope),
            None if KINKS.iter().any(|kink| self.name.contains(kink)) => None,
            None => self.quotient_fault(engine),
        }
    }

    /// Whether the way back gives the slope that `collect.py` recorded.
    fn slope_fault(&self, engine: &Engine, slope: f64) -> Option<String> {
        let (mut session, output, image) = self.opened(engine)?;
        let w: Vec<_> = (0..self.expected.len() as u32).map(|i| hashed(i + 13)).collect();
        let back = session.vector_jacobian(&output, &w, Rule::Gradient).expect("it runs").data;
        let terms = (0..image.len()).map(|i| f64::from(back[i]) * f64::from(hashed(i as u32 + 11)));
        let (found, size) = terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
        let off = (found - slope).abs();
        let is_close = off <= SLOPE_ALLOWED * size.max(slope.abs()).max(1e-2);
        (!is_close).then(|| format!("{found} for {slope}, of {size}"))
    }

    /// Whether ⟨J v, w⟩ = ⟨v, Jᵀ w⟩, with J v from two runs in a random direction `v`.
    fn quotient_fault(&self, engine: &Engine) -> Option<String> {
        let (mut session, output, image) = self.opened(engine)?;
        let r = &mut Random::new(self.name.len() as u64);
        let (v, w) = (r.floats(image.len()), r.floats(self.expected.len()));
        let mut along = |step: f32| {
            let moved: Vec<_> = image.iter().zip(&v).map(|(x, v)| x + v * step).collect();
            session.forward(&moved).expect("it runs");
            session.output().expect("a result").data
        };
        let (more, less) = (along(STEP), along(-STEP));
        let rate = |i: usize| f64::from(more[i] - less[i]) / f64::from(2.0 * STEP);
        let left: f64 = (0..w.len()).map(|i| rate(i) * f64::from(w[i])).sum();
        session.forward(&image).expect("it runs");
        let back = session.vector_jacobian(&output, &w, Rule::Gradient).expect("it runs").data;
        let terms = back.iter().zip(&v).map(|(a, b)| f64::from(*a) * f64::from(*b));
        let right: f64 = terms.clone().sum();
        let size: f64 = terms.map(f64::abs).sum();
        // A step over a kink, or out of where the function is a number.
        if !left.is_finite() {
            return None;
        }
        let off = (left - right).abs();
        (off > 0.02 * size.max(0.05)).then(|| format!("{left} and {right}"))
    }
}

/// Cases with a kink, a jump or a huge derivative within a step of their input, whose difference
/// quotient is none.
const KINKS: [&str; 10] = [
    "argm",
    "elu_example",
    "floor",
    "hardmax",
    "l2normalization_axis_0",
    "large_number",
    "maxpool_3d_dilations",
    "reduce_min_default_axes",
    "round",
    "sign",
];

#[test]
fn the_way_back_through_each_operator_is_its_gradient() {
    let cases = cases(&fixed());
    let mut wrong = Vec::new();
    for (name, engine) in engines().iter() {
        for case in &cases {
            if let Some(fault) = case.fault_back(engine) {
                wrong.push(format!("{name}: {}: {fault}", case.name));
            }
        }
    }
    let recorded = cases.iter().filter(|case| case.slope.is_some()).count();
    assert!(recorded > cases.len() / 2, "{recorded} of {}", cases.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

fn cases(path: &std::path::Path) -> Vec<Case> {
    let text = std::fs::read(path).expect("collect.py wrote the file");
    serde_json::from_slice(&text).expect("cases")
}

/// The fixed part, or the file that `scripts/check-nodes` names.
fn fixed() -> std::path::PathBuf {
    let own = || crate::support::expected::path("../nodes/nodes.json");
    std::env::var("UNPOOL_NODES").map_or_else(|_| own(), Into::into)
}

#[test]
fn operators_are_those_of_onnx() {
    let (cases, engines) = (cases(&fixed()), engines());
    let mut wrong = Vec::new();
    for (name, engine) in engines.iter() {
        for case in &cases {
            if let Some(fault) = case.fault(engine) {
                wrong.push(format!("{name}: {}: {fault}", case.name));
            }
        }
    }
    println!("{} cases on {} engines", cases.len(), engines.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
