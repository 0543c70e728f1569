//! The files that a command writes: all of them, or none.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::{ImageFormat, RgbImage};

use crate::sink::Sink;
use crate::source::Source;
use crate::unfinished;

/// Bytes of a file's name without its ending, at most: systems allow 255 for all of it.
const STEM: usize = 180;

/// Files of one directory that are ready but not written yet.
#[derive(Default)]
pub(crate) struct Files {
    ready: Vec<(String, Vec<u8>)>,
}

impl Files {
    /// Adds an image as a PNG; a name that another has gets a number.
    pub(crate) fn add(&mut self, stem: &str, image: &RgbImage) -> Result<()> {
        self.add_bytes(stem, "png", png(image).with_context(|| stem.to_owned())?)
    }

    /// Adds a file; a name that another has gets a number, and one that is too long is cut off.
    pub(crate) fn add_bytes(&mut self, stem: &str, ending: &str, bytes: Vec<u8>) -> Result<()> {
        let letters = stem.char_indices().map(|(at, _)| at);
        let stem = match letters.take_while(|&at| at <= STEM).last() {
            Some(at) if stem.len() > STEM => &stem[..at],
            _ => stem,
        };
        let mut names = (1..).map(|n| match n {
            1 => format!("{stem}.{ending}"),
            _ => format!("{stem}-{n}.{ending}"),
        });
        let free = names.find(|name| self.names().all(|other| other != name));
        self.ready.push((free.with_context(|| stem.to_owned())?, bytes));
        Ok(())
    }

    /// The number of files.
    pub(crate) fn len(&self) -> usize {
        self.ready.len()
    }

    /// Their contents.
    pub(crate) fn into_bytes(self) -> impl Iterator<Item = Vec<u8>> {
        self.ready.into_iter().map(|(_, bytes)| bytes)
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.ready.iter().map(|(name, _)| name.as_str())
    }

    /// Writes the files into `dir`, as [`write_all`] does.
    pub(crate) fn write(&self, dir: &Path, inputs: &[&Source]) -> Result<()> {
        write_all(&[("--out", dir, self)], inputs)
    }
}

/// Writes files into directories, each named by an option. The directories are created if they do not
/// exist, none of `inputs` is overwritten, and the files get their names only when the last of them is
/// on the disk.
pub(crate) fn write_all(files: &[(&str, &Path, &Files)], inputs: &[&Source]) -> Result<()> {
    let mut ready = Vec::new();
    for (option, dir, files) in files {
        for (name, bytes) in &files.ready {
            let sink = Sink::File(dir.join(name));
            check_outputs(&[(option, &sink)], inputs)?;
            ready.push((sink, bytes));
        }
    }
    write(&ready)
}

/// A name without characters that file names cannot contain on every system.
pub(crate) fn plain_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// An image as the bytes of a PNG file.
pub(crate) fn png(image: &RgbImage) -> Result<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

/// Writes files, and creates their directories. The files get their names only when the last of them
/// is on the disk, and after standard output and devices have received theirs.
pub(crate) fn write<B: AsRef<[u8]>>(files: &[(Sink, B)]) -> Result<()> {
    let (mut parts, mut devices) = (Vec::new(), Vec::new());
    for (sink, bytes) in files {
        let Some(file) = sink.path() else {
            devices.push((sink, bytes));
            continue;
        };
        let Some(name) = file.file_name().filter(|_| !file.is_dir()) else {
            bail!("{sink}: is a directory");
        };
        if file.exists() && !file.is_file() {
            // A pipe or a device, such as /dev/null, is written to and never replaced.
            devices.push((sink, bytes));
            continue;
        }
        unfinished::directory(directory(file))?;
        let part = file.with_file_name(format!(".{}.part", name.display()));
        let written = unfinished::file(&part).and_then(|mut made| made.write_all(bytes.as_ref()));
        written.with_context(|| sink.to_string())?;
        parts.push((part, file));
    }
    for (sink, bytes) in devices {
        let written = match sink {
            Sink::Standard(_) => {
                let mut out = io::stdout().lock();
                out.write_all(bytes.as_ref()).and_then(|()| out.flush())
            }
            Sink::File(file) => fs::write(file, bytes),
        };
        written.with_context(|| sink.to_string())?;
    }
    unfinished::rename(&parts)
}

/// Refuses files that cannot be written, that would be written over an input, or over one another.
/// Each comes with the option that names it.
pub(crate) fn check_outputs(outputs: &[(&str, &Sink)], inputs: &[&Source]) -> Result<()> {
    for (i, (option, sink)) in outputs.iter().enumerate() {
        let Some(file) = sink.path() else {
            if let Some((other, _)) = outputs[..i].iter().find(|(_, o)| o.is_standard()) {
                bail!("{other} and {option} both name standard output (-); one of them can");
            }
            continue;
        };
        ensure!(!file.is_dir(), "{option} {sink}: is a directory; a file is needed");
        ensure!(file.file_name().is_some(), "{option} {sink}: names no file");
        check_directory(option, directory(file))?;
        let Some(path) = final_path(file) else { continue };
        for (other, earlier) in &outputs[..i] {
            let same = earlier.path().and_then(final_path).is_some_and(|other| other == path);
            ensure!(!same, "{other} and {option} name the same file, {sink}");
        }
        for input in inputs.iter().filter_map(|input| input.path()) {
            let same = input.canonicalize().is_ok_and(|input| input == path)
                || final_path(input).is_some_and(|input| input == path);
            ensure!(!same, "{option}: {sink} is read by this command and would be overwritten");
        }
    }
    Ok(())
}

/// Refuses a path that is no directory and cannot become one, before any work is done.
pub(crate) fn check_directory(option: &str, dir: &Path) -> Result<()> {
    ensure!(
        !Sink::from(dir.as_os_str().to_owned()).is_standard(),
        "{option} {}: a directory is needed, and standard output is none; ./- is a directory",
        dir.display()
    );
    let existing = dir.ancestors().find(|dir| dir.exists());
    match existing.filter(|existing| !existing.is_dir()) {
        Some(file) if file == dir => {
            bail!("{option} {}: is a file; a directory is needed", dir.display())
        }
        Some(file) => {
            bail!("{option} {}: {} is a file; a directory is needed", dir.display(), file.display())
        }
        None => Ok(()),
    }
}

/// The canonical path of a file, which need not exist; `None` for a pipe or a device.
fn final_path(file: &Path) -> Option<PathBuf> {
    if file.exists() && !file.is_file() {
        return None;
    }
    Some(resolved(directory(file)).join(file.file_name()?))
}

/// The canonical path of a directory, as far as the directory exists.
fn resolved(dir: &Path) -> PathBuf {
    if let Ok(canonical) = dir.canonicalize() {
        return canonical;
    }
    let mut resolved = dir.parent().map(|_| resolved(directory(dir))).unwrap_or_default();
    match dir.components().next_back() {
        Some(Component::ParentDir) => drop(resolved.pop()),
        Some(Component::Normal(name)) => resolved.push(name),
        _ => {}
    }
    resolved
}

/// The directory that a file is in.
fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}
