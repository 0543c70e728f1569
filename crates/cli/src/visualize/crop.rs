//! The part of a picture that a unit sees.

use image::{RgbImage, imageops};
use unpool_cnn::Region;

/// A picture cut to a unit's receptive field.
pub(crate) fn crop(picture: &RgbImage, region: &Region) -> RgbImage {
    let size = [picture.height() as usize, picture.width() as usize];
    let part = region.inside(&size);
    let (rows, columns) = (&part[0], &part[1]);
    imageops::crop_imm(
        picture,
        columns.start as u32,
        rows.start as u32,
        columns.len().max(1) as u32,
        rows.len().max(1) as u32,
    )
    .to_image()
}
