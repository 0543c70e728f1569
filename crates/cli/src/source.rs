//! The inputs of a command: files, or standard input, which is called `-`.

use std::fs::File;
use std::io::{self, Read};

use anyhow::{Result, bail};

use crate::stream::{Location, Stream};

/// Standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input;

impl Stream for Input {
    const NAMES: [&'static str; 4] = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
    const TITLE: &'static str = "standard input";
}

/// A file to be read, or standard input.
pub(crate) type Source = Location<Input>;

impl Location<Input> {
    /// Opens it for reading from the start.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Standard(_) => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }

    /// The file's name without its directory and extension, for the names of files made from it.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::Standard(_) => "stdin".into(),
            Self::File(path) => {
                path.file_stem().map_or("image".into(), |s| s.to_string_lossy().into_owned())
            }
        }
    }
}

/// Refuses standard input for two arguments, because it can be read only once. Each source comes
/// with the argument that names it.
pub(crate) fn check<'a>(sources: impl IntoIterator<Item = (&'a str, &'a Source)>) -> Result<()> {
    let mut first = None;
    for (argument, source) in sources {
        match first {
            _ if !source.is_standard() => {}
            None => first = Some(argument),
            Some(first) => {
                bail!("{first} and {argument} both name standard input (-); one of them can")
            }
        }
    }
    Ok(())
}
