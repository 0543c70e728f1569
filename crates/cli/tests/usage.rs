//! What is said of arguments that are not known, and how help and tables fit a narrow terminal.

use std::path::Path;
use std::process::Command;

use crate::support::{Scratch, status, stdout, text, unpool};

const SUBCOMMANDS: [&str; 9] =
    ["bench", "devices", "demo", "pool", "unpool", "verify", "layers", "visualize", "segment"];

/// What the command prints in a terminal of so many columns.
fn printed(arguments: &[&str], columns: usize) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unpool"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env("XDG_RUNTIME_DIR", std::env::temp_dir())
        .env("COLUMNS", columns.to_string())
        .output()
        .expect("the command starts");
    assert_eq!(status(&output), 0, "{arguments:?}: {output:?}");
    stdout(&output)
}

fn assert_fits(arguments: &[&str], text: &str, columns: usize) {
    let wide = text.lines().find(|line| line.chars().count() > columns);
    assert_eq!(wide, None, "{arguments:?} in {columns} columns:\n{text}");
}

/// The words of a text, whatever lines they are on.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn a_mistyped_word_gets_a_suggestion_and_the_usage() {
    for (arguments, suggestion, usage) in [
        (&["pol"][..], "'pol'; is 'pool' meant?", "Usage: unpool <COMMAND>"),
        (&["pool", "--kernl", "2"], "'--kernl' found; is '--kernel' meant?", "Usage: unpool pool "),
        (&["unpool", "--index-spce", "taps"], "is '--index-space' meant?", "Usage: unpool unpool "),
        (&["demo", "--levles", "2"], "is '--levels' meant?", "Usage: unpool demo "),
        (&["frobnicate"], "'frobnicate'", "Usage: unpool <COMMAND>"),
    ] {
        let output = unpool(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(status(&output), 2, "{arguments:?}: {error}");
        let mut lines = error.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("unpool: ") && first.contains(suggestion), "{error}");
        assert!(lines.next().is_some_and(|line| line.starts_with(usage)), "{error}");
        assert_fits(arguments, &error, 80);
    }
    let scratch = Scratch::new("values");
    let arguments = ["unpool", "v", "a", "--index-space", "taps", "--overlap", "lst"];
    let arguments = [&arguments[..], &["--kernel", "2", "--out", "x"]].concat();
    crate::support::assert_refused(&arguments, "is 'last' meant?", &scratch);
}

#[test]
fn help_fits_a_narrow_terminal_and_breaks_no_word() {
    for subcommand in SUBCOMMANDS {
        let arguments = [subcommand, "--help"];
        let (wide, narrow) = (printed(&arguments, 80), printed(&arguments, 40));
        assert_fits(&arguments, &wide, 80);
        assert_fits(&arguments, &narrow, 40);
        assert_eq!(words(&narrow), words(&wide), "{subcommand}");
    }
    assert_fits(&["--help"], &printed(&["--help"], 40), 40);
}

#[test]
fn tables_fit_a_narrow_terminal_and_break_no_word() {
    let scratch = Scratch::new("narrow");
    let out = scratch.out();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cnn/tests/data/segnet.onnx");
    for (arguments, what) in [
        (&["layers", text(&model)][..], "parameters"),
        (&["demo", "--device", "cpu", "--out", text(&out)], "728,424"),
        (&["devices"], "max_compute_workgroups_per_dimension"),
    ] {
        let narrow = printed(arguments, 40);
        assert!(narrow.contains(what), "{narrow}");
        // From the first rule to the last there is nothing but tables.
        let rule = |line: &str| line.starts_with('─');
        let lines: Vec<_> = narrow.lines().collect();
        let first = lines.iter().position(|line| rule(line)).expect("a table has rules");
        let last = lines.iter().rposition(|line| rule(line)).expect("a table has rules");
        assert_fits(arguments, &lines[first..=last].join("\n"), 40);
        let wide = printed(arguments, 80);
        for word in words(&wide).into_iter().filter(|word| !word.starts_with('─')) {
            assert!(narrow.contains(word), "{word} in {arguments:?}:\n{narrow}");
        }
    }
    let arguments = ["bench", "--device", "cpu", "--case", "tiny", "--quick"];
    let narrow = printed(&arguments, 40);
    assert!(narrow.contains("tiny max_unpool_backward\n  median "), "{narrow}");
    assert_fits(&arguments, &narrow, 40);
}
