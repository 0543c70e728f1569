//! The contents of a panel of the contact sheet: images fitted to its width, kept pixels made large
//! enough to see, and enlarged details.

use std::cmp::Ordering;

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use unpool::{Geometry, Padding, Shape, Window, cpu};

use crate::argmax_map;
use crate::canvas::Canvas;
use crate::levels::{CHANNELS, KERNEL, Level, extents};
use crate::picture;

/// The channel whose argmax is shown: green, the one that eyes see best.
pub(crate) const SHOWN_CHANNEL: usize = 1;

/// Lines between windows.
const RULED: Rgb<u8> = Rgb([250, 250, 248]);

/// The image enlarged by a whole number, or shrunk, to fit.
pub(crate) fn fit(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (w, h) = image.dimensions();
    let times = (width / w).min(height / h);
    if times >= 1 {
        return enlarge(image, times);
    }
    let scale = (f64::from(width) / f64::from(w)).min(f64::from(height) / f64::from(h));
    let size = |n: u32| ((f64::from(n) * scale).floor() as u32).max(1);
    imageops::resize(image, size(w), size(h), FilterType::Triangle)
}

/// Each pixel as a square of `times`×`times`.
pub(crate) fn enlarge(image: &RgbImage, times: u32) -> RgbImage {
    let (w, h) = image.dimensions();
    imageops::resize(image, w * times, h * times, FilterType::Nearest)
}

/// The tensor with every value spread over a square of `side`: a maximum over a window that moves
/// by one, first along columns, then along rows.
pub(crate) fn spread(cells: &[f32], size: [usize; 2], side: usize) -> anyhow::Result<RgbImage> {
    let [height, width] = size;
    let mut spread = cells.to_vec();
    for kernel in [[side, 1], [1, side]] {
        // The odd cell of the window goes before: a value is drawn at its own place and after it.
        let window = Window::new(kernel).with_stride([1, 1]).with_padding(Padding::SameLower);
        let shape = Shape::channels_last([1, height, width, CHANNELS]);
        spread = cpu::max_pool(&Geometry::new(&window, shape)?, &spread)?.values;
    }
    Ok(picture::from_cells(&spread, size))
}

/// The side of the squares in which kept values are drawn after so many levels: 2 after one, and
/// about half as wide as the windows that they stand for after more, so that misplaced squares show.
pub(crate) fn spread_side(levels: usize) -> usize {
    if levels < 2 { KERNEL } else { (1 << (levels - 1).min(6)) + 1 }
}

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Detail {
    /// The part of that size with the sharpest edges, at even coordinates
    /// so that windows are whole.
    pub(crate) fn liveliest(image: &RgbImage, width: u32, height: u32) -> Self {
        let (w, h) = image.dimensions();
        let (width, height) = (width.min(w), height.min(h));
        let contrast = |x0: u32, y0: u32| {
            let step = |x: u32, y: u32| {
                let [a, b] = [image.get_pixel(x, y), image.get_pixel(x + 1, y)];
                (0..CHANNELS).map(|c| u64::from(a.0[c].abs_diff(b.0[c])).pow(2)).sum::<u64>()
            };
            (y0..y0 + height)
                .flat_map(|y| (x0..x0 + width - 1).map(move |x| (x, y)))
                .map(|(x, y)| step(x, y))
                .sum::<u64>()
        };
        let starts = |room: u32, part: u32| (0..=room).step_by((part as usize / 2).max(2) & !1);
        let (x, y) = starts(h - height, height)
            .flat_map(|y| starts(w - width, width).map(move |x| (x, y)))
            .max_by_key(|&(x, y)| contrast(x, y))
            .unwrap_or((0, 0));
        Self { x, y, width, height }
    }

    /// The part of that size in the middle of this one, at even coordinates too.
    pub(crate) fn middle(self, width: u32, height: u32) -> Self {
        let (width, height) = (width.min(self.width), height.min(self.height));
        let start = |from: u32, room: u32| (from + room / 2) & !1;
        let (x, y) = (start(self.x, self.width - width), start(self.y, self.height - height));
        Self { x, y, width, height }
    }

    /// This part of an image.
    pub(crate) fn of(self, image: &RgbImage) -> RgbImage {
        imageops::crop_imm(image, self.x, self.y, self.width, self.height).to_image()
    }
}

