//! Class maps as pictures: their colours, over the image, and with names beside it.

use embedded_graphics::pixelcolor::Rgb888;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::canvas::{Canvas, Letters};
use crate::maps::grey;
use crate::network::scores::percent;

/// Colours of up to eight classes: black for the first, which is usually
/// the background, then seven that remain distinguishable under every common colour blindness (Okabe
/// and Ito 2008).
const COLOURS: [(&str, Rgb<u8>); 8] = [
    ("black", Rgb([0, 0, 0])),
    ("orange", Rgb([230, 159, 0])),
    ("sky blue", Rgb([86, 180, 233])),
    ("green", Rgb([0, 158, 115])),
    ("yellow", Rgb([240, 228, 66])),
    ("blue", Rgb([0, 114, 178])),
    ("vermilion", Rgb([213, 94, 0])),
    ("purple", Rgb([204, 121, 167])),
];

/// The part of all pixels that a class has.
pub(crate) struct Share {
    pub(crate) class: usize,
    pub(crate) part: f64,
}

impl Share {
    /// The classes that have pixels, by number.
    pub(crate) fn of(found: &[usize], classes: usize) -> Vec<Self> {
        let mut counts = vec![0usize; classes];
        found.iter().for_each(|&class| counts[class] += 1);
        let share = |(class, count): (usize, usize)| {
            let part = count as f64 / found.len() as f64;
            (count > 0).then_some(Self { class, part })
        };
        counts.into_iter().enumerate().filter_map(share).collect()
    }
}

/// The name and the colour of one of so many classes. Past eight the colours are those of Pascal VOC
/// and have no names but their numbers.
pub(crate) fn colour(class: usize, classes: usize) -> (String, Rgb<u8>) {
    if classes <= COLOURS.len() {
        let (name, colour) = COLOURS[class];
        return (name.into(), colour);
    }
    // The bits of the class, from the lowest, three by three into the colours' highest bits.
    let channel = |c: usize| {
        (0..8).fold(0u8, |byte, i| byte | ((((class >> (3 * i + c)) & 1) as u8) << (7 - i)))
    };
    let colour = [channel(0), channel(1), channel(2)];
    let [r, g, b] = colour;
    (format!("#{r:02x}{g:02x}{b:02x}"), Rgb(colour))
}

/// A class map, one colour for each class.
pub(crate) fn map(found: &[usize], classes: usize, [height, width]: [usize; 2]) -> RgbImage {
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        colour(found[y as usize * width + x as usize], classes).1
    })
}

/// An image with its class map over it, the first class left as it is, and beside it the names of its
/// classes with their parts, the largest first.
pub(crate) fn overlay(
    image: &RgbImage,
    map: &RgbImage,
    shares: &[Share],
    classes: usize,
    named: impl Fn(usize) -> String,
) -> RgbImage {
    const LEGEND: u32 = 260;
    const MARGIN: u32 = 16;
    const PITCH: u32 = 26;
    let image = match image.width().max(image.height()) {
        small if small < 256 => crate::panel::enlarge(image, 256 / small),
        _ => image.clone(),
    };
    let (width, height) = image.dimensions();
    let map = imageops::resize(map, width, height, FilterType::Nearest);
    let background = colour(0, classes).1;
    let mut sorted: Vec<_> = shares.iter().collect();
    sorted.sort_by(|a, b| b.part.total_cmp(&a.part));
    let tall = height.max(sorted.len() as u32 * PITCH) + 2 * MARGIN;
    let mut sheet = RgbImage::from_pixel(width + LEGEND + 3 * MARGIN, tall, Rgb([250, 250, 248]));
    let mixed = RgbImage::from_fn(width, height, |x, y| {
        let (pixel, class) = (image.get_pixel(x, y), map.get_pixel(x, y));
        // Over grey, so that each class has one colour whatever is below it.
        let mix = |c: usize| (0.45 * grey(pixel) + 0.55 * f32::from(class.0[c])) as u8;
        if *class == background { *pixel } else { Rgb(std::array::from_fn(mix)) }
    });
    imageops::overlay(&mut sheet, &mixed, MARGIN.into(), MARGIN.into());
    let mut canvas = Canvas(&mut sheet);
    let (x, ink) = (width + 2 * MARGIN, Rgb888::new(28, 32, 38));
    for (i, Share { class, part }) in sorted.into_iter().enumerate() {
        let y = MARGIN + i as u32 * PITCH;
        let [r, g, b] = colour(*class, classes).1.0;
        match class {
            // It is as it is.
            0 => canvas.frame((x + 1, y + 1), (16, 16), ink),
            _ => canvas.fill((x, y), (18, 18), Rgb888::new(r, g, b)),
        }
        let name = Letters::Text.fitted(&named(*class), LEGEND - 100);
        canvas.text(&name, (x + 28, y), Letters::Text, ink);
        let percent = percent(*part as f32);
        let right = x + LEGEND - Letters::Text.width(&percent);
        canvas.text(&percent, (right, y), Letters::Text, ink);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_classes_have_the_colours_of_pascal_voc() {
        let expected = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]];
        for (class, expected) in expected.into_iter().enumerate() {
            assert_eq!(colour(class, 21).1.0, expected);
        }
        // person, tvmonitor
        assert_eq!((colour(15, 21).1.0, colour(20, 21).1.0), ([192, 128, 128], [0, 64, 128]));
    }

    #[test]
    fn shares_add_up() {
        let shares = Share::of(&[2, 0, 2, 2], 3);
        let all: Vec<_> = shares.iter().map(|s| (s.class, s.part)).collect();
        assert_eq!(all, [(0, 0.25), (2, 0.75)]);
    }
}
