//! The command `unpool`.

use std::process::ExitCode;

/// Gives Mesa's EGL a directory, where the session has none: it would say so on standard error,
/// where a bad question gets one line and nothing else.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "an environment is only changed by unsafe code")]
fn quiet_egl() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the first thing that the process does, and it has one thread.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    quiet_egl();
    ExitCode::from(unpool_cli::run(std::env::args_os()))
}