/// The image darkened, and over it, channel by channel, the pixels that `cells` keeps.
pub(crate) fn kept_over_ghost(image: &RgbImage, cells: &[f32]) -> RgbImage {
    let mut shown = image.clone();
    for (pixel, cells) in shown.pixels_mut().zip(cells.chunks_exact(CHANNELS)) {
        for (byte, &cell) in pixel.0.iter_mut().zip(cells) {
            // A kept 0 and a cell without a value look alike: both are black.
            *byte = if cell == 0.0 { *byte / 3 } else { (cell * 255.0).round() as u8 };
        }
    }
    shown
}

/// A detail of a level's input in grey with its windows ruled, and in each a dot of the tap's
/// colour on the cell of `channel` that won.
pub(crate) fn winners(level: &Level, image: &RgbImage, detail: Detail, times: u32) -> RgbImage {
    let [_, pooled_width] = extents(level.geometry.pooled_shape());
    let mut shown = enlarge(&detail.of(image), times);
    for (x, y, pixel) in shown.enumerate_pixels_mut() {
        let (cell_x, cell_y) = ((detail.x + x / times) as usize, (detail.y + y / times) as usize);
        let window = cell_y / KERNEL * pooled_width + cell_x / KERNEL;
        let tap = level.pooled.taps.get(window * CHANNELS + SHOWN_CHANNEL);
        let own = (cell_y % KERNEL * KERNEL + cell_x % KERNEL) as u32;
        // Twice the distance from the middle of the cell, so that halves stay whole.
        let off = |n: u32| i64::from(2 * (n % times) + 1) - i64::from(times);
        let distance = off(x).pow(2) + off(y).pow(2);
        let within = |part: f64| (distance as f64) < (part * f64::from(times)).powi(2);
        let begins_window =
            |cell: usize, n: u32| cell.is_multiple_of(KERNEL) && n.is_multiple_of(times);
        *pixel = if begins_window(cell_x, x) || begins_window(cell_y, y) {
            RULED
        } else if tap == Some(own) && within(0.52) {
            argmax_map::colour(tap)
        } else if tap == Some(own) && within(0.68) {
            RULED
        } else {
            Rgb([pixel.0[SHOWN_CHANNEL]; 3])
        };
    }
    shown
}

/// The four colours where they stand in a window.
pub(crate) fn legend(side: u32) -> RgbImage {
    RgbImage::from_fn(2 * side + 1, 2 * side + 1, |x, y| match (x.cmp(&side), y.cmp(&side)) {
        (Ordering::Equal, _) | (_, Ordering::Equal) => RULED,
        (across, down) => {
            let tap = 2 * u32::from(down.is_gt()) + u32::from(across.is_gt());
            argmax_map::colour(Some(tap))
        }
    })
}

/// The image with a frame around where `detail` is, at the scale the image is shown.
pub(crate) fn framed(mut shown: RgbImage, image: &RgbImage, detail: Detail) -> RgbImage {
    let scale = f64::from(shown.width()) / f64::from(image.width());
    let to = |n: u32| (f64::from(n) * scale).round() as u32;
    let (x, y) = (to(detail.x), to(detail.y));
    let (width, height) = (to(detail.width), to(detail.height));
    // White inside black shows on any image.
    let mut canvas = Canvas(&mut shown);
    canvas.frame((x, y), (width, height), Rgb888::BLACK);
    canvas.frame(
        (x + 1, y + 1),
        (width.saturating_sub(2), height.saturating_sub(2)),
        Rgb888::WHITE,
    );
    shown
}
