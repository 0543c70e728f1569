//! The contact sheet: the whole demonstration on one page, in rows of three panels.

use anyhow::Result;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Primitive, Size};
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use image::{Rgb, RgbImage, imageops};

use crate::canvas::{Canvas, Letters};
use crate::levels::{KERNEL, Level, extents, positions, scatter};
use crate::panel::{self, Detail, SHOWN_CHANNEL, enlarge, fit, spread, spread_side};
use crate::{argmax_map, picture, tilt};

const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb888 = Rgb888::new(28, 32, 38);
const FAINT: Rgb888 = Rgb888::new(96, 102, 112);
const RULE: Rgb888 = Rgb888::new(208, 210, 212);
const RIGHT: Rgb888 = Rgb888::new(0, 122, 88);
const WRONG: Rgb888 = Rgb888::new(196, 60, 30);

/// Width of a panel: that of the picture the program draws.
const COLUMN: u32 = 401;
const GAP: u32 = 26;
const MARGIN: u32 = 36;
const WIDTH: u32 = 2 * MARGIN + 3 * COLUMN + 2 * GAP;
/// Title, two lines and a rule.
const HEADER: u32 = 138;
/// A heading and a line of text above each panel.
const CAPTION: u32 = 48;
/// The tallest that an image is shown.
const TALLEST: u32 = 440;
/// Levels that the pyramid shows.
const PYRAMID: usize = 3;
/// Enlargement of the details of kept pixels, and of the detail of windows.
const TIMES: u32 = 7;
const WINDOW_TIMES: u32 = 20;

/// The contents of the sheet.
pub(crate) struct Sheet<'a> {
    pub(crate) image: &'a RgbImage,
    pub(crate) levels: &'a [Level],
    /// The image that the wrong index arithmetic makes of the same argmax, of the same size.
    pub(crate) tilted: &'a [f32],
}

struct Panel {
    heading: String,
    text: String,
    colour: Rgb888,
    image: RgbImage,
    /// Whether a legend of the taps' colours is drawn next to the caption.
    legend: bool,
    /// Whether it is one image, which a line sets off from the paper.
    framed: bool,
}

impl Panel {
    fn new(heading: &str, text: impl Into<String>, colour: Rgb888, image: RgbImage) -> Self {
        Self {
            heading: heading.into(),
            text: text.into(),
            colour,
            image,
            legend: false,
            framed: true,
        }
    }
}

