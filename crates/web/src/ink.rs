//! A drawn digit as the network was trained to see one: what the makers of its data did to scanned
//! digits, done to strokes.
//!
//! They fitted each digit into 32 by 32 cells, in full height, counted the cells with ink in blocks
//! of four by four, and so kept eight by eight numbers from 0 to 16, which were then enlarged to 32
//! by 32 again, linearly. Strokes come without a width, so a small drawing is no bolder than a large
//! one. (Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, 1998.)

use wasm_bindgen::prelude::wasm_bindgen;

/// Cells a side.
pub const SIDE: usize = 32;
const BLOCK: usize = 4;
const BLOCKS: usize = SIDE / BLOCK;

/// Cells from the middle of a stroke to its edge.
const RADIUS: f32 = 2.8;
/// The widest that digits of the data are, but for few.
const WIDEST: f32 = 25.0;
/// How much more a digit is stretched in height than in width: what is flat stays flat.
const STRETCH: f32 = 1.6;

/// The image of strokes, each given by its number of points; points are x and y, interleaved, in any
/// scale. All 0 without a point.
#[wasm_bindgen(js_name = digitImage)]
pub fn image(points: &[f32], lengths: &[usize]) -> Vec<f32> {
    let mut points = fitted(points).into_iter();
    let mut cells = [[false; SIDE]; SIDE];
    for &length in lengths {
        let stroke: Vec<_> = points.by_ref().take(length).collect();
        let dot = stroke.first().filter(|_| stroke.len() == 1).map(|&point| [point, point]);
        let lines = stroke.windows(2).map(|pair| [pair[0], pair[1]]).chain(dot);
        for line in lines {
            for (y, row) in cells.iter_mut().enumerate() {
                for (x, cell) in row.iter_mut().enumerate() {
                    *cell |= distance([x as f32 + 0.5, y as f32 + 0.5], line) <= RADIUS;
                }
            }
        }
    }
    enlarged(&counted(&cells))
}

/// Points as they lie in the cells: in the middle, as large as fits.
fn fitted(points: &[f32]) -> Vec<[f32; 2]> {
    let ends = |axis: usize| {
        let along = || points.iter().skip(axis).step_by(2).copied();
        (along().fold(f32::INFINITY, f32::min), along().fold(f32::NEG_INFINITY, f32::max))
    };
    let (left, right) = ends(0);
    let (top, bottom) = ends(1);
    let room = |most: f32, length: f32| (most - 2.0 * RADIUS) / length.max(f32::MIN_POSITIVE);
    let high = room(SIDE as f32, bottom - top);
    // A dot has no size to be fitted by.
    let across = room(WIDEST, right - left).min(high).min(1e6);
    let down = high.min(across * STRETCH);
    let middle = SIDE as f32 / 2.0;
    let centred = |pair: &[f32]| {
        let [x, y] = [pair[0] - (left + right) / 2.0, pair[1] - (top + bottom) / 2.0];
        [middle + x * across, middle + y * down]
    };
    points.chunks_exact(2).map(centred).collect()
}

/// From a point to a line between two.
fn distance([x, y]: [f32; 2], [[ax, ay], [bx, by]]: [[f32; 2]; 2]) -> f32 {
    let [dx, dy] = [bx - ax, by - ay];
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((x - ax) * dx + (y - ay) * dy) / length } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (x - ax - along * dx).hypot(y - ay - along * dy)
}

/// How much of each block is ink, in sixteenths of it.
fn counted(cells: &[[bool; SIDE]; SIDE]) -> [[f32; BLOCKS]; BLOCKS] {
    let share = |row: usize, column: usize| {
        let rows = cells[row * BLOCK..][..BLOCK].iter();
        let inked = rows.flat_map(|cells| &cells[column * BLOCK..][..BLOCK]).filter(|&&c| c);
        inked.count() as f32 / (BLOCK * BLOCK) as f32
    };
    std::array::from_fn(|row| std::array::from_fn(|column| share(row, column)))
}

/// Linearly between the middles of blocks, and as at the last middle past it.
fn enlarged(blocks: &[[f32; BLOCKS]; BLOCKS]) -> Vec<f32> {
    let between = |i: usize| {
        let at = ((i as f32 + 0.5) / BLOCK as f32 - 0.5).clamp(0.0, (BLOCKS - 1) as f32);
        let first = at as usize;
        (first, (first + 1).min(BLOCKS - 1), at.fract())
    };
    let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
    let cell = |y: usize, x: usize| {
        let ((top, bottom, down), (left, right, across)) = (between(y), between(x));
        let row = |row: &[f32; BLOCKS]| mix(row[left], row[right], across);
        mix(row(&blocks[top]), row(&blocks[bottom]), down)
    };
    (0..SIDE * SIDE).map(|i| cell(i / SIDE, i % SIDE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An angle of two lines.
    const SEVEN: [f32; 6] = [0.3, 0.2, 0.7, 0.2, 0.4, 0.8];

    #[test]
    fn place_and_size_of_a_drawing_do_not_matter() {
        let here = image(&SEVEN, &[3]);
        let elsewhere: Vec<_> =
            SEVEN.chunks(2).flat_map(|p| [p[0] * 8.0 - 3.0, p[1] * 8.0 + 40.0]).collect();
        assert_eq!(image(&elsewhere, &[3]), here);
    }

    #[test]
    fn a_digit_takes_the_full_height_and_is_in_the_middle() {
        let seen = image(&[5.0, 1.0, 5.0, 9.0], &[2]);
        let inked = |y: usize| seen[y * SIDE..][..SIDE].iter().any(|&v| v > 0.0);
        assert!(inked(0) && inked(SIDE - 1));
        for (i, &value) in seen.iter().enumerate() {
            assert_eq!(value, seen[i / SIDE * SIDE + SIDE - 1 - i % SIDE], "mirrored, {i}");
        }
    }

    #[test]
    fn a_flat_stroke_stays_flat_a_dot_is_a_dot_and_nothing_is_nothing() {
        let rows =
            |seen: &[f32]| seen.chunks(SIDE).filter(|row| row.iter().any(|&v| v > 0.0)).count();
        let flat = image(&[0.0, 0.5, 1.0, 0.5], &[2]);
        let dot = image(&[0.4, 0.4], &[1]);
        assert!(rows(&flat) < SIDE / 2 && rows(&dot) < SIDE / 2);
        assert!(flat.iter().sum::<f32>() > 2.0 * dot.iter().sum::<f32>());
        assert!(dot.iter().all(|v| v.is_finite()) && dot[SIDE * SIDE / 2 + SIDE / 2] > 0.3);
        assert_eq!(image(&[], &[]), vec![0.0; SIDE * SIDE]);
    }

    #[test]
    fn blocks_are_enlarged_as_in_the_data() {
        let mut blocks = [[0.0; BLOCKS]; BLOCKS];
        blocks[0][1] = 1.0;
        let row = &enlarged(&blocks)[..SIDE][..10];
        assert_eq!(row, [0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 0.875, 0.625, 0.375, 0.125]);
    }
}
