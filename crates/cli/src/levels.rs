//! The levels of the demonstration: an image pooled at every level, as in a SegNet encoder, and
//! unpooled again.
//!
//! Each level is 2×2 with stride 2. Ceil mode lets an odd row or column end in a partial window,
//! so that pooling loses no cell; unpooling restores the odd size from the geometry.

use anyhow::{Context, Result, bail};
use unpool::{Engine, Geometry, IndexSpace, Overlap, Pooled, Shape, Window};

/// Cells of a window, and from one window to the next, on both axes.
pub(crate) const KERNEL: usize = 2;

/// Channels of an RGB image.
pub(crate) const CHANNELS: usize = 3;

/// One level: its pooling and its unpooling.
pub(crate) struct Level {
    pub(crate) geometry: Geometry,
    /// The image, or the maxima of the level above.
    pub(crate) input: Vec<f32>,
    pub(crate) pooled: Pooled<f32>,
    /// This level's own maxima, unpooled.
    pub(crate) unpooled: Vec<f32>,
    /// The deepest level's maxima, unpooled through every level up to here.
    pub(crate) restored: Vec<f32>,
}

/// The geometries of `count` levels over an image.
///
/// A level whose window is larger than its input is refused.
pub(crate) fn geometries(height: usize, width: usize, count: usize) -> Result<Vec<Geometry>> {
    let window = Window::new([KERNEL, KERNEL]).with_ceil_mode(true);
    let mut shape = Shape::channels_last([1, height, width, CHANNELS]);
    let mut geometries = Vec::new();
    for level in 1..=count {
        let [height_here, width_here] = extents(&shape);
        if height_here < KERNEL || width_here < KERNEL {
            bail!(
                "--levels {count} is too many for an image of {width}×{height}: level {level} \
                 would pool {width_here}×{height_here}, and its window is {KERNEL}×{KERNEL}; at \
                 most {} fit",
                level - 1
            );
        }
        let geometry = Geometry::new(&window, shape)
            .with_context(|| format!("level {level} of an image of {width}×{height}"))?;
        shape = *geometry.pooled_shape();
        geometries.push(geometry);
    }
    Ok(geometries)
}

/// `[height, width]` of a two-dimensional shape.
pub(crate) fn extents(shape: &Shape) -> [usize; 2] {
    match *shape.spatial() {
        [height, width] => [height, width],
        _ => unreachable!("every shape here has two spatial axes"),
    }
}

/// Pools `image` through every level and unpools it again.
pub(crate) fn run(
    engine: &Engine,
    geometries: &[Geometry],
    image: Vec<f32>,
) -> Result<Vec<Level>, unpool::Error> {
    let mut levels = Vec::new();
    let mut input = image;
    for geometry in geometries {
        let pooled = engine.max_pool(geometry, &input)?;
        let unpooled = engine.max_unpool(geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
        let next = pooled.values.clone();
        let (geometry, restored) = (*geometry, Vec::new());
        levels.push(Level { geometry, input, pooled, unpooled, restored });
        input = next;
    }
    let mut restored = input;
    for level in levels.iter_mut().rev() {
        let taps = &level.pooled.taps;
        restored = engine.max_unpool(&level.geometry, &restored, taps, Overlap::Last)?;
        level.restored.clone_from(&restored);
    }
    Ok(levels)
}

/// The element of the first level's input that each maximum of the last level came from, when
/// `decode` reads the flattened indices of every level; `None` outside the image.
///
/// The right positions are those of a `decode` that returns its index unchanged.
pub(crate) fn positions(
    levels: &[Level],
    decode: impl Fn(&Geometry, usize) -> Option<usize>,
) -> Result<Vec<Option<usize>>, unpool::Error> {
    let deepest = levels.last().map_or(0, |level| level.geometry.pooled_len());
    let mut positions: Vec<Option<usize>> = (0..deepest).map(Some).collect();
    for level in levels.iter().rev() {
        // The batch is one image, so the index is also the number of the element in the level's
        // input, which are the maxima of the level above.
        let indices: Vec<i64> = level.pooled.taps.to_indices(&level.geometry, IndexSpace::Image)?;
        for position in &mut positions {
            *position = position
                .and_then(|element| usize::try_from(indices[element]).ok())
                .and_then(|index| decode(&level.geometry, index));
        }
    }
    Ok(positions)
}

/// The deepest maxima at `positions` of the first level's input, zero elsewhere.
pub(crate) fn scatter(levels: &[Level], positions: &[Option<usize>]) -> Vec<f32> {
    let mut cells = vec![0.0; levels.first().map_or(0, |level| level.input.len())];
    let values = levels.last().map_or(&[][..], |level| &level.pooled.values);
    for (&value, position) in values.iter().zip(positions) {
        if let &Some(position) = position {
            cells[position] = value;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distinct values, none of them 0, in no order.
    fn image(len: usize) -> Vec<f32> {
        (0..len).map(|i| 1.0 + (i * 7919 % len) as f32).collect()
    }

    fn levels(height: usize, width: usize, count: usize) -> Vec<Level> {
        let geometries = geometries(height, width, count).expect("the levels fit");
        run(&Engine::Cpu, &geometries, image(height * width * CHANNELS)).expect("the lengths fit")
    }

    #[test]
    fn kept_pixels_return_to_their_own_position_after_three_levels_of_an_odd_size() {
        let levels = levels(43, 57, 3);
        let (image, restored) = (&levels[0].input, &levels[0].restored);
        let kept = restored.iter().filter(|&&cell| cell != 0.0).count();
        assert_eq!(kept, 6 * 8 * CHANNELS);
        for (i, (cell, original)) in restored.iter().zip(image).enumerate() {
            assert!(*cell == 0.0 || cell == original, "element {i}: {cell}, not {original}");
        }
        let positions =
            positions(&levels, |_, index| Some(index)).expect("taps of these geometries");
        assert_eq!(&scatter(&levels, &positions), restored);
    }

    #[test]
    fn levels_that_do_not_fit_are_refused() {
        assert_eq!(geometries(301, 401, 9).expect("nine fit").len(), 9);
        let message = geometries(301, 401, 10).expect_err("ten do not").to_string();
        assert!(message.contains("at most 9 fit"), "{message}");
    }
}
