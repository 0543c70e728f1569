//! Drawing with embedded-graphics on an image: the adapter between the two, and text.

use std::convert::Infallible;

use embedded_graphics::Drawable;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Point, Primitive, Size};
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use image::{Rgb, RgbImage};

/// An image as something to draw on. What falls outside is left out.
pub(crate) struct Canvas<'a>(pub(crate) &'a mut RgbImage);

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y)) else { continue };
            if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
                *pixel = Rgb([colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

impl Canvas<'_> {
    /// Draws what embedded-graphics can draw.
    pub(crate) fn draw(&mut self, drawable: &impl Drawable<Color = Rgb888>) {
        match drawable.draw(self) {
            Ok(_) => {}
            Err(never) => match never {},
        }
    }

    /// A line one pixel wide around an area.
    pub(crate) fn frame(
        &mut self,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
        colour: Rgb888,
    ) {
        let corner = Point::new(x as i32 - 1, y as i32 - 1);
        let around = Rectangle::new(corner, Size::new(width + 2, height + 2));
        self.draw(&around.into_styled(PrimitiveStyle::with_stroke(colour, 1)));
    }

    /// A line of text with its top left corner at `(x, y)`.
    pub(crate) fn text(
        &mut self,
        text: &str,
        (x, y): (u32, u32),
        font: &MonoFont<'_>,
        colour: Rgb888,
    ) {
        let style = MonoTextStyle::new(font, colour);
        let at = Point::new(x as i32, y as i32);
        self.draw(&Text::with_baseline(text, at, style, Baseline::Top));
    }

    /// A line of text at twice the size of its font, with its stairs cut (Scale2x: a corner takes
    /// the colour of its two neighbours where they agree).
    pub(crate) fn large_text(
        &mut self,
        text: &str,
        (x, y): (u32, u32),
        font: &MonoFont<'_>,
        colour: Rgb888,
    ) {
        let size = font.character_size;
        let width = text.chars().count() as u32 * (size.width + font.character_spacing);
        let mut mask = RgbImage::new(width, size.height);
        Canvas(&mut mask).text(text, (0, 0), font, Rgb888::WHITE);
        let ink = |x: i64, y: i64| {
            let at = (u32::try_from(x).ok(), u32::try_from(y).ok());
            let (Some(x), Some(y)) = at else { return false };
            mask.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0[0] > 0)
        };
        let inked = (0..2 * size.height).flat_map(|y| (0..2 * width).map(move |x| (x, y))).filter(
            |&(x, y)| {
                let (column, row) = (i64::from(x / 2), i64::from(y / 2));
                let side = ink(column + if x % 2 == 0 { -1 } else { 1 }, row);
                let above = ink(column, row + if y % 2 == 0 { -1 } else { 1 });
                let far_side = ink(column + if x % 2 == 0 { 1 } else { -1 }, row);
                let far_above = ink(column, row + if y % 2 == 0 { 1 } else { -1 });
                let corner = side == above && side != far_side && above != far_above;
                if corner { side } else { ink(column, row) }
            },
        );
        let pixels: Vec<_> = inked
            .map(|(dx, dy)| Pixel(Point::new((x + dx) as i32, (y + dy) as i32), colour))
            .collect();
        match self.draw_iter(pixels) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
