//! Methods of attribution by name, with their parameters.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use unpool_cnn::{Attribution, Relevance, Rule};

const METHODS: &str = "gradient, deconvnet, guided, input-times-gradient, integrated-gradients, \
     smoothgrad, occlusion, guided-grad-cam, lrp-epsilon and lrp-gamma";

/// A method by its name. Parameters that it does not take are refused.
pub(crate) fn attribution(name: &str, parameters: &Bound<'_, PyDict>) -> PyResult<Attribution> {
    let mut given = Parameters { method: name, parameters, known: Vec::new() };
    let method = match name.to_ascii_lowercase().replace('_', "-").as_str() {
        "gradient" => Attribution::LookBack(Rule::Gradient),
        "deconvnet" => Attribution::LookBack(Rule::Deconvnet),
        "guided" => Attribution::LookBack(Rule::Guided),
        "input-times-gradient" => Attribution::InputTimesGradient,
        "integrated-gradients" => Attribution::IntegratedGradients {
            baseline: given.take("baseline", 0.0)?,
            steps: given.take("steps", 50)?,
        },
        "smoothgrad" => Attribution::SmoothGrad {
            noise: given.take("noise", 0.15)?,
            samples: given.take("samples", 50)?,
            seed: given.take("seed", 0)?,
        },
        "occlusion" => Attribution::Occlusion {
            size: given.take("size", 8)?,
            stride: given.take("stride", 4)?,
            value: given.take("value", 0.0)?,
        },
        "guided-grad-cam" => {
            let at = given.take("at", String::new())?;
            if at.is_empty() {
                return Err(PyTypeError::new_err("guided-grad-cam needs the layer at"));
            }
            Attribution::GuidedGradCam { at }
        }
        "lrp-epsilon" => {
            Attribution::Relevance(Relevance { epsilon: given.take("epsilon", 1e-6)?, gamma: 0.0 })
        }
        "lrp-gamma" => Attribution::Relevance(Relevance {
            epsilon: given.take("epsilon", 0.0)?,
            gamma: given.take("gamma", 0.25)?,
        }),
        _ => {
            return Err(PyValueError::new_err(format!(
                "method {name:?} is unknown; {METHODS} are allowed"
            )));
        }
    };
    given.check()?;
    Ok(method)
}

/// The keyword arguments of a method, and the names of those it takes.
struct Parameters<'a, 'py> {
    method: &'a str,
    parameters: &'a Bound<'py, PyDict>,
    known: Vec<&'static str>,
}

impl<'py> Parameters<'_, 'py> {
    fn take<T>(&mut self, name: &'static str, default: T) -> PyResult<T>
    where
        T: for<'a> FromPyObject<'a, 'py>,
    {
        self.known.push(name);
        match self.parameters.get_item(name)? {
            Some(value) => value.extract::<T>().map_err(|error| {
                let error: PyErr = error.into();
                PyTypeError::new_err(format!("{name}: {}", error.value(self.parameters.py())))
            }),
            None => Ok(default),
        }
    }

    fn check(&self) -> PyResult<()> {
        for (name, _) in self.parameters {
            let name: String = name.extract()?;
            if !self.known.contains(&name.as_str()) {
                let known = match self.known.as_slice() {
                    [] => "no parameters".into(),
                    known => known.join(", "),
                };
                return Err(PyTypeError::new_err(format!(
                    "{} has no parameter {name:?}; it takes {known}",
                    self.method
                )));
            }
        }
        Ok(())
    }
}
