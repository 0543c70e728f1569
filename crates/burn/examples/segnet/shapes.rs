//! Images of discs, squares and triangles in noise, and what each of their pixels belongs to.

pub(crate) const HEIGHT: usize = 33;
pub(crate) const WIDTH: usize = 45;

/// Background, disc, square, triangle.
pub(crate) const CLASSES: usize = 4;

/// A drawn image, channels first with numbers from 0 to 1, and the class of each of its pixels.
pub(crate) struct Drawn {
    pub(crate) image: Vec<f32>,
    pub(crate) label: Vec<u8>,
}

impl Drawn {
    /// The image of a number.
    pub(crate) fn new(number: u64) -> Self {
        let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut image = vec![0.0; 3 * HEIGHT * WIDTH];
        let mut label = vec![0; HEIGHT * WIDTH];
        for pixel in &mut image {
            *pixel = 0.4 * random.next();
        }
        for _ in 0..3 {
            let class = 1 + (random.next() * 3.0) as u8;
            let radius = 5.0 + 4.0 * random.next();
            let (top, left) = (random.next() * HEIGHT as f32, random.next() * WIDTH as f32);
            let color = [0.0; 3].map(|_| 0.5 + 0.5 * random.next());
            for y in 0..HEIGHT {
                for x in 0..WIDTH {
                    let (dy, dx) = ((y as f32 - top) / radius, (x as f32 - left) / radius);
                    if !inside(class, dy, dx) {
                        continue;
                    }
                    label[y * WIDTH + x] = class;
                    for (channel, color) in color.into_iter().enumerate() {
                        let at = (channel * HEIGHT + y) * WIDTH + x;
                        image[at] = (color + 0.2 * (random.next() - 0.5)).clamp(0.0, 1.0);
                    }
                }
            }
        }
        Self { image, label }
    }
}

/// Whether a point, in radii from the centre, is in a shape.
fn inside(class: u8, y: f32, x: f32) -> bool {
    match class {
        1 => y * y + x * x <= 1.0,
        2 => y.abs() <= 0.85 && x.abs() <= 0.85,
        _ => y <= 0.8 && x.abs() <= 0.6 * (y + 1.0),
    }
}

/// Numbers from 0 to 1 by xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }
}
