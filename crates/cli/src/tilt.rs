//! The index arithmetic of tensorflow#2169, which tilts SegNets: the
//! demonstration shows its result next to the right one.
//!
//! TensorFlow flattens an argmax as `(y·W + x)·C + c` with `W` the width of the input. Code
//! that knows only the pooled width multiplies it by the kernel. On an even size
//! that is `W`; on an odd one it is `W + 1`, so every row is shifted by one more cell to the left than
//! the row above, and wraps around to the right.

use unpool::Geometry;

use crate::levels::{CHANNELS, KERNEL, extents};

/// The element of the level's input to which that arithmetic decodes a flattened `index`; `None` for
/// the extra column and row of its larger output, which are cropped.
pub(crate) fn decode(geometry: &Geometry, index: usize) -> Option<usize> {
    let [height, width] = extents(geometry.input_shape());
    let [_, pooled_width] = extents(geometry.pooled_shape());
    let assumed_width = pooled_width * KERNEL;
    let y = index / (assumed_width * CHANNELS);
    let x = index % (assumed_width * CHANNELS) / CHANNELS;
    let channel = index % CHANNELS;
    (y < height && x < width).then_some((y * width + x) * CHANNELS + channel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unpool::Engine;

    use crate::levels::{Level, geometries, positions, run, scatter};

    /// Levels over an image of distinct values, none of them 0.
    fn levels(height: usize, width: usize, count: usize) -> Vec<Level> {
        let geometries = geometries(height, width, count).expect("the levels fit");
        let len = height * width * CHANNELS;
        let image = (0..len).map(|i| 1.0 + (i * 7919 % len) as f32).collect();
        run(&Engine::Cpu, &geometries, image).expect("the lengths fit")
    }

    #[test]
    fn the_arithmetic_is_right_on_an_even_width() {
        let geometry = &geometries(7, 10, 1).expect("one level fits")[0];
        for index in 0..geometry.input_len() {
            assert_eq!(decode(geometry, index), Some(index));
        }
    }

    #[test]
    fn each_row_of_an_odd_width_moves_one_cell_to_the_left() {
        let (height, width) = (6, 9);
        let geometry = &geometries(height, width, 1).expect("one level fits")[0];
        for y in 0..height {
            for x in y..width {
                let element = |x| (y * width + x) * CHANNELS;
                assert_eq!(decode(geometry, element(x)), Some(element(x - y)));
            }
        }
    }

    #[test]
    fn the_tilt_is_none_on_even_sizes_and_some_on_odd_ones() {
        let even = levels(24, 48, 3);
        let tilted = positions(&even, decode).expect("taps of these geometries");
        assert_eq!(scatter(&even, &tilted), even[0].restored);

        let odd = levels(24, 49, 1);
        let tilted = positions(&odd, decode).expect("taps of these geometries");
        assert_ne!(scatter(&odd, &tilted), odd[0].restored);
    }
}
