//! Help and faults of the command line: usage lines that fit the terminal, and messages for wrong
//! arguments.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::terminal::{self, wrapped};

/// What a usage line begins with; the lines after it are indented as far.
const START: &str = "Usage: ";

/// The command with help and usage, its own and its subcommands', in the terminal's columns.
pub(crate) fn fitted(command: Command) -> Command {
    let columns = terminal::columns().unwrap_or(terminal::COLUMNS).min(terminal::COLUMNS);
    let mut built = command.clone();
    // Names the subcommands in full, as their usage has them.
    built.build();
    let mut command = command.term_width(columns);
    let usages: Vec<_> = built
        .get_subcommands_mut()
        .map(|sub| (sub.get_name().to_owned(), usage(&sub.render_usage(), columns)))
        .collect();
    for (name, usage) in usages.into_iter().filter(|(name, _)| name != "help") {
        command = command.mut_subcommand(name, |sub| sub.override_usage(usage));
    }
    command
}

/// A usage line without its heading, broken between words.
fn usage(rendered: &StyledStr, columns: usize) -> String {
    let line = rendered.to_string();
    let words: Vec<_> = line.split_whitespace().collect();
    let lines = wrapped(&words.join(" "), columns, START.len());
    lines.strip_prefix(START).unwrap_or(&lines).to_owned()
}

/// The fault of the arguments, in one line. For an unknown argument also the usage, on lines of its
/// own.
pub(crate) fn misunderstood(error: &clap::Error) -> (String, Option<String>) {
    let message = error.to_string();
    let after = [START, "For more", "tip:"];
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.take_while(|line| !after.iter().any(|start| line.starts_with(start)));
    let told = told.collect::<Vec<_>>().join(" ");
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    let unknown = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand);
    let usage = unknown.then(|| message.find(START).map(|at| message[at..].to_owned())).flatten();
    let usage = usage.map(|usage| usage.split("\n\n").next().unwrap_or_default().to_owned());
    (format!("{told}{}", suggestion(error)), usage)
}

/// The arguments that may have been meant.
fn suggestion(error: &clap::Error) -> String {
    let kinds =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let similar: Vec<_> = kinds
        .into_iter()
        .flat_map(|kind| match error.get(kind) {
            Some(ContextValue::String(one)) => vec![one.clone()],
            Some(ContextValue::Strings(several)) => several.clone(),
            _ => Vec::new(),
        })
        .map(|similar| format!("'{similar}'"))
        .collect();
    if similar.is_empty() { String::new() } else { format!("; is {} meant?", similar.join(" or ")) }
}
