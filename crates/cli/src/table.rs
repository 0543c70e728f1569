//! How the command's tables look: ruled above, below and under the heading, within 80 columns.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

/// Columns of a terminal that every table fits.
const TERMINAL_WIDTH: u16 = 80;

const RULE: LineStyle = LineStyle::none().fill('─').junction('─');

/// A table with nothing in it.
pub(crate) fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().top_border(RULE).header_separator(RULE).bottom_border(RULE))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(TERMINAL_WIDTH);
    table
}
