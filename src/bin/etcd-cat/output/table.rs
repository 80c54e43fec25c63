//! Tables that fit the terminal without cutting anything that matters.
//!
//! On a terminal that is too narrow, whole columns are left out, the least telling first, and the last ones wrap.
//! On a pipe and in wide form every column is there and nothing wraps.

use super::Look;
use super::text::safe;
use super::words::{coloured, verdict_at_start};
use crate::args::Format;
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Comfy, presets};
use std::borrow::Cow;

/// Title of the column whose words are coloured.
pub(super) const VERDICT: &str = "VERDICT";

/// Blanks between columns.
const GAP: usize = 2;

/// The longest finding code still fits on a line of its own.
const LONGEST_CODE: usize = 25;

/// One column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    title: &'static str,
    /// Left out first when the number is high; 0 stays.
    rank: u8,
    /// Columns that wrap may become this narrow.
    min_width: Option<usize>,
    cells: Vec<String>,
}

impl Column {
    /// A column whose cells stay on one line.
    pub(super) fn fixed(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self {
            title,
            rank,
            min_width: None,
            cells: inert(cells),
        }
    }

    /// A column of codes, which wraps between them.
    pub(super) fn wrapping(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self {
            title,
            rank,
            min_width: Some(LONGEST_CODE),
            cells: inert(cells),
        }
    }

    fn natural_width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells.max().unwrap_or_default().max(self.title.len())
    }

    fn least_width(&self) -> usize {
        let natural = self.natural_width();
        self.min_width.map_or(natural, |least| least.min(natural))
    }
}

/// Every cell is made safe here, whoever filled it.
fn inert(cells: Vec<String>) -> Vec<String> {
    let made_safe = |cell: String| match safe(&cell) {
        Cow::Borrowed(_) => cell,
        Cow::Owned(safe) => safe,
    };
    cells.into_iter().map(made_safe).collect()
}

/// Renders the columns as a table; nothing at all when there are no rows.
pub(super) fn render(mut columns: Vec<Column>, look: &Look) -> String {
    if columns.iter().all(|column| column.cells.is_empty()) {
        return String::new();
    }
    let width = look.width.filter(|_| look.format != Format::Wide);
    if let Some(width) = width {
        leave_out(&mut columns, width);
    }
    let table = build(&columns, width);
    colour(&table, look)
}

/// Drops columns until the rest fits, highest rank first.
fn leave_out(columns: &mut Vec<Column>, width: usize) {
    let needed = |columns: &[Column]| -> usize {
        columns
            .iter()
            .map(|column| column.least_width() + GAP)
            .sum::<usize>()
            .saturating_sub(GAP)
    };
    while needed(columns) > width {
        let ranks = columns.iter().map(|column| column.rank);
        match ranks.max() {
            Some(rank) if rank > 0 => columns.retain(|column| column.rank != rank),
            _ => break,
        }
    }
}

fn build(columns: &[Column], width: Option<usize>) -> Vec<String> {
    let mut table = Comfy::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.title));
    let rows = columns
        .iter()
        .map(|column| column.cells.len())
        .max()
        .unwrap_or_default();
    for row in 0..rows {
        let cell = |column: &Column| column.cells.get(row).cloned().unwrap_or_default();
        table.add_row(columns.iter().map(cell));
    }
    table.set_content_arrangement(match width {
        Some(_) => ContentArrangement::Dynamic,
        None => ContentArrangement::Disabled,
    });
    if let Some(width) = width {
        // The gap after the last column is invisible.
        table.set_width(u16::try_from(width + GAP).unwrap_or(u16::MAX));
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(shown) = table.column_mut(index) {
            shown.set_padding((0, 2));
            if column.min_width.is_none() {
                shown.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Colours the verdicts after the widths are settled: a table cannot measure colours.
fn colour(lines: &[String], look: &Look) -> String {
    let column = lines.first().and_then(|header| header.find(VERDICT));
    let mut text = String::new();
    for line in lines {
        let split = column.and_then(|at| line.split_at_checked(at));
        match split.and_then(|(left, right)| Some((left, right, verdict_at_start(right)?))) {
            Some((left, right, verdict)) => {
                let rest = right.strip_prefix(verdict.as_str()).unwrap_or(right);
                text.push_str(left);
                text.push_str(&coloured(verdict.as_str(), verdict, look));
                text.push_str(rest);
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}
