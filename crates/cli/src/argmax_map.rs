//! An argmax in colour: one colour for each cell of a 2×2 window.

use image::{Rgb, RgbImage};
use unpool::{Geometry, Taps};

use crate::levels::{CHANNELS, extents};

/// The colours of taps 0 to 3 (top left, top right, bottom left, bottom right): four that
/// remain distinguishable under every common colour blindness (Okabe and Ito 2008).
pub(crate) const COLOURS: [Rgb<u8>; 4] =
    [Rgb([0, 114, 178]), Rgb([230, 159, 0]), Rgb([0, 158, 115]), Rgb([204, 121, 167])];

/// Of a tap that names none of the four cells: nothing that the demonstration makes.
const NO_CELL: Rgb<u8> = Rgb([0, 0, 0]);

/// The colour of a tap.
pub(crate) fn colour(tap: Option<u32>) -> Rgb<u8> {
    tap.and_then(|tap| COLOURS.get(tap as usize)).copied().unwrap_or(NO_CELL)
}

/// The map of one channel.
pub(crate) fn channel(geometry: &Geometry, taps: &Taps, channel: usize) -> RgbImage {
    let [height, width] = extents(geometry.pooled_shape());
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        colour(taps.get((y as usize * width + x as usize) * CHANNELS + channel))
    })
}

/// The maps of all channels side by side: red, green, blue.
pub(crate) fn channels(geometry: &Geometry, taps: &Taps) -> RgbImage {
    let maps: Vec<_> = (0..CHANNELS).map(|c| channel(geometry, taps, c)).collect();
    let (width, height) = maps[0].dimensions();
    RgbImage::from_fn(width * CHANNELS as u32, height, |x, y| {
        *maps[(x / width) as usize].get_pixel(x % width, y)
    })
}
