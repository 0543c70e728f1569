//! The check of an engine against a case, and the differences.
//!
//! Everything is compared bit for bit, except that a NaN matches any NaN: frameworks do not agree
//! on its payload.

use unpool::{Engine, Error, Shape, Taps};

use crate::case::Case;

/// Where an engine departs from a case: the first element, and both values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the numbers of the message, under its own names")]
pub enum Difference {
    #[error("{field}: refused: {error}")]
    Refused { field: &'static str, error: Error },
    #[error("{field}: found {found}, expected {expected}")]
    Shape { field: &'static str, found: Shape, expected: Shape },
    #[error("{field}: found {found} elements, expected {expected}")]
    Length { field: &'static str, found: usize, expected: usize },
    #[error("{field}: element {element}, at {position:?}: found {found}, expected {expected}")]
    Element {
        field: &'static str,
        element: usize,
        /// In the order of the layout.
        position: Vec<usize>,
        found: String,
        expected: String,
    },
}

impl Case {
    /// Runs the four operations and both conversions of the argmax on `engine`, and compares them
    /// with the framework's results.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub fn check(&self, engine: &Engine) -> Result<(), Difference> {
        let geometry = self
            .geometry()
            .map_err(|error| Difference::Refused { field: "geometry", error: error.into() })?;
        // Before anything is allocated: a file may state a small result for a vast geometry.
        let expected_shape = Shape::new(self.layout, self.pooled_shape.as_slice());
        if *geometry.pooled_shape() != expected_shape {
            return Err(Difference::Shape {
                field: "pooled_shape",
                found: *geometry.pooled_shape(),
                expected: expected_shape,
            });
        }

        let run = |field| move |error| Difference::Refused { field, error };
        let (input_dims, pooled_dims) = (&self.input_shape, &self.pooled_shape);

        let pooled = engine.max_pool(&geometry, &self.input).map_err(run("values"))?;
        floats("values", pooled_dims, &pooled.values, &self.values)?;

        let indices: Vec<i64> =
            pooled.taps.to_indices(&geometry, self.index_space).map_err(run("indices"))?;
        first("indices", pooled_dims, &indices, &self.indices, |a, b| a == b)?;

        let taps = Taps::from_indices(&geometry, self.index_space, &self.indices)
            .map_err(run("taps from indices"))?;
        let numbers = |taps: &Taps| (0..taps.len()).map_while(|i| taps.get(i)).collect::<Vec<_>>();
        let (found, expected) = (numbers(&taps), numbers(&pooled.taps));
        first("taps from indices", pooled_dims, &found, &expected, |a, b| a == b)?;

        if let Some(grad) = &self.pool_grad {
            let found = engine
                .max_pool_backward(&geometry, &grad.grad_output, &taps)
                .map_err(run("pool_grad.grad_input"))?;
            floats("pool_grad.grad_input", input_dims, &found, &grad.grad_input)?;
        }
        if let Some(unpool) = &self.unpool {
            let found = engine
                .max_unpool(&geometry, &unpool.updates, &taps, unpool.rule.into())
                .map_err(run("unpool.output"))?;
            floats("unpool.output", input_dims, &found, &unpool.output)?;
        }
        if let Some(grad) = &self.unpool_grad {
            let found = engine
                .max_unpool_backward(&geometry, &grad.grad_output, &taps)
                .map_err(run("unpool_grad.grad_updates"))?;
            floats("unpool_grad.grad_updates", pooled_dims, &found, &grad.grad_updates)?;
        }
        Ok(())
    }
}

fn floats(
    field: &'static str,
    dims: &[usize],
    found: &[f32],
    expected: &[f32],
) -> Result<(), Difference> {
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    first(field, dims, found, expected, same)
}

/// The first element that is not the same.
fn first<T: Copy + std::fmt::Debug>(
    field: &'static str,
    dims: &[usize],
    found: &[T],
    expected: &[T],
    same: impl Fn(T, T) -> bool,
) -> Result<(), Difference> {
    if found.len() != expected.len() {
        return Err(Difference::Length { field, found: found.len(), expected: expected.len() });
    }
    match found.iter().zip(expected).position(|(&a, &b)| !same(a, b)) {
        None => Ok(()),
        Some(element) => Err(Difference::Element {
            field,
            element,
            position: position(dims, element),
            found: format!("{:?}", found[element]),
            expected: format!("{:?}", expected[element]),
        }),
    }
}

/// Where element number `element` of a row-major tensor stands.
fn position(dims: &[usize], element: usize) -> Vec<usize> {
    let mut rest = element;
    let mut position = vec![0; dims.len()];
    for (at, &extent) in position.iter_mut().zip(dims).rev() {
        *at = rest % extent.max(1);
        rest /= extent.max(1);
    }
    position
}
