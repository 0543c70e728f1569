//! Tensors on their way back from a device: what a program that must not block awaits, a browser's
//! page above all.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use unpool::Readback;

use crate::activation::{Activation, Projection};
use crate::error::Error;
use crate::rule::Rule;
use crate::session::Session;
use crate::target::Target;

/// A tensor on its way back.
///
/// A future; it may be dropped at any time. What a GPU computed is copied when the reading is made,
/// so a later [`Session::forward`] does not change it. As with [`unpool::Readback`], outside the
/// browser something must poll the device for it to make progress: the application's own loop does,
/// or the blocking form of what made it.
#[derive(Debug)]
#[must_use = "the copy is under way, and its result comes from awaiting this"]
pub struct Reading {
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Numbers,
}

/// Numbers that are here, or on their way.
#[derive(Debug)]
pub(crate) enum Numbers {
    Here(Vec<f32>),
    UnderWay(Readback<f32>),
}

impl Future for Reading {
    type Output = Result<Activation, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let data = match &mut self.numbers {
            Numbers::Here(data) => Ok(std::mem::take(data)),
            Numbers::UnderWay(readback) => match Pin::new(readback).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(data) => data.map_err(Error::from),
            },
        };
        let shape = std::mem::take(&mut self.shape);
        Poll::Ready(data.map(|data| Activation { shape, data }))
    }
}

/// The forms that are awaited: nothing here blocks, beyond the arithmetic itself on the CPU.
impl Session {
    /// What a layer responded with, since the last [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// If there is no such layer, it was not kept, or the device fails.
    pub fn read(&mut self, layer: &str) -> Result<Reading, Error> {
        let index = self.kept_index(layer)?;
        self.read_layer(index)
    }

    /// What the model's output responded with.
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
        self.send_back_from(index, signal, rule)
    }

    /// Looks back from a layer to the input by each of some rules, which are all under way before
    /// the first is waited for.
    ///
    /// # Errors
    ///
    /// As [`send_back`](Self::send_back), and if the layer has not what is asked for.
    pub async fn look_back_by(
        &mut self,
        layer: &str,
        target: Target,
        rules: &[Rule],
    ) -> Result<Vec<Projection>, Error> {
        let index = self.index_with(layer, target)?;
        let activation =
            if target.needs_activation() { Some(self.read_layer(index)?.await?) } else { None };
        let (signal, units) = target.signal(&self.plan().layers[index], activation.as_ref());
        let under_way: Result<Vec<_>, _> =
            rules.iter().map(|&rule| self.send_back_from(index, &signal, rule)).collect();
        let mut projections = Vec::new();
        for reading in under_way? {
            projections.push(Projection { map: reading.await?, units: units.clone() });
        }
        Ok(projections)
    }
}
