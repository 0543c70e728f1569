//! The awaited forms of [`Session`]'s results. Nothing here blocks, except for the arithmetic itself
//! on the CPU.

use crate::activation::Projection;
use crate::back::Manner;
use crate::error::Error;
use crate::reading::Reading;
use crate::rule::Rule;
use crate::session::Session;
use crate::targets::Targets;

impl Session {
    /// The responses of a layer in the last [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, or the device fails.
    pub fn read(&mut self, layer: &str) -> Result<Reading, Error> {
        let index = self.kept_index(layer)?;
        self.read_layer(index)
    }

    /// The model's output in the last [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn read_output(&mut self) -> Result<Reading, Error> {
        self.read_layer(self.plan().output)
    }

    /// Sends any signal of a layer's shape back to the input: under [`Rule::Gradient`] the
    /// vector-Jacobian product.
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, the signal has another number of elements, or
    /// the device fails.
    pub fn send_back(&mut self, layer: &str, signal: &[f32], rule: Rule) -> Result<Reading, Error> {
        let index = self.index_for(layer, signal)?;
        self.send_back_from(index, signal, Manner::Rule(rule), None)
    }

    /// Looks back from a layer to the input by each of `rules`. All of them are submitted before
    /// the first result is awaited.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send_back`](Self::send_back), and an error if the layer does not have the target.
    pub async fn look_back_by(
        &mut self,
        layer: &str,
        target: impl Into<Targets>,
        rules: &[Rule],
    ) -> Result<Vec<Projection>, Error> {
        let targets = target.into();
        let index = self.index_with(layer, &targets)?;
        let activation =
            if targets.needs_activation() { Some(self.read_layer(index)?.await?) } else { None };
        let (signal, units) = targets.signal(&self.plan().layers[index], activation);
        let under_way: Result<Vec<_>, _> = rules
            .iter()
            .map(|&rule| self.send_back_from(index, &signal, Manner::Rule(rule), None))
            .collect();
        let mut projections = Vec::new();
        for reading in under_way? {
            projections.push(Projection { map: reading.await?, units: units.clone() });
        }
        Ok(projections)
    }
}
