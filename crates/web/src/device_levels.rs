//! The levels of the page on a device: every operation of every level made ready once, and run in
//! one submission for each picture.

use unpool::{Element, Geometry, Overlap, Step, Taps, operands, wgpu};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::clock;
use crate::device::Device;
use crate::frame::Frame;
use crate::levels::{self, Level, OPERATIONS};
use crate::picture;
use crate::settings::Settings;

/// All levels, ready on a device for pictures of one size.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DeviceLevels {
    gpu: unpool::Gpu,
    image: wgpu::Buffer,
    levels: Vec<Ready>,
    stamps: Option<Stamps>,
}

/// One level: its outputs, and the steps that write them in the order of [`OPERATIONS`].
#[derive(Debug)]
struct Ready {
    geometry: Geometry,
    values: wgpu::Buffer,
    taps: wgpu::Buffer,
    restored: wgpu::Buffer,
    gradient: wgpu::Buffer,
    gathered: wgpu::Buffer,
    steps: Vec<Step>,
}

/// Two timestamps for each operation of each level, where the device has them.
#[derive(Debug)]
struct Stamps {
    set: wgpu::QuerySet,
    count: u32,
    resolved: wgpu::Buffer,
}

#[wasm_bindgen]
impl DeviceLevels {
    /// Makes the levels ready.
    ///
    /// # Errors
    ///
    /// If they are refused, or the device does not allow them.
    #[wasm_bindgen(constructor)]
    pub fn new(
        device: &Device,
        settings: &Settings,
        width: usize,
        height: usize,
    ) -> Result<Self, JsError> {
        let geometries = settings.geometries(height, width)?;
        let bytes = geometries.first().map_or(4, |g| g.input_len() as u64 * 4);
        let image = device.tensor("image", bytes)?;
        let mut ready: Vec<Ready> = Vec::new();
        for geometry in geometries {
            let pooling = device.gpu.pooling(&geometry, Element::F32)?;
            let level = Ready {
                values: device.tensor("values", pooling.values_bytes())?,
                taps: device.tensor("taps", pooling.taps_bytes())?,
                restored: device.tensor("restored", pooling.input_bytes())?,
                gradient: device.tensor("gradient", pooling.input_bytes())?,
                gathered: device.tensor("gathered", pooling.values_bytes())?,
                steps: Vec::new(),
                geometry,
            };
            let input = ready.last().map_or(&image, |above| &above.values);
            let step = pooling.max_pool(operands::MaxPool {
                input,
                values: &level.values,
                taps: &level.taps,
            })?;
            ready.push(Ready { steps: vec![step], ..level });
        }
        let deepest = ready.last().map_or(0, |level| level.geometry.pooled_len());
        let mut gradient = device.upload("seed", &levels::seed(deepest))?;
        let mut restored = ready.last().map(|level| level.values.clone());
        for level in ready.iter_mut().rev() {
            let pooling = device.gpu.pooling(&level.geometry, Element::F32)?;
            let values = restored.as_ref().unwrap_or(&level.values);
            level.steps.extend([
                pooling.max_unpool(
                    operands::MaxUnpool { values, taps: &level.taps, output: &level.restored },
                    Overlap::Last,
                )?,
                pooling.max_pool_backward(operands::MaxPoolBackward {
                    grad_output: &gradient,
                    taps: &level.taps,
                    grad_input: &level.gradient,
                })?,
                pooling.max_unpool_backward(operands::MaxUnpoolBackward {
                    grad_output: &level.restored,
                    taps: &level.taps,
                    grad_input: &level.gathered,
                })?,
            ]);
            restored = Some(level.restored.clone());
            gradient = level.gradient.clone();
        }
        let stamps = Stamps::new(device, ready.len())?;
        Ok(Self { gpu: device.gpu.clone(), image, levels: ready, stamps })
    }

    /// Runs every level on a picture, and compares with the CPU.
    ///
    /// # Errors
    ///
    /// If the picture has another size, or the device is lost.
    pub async fn run(&self, rgba: Vec<u8>) -> Result<Frame, JsError> {
        let image = picture::to_cells(&rgba);
        let start = clock::now();
        self.submit(&image)?;
        let found = self.read().await?;
        let device_time = clock::now() - start;
        let expected = levels::run_on_cpu(&self.geometries(), &image)?;
        let cpu_time = clock::now() - start - device_time;
        Ok(Frame::checked(image, found, &expected, [device_time, cpu_time]))
    }
}

impl DeviceLevels {
    fn geometries(&self) -> Vec<Geometry> {
        self.levels.iter().map(|level| level.geometry).collect()
    }

    /// Down through every level, and up again.
    fn submit(&self, image: &[f32]) -> Result<(), unpool::Error> {
        let allowed = (self.image.size() / 4) as usize;
        if image.len() != allowed {
            return Err(unpool::Error::Length { operand: "picture", found: image.len(), allowed });
        }
        self.gpu.queue().write_buffer(&self.image, 0, bytemuck::cast_slice(image));
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        for (i, level) in self.levels.iter().enumerate() {
            let writes = self.stamps.as_ref().map(|stamps| stamps.writes(i, 0));
            level.steps[0].record_pass(&mut encoder, writes);
        }
        for (i, level) in self.levels.iter().enumerate().rev() {
            for (operation, step) in level.steps.iter().enumerate().skip(1) {
                let writes = self.stamps.as_ref().map(|stamps| stamps.writes(i, operation));
                step.record_pass(&mut encoder, writes);
            }
        }
        if let Some(Stamps { set, count, resolved }) = &self.stamps {
            encoder.resolve_query_set(set, 0..*count, resolved, 0);
        }
        self.gpu.queue().submit([encoder.finish()]);
        Ok(())
    }

    /// Every copy is under way before the first is waited for.
    async fn read(&self) -> Result<Vec<Level>, unpool::Error> {
        let mut under_way = Vec::new();
        for level in &self.levels {
            let floats = [&level.values, &level.restored, &level.gradient, &level.gathered]
                .map(|buffer| self.gpu.read::<f32>(buffer));
            under_way.push((level, floats, self.gpu.read::<u8>(&level.taps)?));
        }
        let stamps = match &self.stamps {
            Some(stamps) => Some(self.gpu.read::<u64>(&stamps.resolved)?.await?),
            None => None,
        };
        let mut found = Vec::new();
        for (i, (level, [values, restored, gradient, gathered], taps)) in
            under_way.into_iter().enumerate()
        {
            found.push(Level {
                geometry: level.geometry,
                values: values?.await?,
                taps: Taps::from_bytes(&level.geometry, &taps.await?)?,
                restored: restored?.await?,
                gradient: gradient?.await?,
                gathered: gathered?.await?,
                times: std::array::from_fn(|operation| {
                    let at = 2 * (i * OPERATIONS.len() + operation);
                    match stamps.as_deref() {
                        Some(stamps) => stamps[at + 1].saturating_sub(stamps[at]) as f64 / 1e6,
                        None => f64::NAN,
                    }
                }),
            });
        }
        Ok(found)
    }
}

impl Stamps {
    fn new(device: &Device, levels: usize) -> Result<Option<Self>, unpool::Error> {
        if levels == 0 || !device.gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY)
        {
            return Ok(None);
        }
        let count = 2 * (levels * OPERATIONS.len()) as u32;
        let set = device.gpu.device().create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("times"),
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = device.buffer("times", u64::from(count) * 8, usage)?;
        Ok(Some(Self { set, count, resolved }))
    }

    fn writes(&self, level: usize, operation: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let at = 2 * (level * OPERATIONS.len() + operation) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        }
    }
}
