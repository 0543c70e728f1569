//! Running the command, in a directory of the test's own.

pub(crate) mod npy;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

/// A directory of one test, gone when the test is.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let dir = env::temp_dir().join(format!("unpool-{test}-{}", process::id()));
        fs::create_dir_all(&dir).expect("the temporary directory is writable");
        Self(dir)
    }

    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).expect("the temporary directory is writable");
        path
    }

    /// Names of all files in it.
    pub(crate) fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(&self.0).expect("the directory is there");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("it is readable").file_name()).collect();
        names.sort();
        names
    }

    /// What its files hold, in the order of their names.
    pub(crate) fn contents(&self) -> Vec<Option<Vec<u8>>> {
        self.names().iter().map(|name| fs::read(self.0.join(name)).ok()).collect()
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.0.join("out")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left over in the system's own is no failure of the test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn unpool(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unpool"))
        .args(arguments)
        .env_remove("RUST_LOG")
        // Without one, a library of the window system remarks on it on standard error.
        .env("XDG_RUNTIME_DIR", env::temp_dir())
        .output()
        .expect("the command starts")
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the temporary directory has a name in UTF-8")
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().expect("the command ends by itself")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks the answer to a bad question: exit status 2, one line that has `what` in it, no file.
pub(crate) fn assert_refused(arguments: &[&str], what: &str, scratch: &Scratch) {
    let before = (scratch.names(), scratch.contents());
    let output = unpool(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status(&output), 2, "{arguments:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
    assert!(error.contains(what), "{arguments:?}: {error}");
    let after = (scratch.names(), scratch.contents());
    assert!(after == before, "{arguments:?} wrote files: {:?}", after.0);
}
