//! The command `unpool`, as functions: [`run`] is the command itself, which the Python package has too, and
//! [`sheets`] draws what `unpool visualize` draws.

mod argmax;
mod argmax_map;
mod axes;
mod bench;
mod board;
mod canvas;
mod check;
mod colours;
mod contact;
mod demo;
mod devices;
mod drawing;
mod element;
mod files;
mod growth;
mod layers;
mod levels;
mod maps;
mod maximize;
mod network;
mod npy;
mod options;
mod outcome;
mod panel;
mod picture;
mod pool;
mod reach;
mod reference;
mod report;
mod responses;
mod run;
mod segment;
mod segmentation;
mod sheet;
mod sink;
mod source;
mod stream;
mod table;
mod terminal;
mod tilt;
mod unfinished;
mod unpool;
mod usage;
mod verify;
mod visualize;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use outcome::Outcome;
use report::Report;
use sink::Sink;

pub use image::RgbImage;
pub use visualize::sheets;

/// Max pooling with argmax, and unpooling, on any GPU and on the CPU.
#[derive(Parser)]
#[command(name = "unpool", version)]
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
    /// Pool an array of NumPy: values and, if asked for, argmax.
    Pool(pool::Args),
    /// Put pooled values back at the positions of an argmax.
    Unpool(unpool::Args),
    /// Check a device against cases computed by PyTorch, TensorFlow and ONNX Runtime.
    Verify(verify::Args),
    /// List the layers of a trained network.
    Layers(layers::Args),
    /// Run a trained network on an image or an array: its output, or the responses of layers.
    Run(run::Args),
    /// Project the responses of a network's layers back to an image.
    Visualize(visualize::Args),
    /// Make images that excite a class or a channel of a network.
    Maximize(maximize::Args),
    /// Label every pixel of an image with an encoder-decoder.
    Segment(segment::Args),
}

impl Command {
    /// Whether standard output is a file that the command writes.
    fn writes_standard_output(&self) -> bool {
        let any = |outputs: &[(&str, &Sink)]| outputs.iter().any(|(_, s)| s.is_standard());
        match self {
            Self::Bench(args) => any(&args.outputs()),
            Self::Pool(args) => any(&args.outputs()),
            Self::Unpool(args) => any(&args.outputs()),
            Self::Segment(args) => any(&args.outputs()),
            Self::Run(args) => any(&args.outputs()),
            Self::Devices(_)
            | Self::Demo(_)
            | Self::Verify(_)
            | Self::Layers(_)
            | Self::Maximize(_)
            | Self::Visualize(_) => false,
        }
    }

    fn run(&self, out: &mut impl Write) -> anyhow::Result<Outcome> {
        match self {
            Self::Bench(args) => bench::run(args, out),
            Self::Devices(args) => devices::run(args, out),
            Self::Demo(args) => demo::run(args, out),
            Self::Pool(args) => pool::run(args, out),
            Self::Unpool(args) => unpool::run(args, out),
            Self::Verify(args) => verify::run(args, out),
            Self::Layers(args) => layers::run(args, out),
            Self::Run(args) => run::run(args, out),
            Self::Visualize(args) => visualize::run(args, out),
            Self::Maximize(args) => maximize::run(args, out),
            Self::Segment(args) => segment::run(args, out),
        }
    }
}

/// Runs the command with the arguments of a process, the first of which is its name, and returns the exit
/// status: 0 if all results agreed, 1 if a result differed, 2 if the command failed. Then it prints one line
/// on standard error and writes no file.
///
/// A signal leaves no file either: on Unix this waits for signals, and ends the process on one.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let matches = usage::fitted(Cli::command()).try_get_matches_from(arguments);
    let command = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(Cli { command }) => command,
        Err(error) => return misunderstood(&error),
    };
    // Silent unless asked: a driver's own remarks are not part of an answer.
    let quiet = env_logger::Env::default().default_filter_or("off");
    // An application that calls this may have a logger of its own.
    let _ = env_logger::Builder::from_env(quiet).try_init();
    #[cfg(unix)]
    if let Err(error) = unfinished::remove_on_signals() {
        tell(&format!("signals cannot be waited for: {error}"));
        return 2;
    }
    let mut out = Report::new(command.writes_standard_output());
    let answer = command.run(&mut out).and_then(|outcome| Ok(out.flush().map(|()| outcome)?));
    match answer {
        Ok(Outcome::Agrees) => 0,
        Ok(Outcome::Differs) => 1,
        Err(error) => {
            unfinished::remove();
            if is_closed_pipe(&error) {
                return 0;
            }
            tell(&told(&error));
            2
        }
    }
}

/// Prints an error on standard error, in one line that is wrapped only at a terminal's width.
fn tell(message: &str) {
    let line = format!("unpool: {}", one_line(message));
    let columns = terminal::columns().filter(|_| io::stderr().is_terminal());
    let line = columns.map_or(line.clone(), |columns| terminal::wrapped(&line, columns, 2));
    // Nobody is left to tell where standard error has gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// The message of an error and its causes, outermost first, where some errors repeat their cause.
pub fn told(error: &anyhow::Error) -> String {
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

/// Prints the help that was asked for, or the fault of the arguments.
fn misunderstood(error: &clap::Error) -> u8 {
    use clap::error::ErrorKind;
    let help = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    if help.contains(&error.kind())
        || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        // Nobody is left to tell where standard output has gone.
        let _ = error.print();
        return error.exit_code() as u8;
    }
    let (message, usage) = usage::misunderstood(error);
    tell(&message);
    if let Some(usage) = usage {
        let _ = writeln!(io::stderr(), "{usage}");
    }
    2
}

/// Whether the reader of an output has gone, as `head` does when it has enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Messages quote names of files and devices, and those may hold anything.
fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
