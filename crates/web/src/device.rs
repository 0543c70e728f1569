//! `Device` for JavaScript: the browser's GPU, and what becomes of it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};
use unpool::{Gpu, wgpu};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// A device of the browser's best adapter.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Device {
    pub(crate) gpu: Gpu,
    lost: OneshotReceiver<String>,
    complaint: Arc<Mutex<Option<String>>>,
}

#[wasm_bindgen]
impl Device {
    /// Asks the browser for a device.
    ///
    /// # Errors
    ///
    /// If it has no WebGPU, no adapter, or gives no device.
    pub async fn request() -> Result<Self, JsError> {
        let gpu = Gpu::request().await?;
        let (sender, lost) = oneshot_channel();
        gpu.device().set_device_lost_callback(move |reason, message| {
            // Nobody listens any more when the page let go of the device.
            let _ = sender.send(format!("{reason:?}: {message}"));
        });
        let complaint = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&complaint);
        gpu.device().on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(|| error.to_string());
        }));
        Ok(Self { gpu, lost, complaint })
    }

    /// Backend and adapter.
    #[wasm_bindgen(getter)]
    pub fn description(&self) -> String {
        self.gpu.description()
    }

    /// The first uncaptured error of the browser, if any: such an error arrives after the call has
    /// returned.
    #[wasm_bindgen(getter)]
    pub fn complaint(&self) -> Option<String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Comes back when the device is gone, with the reason. To be called once.
    pub async fn lost(&self) -> String {
        self.lost.receive().await.unwrap_or_default()
    }

    /// Throws the device away: everything on it fails from now on.
    pub fn destroy(&self) {
        self.gpu.device().destroy();
    }
}

impl Device {
    /// A buffer, within the device's limits.
    pub(crate) fn buffer(
        &self,
        label: &str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, unpool::Error> {
        let size = size.next_multiple_of(4).max(4);
        let allowed = self.gpu.device().limits().max_buffer_size;
        if size > allowed {
            return Err(unpool::Error::Limit { limit: "max_buffer_size", needed: size, allowed });
        }
        let mapped_at_creation = false;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation };
        Ok(self.gpu.device().create_buffer(&descriptor))
    }

    /// A buffer for a tensor that a step reads or writes.
    pub(crate) fn tensor(&self, label: &str, size: u64) -> Result<wgpu::Buffer, unpool::Error> {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        self.buffer(label, size, usage)
    }

    /// Such a buffer with some elements in it.
    pub(crate) fn upload<T: bytemuck::Pod>(
        &self,
        label: &str,
        elements: &[T],
    ) -> Result<wgpu::Buffer, unpool::Error> {
        let mut bytes = bytemuck::cast_slice(elements).to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let buffer = self.tensor(label, bytes.len() as u64)?;
        self.gpu.queue().write_buffer(&buffer, 0, &bytes);
        Ok(buffer)
    }
}
