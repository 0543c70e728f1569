//! What the page shows of one picture: its panes, its times, whether the device agrees with the
//! CPU, and what a pixel has to do with others.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{Clamped, JsError};

use crate::agreement;
use crate::clock;
use crate::levels::{self, Level};
use crate::picture;
use crate::probe;
use crate::settings::{CHANNELS, Settings, extents};
use crate::tilt;

/// Pixels a side that a kept pixel is drawn at most.
const MAX_SIDE: usize = 8;

/// One picture through every level. Level 0 is the picture itself; level `n` is what `n` poolings
/// left of it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Frame {
    image: Vec<f32>,
    levels: Vec<Level>,
    tilted: Vec<f32>,
    agreement: Option<Result<usize, agreement::Departure>>,
    /// Milliseconds of the device, including the transfers; 0 without one.
    device_time: f64,
    /// Milliseconds of the CPU.
    cpu_time: f64,
}

impl Frame {
    fn new(image: Vec<f32>, levels: Vec<Level>) -> Self {
        let tilted = tilt::restored(&levels).unwrap_or_default();
        Self { image, levels, tilted, agreement: None, device_time: 0.0, cpu_time: 0.0 }
    }

    /// A frame of a device, with the result of the CPU, with the milliseconds of both.
    pub(crate) fn checked(
        image: Vec<f32>,
        found: Vec<Level>,
        expected: &[Level],
        [device_time, cpu_time]: [f64; 2],
    ) -> Self {
        let agreement = Some(agreement::compare(&found, expected));
        Self { agreement, device_time, cpu_time, ..Self::new(image, found) }
    }
}

