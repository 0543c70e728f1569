//! The blocking forms of [`Session`]'s awaited methods, which a page in a browser cannot use.

use crate::activation::{Activation, Projection};
use crate::back::Manner;
use crate::class_activation::Cam;
use crate::error::Error;
use crate::reading::{Numbers, Reading};
use crate::rule::Rule;
use crate::session::Session;
use crate::targets::Targets;

impl Reading {
    /// Waits for it, polling the device.
    pub(crate) fn wait(self) -> Result<Activation, Error> {
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
        target: impl Into<Targets>,
        rule: Rule,
    ) -> Result<Projection, Error> {
        self.look_back_until(layer, target.into(), rule, None)
    }

    /// Looks back from a layer to another one, `end`, that comes before it: with
    /// [`Rule::Gradient`], the gradient of the target with respect to the responses of that layer.
    /// Zero if the target does not depend on them. Waits for it.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`look_back`](Self::look_back), and an error if there is no layer `end`.
    pub fn look_back_to(
        &mut self,
        layer: &str,
        target: impl Into<Targets>,
        rule: Rule,
        end: &str,
    ) -> Result<Projection, Error> {
        let end = self.plan().index(end)?;
        self.look_back_until(layer, target.into(), rule, Some(end))
    }

    fn look_back_until(
        &mut self,
        layer: &str,
        targets: Targets,
        rule: Rule,
        end: Option<usize>,
    ) -> Result<Projection, Error> {
        let index = self.index_with(layer, &targets)?;
        let activation =
            if targets.needs_activation() { Some(self.read_layer(index)?.wait()?) } else { None };
        let (signal, units) = targets.signal(&self.plan().layers[index], activation);
        let map = self.send_back_from(index, &signal, Manner::Rule(rule), end)?.wait()?;
        Ok(Projection { map, units })
    }

    /// Where the evidence for a target lies, in the maps of layer `at`: `[batch, 1, …]` of the layer's
    /// spatial extents. Waits for it. [`Plan::last_maps`](crate::Plan::last_maps) is the layer that is usually taken.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`look_back_to`](Self::look_back_to), and an error if the layer `at` was not kept.
    pub fn class_activation(
        &mut self,
        cam: Cam,
        layer: &str,
        target: impl Into<Targets>,
        at: &str,
    ) -> Result<Activation, Error> {
        let layout = self.plan().layer(at)?.layout();
        let activation = self.activation(at)?.channels_first(layout);
        let gradient = self.look_back_to(layer, target, Rule::Gradient, at)?.map;
        Ok(cam.map(&activation, &gradient.channels_first(layout)))
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
