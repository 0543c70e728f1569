//! Reading a buffer back: submits a copy, and waits for it when asked to.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::operand::Operand;

/// The contents of a buffer on their way back, as elements of `T`.
///
/// A future; it may be dropped at any time. Outside the browser something must poll the device for
/// it to make progress (the application's own loop does, or [`Readback::wait`]).
#[must_use = "the copy is under way, and its result comes from awaiting this or from wait()"]
pub struct Readback<T> {
    #[cfg(not(target_arch = "wasm32"))]
    gpu: Gpu,
    staging: wgpu::Buffer,
    mapped: Pin<Box<dyn Future<Output = Option<bool>> + Send>>,
    element: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Readback<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readback").field("staging", &self.staging).finish_non_exhaustive()
    }
}

impl Gpu {
    /// Copies a buffer, or a part of one, into memory. Submits that copy at once, after everything
    /// submitted so far, and returns without waiting.
    ///
    /// Offset and size are multiples of 4; a tensor that does not end on a word is followed by the
    /// rest of its last word.
    ///
    /// # Errors
    ///
    /// - [`Error::Usage`] if the buffer was not made with [`COPY_SRC`](wgpu::BufferUsages::COPY_SRC).
    /// - [`Error::Alignment`] if the offset is not a multiple of 4.
    /// - [`Error::ReadSize`] if the size is not a multiple of 4 and of the size of `T`.
    /// - [`Error::OutOfMemory`] or [`Error::Wgpu`] if the device fails.
    pub fn read<'a, T: bytemuck::Pod>(
        &self,
        source: impl Into<Operand<'a>>,
    ) -> Result<Readback<T>, Error> {
        let Operand { buffer, offset, size } = source.into();
        let operand = "the buffer to read";
        if !buffer.usage().contains(wgpu::BufferUsages::COPY_SRC) {
            let needed = wgpu::BufferUsages::COPY_SRC;
            return Err(Error::Usage { operand, found: buffer.usage(), needed });
        }
        const { assert!(size_of::<T>() > 0, "elements without a size cannot be read") };
        let (word, element) = (wgpu::COPY_BUFFER_ALIGNMENT, size_of::<T>() as u64);
        if !offset.is_multiple_of(word) {
            return Err(Error::Alignment { operand, found: offset, allowed: word });
        }
        if let Some(&multiple) = [word, element].iter().find(|n| !size.is_multiple_of(**n)) {
            return Err(Error::ReadSize { operand, found: size, multiple });
        }
        let device = self.device();
        let staging = self.scoped(|| {
            let staging = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("unpool readback"),
                size,
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some("unpool readback"),
            });
            encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, size);
            self.queue().submit([encoder.finish()]);
            staging
        })?;
        let (sender, receiver): (_, OneshotReceiver<bool>) = oneshot_channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody listens any more when the readback was dropped.
            let _ = sender.send(result.is_ok());
        });
        let mapped = Box::pin(async move { receiver.receive().await });
        Ok(Readback {
            #[cfg(not(target_arch = "wasm32"))]
            gpu: self.clone(),
            staging,
            mapped,
            element: PhantomData,
        })
    }
}

impl<T: bytemuck::Pod> Readback<T> {
    /// Waits for the copy, polling the device.
    ///
    /// # Errors
    ///
    /// Returns [`Error::DeviceLost`] if the device was lost.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(self) -> Result<Vec<T>, Error> {
        let device = self.gpu.device().clone();
        let mut this = std::pin::pin!(self);
        loop {
            // Whatever went wrong shows in the mapping.
            let polled = device.poll(wgpu::PollType::wait_indefinitely());
            let waker = std::task::Waker::noop();
            match this.as_mut().poll(&mut Context::from_waker(waker)) {
                Poll::Ready(result) => return result,
                Poll::Pending if polled.is_err() => return Err(Error::DeviceLost),
                // Another thread's poll has taken the answer, and is about to deliver it.
                Poll::Pending => std::thread::sleep(std::time::Duration::from_micros(50)),
            }
        }
    }
}

impl<T: bytemuck::Pod> Future for Readback<T> {
    type Output = Result<Vec<T>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.mapped.as_mut().poll(context).map(|mapped| {
            if mapped != Some(true) {
                return Err(Error::DeviceLost);
            }
            let view = self.staging.get_mapped_range(..).map_err(|_| Error::DeviceLost)?;
            Ok(bytemuck::pod_collect_to_vec(&view[..]))
        })
    }
}
