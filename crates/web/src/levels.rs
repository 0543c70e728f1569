//! A picture through every level, down and up: what a device computes, and the same on the CPU.
//!
//! Down, each level pools the maxima of the one above. Up, the deepest maxima are unpooled through
//! every level back to a picture; a gradient takes the same way; and each restored tensor is read
//! again at its taps. So all four operations run at every level.

use unpool::{Geometry, Overlap, Pooled, Taps, cpu};

use crate::clock;

/// The operations of a level, in the order of [`Level::times`].
pub const OPERATIONS: [&str; 4] =
    ["max_pool", "max_unpool", "max_pool_backward", "max_unpool_backward"];

/// What one level gave.
#[derive(Clone, Debug)]
pub struct Level {
    /// The window over this level's input.
    pub geometry: Geometry,
    /// The maxima.
    pub values: Vec<f32>,
    /// Where they were.
    pub taps: Taps,
    /// The deepest maxima, unpooled up to this level's input.
    pub restored: Vec<f32>,
    /// The gradient, back at this level's input.
    pub gradient: Vec<f32>,
    /// The cells of `restored` at the taps.
    pub gathered: Vec<f32>,
    /// Milliseconds of each operation; NaN where the device does not tell.
    pub times: [f64; 4],
}

/// The gradient that the deepest level is given: neighbours differ in sign and in most bits.
pub fn seed(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| i.wrapping_mul(0x9E37_79B1) as i32 as f32 / 2_147_483_648.0).collect()
}

/// Computes every level on the CPU.
///
/// # Errors
///
/// If `image` is not as long as the first geometry says.
pub fn run_on_cpu(geometries: &[Geometry], image: &[f32]) -> Result<Vec<Level>, unpool::Error> {
    let mut levels: Vec<Level> = Vec::new();
    for geometry in geometries {
        let start = clock::now();
        let input = levels.last().map_or(image, |level| &level.values);
        let Pooled { values, taps } = cpu::max_pool(geometry, input)?;
        levels.push(Level {
            geometry: *geometry,
            values,
            taps,
            restored: Vec::new(),
            gradient: Vec::new(),
            gathered: Vec::new(),
            times: [clock::now() - start, 0.0, 0.0, 0.0],
        });
    }
    let deepest = levels.last().map_or(&[][..], |level| &level.values);
    let (mut restored, mut gradient) = (deepest.to_vec(), seed(deepest.len()));
    for level in levels.iter_mut().rev() {
        let (geometry, taps) = (&level.geometry, &level.taps);
        let start = clock::now();
        restored = cpu::max_unpool(geometry, &restored, taps, Overlap::Last)?;
        let unpooled = clock::now();
        gradient = cpu::max_pool_backward(geometry, &gradient, taps)?;
        let backward = clock::now();
        level.gathered = cpu::max_unpool_backward(geometry, &restored, taps)?;
        let gathered = clock::now();
        level.restored.clone_from(&restored);
        level.gradient.clone_from(&gradient);
        level.times[1..].copy_from_slice(&[
            unpooled - start,
            backward - unpooled,
            gathered - backward,
        ]);
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{CHANNELS, Settings};

    #[test]
    fn kept_pixels_are_in_their_own_place_after_three_levels_of_an_odd_size() {
        let (height, width) = (43, 57);
        let geometries = Settings::new(2, 2, 0, 1, 3, true).geometries(height, width).expect("fit");
        let len = height * width * CHANNELS;
        let image: Vec<f32> = (0..len).map(|i| 1.0 + (i * 7919 % len) as f32).collect();
        let levels = run_on_cpu(&geometries, &image).expect("the lengths fit");
        let kept = levels[0].restored.iter().filter(|&&cell| cell != 0.0).count();
        assert_eq!(kept, 6 * 8 * CHANNELS);
        for (cell, original) in levels[0].restored.iter().zip(&image) {
            assert!(*cell == 0.0 || cell == original);
        }
        assert_eq!(levels[2].gathered, levels[2].values);
    }
}
