//! What a command writes as one file: a file, or standard output, which is called `-`.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The names of standard output.
const NAMES: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// A file to be written, or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    StandardOutput,
    File(PathBuf),
}

impl From<OsString> for Sink {
    fn from(name: OsString) -> Self {
        match name.to_str() {
            Some(name) if NAMES.contains(&name) => Self::StandardOutput,
            _ => Self::File(name.into()),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardOutput => f.write_str("standard output"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Sink {
    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::StandardOutput => None,
            Self::File(path) => Some(path),
        }
    }

    pub(crate) fn is_standard_output(&self) -> bool {
        *self == Self::StandardOutput
    }
}
