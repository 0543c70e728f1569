//! The files a command leaves behind: all of them, or none.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::{ImageFormat, RgbImage};

/// Files that are ready but not written yet.
#[derive(Default)]
pub(crate) struct Files {
    ready: Vec<(String, Vec<u8>)>,
}

impl Files {
    /// Adds an image as a PNG; a name that another has gets a number.
    pub(crate) fn add(&mut self, stem: &str, image: &RgbImage) -> Result<()> {
        let mut names = (1..).map(|n| match n {
            1 => format!("{stem}.png"),
            _ => format!("{stem}-{n}.png"),
        });
        let free = names.find(|name| self.names().all(|other| other != name));
        self.add_as(free.with_context(|| stem.to_owned())?, image)
    }

    /// Adds an image as a PNG of this name.
    pub(crate) fn add_as(&mut self, name: String, image: &RgbImage) -> Result<()> {
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

    /// Writes them into `dir`, which is made if it is not there, and over none of `inputs`. They get
    /// their names only when the last of them is on the disk.
    pub(crate) fn write(&self, dir: &Path, inputs: &[&Path]) -> Result<()> {
        check(dir)?;
        for name in self.names() {
            check_outputs(&[("--out", &dir.join(name))], inputs)?;
        }
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

/// Refuses files that would be written over an input, or over one another. Each comes with the
/// option that names it.
pub(crate) fn check_outputs(outputs: &[(&str, &Path)], inputs: &[&Path]) -> Result<()> {
    for (i, (option, file)) in outputs.iter().enumerate() {
        let Some(place) = place(file) else { continue };
        for (other, earlier) in &outputs[..i] {
            let same = self::place(earlier).is_some_and(|earlier| earlier == place);
            ensure!(!same, "{other} and {option} name the same file, {}", file.display());
        }
        for input in inputs {
            let same = input.canonicalize().is_ok_and(|input| input == place)
                || self::place(input).is_some_and(|input| input == place);
            ensure!(
                !same,
                "{option}: {} is read by this command and would be overwritten",
                file.display()
            );
        }
    }
    Ok(())
}

/// Refuses what cannot become a file, before any work is done for it.
pub(crate) fn check_file(option: &str, file: &Path) -> Result<()> {
    ensure!(!file.is_dir(), "{option} {}: is a directory; a file is needed", file.display());
    let dir = directory(file);
    ensure!(dir.is_dir(), "{option} {}: {} is no directory", file.display(), dir.display());
    Ok(())
}

/// Where a file is or would be, whatever way leads there; none for a pipe or a device.
fn place(file: &Path) -> Option<PathBuf> {
    if file.exists() && !file.is_file() {
        return None;
    }
    Some(directory(file).canonicalize().ok()?.join(file.file_name()?))
}

/// The directory that a file is in.
pub(crate) fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Refuses what cannot be a directory of files, before any work is done for it.
pub(crate) fn check(dir: &Path) -> Result<()> {
    if dir.exists() && !dir.is_dir() {
        bail!("--out {}: is a file; a directory is needed", dir.display());
    }
    Ok(())
}
