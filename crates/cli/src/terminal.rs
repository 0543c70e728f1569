//! Output on a terminal: its width, and the progress of long work.

use std::env;
use std::io::{self, IsTerminal};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// Columns of tables and help where nothing says how many there are, and at most.
pub(crate) const COLUMNS: usize = 80;

/// The fewest that anything is arranged for.
const FEWEST: usize = 20;

/// Columns that the variable `COLUMNS` says, or that the terminal has which the command runs in.
pub(crate) fn columns() -> Option<usize> {
    let of_terminal = || terminal_size::terminal_size().map(|(width, _)| width.0.into());
    said().or_else(of_terminal).filter(|&n: &usize| n > 0).map(|n| n.max(FEWEST))
}

/// As [`columns`], and none where standard output goes elsewhere than to a terminal.
pub(crate) fn columns_of_output() -> Option<usize> {
    if said().is_some() || io::stdout().is_terminal() { columns() } else { None }
}

/// A progress bar of some steps; `of` names what is counted.
pub(crate) fn progress(steps: usize, of: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?;
    Ok(ProgressBar::new(steps as u64).with_style(style).with_message(of.to_owned()))
}

fn said() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok().filter(|&n| n > 0)
}

/// Breaks a text between words into lines of so many columns; all but the first begin with
/// `indent` spaces. A longer word has a line of its own and is not broken.
pub(crate) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        // A word with the spaces before it.
        let start = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest[start..].find(' ').map_or(rest.len(), |at| start + at);
        let (word, after) = rest.split_at(end);
        if line.trim_start().is_empty() || width(&line) + width(word) <= columns {
            line.push_str(word);
        } else {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = format!("{:indent$}{}", "", &word[start..]);
        }
        rest = after;
    }
    lines + line.trim_end()
}

/// Columns of a text: each of its characters has one, as everything that the command prints.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_go_on_under_the_indent() {
        let text = "check   ran on the CPU, which is the reference";
        let lines = "check   ran on the\n        CPU, which\n        is the\n        reference";
        assert_eq!(wrapped(text, 18, 8), lines);
        assert_eq!(wrapped(text, 80, 8), text);
    }

    #[test]
    fn a_word_that_is_too_long_is_whole_on_a_line_of_its_own() {
        assert_eq!(
            wrapped("a/name/that/is/long then more", 8, 2),
            "a/name/that/is/long\n  then\n  more"
        );
        assert_eq!(wrapped("  indented/and/long", 8, 2), "  indented/and/long");
    }
}
