//! Tensors that are being read back from a device. A program that must not block, such as a page in
//! a browser, awaits them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use unpool::Readback;

use crate::activation::Activation;
use crate::error::Error;

/// A tensor that is being read back.
///
/// A future; it may be dropped at any time. What a GPU computed is copied when the reading is made,
/// so a later [`Session::forward`](crate::Session::forward) does not change it. As with [`unpool::Readback`], outside the
/// browser something must poll the device for it to make progress: the application's own loop does,
/// or the blocking form of what made it.
#[derive(Debug)]
#[must_use = "the copy is in progress, and its result comes from awaiting this"]
pub struct Reading {
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Numbers,
}

/// Numbers that have arrived, or that are still being read back.
#[derive(Debug)]
pub(crate) enum Numbers {
    Ready(Vec<f32>),
    Pending(Readback<f32>),
}

impl Future for Reading {
    type Output = Result<Activation, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let data = match &mut self.numbers {
            Numbers::Ready(data) => Ok(std::mem::take(data)),
            Numbers::Pending(readback) => match Pin::new(readback).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(data) => data.map_err(Error::from),
            },
        };
        let shape = std::mem::take(&mut self.shape);
        Poll::Ready(data.map(|data| Activation { shape, data }))
    }
}
