//! The picture that the demonstration draws when it is given none: text, thin lines and texture,
//! in which a misplaced pixel is seen at once.
//!
//! Its width is odd on every one of three levels (401, 201, 101), so each of them tilts.

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{Point, Primitive, Size};
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle};
use image::{Rgb, RgbImage};

use crate::canvas::{Canvas, Letters};

const WIDTH: u32 = 401;
const HEIGHT: u32 = 301;

/// Draws it.
pub(crate) fn draw() -> RgbImage {
    let mut image = RgbImage::from_fn(WIDTH, HEIGHT, ground);
    let mut canvas = Canvas(&mut image);
    canvas.text("unpool", (24, 18), Letters::Title, Rgb888::WHITE);
    canvas.text("every maximum", (26, 62), Letters::Note, Rgb888::new(255, 214, 120));
    canvas.text("in its own place", (26, 76), Letters::Note, Rgb888::new(255, 214, 120));
    fan(&mut canvas);
    rings(&mut canvas);
    swatches(&mut canvas);
    weave(&mut image);
    image
}

/// Dusk: a gradient bright enough that one pixel in four still shows it, in steps of the eight
/// cells that three levels pool into one, so that the argmax shows the drawing.
fn ground(x: u32, y: u32) -> Rgb<u8> {
    let (across, down) = (x / 8 * 8 * 80 / WIDTH, y / 8 * 8 * 80 / HEIGHT);
    Rgb([(58 + across) as u8, (74 + down / 2) as u8, (150 - down) as u8])
}

/// Thin lines from one point, at every angle.
fn fan(canvas: &mut Canvas<'_>) {
    let from = Point::new(24, 276);
    for i in 0..13 {
        let to = Point::new(24 + i * 13, 116 + i * i);
        let colour = Rgb888::new(120 + 10 * i as u8, 235, 215 - 10 * i as u8);
        canvas.draw(&Line::new(from, to).into_styled(PrimitiveStyle::with_stroke(colour, 1)));
    }
}

/// Circles around one point.
fn rings(canvas: &mut Canvas<'_>) {
    for (i, diameter) in (10..=130).step_by(20).enumerate() {
        let colour = Rgb888::new(255, 190 - 20 * i as u8, 90 + 22 * i as u8);
        let circle = Circle::with_center(Point::new(305, 92), diameter);
        canvas.draw(&circle.into_styled(PrimitiveStyle::with_stroke(colour, 2)));
    }
}

/// Upright bars of plain colour.
fn swatches(canvas: &mut Canvas<'_>) {
    for (i, (r, g, b)) in
        [(236, 72, 72), (242, 160, 40), (240, 220, 70), (70, 190, 110), (70, 140, 230)]
            .into_iter()
            .enumerate()
    {
        let at = Point::new(204 + 15 * i as i32, 184);
        let bar = Rectangle::new(at, Size::new(11, 93));
        canvas.draw(&bar.into_styled(PrimitiveStyle::with_fill(Rgb888::new(r, g, b))));
    }
}

/// A woven texture, soft enough that the text stays the sharpest thing in the picture.
fn weave(image: &mut RgbImage) {
    for y in 184..277 {
        for x in 290..377 {
            let (u, v) = ((x + y) % 12, (x + 24 * 12 - y) % 12);
            let bright = 220 - 8 * u.min(v);
            *image.get_pixel_mut(x, y) = if (x / 6 + y / 6) % 2 == 0 {
                Rgb([bright as u8, (bright - 30) as u8, 130])
            } else {
                Rgb([110, (bright - 60) as u8, bright as u8])
            };
        }
    }
}
