//! A contact sheet of any number of rows of labelled panels.

use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};

use crate::canvas::{Canvas, Letters};
use crate::colours::Colours;
use crate::maps::{Drawn, stretched};

pub(crate) const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb888 = Rgb888::new(28, 32, 38);
const FAINT: Rgb888 = Rgb888::new(96, 102, 112);
const RULE: Rgb888 = Rgb888::new(208, 210, 212);

/// The side of a panel.
pub(crate) const SIDE: u32 = 224;
pub(crate) const GAP: u32 = 22;
const MARGIN: u32 = 32;
/// A heading and a line above each row.
const HEADING: u32 = 46;
/// A line above each panel.
const CAPTION: u32 = 20;

/// A picture and its caption.
pub(crate) struct Panel {
    caption: String,
    /// No wider than a panel, unless it is shown at its own size.
    picture: RgbImage,
    colours: Option<Colours>,
}

impl Panel {
    /// A picture stretched to the side of a panel.
    pub(crate) fn new(caption: impl Into<String>, picture: &RgbImage) -> Self {
        Self::at_own_size(caption, stretched(picture, SIDE))
    }

    /// A picture as it is.
    pub(crate) fn at_own_size(caption: impl Into<String>, picture: RgbImage) -> Self {
        Self { caption: caption.into(), picture, colours: None }
    }

    /// A map with the bar of its colours.
    pub(crate) fn map(caption: impl Into<String>, drawn: &Drawn) -> Self {
        Self { colours: drawn.colours, ..Self::new(caption, &drawn.picture) }
    }

    fn height(&self) -> u32 {
        let bar = if self.colours.is_some() { Colours::HEIGHT } else { 0 };
        CAPTION + self.picture.height() + bar
    }
}

/// A row of panels under one heading; without a heading if that is empty.
pub(crate) struct Row {
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) panels: Vec<Panel>,
}

impl Row {
    fn heading_height(&self) -> u32 {
        if self.heading.is_empty() { 0 } else { HEADING }
    }

    fn height(&self) -> u32 {
        let tall = self.panels.iter().map(Panel::height).max().unwrap_or(0);
        self.heading_height() + tall + GAP
    }

    fn width(&self) -> u32 {
        let panels: u32 =
            self.panels.iter().map(|panel| panel.picture.width().max(SIDE) + GAP).sum();
        let text = Letters::Text.width(&self.text).max(Letters::Heading.width(&self.heading));
        panels.saturating_sub(GAP).max(text)
    }
}

/// The whole sheet.
pub(crate) struct Contact {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl Contact {
    pub(crate) fn draw(&self) -> RgbImage {
        let lines = self.lines.iter().map(|line| Letters::Text.width(line));
        let rows = self.rows.iter().map(Row::width);
        let width = lines.chain(rows).max().unwrap_or(0).max(Letters::Title.width(&self.title));
        let header = 50 + 21 * self.lines.len() as u32;
        let height = 2 * MARGIN + header + self.rows.iter().map(Row::height).sum::<u32>();
        let mut sheet = RgbImage::from_pixel(2 * MARGIN + width, height, PAPER);
        let mut canvas = Canvas(&mut sheet);
        canvas.text(&self.title, (MARGIN, MARGIN - 6), Letters::Title, INK);
        for (i, line) in self.lines.iter().enumerate() {
            canvas.text(line, (MARGIN, MARGIN + 34 + 21 * i as u32), Letters::Text, FAINT);
        }
        let mut y = MARGIN + header;
        for row in &self.rows {
            let mut canvas = Canvas(&mut sheet);
            canvas.text(&row.heading, (MARGIN, y), Letters::Heading, INK);
            canvas.text(&row.text, (MARGIN, y + 24), Letters::Text, FAINT);
            let (mut x, top) = (MARGIN, y + row.heading_height());
            for panel in &row.panels {
                let wide = panel.picture.width().max(SIDE);
                let mut canvas = Canvas(&mut sheet);
                let caption = Letters::Note.fitted(&panel.caption, wide);
                canvas.text(&caption, (x, top), Letters::Note, FAINT);
                canvas.frame((x, top + CAPTION), panel.picture.dimensions(), RULE);
                imageops::overlay(&mut sheet, &panel.picture, x.into(), (top + CAPTION).into());
                if let Some(colours) = panel.colours {
                    let bar = colours.bar(panel.picture.width(), PAPER);
                    let below = top + CAPTION + panel.picture.height() + 2;
                    imageops::overlay(&mut sheet, &bar, x.into(), below.into());
                }
                x += wide + GAP;
            }
            y += row.height();
        }
        sheet
    }
}
