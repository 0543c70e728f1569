//! How the command's tables look: ruled above, below and under the heading; where columns do not
//! fit side by side, each row is a list of its own.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width,
};

use crate::terminal::{self, width, wrapped};

const RULE: LineStyle = LineStyle::none().fill('─').junction('─');

/// Spaces on both sides of a cell.
const PADDING: usize = 2;

/// Names and values, or rows of more columns than two. No cell holds a line break.
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The first column whose cells stand at its right.
    right: usize,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new(), right: N }
    }

    /// Lets the cells of a column, and of those after it, stand at its right.
    pub(crate) fn right_from(mut self, column: usize) -> Self {
        self.right = column;
        self
    }

    /// Adds a row of as many cells as the heading has.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The table in as many columns as the terminal has, at most 80.
    pub(crate) fn fitted(&self) -> String {
        self.within(terminal::columns().unwrap_or(terminal::COLUMNS).min(terminal::COLUMNS))
    }

    /// As [`fitted`](Self::fitted), but with every cell whole on one line where standard output is
    /// no terminal: for who searches or copies them.
    pub(crate) fn fitted_or_whole(&self) -> String {
        match terminal::columns_of_output() {
            Some(columns) => self.within(columns.min(terminal::COLUMNS)),
            None => self.drawn(None),
        }
    }

    fn within(&self, columns: usize) -> String {
        let cell = |text: &String| text.split(' ').map(width).max().unwrap_or(0) + PADDING;
        let column = |i: usize| self.lines().map(|row| cell(&row[i])).max().unwrap_or(0);
        let narrowest: usize = (0..self.head.len()).map(column).sum();
        if narrowest <= columns { self.drawn(Some(columns)) } else { self.listed(columns) }
    }

    /// The heading and the rows.
    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.head).chain(&self.rows)
    }

    /// Columns side by side, none narrower than its longest word.
    fn drawn(&self, columns: Option<usize>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(
            TableStyle::new().top_border(RULE).header_separator(RULE).bottom_border(RULE),
        );
        table.set_header(&self.head);
        table.add_rows(&self.rows);
        match columns {
            Some(columns) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(columns.try_into().unwrap_or(u16::MAX)),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for (i, column) in table.column_iter_mut().enumerate() {
            let word = |row: &Vec<String>| row[i].split(' ').map(width).max().unwrap_or(0);
            let word = self.lines().map(word).max().unwrap_or(0) + PADDING;
            let least = Width::Fixed(word.try_into().unwrap_or(u16::MAX));
            column.set_constraint(ColumnConstraint::LowerBoundary(least));
            if i >= self.right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// The rows under each other: a name and its value, or a row's own name and under it the
    /// cells of the other columns, each with its heading.
    fn listed(&self, columns: usize) -> String {
        let rule = "─".repeat(columns);
        let mut lines = vec![rule.clone()];
        let pair = |name: &str, value: &str, indent: usize| {
            let whole = format!("{:indent$}{name}  {value}", "");
            if width(&whole) <= columns {
                return whole;
            }
            let under = format!("{:1$}{value}", "", indent + 2);
            format!("{:indent$}{name}\n{}", "", wrapped(&under, columns, indent + 2))
        };
        if let [name, value] = &self.head[..] {
            lines.push(pair(name, value, 0));
            lines.push(rule.clone());
            lines.extend(self.rows.iter().map(|row| pair(&row[0], &row[1], 0)));
        } else {
            for row in &self.rows {
                lines.push(wrapped(&format!("{} {}", self.head[0], row[0]), columns, 2));
                let others = self.head.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty());
                lines.extend(others.map(|(name, cell)| pair(name, cell, 2)));
            }
        }
        lines.push(rule);
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Table {
        let mut table = Table::new(["layer", "operator", "shape", "parameters", "sees"]);
        let rows = [
            ["features.0.conv1", "Conv", "12×32×32", "120", "3×3"],
            ["relu", "Relu", "", "", "3×3"],
        ];
        rows.into_iter().for_each(|row| table.row(row.map(str::to_owned)));
        table
    }

    #[test]
    fn columns_that_fit_stand_beside_each_other() {
        let drawn = layers().within(80);
        let lines: Vec<_> = drawn.lines().collect();
        assert_eq!(lines.len(), 6, "{drawn}");
        assert!(lines[3].contains("features.0.conv1   Conv       12×32×32"), "{drawn}");
    }

    #[test]
    fn columns_that_do_not_fit_are_listed_under_each_other_with_every_word_whole() {
        let expected = "\
            ────────────────────────────────\n\
            layer features.0.conv1\n  \
              operator  Conv\n  \
              shape  12×32×32\n  \
              parameters  120\n  \
              sees  3×3\n\
            layer relu\n  \
              operator  Relu\n  \
              sees  3×3\n\
            ────────────────────────────────";
        assert_eq!(layers().within(32), expected);
    }

    #[test]
    fn names_and_values_stand_in_a_line_where_they_fit_and_under_each_other_where_not() {
        let mut table = Table::new(["adapter", "llvmpipe (LLVM 15.0.6, 256 bits)"]);
        table.row(["max_storage_buffers_per_shader_stage", "64"].map(str::to_owned));
        let expected = "\
            ──────────────────────────────\n\
            adapter\n  \
              llvmpipe (LLVM 15.0.6, 256\n  \
              bits)\n\
            ──────────────────────────────\n\
            max_storage_buffers_per_shader_stage\n  \
              64\n\
            ──────────────────────────────";
        assert_eq!(table.within(30), expected);
    }
}
