//! The colours of numbers: of signed ones, and of evidence, with the bars that explain them.

use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage};

use crate::canvas::{Canvas, Letters};

const NEGATIVE: [f32; 3] = [33.0, 102.0, 172.0];
const NOTHING: [f32; 3] = [247.0, 247.0, 245.0];
const POSITIVE: [f32; 3] = [178.0, 24.0, 43.0];

/// Colours of evidence, from none to the most: dark violet, red, yellow.
const HEAT: [[f32; 3]; 4] =
    [[60.0, 10.0, 110.0], [190.0, 40.0, 90.0], [250.0, 140.0, 30.0], [250.0, 250.0, 150.0]];

/// The height of a bar without its numbers.
const BAR: u32 = 9;
const INK: Rgb888 = Rgb888::new(96, 102, 112);

/// A scale of colours, with the number at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Colours {
    /// Blue below 0, red above, from `-end` to `end`.
    Signed { end: f32 },
    /// From 0 to `end`.
    Evidence { end: f32 },
}

/// The colour of a signed number from -1 to 1.
pub(crate) fn signed(value: f32) -> Rgb<u8> {
    let end = if value < 0.0 { NEGATIVE } else { POSITIVE };
    blended(NOTHING, end, value.abs().min(1.0))
}

/// The colour of evidence from 0 to 1.
pub(crate) fn evidence(value: f32) -> Rgb<u8> {
    let place = value.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
    let low = place as usize;
    blended(HEAT[low], HEAT[(low + 1).min(HEAT.len() - 1)], place.fract())
}

fn blended(from: [f32; 3], to: [f32; 3], part: f32) -> Rgb<u8> {
    Rgb(std::array::from_fn(|c| (from[c] + (to[c] - from[c]) * part).round() as u8))
}

impl Colours {
    /// The height of a bar with its numbers.
    pub(crate) const HEIGHT: u32 = BAR + 20;

    /// A bar of all colours with the numbers at its ends, on paper of a colour.
    pub(crate) fn bar(self, width: u32, paper: Rgb<u8>) -> RgbImage {
        let mut bar = RgbImage::from_pixel(width, Self::HEIGHT, paper);
        for x in 0..width {
            let part = x as f32 / (width - 1).max(1) as f32;
            let colour = match self {
                Self::Signed { .. } => signed(2.0 * part - 1.0),
                Self::Evidence { .. } => evidence(part),
            };
            (2..2 + BAR).for_each(|y| bar.put_pixel(x, y, colour));
        }
        let (low, middle, high) = match self {
            Self::Signed { end } => (short(-end), Some("0".to_owned()), format!("+{}", short(end))),
            Self::Evidence { end } => ("0: none".to_owned(), None, short(end)),
        };
        let mut canvas = Canvas(&mut bar);
        let y = BAR + 4;
        canvas.text(&low, (0, y), Letters::Note, INK);
        if let Some(middle) = middle {
            let x = (width - Letters::Note.width(&middle)) / 2;
            canvas.text(&middle, (x, y), Letters::Note, INK);
        }
        let x = width.saturating_sub(Letters::Note.width(&high));
        canvas.text(&high, (x, y), Letters::Note, INK);
        bar
    }
}

/// A number in two or three digits.
pub(crate) fn short(x: f32) -> String {
    match x.abs() {
        0.0 => "0".into(),
        size if !(0.01..1000.0).contains(&size) => format!("{x:.1e}"),
        size if size >= 10.0 => format!("{x:.0}"),
        _ => format!("{x:.2}"),
    }
}
