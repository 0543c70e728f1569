//! A pooling made ready once and run many times: what an application does, and what the comparison
//! with other libraries times.

use unpool::{Element, Step, operands, wgpu};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::device::Device;
use crate::geometry::Geometry;
use crate::operations::Pooled;

/// Max pooling bound to its buffers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PreparedMaxPool {
    gpu: unpool::Gpu,
    geometry: Geometry,
    values: wgpu::Buffer,
    taps: wgpu::Buffer,
    step: Step,
}

#[wasm_bindgen]
impl PreparedMaxPool {
    /// Uploads the input and makes the step ready.
    ///
    /// # Errors
    ///
    /// If the input is too short, or the device does not allow it.
    #[wasm_bindgen(constructor)]
    pub fn new(device: &Device, geometry: &Geometry, input: &[f32]) -> Result<Self, JsError> {
        let pooling = device.gpu.pooling(&geometry.inner, Element::F32)?;
        let input = device.upload("input", input)?;
        let values = device.tensor("values", pooling.values_bytes())?;
        let taps = device.tensor("taps", pooling.taps_bytes())?;
        let step =
            pooling.max_pool(operands::MaxPool { input: &input, values: &values, taps: &taps })?;
        Ok(Self { gpu: device.gpu.clone(), geometry: geometry.clone(), values, taps, step })
    }

    /// Submits the step once and comes back when the device is done with it.
    ///
    /// # Errors
    ///
    /// If the device is lost.
    pub async fn run(&self) -> Result<(), JsError> {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.step.record_pass(&mut encoder, None);
        self.gpu.queue().submit([encoder.finish()]);
        // One word, read back: there is nothing smaller to wait for.
        self.gpu.read::<u32>(self.taps.slice(..4))?.await?;
        Ok(())
    }

    /// What the last run gave.
    ///
    /// # Errors
    ///
    /// If the device is lost.
    pub async fn read(&self) -> Result<Pooled, JsError> {
        let (values, taps) = (self.gpu.read(&self.values)?, self.gpu.read::<u8>(&self.taps)?);
        Ok(Pooled::new(&self.geometry, values.await?, &taps.await?))
    }
}
