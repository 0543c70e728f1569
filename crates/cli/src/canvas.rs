//! Drawing on an image: shapes by embedded-graphics, and text.

use std::convert::Infallible;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, ScaleFont, point};
use embedded_graphics::Drawable;
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Point, Primitive, Size};
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use epaint_default_fonts::UBUNTU_LIGHT;
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

    /// A rectangle of one colour.
    pub(crate) fn fill(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), colour: Rgb888) {
        let area = Rectangle::new(Point::new(x as i32, y as i32), Size::new(width, height));
        self.draw(&area.into_styled(PrimitiveStyle::with_fill(colour)));
    }

    /// A line of text with the top left corner of its line at `(x, y)`.
    pub(crate) fn text(
        &mut self,
        text: &str,
        (x, y): (u32, u32),
        letters: Letters,
        colour: Rgb888,
    ) {
        let ink = [colour.r(), colour.g(), colour.b()].map(f32::from);
        letters.each(text, |glyph, font| {
            let Some(glyph) = font.outline_glyph(glyph) else { return };
            let bounds = glyph.px_bounds();
            glyph.draw(|dx, dy, part| {
                let at = |edge: f32, d: u32, start: u32| edge as i64 + i64::from(d + start);
                let at = (at(bounds.min.x, dx, x), at(bounds.min.y, dy, y));
                let (Ok(x), Ok(y)) = (u32::try_from(at.0), u32::try_from(at.1)) else { return };
                let Some(pixel) = self.0.get_pixel_mut_checked(x, y) else { return };
                // Light letters on light paper are thin: half covered counts as more.
                let part = part.clamp(0.0, 1.0).powf(0.7);
                for (byte, ink) in pixel.0.iter_mut().zip(ink) {
                    *byte = (f32::from(*byte) + (ink - f32::from(*byte)) * part).round() as u8;
                }
            });
        });
    }
}

/// Sizes of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// Of a sheet's name.
    Title,
    /// The title of a part of a sheet.
    Heading,
    /// Of sentences.
    Text,
    /// Of captions and numbers.
    Note,
}

impl Letters {
    /// The height of a line in pixels.
    pub(crate) fn height(self) -> u32 {
        match self {
            Self::Title => 30,
            Self::Heading => 21,
            Self::Text => 17,
            Self::Note => 14,
        }
    }

    /// The width of a line of text in pixels.
    pub(crate) fn width(self, text: &str) -> u32 {
        self.each(text, |_, _| {}).ceil() as u32
    }

    /// The text, cut off with an ellipsis where it is wider than `width`.
    pub(crate) fn fitted(self, text: &str, width: u32) -> String {
        // No letter is read that cannot be shown, however long the text.
        let mut fitted: String = text.chars().take(width as usize).collect();
        if fitted.len() == text.len() && self.width(&fitted) <= width {
            return fitted;
        }
        while fitted.pop().is_some() {
            let cut = format!("{}…", fitted.trim_end());
            if self.width(&cut) <= width {
                return cut;
            }
        }
        fitted
    }

    /// Gives each glyph with its font, and returns the width of the line.
    fn each(self, text: &str, mut with: impl FnMut(Glyph, &FontRef<'static>)) -> f32 {
        static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
        let font = FONT.get_or_init(|| FontRef::try_from_slice(UBUNTU_LIGHT).ok());
        let Some(font) = font else { return 0.0 };
        let font = font.as_scaled(self.height() as f32);
        let (mut x, mut before) = (0.0, None);
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            if let Some(before) = before.replace(id) {
                x += font.kern(before, id);
            }
            let glyph = id.with_scale_and_position(font.scale(), point(x, font.ascent()));
            with(glyph, font.font);
            x += font.h_advance(id);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_it_is_said_to_be_and_has_smooth_edges() {
        let mut page = RgbImage::from_pixel(300, 40, Rgb([255; 3]));
        let text = "every maximum ×2, ε";
        Canvas(&mut page).text(text, (10, 5), Letters::Text, Rgb888::BLACK);
        let inked = page.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 255);
        let columns: Vec<_> = inked.clone().map(|(x, ..)| x).collect();
        let (first, last) = (columns.iter().min(), columns.iter().max());
        let (first, last) = (first.copied().unwrap_or(0), last.copied().unwrap_or(0));
        let width = Letters::Text.width(text);
        assert!((10..14).contains(&first) && last <= 10 + width && last + 4 > 10 + width);
        assert!(inked.filter(|(_, _, pixel)| pixel.0[0] > 60 && pixel.0[0] < 200).count() > 50);
    }

    #[test]
    fn a_line_that_is_too_long_ends_in_an_ellipsis() {
        let line = "Labrador retriever, golden retriever";
        let cut = Letters::Note.fitted(line, 120);
        assert!(cut.ends_with('…') && line.starts_with(cut.trim_end_matches('…')), "{cut}");
        assert!(Letters::Note.width(&cut) <= 120);
        assert_eq!(Letters::Note.fitted("egg", 120), "egg");
    }
}
