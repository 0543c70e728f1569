//! The outputs of a command: files, or standard output, which is called `-`.

use crate::stream::{Location, Stream};

/// Standard output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output;

impl Stream for Output {
    const NAMES: [&'static str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    const TITLE: &'static str = "standard output";
}

/// A file to be written, or standard output.
pub(crate) type Sink = Location<Output>;
