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
/// The width of a sheet without its margins, at least: four panels.
pub(crate) const ACROSS: usize = 4;
pub(crate) const WIDTH: u32 = ACROSS as u32 * (SIDE + GAP) - GAP;
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
    /// Rows of panels, so many side by side as a sheet has room for, under one heading.
    pub(crate) fn of(heading: String, text: String, panels: Vec<Panel>) -> Vec<Self> {
        let mut rows = vec![Self { heading, text, panels: Vec::new() }];
        for panel in panels {
            match rows.last_mut().filter(|row| row.panels.len() < ACROSS) {
                Some(row) => row.panels.push(panel),
                None => {
                    let (heading, text) = (String::new(), String::new());
                    rows.push(Self { heading, text, panels: vec![panel] });
                }
            }
        }
        rows
    }

    fn heading_height(&self) -> u32 {
        if self.heading.is_empty() { 0 } else { HEADING }
    }

    fn height(&self) -> u32 {
        let tall = self.panels.iter().map(Panel::height).max().unwrap_or(0);
        self.heading_height() + tall + GAP
    }

    fn width(&self) -> u32 {
        let panels = self.panels.iter().map(|panel| panel.picture.width().max(SIDE) + GAP);
        panels.sum::<u32>().saturating_sub(GAP)
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
        let width = self.rows.iter().map(Row::width).max().unwrap_or(0).max(WIDTH);
        let header = 50 + 21 * self.lines.len() as u32;
        let height = 2 * MARGIN + header + self.rows.iter().map(Row::height).sum::<u32>();
        let mut sheet = RgbImage::from_pixel(2 * MARGIN + width, height, PAPER);
        // Names of files and layers may be of any length.
        let text = |canvas: &mut Canvas<'_>, text: &str, y, letters: Letters, colour| {
            canvas.text(&letters.fitted(text, width), (MARGIN, y), letters, colour);
        };
        let mut canvas = Canvas(&mut sheet);
        text(&mut canvas, &self.title, MARGIN - 6, Letters::Title, INK);
        for (i, line) in self.lines.iter().enumerate() {
            text(&mut canvas, line, MARGIN + 34 + 21 * i as u32, Letters::Text, FAINT);
        }
        let mut y = MARGIN + header;
        for row in &self.rows {
            let mut canvas = Canvas(&mut sheet);
            text(&mut canvas, &row.heading, y, Letters::Heading, INK);
            text(&mut canvas, &row.text, y + 24, Letters::Text, FAINT);
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
