//! The blocking forms of [`Session`]'s awaited methods, which a page in a browser cannot use.

use crate::activation::{Activation, Projection};
use crate::error::Error;
use crate::reading::{Numbers, Reading};
use crate::rule::Rule;
use crate::session::Session;
use crate::target::Target;

impl Reading {
    /// Waits for it, polling the device.
    fn wait(self) -> Result<Activation, Error> {
        let data = match self.numbers {
            Numbers::Ready(data) => data,
            Numbers::Pending(readback) => readback.wait()?,
        };
        Ok(Activation { shape: self.shape, data })
    }
}

impl Session {
    /// The responses of a layer in the last [`forward`](Self::forward). Waits for it;
    /// [`read`](Self::read) does not.
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, or the device fails.
    pub fn activation(&mut self, layer: &str) -> Result<Activation, Error> {
        self.read(layer)?.wait()
    }

    /// The model's output in the last [`forward`](Self::forward). Waits for it; [`read_output`](Self::read_output)
    /// does not.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn output(&mut self) -> Result<Activation, Error> {
        self.read_output()?.wait()
    }

    /// Looks back from a layer to the input, for each image of the batch, with the signal of
    /// the target. Waits for it; [`look_back_by`](Self::look_back_by) does not.
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, it does not have the target, or the device
    /// fails.
    pub fn look_back(
        &mut self,
        layer: &str,
        target: Target,
        rule: Rule,
    ) -> Result<Projection, Error> {
        let index = self.index_with(layer, target)?;
        let activation =
            if target.needs_activation() { Some(self.read_layer(index)?.wait()?) } else { None };
        let (signal, units) = target.signal(&self.plan().layers[index], activation.as_ref());
        let map = self.send_back_from(index, &signal, rule)?.wait()?;
        Ok(Projection { map, units })
    }

    /// Sends any signal of a layer's shape back to the input: under [`Rule::Gradient`] the
    /// vector-Jacobian product. Waits for it; [`send_back`](Self::send_back) does not.
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, the signal has another number of elements, or
    /// the device fails.
    pub fn vector_jacobian(
        &mut self,
        layer: &str,
        signal: &[f32],
        rule: Rule,
    ) -> Result<Activation, Error> {
        self.send_back(layer, signal, rule)?.wait()
    }
}
