//! The four operations for JavaScript, on the device and on the CPU, from arrays to arrays. Those on
//! the device return promises, so that nothing blocks the page.

use unpool::{Element, Overlap, Step, Taps, cpu, operands};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::device::Device;
use crate::geometry::{Geometry, index_space};

/// The maxima and their taps.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Pooled {
    values: Vec<f32>,
    taps: Vec<u8>,
}

#[wasm_bindgen]
impl Pooled {
    /// The maxima.
    #[wasm_bindgen(getter)]
    pub fn values(&self) -> Vec<f32> {
        self.values.clone()
    }

    /// The taps, in bytes.
    #[wasm_bindgen(getter)]
    pub fn taps(&self) -> Vec<u8> {
        self.taps.clone()
    }
}

impl Pooled {
    pub(crate) fn new(geometry: &Geometry, mut values: Vec<f32>, taps: &[u8]) -> Self {
        values.truncate(geometry.inner.pooled_len());
        let bytes = geometry.inner.pooled_len() * geometry.inner.tap_width();
        Self { values, taps: taps[..bytes.min(taps.len())].to_vec() }
    }
}

/// Taps, in bytes, as the indices of another framework.
///
/// # Errors
///
/// If there are too few taps, or `space` is no index space.
#[wasm_bindgen(js_name = tapsToIndices)]
pub fn taps_to_indices(geometry: &Geometry, taps: &[u8], space: &str) -> Result<Vec<u32>, JsError> {
    let taps = Taps::from_bytes(&geometry.inner, taps)?;
    Ok(taps.to_indices(&geometry.inner, index_space(space)?)?)
}

/// The indices of another framework as taps, in bytes.
///
/// # Errors
///
/// If an index is outside its window, or `space` is no index space.
#[wasm_bindgen(js_name = tapsFromIndices)]
pub fn taps_from_indices(
    geometry: &Geometry,
    indices: &[u32],
    space: &str,
) -> Result<Vec<u8>, JsError> {
    Ok(Taps::from_indices(&geometry.inner, index_space(space)?, indices)?.as_bytes().to_vec())
}

/// [`cpu::max_pool`].
///
/// # Errors
///
/// Returns the errors of [`cpu::max_pool`].
#[wasm_bindgen(js_name = cpuMaxPool)]
pub fn cpu_max_pool(geometry: &Geometry, input: &[f32]) -> Result<Pooled, JsError> {
    let pooled = cpu::max_pool(&geometry.inner, input)?;
    Ok(Pooled { values: pooled.values, taps: pooled.taps.as_bytes().to_vec() })
}

/// [`cpu::max_unpool`]; `sum` chooses [`Overlap::Sum`], which is also the gradient of the pooling.
///
/// # Errors
///
/// Returns the errors of [`Taps::from_bytes`] and of [`cpu::max_unpool`].
#[wasm_bindgen(js_name = cpuMaxUnpool)]
pub fn cpu_max_unpool(
    geometry: &Geometry,
    values: &[f32],
    taps: &[u8],
    sum: bool,
) -> Result<Vec<f32>, JsError> {
    let taps = Taps::from_bytes(&geometry.inner, taps)?;
    Ok(cpu::max_unpool(&geometry.inner, values, &taps, overlap(sum))?)
}

/// [`cpu::max_unpool_backward`].
///
/// # Errors
///
/// Returns the errors of [`Taps::from_bytes`] and of [`cpu::max_unpool_backward`].
#[wasm_bindgen(js_name = cpuMaxUnpoolBackward)]
pub fn cpu_max_unpool_backward(
    geometry: &Geometry,
    grad_output: &[f32],
    taps: &[u8],
) -> Result<Vec<f32>, JsError> {
    let taps = Taps::from_bytes(&geometry.inner, taps)?;
    Ok(cpu::max_unpool_backward(&geometry.inner, grad_output, &taps)?)
}

#[wasm_bindgen]
impl Device {
    /// Max pooling.
    ///
    /// # Errors
    ///
    /// If the input is too short, the device does not allow it, or is lost.
    #[wasm_bindgen(js_name = maxPool)]
    pub async fn max_pool(&self, geometry: &Geometry, input: Vec<f32>) -> Result<Pooled, JsError> {
        let pooling = self.gpu.pooling(&geometry.inner, Element::F32)?;
        let input = self.upload("input", &input)?;
        let values = self.tensor("values", pooling.values_bytes())?;
        let taps = self.tensor("taps", pooling.taps_bytes())?;
        self.submit(&pooling.max_pool(operands::MaxPool {
            input: &input,
            values: &values,
            taps: &taps,
        })?);
        let (values, taps) = (self.gpu.read(&values)?, self.gpu.read::<u8>(&taps)?);
        Ok(Pooled::new(geometry, values.await?, &taps.await?))
    }

    /// Unpooling; `sum` sums where windows chose the same cell, which is also the gradient of the
    /// pooling.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Device::max_pool`].
    #[wasm_bindgen(js_name = maxUnpool)]
    pub async fn max_unpool(
        &self,
        geometry: &Geometry,
        values: Vec<f32>,
        taps: Vec<u8>,
        sum: bool,
    ) -> Result<Vec<f32>, JsError> {
        let pooling = self.gpu.pooling(&geometry.inner, Element::F32)?;
        let (values, taps) = (self.upload("values", &values)?, self.upload("taps", &taps)?);
        let output = self.tensor("output", pooling.input_bytes())?;
        self.submit(&pooling.max_unpool(
            operands::MaxUnpool { values: &values, taps: &taps, output: &output },
            overlap(sum),
        )?);
        let mut output = self.gpu.read(&output)?.await?;
        output.truncate(geometry.inner.input_len());
        Ok(output)
    }

    /// The gradient of unpooling.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Device::max_pool`].
    #[wasm_bindgen(js_name = maxUnpoolBackward)]
    pub async fn max_unpool_backward(
        &self,
        geometry: &Geometry,
        grad_output: Vec<f32>,
        taps: Vec<u8>,
    ) -> Result<Vec<f32>, JsError> {
        let pooling = self.gpu.pooling(&geometry.inner, Element::F32)?;
        let (grad_output, taps) =
            (self.upload("grad_output", &grad_output)?, self.upload("taps", &taps)?);
        let grad_input = self.tensor("grad_input", pooling.values_bytes())?;
        self.submit(&pooling.max_unpool_backward(operands::MaxUnpoolBackward {
            grad_output: &grad_output,
            taps: &taps,
            grad_input: &grad_input,
        })?);
        let mut grad_input = self.gpu.read(&grad_input)?.await?;
        grad_input.truncate(geometry.inner.pooled_len());
        Ok(grad_input)
    }
}

impl Device {
    /// Runs one step on its own.
    fn submit(&self, step: &Step) {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        step.record_pass(&mut encoder, None);
        self.gpu.queue().submit([encoder.finish()]);
    }
}

fn overlap(sum: bool) -> Overlap {
    if sum { Overlap::Sum } else { Overlap::Last }
}
