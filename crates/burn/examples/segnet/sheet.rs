//! The contact sheet: each row has two images, each with its label and its prediction.

use image::{Rgb, RgbImage};

use crate::shapes::{Drawn, HEIGHT, WIDTH};

const SCALE: usize = 3;
const GAP: usize = 6;

/// Colours of the classes.
const COLORS: [[u8; 3]; 4] = [[30, 30, 38], [86, 180, 233], [230, 159, 0], [0, 158, 115]];

pub(crate) fn draw(drawn: &[Drawn], predicted: &[i64]) -> RgbImage {
    let (cell_width, cell_height) = (WIDTH * SCALE + GAP, HEIGHT * SCALE + GAP);
    let rows = drawn.len().div_ceil(2);
    let (width, height) = (6 * cell_width + GAP, rows * cell_height + GAP);
    let mut sheet = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
    for (i, drawn) in drawn.iter().enumerate() {
        let plane = HEIGHT * WIDTH;
        let predicted = &predicted[i * plane..][..plane];
        for at in 0..plane {
            let byte = |channel: usize| (drawn.image[channel * plane + at] * 255.0) as u8;
            let colors = [
                [byte(0), byte(1), byte(2)],
                COLORS[usize::from(drawn.label[at])],
                COLORS[predicted[at] as usize],
            ];
            for (column, color) in colors.into_iter().enumerate() {
                let left = GAP + (3 * (i % 2) + column) * cell_width + at % WIDTH * SCALE;
                let top = GAP + i / 2 * cell_height + at / WIDTH * SCALE;
                for (dy, dx) in (0..SCALE * SCALE).map(|n| (n / SCALE, n % SCALE)) {
                    sheet.put_pixel((left + dx) as u32, (top + dy) as u32, Rgb(color));
                }
            }
        }
    }
    sheet
}
