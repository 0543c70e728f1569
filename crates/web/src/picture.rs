//! Pictures as a canvas has them, RGBA bytes, and as tensors have them: f32 from 0 to 1, channels
//! last, no transparency. And the argmax as a picture.

use unpool::{Geometry, Taps};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::settings::{CHANNELS, extents};

/// The corners of the argmax's colours: taps top left, top right, bottom left, bottom right. Four
/// that remain distinguishable under every common colour blindness (Okabe and Ito 2008).
pub const CORNERS: [[u8; 3]; 4] = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167]];

/// The ends of the scale of [`signed`], and its middle, as the command `unpool visualize` has them.
const NEGATIVE: [f32; 3] = [33.0, 102.0, 172.0];
const NOTHING: [f32; 3] = [247.0, 247.0, 245.0];
const POSITIVE: [f32; 3] = [178.0, 24.0, 43.0];

/// The tensor of a picture; transparent pixels lie on white.
pub fn to_cells(rgba: &[u8]) -> Vec<f32> {
    let mut cells = Vec::with_capacity(rgba.len() / 4 * CHANNELS);
    for pixel in rgba.chunks_exact(4) {
        let clear = 255 - u32::from(pixel[3]);
        for &channel in &pixel[..CHANNELS] {
            let over_white = (u32::from(channel) * (255 - clear) + 255 * clear + 127) / 255;
            cells.push(over_white as f32 / 255.0);
        }
    }
    cells
}

/// The picture of a tensor.
pub fn from_cells(cells: &[f32]) -> Vec<u8> {
    let mut rgba = Vec::with_capacity(cells.len() / CHANNELS * 4);
    for pixel in cells.chunks_exact(CHANNELS) {
        // `as` saturates.
        rgba.extend(pixel.iter().map(|&cell| (cell * 255.0).round() as u8));
        rgba.push(255);
    }
    rgba
}

/// The difference of two tensors.
pub fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect()
}

/// The largest of `side` by `side` cells around each: scattered pixels, drawn so large that they
/// can be seen.
pub fn enlarged(cells: &[f32], [height, width]: [usize; 2], side: usize) -> Vec<f32> {
    let (before, after) = (side.saturating_sub(1) / 2, side / 2);
    let along = |cells: &[f32], length: usize, step: usize| -> Vec<f32> {
        let largest = |i: usize| {
            let at = i / step % length;
            let first = i - before.min(at) * step;
            let last = i + after.min(length - 1 - at) * step;
            (first..=last).step_by(step).map(|i| cells[i]).fold(0.0, f32::max)
        };
        (0..cells.len()).map(largest).collect()
    };
    along(&along(cells, width, CHANNELS), height, width * CHANNELS)
}

/// The colour of the tap in row `y` and column `x` of a window of `kernel` cells a side: between
/// the [`CORNERS`].
pub fn tap_colour([y, x]: [usize; 2], kernel: usize) -> [u8; 3] {
    let last = (kernel.max(2) - 1) as f32;
    let (down, across) = (y as f32 / last, x as f32 / last);
    std::array::from_fn(|c| {
        let [top_left, top_right, bottom_left, bottom_right] =
            CORNERS.map(|corner| f32::from(corner[c]));
        let top = top_left + (top_right - top_left) * across;
        let bottom = bottom_left + (bottom_right - bottom_left) * across;
        (top + (bottom - top) * down).round() as u8
    })
}

/// Numbers of either sign as a picture: red where positive, blue where negative, scaled to the
/// largest of them but for the one in two hundred that would make all others pale.
pub fn signed(map: &[f32]) -> Vec<u8> {
    let mut sizes: Vec<f32> = map.iter().map(|v| v.abs()).filter(|&v| v > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let end = sizes.get(sizes.len().saturating_sub(1) * 199 / 200).copied().unwrap_or(1.0);
    let mut rgba = Vec::with_capacity(map.len() * 4);
    for value in map {
        let colour = if *value < 0.0 { NEGATIVE } else { POSITIVE };
        // The root spreads what is small: a value of a quarter is half as strong.
        let part = (value.abs() / end).min(1.0).sqrt();
        let mixed = |c: usize| NOTHING[c] + (colour[c] - NOTHING[c]) * part;
        rgba.extend((0..3).map(|c| mixed(c).round() as u8));
        rgba.push(255);
    }
    rgba
}

/// The colours of all taps of a square window, in raster order, as RGB.
#[wasm_bindgen(js_name = tapColours)]
pub fn tap_colours(kernel: usize) -> Vec<u8> {
    let row = |y| (0..kernel).flat_map(move |x| tap_colour([y, x], kernel));
    (0..kernel).flat_map(row).collect()
}

/// The argmax of one channel, each tap in its colour.
pub fn argmax(geometry: &Geometry, taps: &Taps, channel: usize) -> Vec<u8> {
    let kernel = geometry.window().kernel()[1];
    let [height, width] = extents(geometry.pooled_shape());
    let mut rgba = Vec::with_capacity(height * width * 4);
    for pixel in 0..height * width {
        let colour = match taps.get(pixel * CHANNELS + channel) {
            Some(tap) => tap_colour([tap as usize / kernel, tap as usize % kernel], kernel),
            None => [0; 3],
        };
        rgba.extend(colour);
        rgba.push(255);
    }
    rgba
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_to_a_cell_and_back() {
        let rgba: Vec<u8> = (0..=255).flat_map(|b: u8| [b, !b, b / 2, 255]).collect();
        assert_eq!(from_cells(&to_cells(&rgba)), rgba);
    }

    #[test]
    fn one_pixel_becomes_a_square_that_stays_in_the_picture() {
        let mut cells = vec![0.0; 5 * 4 * CHANNELS];
        cells[CHANNELS * 4 * 2] = 1.0;
        let large = enlarged(&cells, [5, 4], 3);
        let lit: Vec<_> = (0..cells.len()).filter(|&i| large[i] == 1.0).collect();
        assert_eq!(lit, [12, 15, 24, 27, 36, 39]);
        assert_eq!(enlarged(&cells, [5, 4], 1), cells);
    }

    #[test]
    fn signs_are_colours_and_one_extreme_does_not_make_the_rest_pale() {
        let mut map = vec![0.5; 400];
        (map[0], map[1], map[2]) = (1e6, -0.5, 0.0);
        let rgba = signed(&map);
        let [red, blue, white] = [POSITIVE, NEGATIVE, NOTHING].map(|c| c.map(|c| c as u8));
        for (i, expected) in [(0, red), (1, blue), (2, white), (3, red)] {
            assert_eq!(rgba[4 * i..4 * i + 3], expected, "{i}");
        }
        assert_eq!(signed(&[0.0]), [247, 247, 245, 255]);
    }

    #[test]
    fn a_clear_pixel_is_white() {
        assert_eq!(to_cells(&[9, 9, 9, 0]), [1.0; 3]);
    }

    #[test]
    fn taps_of_two_by_two_have_the_corner_colours() {
        let found = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|position| tap_colour(position, 2));
        assert_eq!(found, CORNERS);
        assert_eq!(tap_colour([0, 0], 1), CORNERS[0]);
    }
}
