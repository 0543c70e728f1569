//! The index arithmetic of tensorflow#2169, which tilts SegNets: what the demonstration shows
//! beside the right result.
//!
//! TensorFlow flattens an argmax as `(y·W + x)·C + c` with `W` the width of what was pooled. Code
//! that unpools has only the pooled width at hand and multiplies it by the kernel. On an even size
//! that is `W`; on an odd one it is `W + 1`, so every row lands one cell further to the left than
//! the row above, and what leaves on the left comes in again on the right.

use unpool::Geometry;

use crate::levels::{CHANNELS, KERNEL, extents};

/// Where that arithmetic puts the maximum of flattened `index`: an element of the level's input,
/// or `None` for the extra column and row of its larger canvas, which are cut off to go on.
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
    use crate::levels::geometries;

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
}
