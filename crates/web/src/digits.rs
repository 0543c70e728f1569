//! A drawn digit, read by a trained network, and what of the drawing its scores and its layers
//! come from.

use unpool_cnn::{Keep, Model, Plan, Rule, Session, Target};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{Clamped, JsError};

use crate::device::Device;
use crate::ink::SIDE;
use crate::picture;

/// The network on a device, or on the CPU.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Digits {
    session: Session,
}

/// What the network made of one image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Reading {
    scores: Vec<f32>,
    unit: Option<unpool_cnn::Unit>,
    maps: Vec<Vec<f32>>,
}

#[wasm_bindgen]
impl Digits {
    /// The network of an ONNX file, on the CPU.
    ///
    /// # Errors
    ///
    /// If the file is no network of such images.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(file: &[u8]) -> Result<Self, JsError> {
        Ok(Self { session: Session::on_cpu(plan(file)?, Keep::All)? })
    }

    /// The network of an ONNX file, on a device.
    ///
    /// # Errors
    ///
    /// If the file is no network of such images, or the device does not give the memory.
    #[wasm_bindgen(js_name = onDevice)]
    pub fn on_device(device: &Device, file: &[u8]) -> Result<Self, JsError> {
        Ok(Self { session: Session::on_gpu(&device.gpu, plan(file)?, Keep::All)? })
    }

    /// The names of the layers, the one with the scores last.
    pub fn layers(&self) -> Vec<String> {
        let plan = self.session.plan();
        plan.layers().iter().map(|layer| layer.name().to_owned()).collect()
    }

    /// `[channels, …]` of a layer.
    ///
    /// # Errors
    ///
    /// If there is no such layer.
    pub fn shape(&self, layer: &str) -> Result<Vec<usize>, JsError> {
        Ok(self.session.plan().layer(layer)?.shape()[1..].to_vec())
    }

    /// Reads an image, and looks back by each of the three rules: from a channel's strongest unit,
    /// from the layer's strongest unit if `channel` is none, or from all of the layer. The layer is
    /// the one with the scores if none is named.
    ///
    /// # Errors
    ///
    /// If the image has another size, there is no such layer or channel, or the device is lost.
    pub async fn read(
        &mut self,
        image: Vec<f32>,
        layer: Option<String>,
        channel: Option<usize>,
        all: bool,
    ) -> Result<Reading, JsError> {
        Ok(self.look(&image, layer.as_deref(), channel, all).await?)
    }
}

impl Digits {
    async fn look(
        &mut self,
        image: &[f32],
        layer: Option<&str>,
        channel: Option<usize>,
        all: bool,
    ) -> Result<Reading, unpool_cnn::Error> {
        self.session.forward(image)?;
        let scoring = self.session.plan().scores().name().to_owned();
        let layer = layer.unwrap_or(&scoring);
        let scores = self.session.read(&scoring)?;
        let target = match channel {
            _ if all => Target::Layer,
            Some(channel) => Target::Strongest(channel),
            None => {
                let activation = self.session.read(layer)?.await?;
                Target::Strongest(strongest(&activation))
            }
        };
        let projections = self.session.look_back_by(layer, target, &Rule::ALL).await?;
        Ok(Reading {
            scores: scores.await?.data,
            unit: projections.first().and_then(|projection| projection.units[0]),
            maps: projections.into_iter().map(|projection| projection.map.data).collect(),
        })
    }
}

#[wasm_bindgen]
impl Reading {
    /// The score of each class.
    #[wasm_bindgen(getter)]
    pub fn scores(&self) -> Vec<f32> {
        self.scores.clone()
    }

    /// The channel of the unit that was looked back from, if it was one.
    #[wasm_bindgen(getter)]
    pub fn channel(&self) -> Option<usize> {
        self.unit.map(|unit| unit.channel)
    }

    /// Its position in that channel, flattened.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> Option<usize> {
        self.unit.map(|unit| unit.position)
    }

    /// What it responded with.
    #[wasm_bindgen(getter)]
    pub fn value(&self) -> Option<f32> {
        self.unit.map(|unit| unit.value)
    }

    /// What came back to the image: by gradient (0), deconvnet (1) or guided backpropagation (2).
    pub fn map(&self, rule: usize) -> Vec<f32> {
        self.maps.get(rule).cloned().unwrap_or_default()
    }

    /// The same as RGBA.
    pub fn picture(&self, rule: usize) -> Clamped<Vec<u8>> {
        Clamped(picture::signed(self.maps.get(rule).map_or(&[], Vec::as_slice)))
    }
}

/// One image at a time.
fn plan(file: &[u8]) -> Result<Plan, unpool_cnn::Error> {
    Model::from_bytes(file)?.plan(&[1, 1, SIDE, SIDE])
}

/// The channel with the strongest unit of all, the first of equals.
fn strongest(activation: &unpool_cnn::Activation) -> usize {
    let value = |channel| activation.strongest(0, channel).map_or(f32::MIN, |unit| unit.value);
    let channels = activation.shape.get(1).copied().unwrap_or(1);
    (1..channels).fold(0, |best, c| if value(c) > value(best) { c } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &[u8] = include_bytes!("../../cnn/tests/data/digits.onnx");

    fn read(layer: Option<&str>, channel: Option<usize>, all: bool) -> Reading {
        let seven = crate::ink::image(&[0.3, 0.2, 0.7, 0.2, 0.4, 0.8], &[3]);
        let mut digits = Digits::on_cpu(MODEL).expect("it is a network");
        pollster::block_on(digits.look(&seven, layer, channel, all)).expect("it runs")
    }

    #[test]
    fn a_drawn_seven_is_read_as_one_and_explained() {
        let reading = read(None, None, false);
        assert_eq!(reading.scores.len(), 10);
        assert_eq!(reading.channel(), Some(7), "{:?}", reading.scores);
        assert_eq!(reading.value(), Some(reading.scores[7]));
        for rule in 0..3 {
            assert!(reading.map(rule).iter().any(|&v| v != 0.0));
            assert_ne!(reading.map(rule), reading.map((rule + 1) % 3));
        }
        assert_eq!(read(None, Some(7), false).maps, reading.maps);
        assert_ne!(read(None, Some(1), false).maps, reading.maps);
    }

    #[test]
    fn the_strongest_unit_of_a_layer_is_the_strongest_of_its_channels() {
        let reading = read(Some("relu3"), None, false);
        let value = |channel| read(Some("relu3"), Some(channel), false).value().expect("one unit");
        let largest = (0..24).map(value).fold(f32::MIN, f32::max);
        assert_eq!(reading.value(), Some(largest));
        let all = read(Some("relu3"), None, true);
        assert_eq!(all.channel(), None);
        assert_ne!(all.maps, reading.maps);
    }
}
