//! An image as a file has it and as a tensor has it: 8-bit RGB, and f32 from 0 to 1 with channels
//! last.

use std::path::Path;

use anyhow::{Context, Result, bail};
use image::{ImageReader, RgbImage};

use crate::levels::CHANNELS;

/// The image of a PNG or JPEG file, told apart by what is in it. Transparency is dropped.
pub(crate) fn open(path: &Path) -> Result<RgbImage> {
    let name = path.display();
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .with_context(|| name.to_string())?;
    if reader.format().is_none() {
        bail!("{name}: is neither PNG nor JPEG");
    }
    let image = reader.decode().with_context(|| name.to_string())?.into_rgb8();
    if image.width() == 0 || image.height() == 0 {
        bail!("{name}: has {}×{} pixels; at least 1×1 is needed", image.width(), image.height());
    }
    Ok(image)
}

/// The tensor of an image.
pub(crate) fn to_cells(image: &RgbImage) -> Vec<f32> {
    image.as_raw().iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// The image of a tensor of `[height, width]`.
pub(crate) fn from_cells(cells: &[f32], [height, width]: [usize; 2]) -> RgbImage {
    let mut image = RgbImage::new(width as u32, height as u32);
    for (pixel, cells) in image.pixels_mut().zip(cells.chunks_exact(CHANNELS)) {
        // Truncates nothing: 0 to 1 goes to 0 to 255, and `as` saturates.
        pixel.0 = std::array::from_fn(|c| (cells[c] * 255.0).round() as u8);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_to_a_cell_and_back() {
        let image = RgbImage::from_fn(16, 16, |x, y| {
            let byte = (y * 16 + x) as u8;
            image::Rgb([byte, !byte, byte / 2])
        });
        assert_eq!(from_cells(&to_cells(&image), [16, 16]), image);
    }
}
