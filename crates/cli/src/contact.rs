//! A contact sheet of any number of rows of labelled panels.

use embedded_graphics::mono_font::iso_8859_1::{FONT_8X13, FONT_9X15, FONT_9X18_BOLD, FONT_10X20};
use embedded_graphics::pixelcolor::Rgb888;
use image::{Rgb, RgbImage, imageops};

use crate::canvas::Canvas;
use crate::projection::stretched;

const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb888 = Rgb888::new(28, 32, 38);
const FAINT: Rgb888 = Rgb888::new(96, 102, 112);
const RULE: Rgb888 = Rgb888::new(208, 210, 212);

/// The side of a panel.
pub(crate) const SIDE: u32 = 224;
const GAP: u32 = 22;
const MARGIN: u32 = 32;
/// A heading and a line above each row.
const HEADING: u32 = 46;
/// A line above each panel.
const CAPTION: u32 = 20;
/// Width of a letter of the lines at the top.
const LETTER: u32 = 9;

/// A picture and its caption.
pub(crate) struct Panel {
    pub(crate) caption: String,
    pub(crate) picture: RgbImage,
}

impl Panel {
    pub(crate) fn new(caption: impl Into<String>, picture: RgbImage) -> Self {
        Self { caption: caption.into(), picture }
    }
}

/// A row of panels under one heading.
pub(crate) struct Row {
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) panels: Vec<Panel>,
}

/// The whole sheet.
pub(crate) struct Contact {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl Contact {
    pub(crate) fn draw(&self) -> RgbImage {
        let columns = self.rows.iter().map(|row| row.panels.len()).max().unwrap_or(1) as u32;
        let longest = self.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as u32;
        let width = 2 * MARGIN + (columns * (SIDE + GAP) - GAP).max(longest * LETTER);
        let header = 40 + 20 * self.lines.len() as u32;
        let pictures: Vec<Vec<_>> = self
            .rows
            .iter()
            .map(|row| row.panels.iter().map(|p| stretched(&p.picture, SIDE)).collect())
            .collect();
        let tall = |row: &[RgbImage]| row.iter().map(RgbImage::height).max().unwrap_or(0);
        let height = 2 * MARGIN
            + header
            + pictures.iter().map(|row| HEADING + CAPTION + tall(row) + GAP).sum::<u32>();
        let mut sheet = RgbImage::from_pixel(width, height, PAPER);
        let mut canvas = Canvas(&mut sheet);
        canvas.text(&self.title, (MARGIN, MARGIN), &FONT_10X20, INK);
        for (i, line) in self.lines.iter().enumerate() {
            canvas.text(line, (MARGIN, MARGIN + 28 + 20 * i as u32), &FONT_9X15, FAINT);
        }
        let mut y = MARGIN + header;
        for (row, pictures) in self.rows.iter().zip(&pictures) {
            let mut canvas = Canvas(&mut sheet);
            canvas.text(&row.heading, (MARGIN, y), &FONT_9X18_BOLD, INK);
            canvas.text(&row.text, (MARGIN, y + 22), &FONT_9X15, FAINT);
            y += HEADING;
            for (i, (panel, picture)) in row.panels.iter().zip(pictures).enumerate() {
                let x = MARGIN + i as u32 * (SIDE + GAP);
                let mut canvas = Canvas(&mut sheet);
                canvas.text(&panel.caption, (x, y), &FONT_8X13, FAINT);
                canvas.frame((x, y + CAPTION), picture.dimensions(), RULE);
                imageops::overlay(&mut sheet, picture, x.into(), (y + CAPTION).into());
            }
            y += CAPTION + tall(pictures) + GAP;
        }
        sheet
    }
}
