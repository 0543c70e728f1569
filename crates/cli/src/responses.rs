//! The responses of a layer as pictures: its strongest channels, and scores.

use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};
use unpool_cnn::Activation;

use crate::canvas::{Canvas, Letters};
use crate::colours::short;
use crate::maps::stretched;

/// The channels of a grid and the scores of a panel, at most.
pub(crate) const GRID: usize = 16;
const INK: Rgb<u8> = Rgb([70, 76, 86]);
const MARK: Rgb<u8> = Rgb([230, 159, 0]);
const BETWEEN: Rgb<u8> = Rgb([120, 124, 130]);

/// The channels of an image by the energy of their responses (the sum of squares above 0), largest
/// first, each with its largest value.
pub(crate) fn strongest_channels(activation: &Activation, image: usize) -> Vec<(usize, f32)> {
    let channels = activation.shape.get(1).copied().unwrap_or(1);
    let energy = |channel: usize| -> f32 {
        activation.channel(image, channel).iter().map(|v| v.max(0.0).powi(2)).sum()
    };
    let mut all: Vec<_> = (0..channels).map(|channel| (channel, energy(channel))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let largest = |channel| activation.strongest(image, channel).map_or(0.0, |unit| unit.value);
    all.into_iter().map(|(channel, _)| (channel, largest(channel))).collect()
}

/// The strongest channels of an image in a grid, from black at 0 or less to white at the
/// layer's maximum, and one of them framed.
pub(crate) fn grid(activation: &Activation, image: usize, framed: usize, side: u32) -> RgbImage {
    let mut shown = strongest_channels(activation, image);
    keep_framed(&mut shown, |&(channel, _)| channel == framed);
    let largest = shown.iter().fold(f32::MIN_POSITIVE, |m, &(_, value)| m.max(value));
    let (height, width) = match *activation.shape.get(2..).unwrap_or_default() {
        [.., height, width] => (height as u32, width as u32),
        [width] => (1, width as u32),
        [] => return bars(activation.image(image), framed, side),
    };
    if height * width == 1 {
        return bars(activation.image(image), framed, side);
    }
    let across = (shown.len() as f64).sqrt().ceil() as u32;
    let tile = (side - (across + 1) * 2) / across;
    // Tiles are as high as their pictures.
    let tall = stretched(&RgbImage::new(width, height), tile).height();
    let rows = (shown.len() as u32).div_ceil(across);
    let mut sheet = RgbImage::from_pixel(side, rows * (tall + 2) + 2, BETWEEN);
    for (i, &(channel, _)) in shown.iter().enumerate() {
        let values = activation.channel(image, channel);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let value = (values[(y * width + x) as usize] / largest).clamp(0.0, 1.0);
            Rgb([(value.sqrt() * 255.0) as u8; 3])
        });
        let picture = stretched(&picture, tile);
        let (column, row) = (i as u32 % across, i as u32 / across);
        let (x, y) = (2 + column * (tile + 2), 2 + row * (tall + 2));
        if channel == framed {
            let frame = RgbImage::from_pixel(picture.width() + 4, picture.height() + 4, MARK);
            imageops::overlay(&mut sheet, &frame, i64::from(x) - 2, i64::from(y) - 2);
        }
        imageops::overlay(&mut sheet, &picture, x.into(), y.into());
    }
    sheet
}

/// Scores as numbered bars from the top, the best ones where there are many, from the line of 0 to the
/// right or to the left; one bar in another colour.
fn bars(scores: &[f32], marked: usize, side: u32) -> RgbImage {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    if classes.len() > GRID {
        classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        keep_framed(&mut classes, |&class| class == marked);
    }
    let digits = classes.iter().map(|class| Letters::Note.width(&class.to_string())).max();
    let (left, right) = (digits.unwrap_or(0) + 8, 46);
    let low = classes.iter().fold(0.0f32, |m, &class| m.min(scores[class]));
    let high = classes.iter().fold(0.0f32, |m, &class| m.max(scores[class]));
    let span = (high - low).max(f32::MIN_POSITIVE);
    let room = (side - left - right - 1) as f32;
    let along = |score: f32| left + ((score - low) / span * room) as u32;
    // A bar is as high as a number, because a panel has at most as many bars as a grid has channels.
    let pitch = (side as f32 / classes.len().max(1) as f32).min(28.0);
    let ink = Rgb888::new(INK.0[0], INK.0[1], INK.0[2]);
    let tall = (pitch * classes.len() as f32) as u32;
    let mut sheet = RgbImage::from_pixel(side, tall.max(1), Rgb([255; 3]));
    let mut canvas = Canvas(&mut sheet);
    canvas.fill((along(0.0), 0), (1, tall), Rgb888::new(190, 192, 196));
    for (i, &class) in classes.iter().enumerate() {
        let (top, bottom) = ((i as f32 + 0.14) * pitch, (i as f32 + 0.86) * pitch);
        let (from, to) = (along(0.0), along(scores[class]));
        let colour = if class == marked { MARK } else { INK };
        let size = (from.abs_diff(to) + 1, (bottom as u32).saturating_sub(top as u32).max(1));
        canvas.fill(
            (from.min(to), top as u32),
            size,
            Rgb888::new(colour.0[0], colour.0[1], colour.0[2]),
        );
        let y = ((i as f32 + 0.5) * pitch - Letters::Note.height() as f32 / 2.0).max(0.0) as u32;
        canvas.text(&class.to_string(), (2, y), Letters::Note, ink);
        let score = short(scores[class]);
        let x = side.saturating_sub(Letters::Note.width(&score) + 2);
        canvas.text(&score, (x, y), Letters::Note, ink);
    }
    sheet
}

/// Cuts a list, strongest first, to those that are shown, the framed one among them.
fn keep_framed<T>(list: &mut Vec<T>, is_framed: impl Fn(&T) -> bool) {
    if let Some(position) = list.iter().position(is_framed) {
        list.swap(position, position.min(GRID - 1));
    }
    list.truncate(GRID);
}
