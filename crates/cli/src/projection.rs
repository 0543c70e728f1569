//! Tensors as pictures: projections onto the input, with their signs, and the responses of channels.

use embedded_graphics::mono_font::iso_8859_1::FONT_8X13;
use embedded_graphics::pixelcolor::Rgb888;
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Rgb, RgbImage};
use unpool_cnn::Activation;

use crate::canvas::Canvas;
use crate::panel::enlarge;

/// The end of a scale: the part of all values that lies inside it. One extreme pixel would
/// otherwise make all others pale.
const SHOWN: f64 = 0.995;

const NEGATIVE: [f32; 3] = [33.0, 102.0, 172.0];
const NOTHING: [f32; 3] = [247.0, 247.0, 245.0];
const POSITIVE: [f32; 3] = [178.0, 24.0, 43.0];

/// The channels of a grid and the scores of a panel, at most.
pub(crate) const GRID: usize = 16;
const INK: Rgb<u8> = Rgb([70, 76, 86]);
const MARK: Rgb<u8> = Rgb([230, 159, 0]);
const BETWEEN: Rgb<u8> = Rgb([120, 124, 130]);

/// A map in the input's space: of one channel in red where it is positive and blue where it is
/// negative; of three as colours around grey, as Zeiler and Fergus show them.
pub(crate) fn signed(map: &[f32], channels: usize, [height, width]: [usize; 2]) -> RgbImage {
    let end = scale(map);
    let plane = height * width;
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        let value = |c: usize| (map[c * plane + at] / end).clamp(-1.0, 1.0);
        match channels {
            1 => diverging(value(0)),
            _ => Rgb(std::array::from_fn(|c| (127.5 + 127.5 * value(c.min(channels - 1))) as u8)),
        }
    })
}

/// Colours of evidence, from none to the most: dark violet, red, yellow.
const HEAT: [[f32; 3]; 4] =
    [[60.0, 10.0, 110.0], [190.0, 40.0, 90.0], [250.0, 140.0, 30.0], [250.0, 250.0, 150.0]];

/// A class activation map over a picture: the picture in grey, and in colour where evidence lies.
pub(crate) fn evidence(picture: &RgbImage, map: &[f32], [height, width]: [usize; 2]) -> RgbImage {
    let largest = map.iter().copied().fold(0.0f32, f32::max).max(f32::MIN_POSITIVE);
    let cells = map.iter().map(|x| x / largest).collect();
    let (w, h) = picture.dimensions();
    let cells: Option<ImageBuffer<Luma<f32>, Vec<f32>>> =
        ImageBuffer::from_raw(width as u32, height as u32, cells);
    let Some(cells) = cells else { return picture.clone() };
    let wide = imageops::resize(&cells, w, h, FilterType::Triangle);
    RgbImage::from_fn(w, h, |x, y| {
        let value = wide.get_pixel(x, y).0[0].clamp(0.0, 1.0);
        let [r, g, b] = picture.get_pixel(x, y).0.map(f32::from);
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        let place = value * (HEAT.len() - 1) as f32;
        let (low, part) = (place as usize, place.fract());
        let (from, to) = (HEAT[low], HEAT[(low + 1).min(HEAT.len() - 1)]);
        Rgb(std::array::from_fn(|c| {
            let colour = from[c] + (to[c] - from[c]) * part;
            (grey + (colour - grey) * 0.65 * value.sqrt()) as u8
        }))
    })
}

/// The magnitude that almost all values stay below.
fn scale(map: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = map.iter().map(|v| v.abs()).filter(|&v| v > 0.0).collect();
    if sizes.is_empty() {
        return 1.0;
    }
    sizes.sort_by(f32::total_cmp);
    sizes[((sizes.len() - 1) as f64 * SHOWN) as usize].max(f32::MIN_POSITIVE)
}

fn diverging(value: f32) -> Rgb<u8> {
    let end = if value < 0.0 { NEGATIVE } else { POSITIVE };
    // The root spreads what is small: a value of a quarter is half as strong.
    let part = value.abs().sqrt();
    Rgb(std::array::from_fn(|c| (NOTHING[c] + (end[c] - NOTHING[c]) * part) as u8))
}

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

/// A picture at most `side` wide and high, its pixels square where it is smaller.
pub(crate) fn stretched(picture: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let largest = width.max(height);
    if side >= largest && (side / largest) * largest * 10 >= side * 9 {
        return enlarge(picture, side / largest);
    }
    let size = |n: u32| ((f64::from(n) * f64::from(side) / f64::from(largest)) as u32).max(1);
    let filter = if side >= largest { FilterType::Nearest } else { FilterType::Triangle };
    imageops::resize(picture, size(width), size(height), filter)
}

/// Scores as numbered bars from the top, the best ones where there are many; the zero line where it
/// falls, and one bar in another colour.
fn bars(scores: &[f32], marked: usize, side: u32) -> RgbImage {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    if classes.len() > GRID {
        classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        keep_framed(&mut classes, |&class| class == marked);
    }
    let digits = classes.iter().max().map_or(1, |class| class.to_string().len() as u32);
    let gutter = FONT_8X13.character_size.width * digits + 6;
    let low = classes.iter().fold(0.0f32, |m, &class| m.min(scores[class]));
    let high = classes.iter().fold(0.0f32, |m, &class| m.max(scores[class]));
    let span = (high - low).max(f32::MIN_POSITIVE);
    let width = side - gutter;
    let along = |score: f32| gutter + ((score - low) / span * (width - 1) as f32) as u32;
    // A bar is at least as high as a number, because a panel has at most as many bars as a grid has channels.
    let pitch = side as f32 / classes.len().max(1) as f32;
    let ink = Rgb888::new(INK.0[0], INK.0[1], INK.0[2]);
    let mut sheet = RgbImage::from_pixel(side, side, Rgb([255; 3]));
    for (i, &class) in classes.iter().enumerate() {
        let (top, bottom) = ((i as f32 + 0.12) * pitch, (i as f32 + 0.88) * pitch);
        let (from, to) = (along(0.0), along(scores[class]));
        let colour = if class == marked { MARK } else { INK };
        for y in top as u32..(bottom as u32).min(side) {
            for x in from.min(to)..=from.max(to) {
                sheet.put_pixel(x, y, colour);
            }
        }
        let y = (i as f32 + 0.5) * pitch - FONT_8X13.character_size.height as f32 / 2.0;
        Canvas(&mut sheet).text(&class.to_string(), (2, y as u32), &FONT_8X13, ink);
    }
    for y in 0..side {
        if sheet.get_pixel(along(0.0), y).0 == [255; 3] {
            sheet.put_pixel(along(0.0), y, BETWEEN);
        }
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