#[wasm_bindgen]
impl Frame {
    /// Runs every level on the CPU.
    ///
    /// # Errors
    ///
    /// If the levels are refused, or the picture has another size.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(
        settings: &Settings,
        rgba: &[u8],
        width: usize,
        height: usize,
    ) -> Result<Self, JsError> {
        let geometries = settings.geometries(height, width)?;
        let image = picture::to_cells(rgba);
        let start = clock::now();
        let levels = levels::run_on_cpu(&geometries, &image)?;
        let cpu_time = clock::now() - start;
        Ok(Self { cpu_time, ..Self::new(image, levels) })
    }

    /// Number of poolings.
    #[wasm_bindgen(getter)]
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// `[height, width]` of a level.
    pub fn size(&self, level: usize) -> Vec<usize> {
        let of = |i: usize| self.levels.get(i).map(|level| &level.geometry);
        let shape = match level.checked_sub(1) {
            None => of(0).map(unpool::Geometry::input_shape),
            Some(i) => of(i).map(unpool::Geometry::pooled_shape),
        };
        shape.map_or(vec![0, 0], |shape| extents(shape).to_vec())
    }

    /// A level as RGBA.
    pub fn picture(&self, level: usize) -> Clamped<Vec<u8>> {
        Clamped(picture::from_cells(self.values(level)))
    }

    /// The argmax of one channel of a level from 1 on, as RGBA.
    pub fn argmax(&self, level: usize, channel: usize) -> Clamped<Vec<u8>> {
        let level = self.level(level);
        Clamped(level.map_or(Vec::new(), |l| picture::argmax(&l.geometry, &l.taps, channel)))
    }

    /// The deepest maxima at their own positions, as RGBA; `large` draws each as large as what it
    /// stands for.
    pub fn restored(&self, large: bool) -> Clamped<Vec<u8>> {
        self.drawn(self.restored_cells(), large)
    }

    /// The same by the naive index arithmetic.
    pub fn tilted(&self, large: bool) -> Clamped<Vec<u8>> {
        self.drawn(&self.tilted, large)
    }

    /// The difference of the two.
    pub fn difference(&self, large: bool) -> Clamped<Vec<u8>> {
        self.drawn(&picture::difference(self.restored_cells(), &self.tilted), large)
    }

    /// Pixels in which the two differ.
    #[wasm_bindgen(getter)]
    pub fn differing(&self) -> usize {
        let (right, tilted) = (self.restored_cells(), &self.tilted);
        let pixels = right.chunks_exact(CHANNELS).zip(tilted.chunks_exact(CHANNELS));
        pixels.filter(|(right, tilted)| right != tilted).count()
    }

    /// Whether every bit is the CPU's; nothing where the CPU computed it.
    #[wasm_bindgen(getter)]
    pub fn agrees(&self) -> Option<bool> {
        self.agreement.as_ref().map(Result::is_ok)
    }

    /// Elements that were compared, and agree.
    #[wasm_bindgen(getter)]
    pub fn compared(&self) -> usize {
        self.agreement.as_ref().and_then(|found| found.as_ref().ok()).copied().unwrap_or(0)
    }

    /// The first element in which the device departs from the CPU.
    #[wasm_bindgen(getter)]
    pub fn departure(&self) -> Option<String> {
        self.agreement.as_ref()?.as_ref().err().map(ToString::to_string)
    }

    /// Milliseconds of the device, including the transfers; 0 without one.
    #[wasm_bindgen(getter, js_name = deviceTime)]
    pub fn device_time(&self) -> f64 {
        self.device_time
    }

    /// Milliseconds of the CPU.
    #[wasm_bindgen(getter, js_name = cpuTime)]
    pub fn cpu_time(&self) -> f64 {
        self.cpu_time
    }

    /// Milliseconds of each of the four operations, level by level; NaN where a device does not
    /// tell.
    pub fn times(&self) -> Vec<f64> {
        self.levels.iter().flat_map(|level| level.times).collect()
    }

    /// The three channels of a pixel of a level.
    pub fn pixel(&self, level: usize, y: usize, x: usize) -> Vec<f32> {
        let at = (y * self.size(level)[1] + x) * CHANNELS;
        self.values(level).get(at..at + CHANNELS).unwrap_or_default().to_vec()
    }

    /// The cells of the level above that the window of a pixel holds: y and x, interleaved.
    #[wasm_bindgen(js_name = windowCells)]
    pub fn window_cells(&self, level: usize, y: usize, x: usize) -> Vec<usize> {
        self.level(level).map_or(Vec::new(), |l| probe::window_cells(&l.geometry, [y, x]).concat())
    }

    /// The cells of the level above that won, one for each channel: y and x, interleaved.
    pub fn winners(&self, level: usize, y: usize, x: usize) -> Vec<usize> {
        self.level(level)
            .map_or(Vec::new(), |l| probe::winners(&l.geometry, &l.taps, [y, x]).concat())
    }

    /// The pixels of the level below whose windows hold a pixel: y and x, interleaved.
    #[wasm_bindgen(js_name = windowsOf)]
    pub fn windows_of(&self, level: usize, y: usize, x: usize) -> Vec<usize> {
        self.level(level + 1)
            .map_or(Vec::new(), |l| probe::windows_of(&l.geometry, [y, x]).concat())
    }
}

impl Frame {
    /// A level from 1 on.
    fn level(&self, level: usize) -> Option<&Level> {
        self.levels.get(level.checked_sub(1)?)
    }

    fn values(&self, level: usize) -> &[f32] {
        match level {
            0 => &self.image,
            _ => self.level(level).map_or(&[], |level| &level.values),
        }
    }

    /// A tensor of the picture's size, as RGBA.
    fn drawn(&self, cells: &[f32], large: bool) -> Clamped<Vec<u8>> {
        let Some(first) = self.levels.first().filter(|_| large) else {
            return Clamped(picture::from_cells(cells));
        };
        let stride = first.geometry.window().stride()[0];
        let side = stride.saturating_pow(self.levels.len() as u32).min(MAX_SIDE);
        let size = extents(first.geometry.input_shape());
        Clamped(picture::from_cells(&picture::enlarged(cells, size, side)))
    }

    fn restored_cells(&self) -> &[f32] {
        self.levels.first().map_or(&[], |level| &level.restored)
    }
}
