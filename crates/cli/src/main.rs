//! The command `unpool`: what it can be asked, and how it answers.
//!
//! Exit status 0 says that everything agreed, 1 that something differed, 2 that the question was
//! bad: one line on standard error then, and no file.

mod argmax;
mod argmax_map;
mod bench;
mod board;
mod canvas;
mod contact;
mod demo;
mod devices;
mod drawing;
mod element;
mod files;
mod growth;
mod layers;
mod levels;
mod network;
mod npy;
mod options;
mod panel;
mod picture;
mod pool;
mod projection;
mod reference;
mod segment;
mod sessions;
mod sheet;
mod table;
mod tilt;
mod top;
mod unpool;
mod verify;
mod visualize;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Max pooling with argmax, and unpooling, on any GPU and on the CPU.
#[derive(Parser)]
#[command(name = "unpool", version, max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time the operations, as ratios to a copy on the same device.
    Bench(bench::Args),
    /// List the adapters, their limits, and which one would be used.
    Devices(devices::Args),
    /// Pool an image as a SegNet encoder does, unpool it again, check every bit.
    Demo(demo::Args),
    /// Pool an array of NumPy: values and argmax.
    Pool(pool::Args),
    /// Put pooled values back where an argmax says.
    Unpool(unpool::Args),
    /// Check a device against cases computed by PyTorch, TensorFlow and ONNX Runtime.
    Verify(verify::Args),
    /// List the layers of a trained network.
    Layers(layers::Args),
    /// Show what layers of a network responded to in an image.
    Visualize(visualize::Args),
    /// Label every pixel of an image with an encoder-decoder.
    Segment(segment::Args),
}

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Agrees,
    Differs,
}

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
    let command = match Cli::try_parse() {
        Ok(Cli { command }) => command,
        Err(error) => return misunderstood(&error),
    };
    // Silent unless asked: a driver's own remarks are not part of an answer.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let mut out = io::stdout().lock();
    let answer = match command {
        Command::Bench(args) => bench::run(&args, &mut out),
        Command::Devices(args) => devices::run(&args, &mut out),
        Command::Demo(args) => demo::run(&args, &mut out),
        Command::Pool(args) => pool::run(&args, &mut out),
        Command::Unpool(args) => unpool::run(&args, &mut out),
        Command::Verify(args) => verify::run(&args, &mut out),
        Command::Layers(args) => layers::run(&args, &mut out),
        Command::Visualize(args) => visualize::run(&args, &mut out),
        Command::Segment(args) => segment::run(&args, &mut out),
    };
    match answer.and_then(|outcome| Ok(out.flush().map(|()| outcome)?)) {
        Ok(Outcome::Agrees) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(1),
        Err(error) => {
            if !is_closed_pipe(&error) {
                eprintln!("unpool: {}", one_line(&told(&error)));
            }
            ExitCode::from(2)
        }
    }
}

/// What was wrong, from the outside in; some errors repeat the one that they hold.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Prints the help that was asked for, or in one line what was wrong with the arguments.
fn misunderstood(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let help = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    if help.contains(&error.kind())
        || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        // Nobody is left to tell where standard output has gone.
        let _ = error.print();
        return ExitCode::from(error.exit_code() as u8);
    }
    let message = error.to_string();
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let after = ["Usage:", "For more", "tip:"];
    let told = lines.take_while(|line| !after.iter().any(|start| line.starts_with(start)));
    let told = told.collect::<Vec<_>>().join(" ");
    eprintln!("unpool: {}", one_line(told.strip_prefix("error: ").unwrap_or(&told)));
    ExitCode::from(2)
}

/// Whether the reader of standard output has gone, as `head` does: nobody is left to tell.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// Messages quote names of files and devices, and those may hold anything.
fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
