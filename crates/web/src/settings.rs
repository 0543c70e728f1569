//! What the page's sliders say, and the geometries that follow from it.
//!
//! Everything that can be refused about a picture is refused here, before anything is allocated:
//! the page then says why and keeps what it showed.

use unpool::{Geometry, GeometryError, Shape, Window};
use wasm_bindgen::prelude::wasm_bindgen;

/// Channels of a picture: red, green, blue.
pub const CHANNELS: usize = 3;

/// Pixels of a picture at most: one of 1920×1080 fits.
pub const MAX_PIXELS: usize = 1 << 21;

/// Bytes of all tensors of all levels at most. Stride 1 keeps every level as large as the picture.
pub const MAX_BYTES: u64 = 1 << 29;

/// [`MAX_PIXELS`], for the page.
#[wasm_bindgen(js_name = maxPixels)]
pub fn max_pixels() -> usize {
    MAX_PIXELS
}

/// Why there are no levels.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are the numbers of the message, under its own names")]
pub enum Refused {
    #[error("the picture has no pixels")]
    Empty,
    #[error("the picture has {width}×{height} pixels; at most {MAX_PIXELS} are taken")]
    TooManyPixels { width: usize, height: usize },
    #[error("level {level} cannot be pooled: {error}")]
    Level { level: usize, error: GeometryError },
    #[error(
        "these levels of a picture this large need {} MiB; at most {} are taken", .needed >> 20, MAX_BYTES >> 20
    )]
    TooManyBytes { needed: u64 },
}

/// A window, the same on both axes, and how often it is applied.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Cells of the window per axis.
    pub kernel: usize,
    /// Cells from one window to the next.
    pub stride: usize,
    /// Cells of padding on every side.
    pub padding: usize,
    /// Cells from one cell of the window to the next.
    pub dilation: usize,
    /// How often the picture is pooled.
    pub levels: usize,
    /// Whether a last, partial window counts.
    pub ceil: bool,
}

#[wasm_bindgen]
impl Settings {
    /// Checked only when they meet a picture.
    #[wasm_bindgen(constructor)]
    pub fn new(
        kernel: usize,
        stride: usize,
        padding: usize,
        dilation: usize,
        levels: usize,
        ceil: bool,
    ) -> Self {
        Self { kernel, stride, padding, dilation, levels, ceil }
    }
}

impl Settings {
    /// The geometry of every level over a picture, first level first.
    ///
    /// # Errors
    ///
    /// If the picture is empty or too large, a window does not fit, or all levels together are too
    /// large.
    pub fn geometries(&self, height: usize, width: usize) -> Result<Vec<Geometry>, Refused> {
        let pixels = height.saturating_mul(width);
        if pixels == 0 {
            return Err(Refused::Empty);
        }
        if pixels > MAX_PIXELS {
            return Err(Refused::TooManyPixels { width, height });
        }
        let window = Window::new([self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_dilation([self.dilation; 2])
            .with_padding([self.padding; 2])
            .with_ceil_mode(self.ceil);
        let mut shape = Shape::channels_last([1, height, width, CHANNELS]);
        let mut geometries = Vec::new();
        let mut needed = 0;
        for level in 1..=self.levels {
            let geometry =
                Geometry::new(&window, shape).map_err(|error| Refused::Level { level, error })?;
            // The input, restored and its gradient; the values, what is gathered, and taps.
            needed += 12 * geometry.input_len() as u64 + 9 * geometry.pooled_len() as u64;
            if needed > MAX_BYTES {
                return Err(Refused::TooManyBytes { needed });
            }
            shape = *geometry.pooled_shape();
            geometries.push(geometry);
        }
        Ok(geometries)
    }
}

/// `[height, width]` of a two-dimensional shape.
pub(crate) fn extents(shape: &Shape) -> [usize; 2] {
    match *shape.spatial() {
        [height, width] => [height, width],
        _ => unreachable!("every shape here has two spatial axes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_pools_what_the_one_above_gave() {
        let geometries = Settings::new(2, 2, 0, 1, 3, true).geometries(301, 401).expect("they fit");
        let pooled: Vec<_> = geometries.iter().map(|g| extents(g.pooled_shape())).collect();
        assert_eq!(pooled, [[151, 201], [76, 101], [38, 51]]);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_numbers() {
        let settings = Settings::new(3, 3, 0, 1, 3, false);
        assert_eq!(settings.geometries(0, 5), Err(Refused::Empty));
        let message = settings.geometries(20, 20).expect_err("two fit").to_string();
        assert!(message.starts_with("level 3 cannot be pooled: no window fits on axis 0"));
        let message = settings.geometries(40_000, 40_000).expect_err("too large").to_string();
        assert!(message.contains("40000×40000 pixels; at most 2097152"), "{message}");
        let wide = Settings::new(3, 1, 1, 1, 6, false).geometries(1080, 1920);
        assert!(matches!(wide, Err(Refused::TooManyBytes { .. })), "{wide:?}");
    }
}
