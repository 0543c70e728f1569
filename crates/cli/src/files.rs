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

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.ready.iter().map(|(name, _)| name.as_str())
    }

    /// Writes them into `dir`, which is made if it is not there. They get their names only when
    /// the last of them is on the disk.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        check(dir)?;
        let existed = dir.exists();
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let files = self.ready.iter().map(|(name, bytes)| (dir.join(name), bytes));
        let written = write(&files.collect::<Vec<_>>());
        if written.is_err() && !existed {
            // What cannot be removed either is told by the first error.
            let _ = fs::remove_dir(dir);
        }
        written
    }
}

/// Writes files. They get their names only when the last of them is on the disk.
pub(crate) fn write<B: AsRef<[u8]>>(files: &[(PathBuf, B)]) -> Result<()> {
    let mut parts = Vec::new();
    let written = write_parts(files, &mut parts).and_then(|()| {
        parts.iter().try_for_each(|(part, file)| {
            fs::rename(part, file).with_context(|| file.display().to_string())
        })
    });
    if written.is_err() {
        // What cannot be removed either is told by the first error.
        for (part, _) in &parts {
            let _ = fs::remove_file(part);
        }
    }
    written
}

fn write_parts<'a, B: AsRef<[u8]>>(
    files: &'a [(PathBuf, B)],
    parts: &mut Vec<(PathBuf, &'a Path)>,
) -> Result<()> {
    let mut devices = Vec::new();
    for (file, bytes) in files {
        let Some(name) = file.file_name().filter(|_| !file.is_dir()) else {
            bail!("{}: is a directory", file.display());
        };
        if file.exists() && !file.is_file() {
            // A pipe or a device, such as /dev/null, is written to and stays what it is.
            devices.push((file, bytes));
            continue;
        }
        let part = file.with_file_name(format!(".{}.part", name.display()));
        parts.push((part.clone(), file));
        fs::write(&part, bytes).with_context(|| file.display().to_string())?;
    }
    devices.into_iter().try_for_each(|(file, bytes)| {
        fs::write(file, bytes).with_context(|| file.display().to_string())
    })
}

/// Refuses what cannot be a directory of files, before any work is done for it.
pub(crate) fn check(dir: &Path) -> Result<()> {
    if dir.exists() && !dir.is_dir() {
        bail!("--out {}: is a file; a directory is needed", dir.display());
    }
    Ok(())
}
