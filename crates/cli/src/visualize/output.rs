//! The outputs of `unpool visualize`: sheets, maps as arrays, and an event file for TensorBoard.

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use unpool_cnn::Activation;

use crate::board::Board;
use crate::files::{self, Files, plain_name};
use crate::npy::{Array, Number};
use crate::source::Source;
use crate::visualize::args::Args;

/// Everything that is ready, or being written.
pub(crate) struct Output<'a> {
    args: &'a Args,
    pub(crate) sheets: Files,
    arrays: Files,
    board: Option<Board>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(args: &'a Args) -> Result<Self> {
        let board = args.logdir.as_deref().map(Board::create).transpose()?;
        Ok(Self { args, sheets: Files::default(), arrays: Files::default(), board })
    }

    /// Writes to the event file, where there is one.
    pub(crate) fn log(&mut self, write: impl FnOnce(&mut Board) -> Result<()>) -> Result<()> {
        self.board.as_mut().map_or(Ok(()), write)
    }

    /// A map of an image, its target, and the method: a picture on the board, and an array.
    pub(crate) fn map(
        &mut self,
        (image, step): (&str, usize),
        (of, method): (&str, &str),
        picture: &RgbImage,
        Activation { shape, data }: &Activation,
    ) -> Result<()> {
        self.log(|board| board.image(&format!("{of}/{method}"), step, picture))?;
        if self.args.maps.is_some() {
            let file = Array::new(Number::F32, shape.clone(), data).to_file()?;
            let of = plain_name(of);
            let stem = format!("{image}.{}.{method}", of.trim_matches('_'));
            self.arrays.add_bytes(&stem, "npy", file)?;
        }
        Ok(())
    }

    /// Writes all files, none of them over an input, and returns their names in words.
    pub(crate) fn write(self, inputs: &[&Source]) -> Result<Vec<String>> {
        let out = self.args.out.as_path();
        let maps = self.args.maps.as_deref().unwrap_or(Path::new(""));
        files::write_all(&[("--out", out, &self.sheets), ("--maps", maps, &self.arrays)], inputs)?;
        let mut written: Vec<_> =
            self.sheets.names().map(|name| out.join(name).display().to_string()).collect();
        if self.arrays.len() > 0 {
            written.push(format!("{}: {} arrays", maps.display(), self.arrays.len()));
        }
        if let (Some(board), Some(dir)) = (self.board, &self.args.logdir) {
            board.finish()?;
            let dir = dir.display();
            written.push(format!("{dir}: tensorboard --logdir {dir}"));
        }
        Ok(written)
    }
}
