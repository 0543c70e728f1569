//! A file or a standard stream, as the command line names it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A standard stream of the process.
pub(crate) trait Stream: Default {
    /// The names by which the command line calls it.
    const NAMES: [&'static str; 4];
    /// Its name in messages.
    const TITLE: &'static str;
}

/// A file, or a standard stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location<S> {
    Standard(S),
    File(PathBuf),
}

impl<S: Stream> From<OsString> for Location<S> {
    fn from(name: OsString) -> Self {
        match name.to_str() {
            Some(name) if S::NAMES.contains(&name) => Self::Standard(S::default()),
            _ => Self::File(name.into()),
        }
    }
}

impl<S: Stream> fmt::Display for Location<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(_) => f.write_str(S::TITLE),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl<S> Location<S> {
    /// The path, if it is a file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Standard(_) => None,
            Self::File(path) => Some(path),
        }
    }

    pub(crate) fn is_standard(&self) -> bool {
        self.path().is_none()
    }
}
