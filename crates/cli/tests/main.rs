//! The command as a user meets it.

mod archives;
mod arrays;
mod bench;
mod channels_last;
mod command;
mod explanations;
mod hostile;
mod layouts;
mod network;
mod pictures;
#[cfg(unix)]
mod streams;
mod support;
mod usage;
