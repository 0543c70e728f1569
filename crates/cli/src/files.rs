//! The files a command leaves behind: all of them, or none.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use image::{ImageFormat, RgbImage};

/// Files that are ready but not written yet.
#[derive(Default)]
pub(crate) struct Files {
    ready: Vec<(String, Vec<u8>)>,
}

impl Files {
    /// Adds an image as a PNG.
    pub(crate) fn add(&mut self, name: impl Into<String>, image: &RgbImage) -> Result<()> {
        let name = name.into();
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).with_context(|| name.clone())?;
        self.ready.push((name, png.into_inner()));
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ready.len()
    }

    /// Writes them into `dir`, which is made if it is not there. They get their names only when
    /// the last of them is on the disk.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        check(dir)?;
        let existed = dir.exists();
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let mut parts = Vec::new();
        let written = self.write_parts(dir, &mut parts).and_then(|()| {
            parts.iter().try_for_each(|(part, file)| {
                fs::rename(part, file).with_context(|| file.display().to_string())
            })
        });
        if written.is_err() {
            // What cannot be removed either is told by the first error.
            for (part, _) in &parts {
                let _ = fs::remove_file(part);
            }
            if !existed {
                let _ = fs::remove_dir(dir);
            }
        }
        written
    }

    fn write_parts(&self, dir: &Path, parts: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
        for (name, bytes) in &self.ready {
            let (part, file) = (dir.join(format!(".{name}.part")), dir.join(name));
            if file.is_dir() {
                bail!("{}: is a directory", file.display());
            }
            parts.push((part.clone(), file));
            fs::write(&part, bytes).with_context(|| part.display().to_string())?;
        }
        Ok(())
    }
}

/// Refuses what cannot be a directory of files, before any work is done for it.
pub(crate) fn check(dir: &Path) -> Result<()> {
    if dir.exists() && !dir.is_dir() {
        bail!("--out {}: is a file; a directory is needed", dir.display());
    }
    Ok(())
}
