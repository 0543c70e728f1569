//! The index arithmetic of tensorflow#2169, which tilts SegNets: the page shows it next to the
//! right result.
//!
//! TensorFlow flattens an argmax as `(y·W + x)·C + c` with `W` the width of the input. Code
//! that knows only the pooled width multiplies it by the stride. Where the product is not `W`, every
//! row is shifted further to the side than the row above.

use unpool::{Error, Geometry, IndexSpace};

use crate::levels::Level;
use crate::settings::{CHANNELS, extents};

/// The deepest maxima, unpooled through every level by that arithmetic. What it puts past the
/// picture is cut off; values that meet in one cell are assigned in raster order.
///
/// # Errors
///
/// If taps are not of their geometry.
pub fn restored(levels: &[Level]) -> Result<Vec<f32>, Error> {
    let mut cells = levels.last().map_or(Vec::new(), |level| level.values.clone());
    for Level { geometry, taps, .. } in levels.iter().rev() {
        let indices: Vec<u32> = taps.to_indices(geometry, IndexSpace::Image)?;
        let mut output = vec![0.0; geometry.input_len()];
        for (&value, &index) in cells.iter().zip(&indices) {
            if let Some(cell) = decode(geometry, index as usize).and_then(|at| output.get_mut(at)) {
                *cell = value;
            }
        }
        cells = output;
    }
    Ok(cells)
}

/// Where the arithmetic puts a flattened index, as an element of the level's input.
fn decode(geometry: &Geometry, index: usize) -> Option<usize> {
    let [height, width] = extents(geometry.input_shape());
    let [_, pooled_width] = extents(geometry.pooled_shape());
    let assumed_width = pooled_width * geometry.window().stride()[1];
    let (pixel, channel) = (index / CHANNELS, index % CHANNELS);
    let (y, x) = (pixel / assumed_width, pixel % assumed_width);
    (y < height && x < width).then_some((y * width + x) * CHANNELS + channel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::run_on_cpu;
    use crate::settings::Settings;

    fn levels(height: usize, width: usize, count: usize) -> Vec<Level> {
        let settings = Settings::new(2, 2, 0, 1, count, true);
        let geometries = settings.geometries(height, width).expect("they fit");
        let len = height * width * CHANNELS;
        let image: Vec<f32> = (0..len).map(|i| 1.0 + (i * 7919 % len) as f32).collect();
        run_on_cpu(&geometries, &image).expect("the lengths fit")
    }

    #[test]
    fn there_is_no_tilt_on_even_widths_and_some_on_odd_ones() {
        let even = levels(24, 48, 3);
        assert_eq!(restored(&even), Ok(even[0].restored.clone()));
        let odd = levels(24, 49, 1);
        assert_ne!(restored(&odd), Ok(odd[0].restored.clone()));
    }

    #[test]
    fn each_row_of_an_odd_width_moves_one_cell_to_the_left() {
        let geometry = &levels(6, 9, 1)[0].geometry;
        for y in 0..6 {
            for x in y..9 {
                let element = |x: usize| (y * 9 + x) * CHANNELS;
                assert_eq!(decode(geometry, element(x)), Some(element(x - y)));
            }
        }
    }
}
