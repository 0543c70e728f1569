//! Unfinished files, and the directories created for them, which must not be left behind.
//!
//! They are listed from the moment they exist, and removed where the command fails or a signal ends
//! it. Each step that creates, renames or removes one of them keeps the list locked, so that a signal
//! is handled before or after the step, and never in between.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

/// In the order they were made.
static LISTED: Mutex<Vec<Made>> = Mutex::new(Vec::new());

enum Made {
    File(PathBuf),
    /// Removed only where nothing is in it.
    Directory(PathBuf),
}

fn listed() -> MutexGuard<'static, Vec<Made>> {
    // A list is whole after every step on it.
    LISTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a file.
pub(crate) fn file(path: &Path) -> io::Result<File> {
    let mut listed = listed();
    let file = File::create(path)?;
    listed.push(Made::File(path.to_owned()));
    Ok(file)
}

/// Creates a file by `make`, which returns its path.
pub(crate) fn file_by<T, E>(make: impl FnOnce() -> Result<(T, PathBuf), E>) -> Result<T, E> {
    let mut listed = listed();
    let (made, path) = make()?;
    listed.push(Made::File(path));
    Ok(made)
}

/// Creates a directory and its missing parents.
pub(crate) fn directory(path: &Path) -> Result<()> {
    let mut listed = listed();
    let missing: Vec<_> = path.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing.into_iter().rev().filter(|dir| !dir.as_os_str().is_empty()) {
        // `a/..` exists once `a` does.
        if !dir.is_dir() {
            fs::create_dir(dir).with_context(|| dir.display().to_string())?;
            listed.push(Made::Directory(dir.to_owned()));
        }
    }
    Ok(())
}

/// Gives finished files their names: `(part, name)`.
pub(crate) fn rename(files: &[(PathBuf, &Path)]) -> Result<()> {
    let mut listed = listed();
    for (part, name) in files {
        fs::rename(part, name).with_context(|| name.display().to_string())?;
        listed.retain(|made| !matches!(made, Made::File(path) if path == part));
    }
    Ok(())
}

/// Lets a file stay: it is finished under the name it was made with.
pub(crate) fn keep(file: &Path) {
    listed().retain(|made| !matches!(made, Made::File(path) if path == file));
}

/// Removes everything that is listed.
pub(crate) fn remove() {
    empty(&mut listed());
}

fn empty(listed: &mut Vec<Made>) {
    // A failure to remove is not reported: the error that led here is.
    while let Some(made) = listed.pop() {
        let _ = match made {
            Made::File(path) => fs::remove_file(path),
            Made::Directory(path) => fs::remove_dir(path),
        };
    }
}

/// Removes everything when a signal ends the command, which then ends as that signal ends any: a
/// shell sees status 130 for an interrupt, and 143 for a request to terminate.
#[cfg(unix)]
pub(crate) fn remove_on_signals() -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // Locked until the process ends, so that no file is created any more.
            let mut listed = listed();
            empty(&mut listed);
            // Returns only for signals that end nothing, which these are not.
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}
