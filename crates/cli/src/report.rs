//! The report of a command, line by line.

use std::io::{self, IsTerminal, Write};

use crate::terminal;

/// Standard output, or standard error where standard output is an output of the command. On a
/// terminal, lines are broken between words.
pub(crate) struct Report {
    out: Box<dyn Write>,
    columns: Option<usize>,
    /// The line that is being written.
    line: Vec<u8>,
}

impl Report {
    /// `output_is_used` says that the command writes an output file to standard output.
    pub(crate) fn new(output_is_used: bool) -> Self {
        let (out, terminal): (Box<dyn Write>, _) = if output_is_used {
            (Box::new(io::stderr()), io::stderr().is_terminal())
        } else {
            (Box::new(io::stdout()), io::stdout().is_terminal())
        };
        let columns = if terminal { terminal::columns() } else { None };
        Self { out, columns, line: Vec::new() }
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        match (self.columns, std::str::from_utf8(&line)) {
            (Some(columns), Ok(text)) if terminal::width(text.trim_end()) > columns => {
                let text = text.trim_end();
                let broken = terminal::wrapped(text, columns, indent(text).min(columns / 2));
                writeln!(self.out, "{broken}")
            }
            _ => self.out.write_all(&line),
        }
    }
}

/// The column where the text of a line begins, after its label or its indent. Continuation lines begin
/// at the same column.
fn indent(line: &str) -> usize {
    /// Columns of the longest label and the spaces after it.
    const LABEL: usize = 12;
    let label = line.len() - line.trim_start().len();
    let label = if label > 0 { Some(label) } else { line.find("  ").filter(|&at| at < LABEL) };
    let text = label.map(|at| line.len() - line[at..].trim_start().len());
    text.filter(|&at| at <= LABEL).unwrap_or(2)
}

impl Write for Report {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&std::mem::take(&mut self.line))?;
        self.out.flush()
    }
}
