//! Targets and rules of looking back, from Python's arguments.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unpool_cnn::{Cam, Rule, Target};

use crate::arguments::described;

const ALLOWED: &str = "\"layer\", (\"class\", n), (\"channel\", n), (\"responses\", n), \
     (\"strongest\", n) and (\"unit\", channel, position) are allowed";

/// A target: `"layer"`, or a tuple of a name and numbers.
pub(crate) fn target(value: &Bound<'_, PyAny>) -> PyResult<Target> {
    if let Ok(name) = value.extract::<String>() {
        return match name.as_str() {
            "layer" => Ok(Target::Layer),
            _ => Err(PyValueError::new_err(format!("target {name:?} is unknown; {ALLOWED}"))),
        };
    }
    let Ok(parts) = value.cast::<PyTuple>() else {
        return Err(PyTypeError::new_err(format!("target is {}; {ALLOWED}", described(value))));
    };
    if let Ok((name, n)) = parts.extract::<(String, usize)>() {
        return match name.as_str() {
            "class" => Ok(Target::Class(n)),
            "channel" => Ok(Target::Channel(n)),
            "responses" => Ok(Target::Responses(n)),
            "strongest" => Ok(Target::Strongest(n)),
            _ => Err(PyValueError::new_err(format!("target {name:?} is unknown; {ALLOWED}"))),
        };
    }
    match parts.extract::<(String, usize, usize)>() {
        Ok((name, channel, position)) if name == "unit" => Ok(Target::Unit { channel, position }),
        _ => Err(PyValueError::new_err(format!("target is {}; {ALLOWED}", parts.repr()?))),
    }
}

/// A rule by its name.
pub(crate) fn rule(name: &str) -> PyResult<Rule> {
    by_name("rule", name, &Rule::ALL, Rule::name)
}

/// A kind of class activation map by its name.
pub(crate) fn cam(name: &str) -> PyResult<Cam> {
    by_name("method", name, &Cam::ALL, Cam::name)
}

fn by_name<T: Copy>(
    what: &str,
    found: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> PyResult<T> {
    let wanted = found.to_ascii_lowercase().replace('_', "-");
    all.iter().copied().find(|&value| name(value) == wanted).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|&value| name(value)).collect();
        PyValueError::new_err(format!(
            "{what} {found:?} is unknown; {} are allowed",
            names.join(", ")
        ))
    })
}