impl Sheet<'_> {
    /// Draws it.
    pub(crate) fn draw(&self) -> Result<RgbImage> {
        let detail = self.detail();
        let mut rows = vec![self.pool(detail), self.one_level(detail)?];
        if self.levels.len() > 1 {
            rows.push(self.all_levels(detail)?);
        }
        let header = HEADER;
        let tall = |row: &[Panel; 3]| {
            CAPTION + row.iter().map(|panel| panel.image.height()).max().unwrap_or(0) + 40
        };
        let height = MARGIN + header + rows.iter().map(tall).sum::<u32>() + MARGIN - 32;
        let mut sheet = RgbImage::from_pixel(WIDTH, height, PAPER);
        self.header(&mut Canvas(&mut sheet));
        let mut y = MARGIN + header;
        for row in &rows {
            for (i, panel) in row.iter().enumerate() {
                let x = MARGIN + i as u32 * (COLUMN + GAP);
                let mut canvas = Canvas(&mut sheet);
                canvas.text(&panel.heading, (x, y), Letters::Heading, panel.colour);
                canvas.text(&panel.text, (x, y + 22), Letters::Text, FAINT);
                if panel.legend {
                    let legend = panel::legend(17);
                    let right = x + COLUMN - 1 - legend.width();
                    imageops::overlay(&mut sheet, &legend, right.into(), y.into());
                }
                if panel.framed {
                    Canvas(&mut sheet).frame((x, y + CAPTION), panel.image.dimensions(), RULE);
                }
                imageops::overlay(&mut sheet, &panel.image, x.into(), (y + CAPTION).into());
            }
            y += tall(row);
        }
        Ok(sheet)
    }

    fn header(&self, canvas: &mut Canvas<'_>) {
        canvas.text("unpool", (MARGIN, MARGIN - 6), Letters::Title, INK);
        let (width, height) = self.image.dimensions();
        let count = self.levels.len();
        let levels = if count == 1 { "1 level".into() } else { format!("{count} levels") };
        let line = format!(
            "{width}×{height} RGB through {levels} of 2×2 max pooling with argmax, and back to {width}×{height}"
        );
        canvas.text(&line, (MARGIN, MARGIN + 40), Letters::Heading, INK);
        let line = "Each window keeps its maximum and one byte: which of its cells won. \
                    Unpooling reads that byte and no width, so an odd size cannot tilt it.";
        canvas.text(line, (MARGIN, MARGIN + 70), Letters::Text, FAINT);
        let rule = Rectangle::new(
            Point::new(MARGIN as i32, (MARGIN + HEADER - 32) as i32),
            Size::new(WIDTH - 2 * MARGIN, 1),
        );
        canvas.draw(&rule.into_styled(PrimitiveStyle::with_fill(RULE)));
    }

    /// The input, the pooled values, and the positions of the maxima.
    fn pool(&self, detail: Detail) -> [Panel; 3] {
        let sizes: Vec<_> = self
            .levels
            .iter()
            .take(PYRAMID)
            .map(|level| {
                let [height, width] = extents(level.geometry.pooled_shape());
                format!("{width}×{height}")
            })
            .collect();
        let more = if self.levels.len() > PYRAMID { ", ..." } else { "" };
        let sizes = sizes.join(", ") + more;
        let (width, height) = self.image.dimensions();
        let input = panel::framed(fit(self.image, COLUMN, TALLEST), self.image, detail);
        let part = detail.middle(COLUMN / WINDOW_TIMES, 16);
        let winners = panel::winners(&self.levels[0], self.image, part, WINDOW_TIMES);
        let text = format!("{width}×{height}, framed: the detail below");
        let mut argmax = Panel::new(
            "argmax of green, level 1",
            "the winning cell of each 2×2 window",
            INK,
            winners,
        );
        argmax.legend = true;
        let mut pyramid =
            Panel::new("pooled, and its argmax in colour", sizes, INK, self.pyramid());
        pyramid.framed = false;
        [Panel::new("input", text, INK, input), pyramid, argmax]
    }

    /// Where the details are taken from.
    fn detail(&self) -> Detail {
        let shown = fit(self.image, COLUMN, TALLEST);
        Detail::liveliest(self.image, COLUMN / TIMES, (shown.height() / TIMES).max(1))
    }

    /// The pooled levels side by side, and under each its argmax.
    fn pyramid(&self) -> RgbImage {
        let gap = 24;
        let shown = &self.levels[..self.levels.len().min(PYRAMID)];
        let full = fit(self.image, COLUMN, TALLEST);
        let mut images = Vec::new();
        for (i, Level { geometry, pooled, .. }) in shown.iter().enumerate() {
            let values = picture::from_cells(&pooled.values, extents(geometry.pooled_shape()));
            let map = argmax_map::channel(geometry, &pooled.taps, SHOWN_CHANNEL);
            let (width, height) = (full.width().div_ceil(2 << i), full.height().div_ceil(2 << i));
            let scaled = |image: &RgbImage| {
                imageops::resize(image, width, height, imageops::FilterType::Nearest)
            };
            images.push((scaled(&values), scaled(&map)));
        }
        let tall = images[0].0.height();
        let mut pyramid = RgbImage::from_pixel(COLUMN, 2 * tall + gap, PAPER);
        let mut x = 0;
        for (values, map) in &images {
            imageops::overlay(&mut pyramid, values, x, 0);
            imageops::overlay(&mut pyramid, map, x, (tall + gap).into());
            x += i64::from(values.width() + gap);
        }
        pyramid
    }

    /// The first level's maxima put back.
    fn one_level(&self, detail: Detail) -> Result<[Panel; 3]> {
        let first = &self.levels[..1];
        let tilted_positions = positions(first, tilt::decode)?;
        let tilted = scatter(first, &tilted_positions);
        self.compare("1 level", first, &first[0].unpooled, &tilted, detail)
    }

    /// The last level's maxima put back through every level.
    fn all_levels(&self, detail: Detail) -> Result<[Panel; 3]> {
        let name = format!("{} levels", self.levels.len());
        self.compare(&name, self.levels, &self.levels[0].restored, self.tilted, detail)
    }

    fn compare(
        &self,
        name: &str,
        levels: &[Level],
        restored: &[f32],
        tilted: &[f32],
        detail: Detail,
    ) -> Result<[Panel; 3]> {
        let size = [self.image.height() as usize, self.image.width() as usize];
        let side = spread_side(levels.len());
        let shown =
            |cells| Ok::<_, anyhow::Error>(fit(&spread(cells, size, side)?, COLUMN, TALLEST));
        let own = positions(levels, |_, index| Some(index))?;
        let moved =
            own.iter().zip(positions(levels, tilt::decode)?).filter(|(a, b)| *a != b).count();
        let [_, pooled_width] = extents(levels[0].geometry.pooled_shape());
        let read = if levels.len() == 1 {
            format!("same argmax read {} wide", pooled_width * KERNEL)
        } else {
            "same argmax".into()
        };
        let misplaced = match moved {
            0 => "an even width: nothing is misplaced".into(),
            _ => format!("{read}: {:.1} % misplaced", 100.0 * moved as f64 / own.len() as f64),
        };
        let one_in = restored.len() as f64 / own.len() as f64;
        let ghost = panel::kept_over_ghost(self.image, restored);
        Ok([
            Panel::new(
                &format!("unpooled, {name}"),
                format!("1 in {one_in:.0} kept, each at its position, drawn {side}×{side}"),
                RIGHT,
                shown(restored)?,
            ),
            Panel::new(
                &format!("width × kernel arithmetic, {name}"),
                misplaced,
                WRONG,
                shown(tilted)?,
            ),
            Panel::new(
                "detail: kept pixels over the input",
                format!("×{TIMES}, input darkened"),
                INK,
                enlarge(&detail.of(&ghost), TIMES),
            ),
        ])
    }
}
