//! Maps in the space of an image as pictures: signed ones, reconstructions, and evidence over the image.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use unpool_cnn::Activation;

use crate::colours::{self, Colours};

/// The end of a scale: the part of all values that lies inside it. One extreme pixel would
/// otherwise make all others pale.
const SHOWN: f64 = 0.995;

/// The lines of equal evidence, as parts of the most.
const CONTOURS: [f32; 3] = [0.25, 0.5, 0.75];

/// A map as a picture, with its colours; without them if the map is 0 everywhere.
pub(crate) struct Drawn {
    pub(crate) picture: RgbImage,
    pub(crate) colours: Option<Colours>,
}

/// The pixels of an image's longer side for each pixel of the deviation by which a signed map is
/// smoothed: the maps of large images are grainy.
pub(crate) const GRAIN: f32 = 90.0;

/// A map of planes, the sum of its channels, smoothed over some pixels if the image is large: red where
/// that is positive and blue where it is negative.
pub(crate) fn signed(planes: &[f32], [height, width]: [usize; 2]) -> Drawn {
    let count = height * width;
    let sums = (0..count).map(|i| planes.iter().skip(i).step_by(count).sum()).collect();
    let map = Activation { shape: vec![1, 1, height, width], data: sums };
    let deviation = height.max(width) as f32 / GRAIN;
    let sums = if deviation < 1.0 { map.data } else { map.smoothed(deviation).data };
    let end = scale(&sums);
    let divisor = end.unwrap_or(1.0);
    let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        colours::signed(sums[y as usize * width + x as usize] / divisor)
    });
    Drawn { picture, colours: end.map(|end| Colours::Signed { end }) }
}

/// A reconstruction: colours around grey, as Zeiler and Fergus show them, where there are three
/// channels, else as [`signed`].
pub(crate) fn reconstruction(planes: &[f32], [height, width]: [usize; 2]) -> Drawn {
    let count = height * width;
    if planes.len() != 3 * count {
        return signed(planes, [height, width]);
    }
    let end = scale(planes).unwrap_or(1.0);
    let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        let value = |c: usize| (planes[c * count + at] / end).clamp(-1.0, 1.0);
        Rgb(std::array::from_fn(|c| (127.5 + 127.5 * value(c)) as u8))
    });
    Drawn { picture, colours: None }
}

/// A class activation map over a picture: the picture in grey, in colour where evidence lies, and
/// lines around a quarter, a half and three quarters of the most.
pub(crate) fn evidence(picture: &RgbImage, map: &Activation) -> Drawn {
    let end = map.data.iter().copied().fold(0.0f32, f32::max);
    let (w, h) = picture.dimensions();
    if end <= 0.0 {
        let grey = |x, y| Rgb([grey(picture.get_pixel(x, y)) as u8; 3]);
        return Drawn { picture: RgbImage::from_fn(w, h, grey), colours: None };
    }
    let wide = map.resized(&[h as usize, w as usize]).data;
    let part = |x: u32, y: u32| wide[(y * w + x) as usize] / end;
    let picture = RgbImage::from_fn(w, h, |x, y| {
        let value = part(x, y).clamp(0.0, 1.0);
        let grey = grey(picture.get_pixel(x, y));
        let next = [part((x + 1).min(w - 1), y), part(x, (y + 1).min(h - 1))];
        let crosses = |line: f32| next.iter().any(|&next| (value < line) != (next < line));
        let colour = colours::evidence(value);
        let on_line = CONTOURS.into_iter().any(crosses);
        Rgb(colour.0.map(|colour| {
            let shown = grey + (f32::from(colour) - grey) * 0.65 * value.sqrt();
            (if on_line { 0.4 * shown + 0.6 * 255.0 } else { shown }) as u8
        }))
    });
    Drawn { picture, colours: Some(Colours::Evidence { end }) }
}

/// The brightness of a pixel, 0 to 255.
pub(crate) fn grey(pixel: &Rgb<u8>) -> f32 {
    let [r, g, b] = pixel.0.map(f32::from);
    0.299 * r + 0.587 * g + 0.114 * b
}

/// The magnitude that almost all values stay below; `None` if all are 0.
fn scale(map: &[f32]) -> Option<f32> {
    let mut sizes: Vec<f32> = map.iter().map(|v| v.abs()).filter(|&v| v > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let at = (sizes.len().checked_sub(1)? as f64 * SHOWN) as usize;
    Some(sizes[at])
}

/// A picture at most `side` wide and high, its pixels square where it is smaller.
pub(crate) fn stretched(picture: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let largest = width.max(height);
    if side >= largest && (side / largest) * largest * 10 >= side * 9 {
        return crate::panel::enlarge(picture, side / largest);
    }
    let size = |n: u32| ((f64::from(n) * f64::from(side) / f64::from(largest)) as u32).max(1);
    let filter = if side >= largest { FilterType::Nearest } else { FilterType::Triangle };
    imageops::resize(picture, size(width), size(height), filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_map_is_red_and_blue_by_the_sum_of_its_channels() {
        let planes = [1.0, -3.0, 0.0, 0.0, 2.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let drawn = signed(&planes, [2, 2]);
        let [red, blue, none] =
            [(0, 0), (1, 0), (0, 1)].map(|(x, y)| drawn.picture.get_pixel(x, y).0);
        assert!(red[0] > red[2] && blue[2] > blue[0] && none[0] > 240, "{red:?} {blue:?}");
        assert_eq!(drawn.colours, Some(Colours::Signed { end: 3.0 }));
    }

    #[test]
    fn a_map_of_zeros_has_no_colours() {
        assert_eq!(signed(&[0.0; 4], [2, 2]).colours, None);
        let map = Activation { shape: vec![1, 1, 1, 1], data: vec![0.0] };
        let drawn = evidence(&RgbImage::from_pixel(2, 2, Rgb([9, 9, 9])), &map);
        assert!(drawn.colours.is_none() && drawn.picture.get_pixel(1, 1).0 == [9; 3]);
    }

    #[test]
    fn evidence_has_lines_around_it() {
        let map = Activation { shape: vec![1, 1, 1, 3], data: vec![0.0, 1.0, 0.0] };
        let grey = RgbImage::from_pixel(60, 10, Rgb([90; 3]));
        let drawn = evidence(&grey, &map).picture;
        let bright = (0..60).filter(|&x| drawn.get_pixel(x, 5).0.iter().all(|&b| b > 160)).count();
        assert!((4..=16).contains(&bright), "{bright}");
    }
}
