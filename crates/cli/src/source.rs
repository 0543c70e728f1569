//! What a command reads: a file, or standard input, which is called `-`.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The names of standard input.
const NAMES: [&str; 4] = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// A file to be read, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
}

impl From<OsString> for Source {
    fn from(name: OsString) -> Self {
        match name.to_str() {
            Some(name) if NAMES.contains(&name) => Self::StandardInput,
            _ => Self::File(name.into()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => f.write_str("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Source {
    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::StandardInput => None,
            Self::File(path) => Some(path),
        }
    }

    /// Opens it for one reading from the start.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::StandardInput => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }

    /// The file's name without its directory and ending, for what is made of it.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::StandardInput => "stdin".into(),
            Self::File(path) => {
                path.file_stem().map_or("image".into(), |s| s.to_string_lossy().into_owned())
            }
        }
    }
}

/// Refuses standard input for two arguments: it can be read once. Each source comes with the
/// argument that names it.
pub(crate) fn check<'a>(sources: impl IntoIterator<Item = (&'a str, &'a Source)>) -> Result<()> {
    let mut first = None;
    for (argument, source) in sources {
        match first {
            _ if *source != Source::StandardInput => {}
            None => first = Some(argument),
            Some(first) => {
                bail!("{first} and {argument} both name standard input (-); one of them can")
            }
        }
    }
    Ok(())
}
