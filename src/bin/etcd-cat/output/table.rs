//! Tables that fit the terminal without cutting anything that matters.
//!
//! On a terminal that is too narrow, whole columns are left out, the least telling first, and the last ones wrap.
//! On a pipe and in wide form every column is there and nothing wraps.

use super::text::safe;
use super::words::{coloured, verdict_at_start};
use super::{Format, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Comfy, presets};
use etcd_cat::parallel::{self, PIECE};
use std::borrow::Cow;
use std::iter::repeat_n;
use unicode_width::UnicodeWidthStr as _;

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
        let cells = self.cells.iter().map(|cell| width(cell));
        cells.max().unwrap_or_default().max(self.title.len())
    }

    fn least_width(&self) -> usize {
        let natural = self.natural_width();
        self.min_width.map_or(natural, |least| least.min(natural))
    }
}

/// Columns of the terminal that a safe text takes.
fn width(cell: &str) -> usize {
    if cell.is_ascii() {
        cell.len()
    } else {
        cell.width()
    }
}

/// Every cell is made safe here, whoever filled it.
fn inert(mut cells: Vec<String>) -> Vec<String> {
    parallel::for_each(&mut cells, |cell| {
        let made_safe = match safe(cell) {
            Cow::Borrowed(_) => return,
            Cow::Owned(safe) => safe,
        };
        *cell = made_safe;
    });
    cells
}

/// Renders the columns as a table; nothing at all when there are no rows.
pub(super) fn render(mut columns: Vec<Column>, style: &Style) -> String {
    if columns.iter().all(|column| column.cells.is_empty()) {
        return String::new();
    }
    let width = style.width.filter(|_| style.format != Format::Wide);
    if let Some(width) = width {
        leave_out(&mut columns, width);
    }
    let natural = columns.iter().map(|column| column.natural_width() + GAP);
    let table = match width {
        Some(width) if natural.sum::<usize>() > width + GAP => wrapped(&columns, width),
        _ => unwrapped(&columns),
    };
    colour(&table, style)
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

fn row_count<'c>(columns: impl IntoIterator<Item = &'c Column>) -> usize {
    let rows = columns.into_iter().map(|column| column.cells.len());
    rows.max().unwrap_or_default()
}

/// Each row on one line. Where nothing wraps, blanks are all that is missing, and ten thousand rows must not wait for a
/// library that makes a list of lines out of every cell.
fn unwrapped(columns: &[Column]) -> Vec<String> {
    let rooms = parallel::share(columns.iter(), |(), column| column.natural_width() + GAP);
    let columns: Vec<(&Column, usize)> = columns.iter().zip(rooms).collect();
    let titles = columns.iter().map(|(column, room)| (column.title, *room));
    let rows: Vec<usize> = (0..row_count(columns.iter().map(|(column, _)| *column))).collect();
    let cells = |row: &usize| {
        let cells = columns.iter().map(|(column, room)| {
            let cell = column.cells.get(*row);
            (cell.map_or("", String::as_str), *room)
        });
        line(cells)
    };
    let mut lines = vec![line(titles)];
    lines.extend(parallel::map(&rows, cells));
    lines
}

/// Cells, each with the room that it has.
fn line<'c>(cells: impl Iterator<Item = (&'c str, usize)>) -> String {
    let mut line = String::new();
    for (cell, room) in cells {
        line.push_str(cell);
        line.extend(repeat_n(' ', room.saturating_sub(width(cell))));
    }
    line.truncate(line.trim_end().len());
    line
}

fn wrapped(columns: &[Column], width: usize) -> Vec<String> {
    let mut table = Comfy::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.title));
    for row in 0..row_count(columns) {
        let cell = |column: &Column| column.cells.get(row).cloned().unwrap_or_default();
        table.add_row(columns.iter().map(cell));
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    // The gap after the last column is invisible.
    table.set_width(u16::try_from(width + GAP).unwrap_or(u16::MAX));
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
fn colour(lines: &[String], style: &Style) -> String {
    let column = lines.first().and_then(|header| header.find(VERDICT));
    let pieces = parallel::share(lines.chunks(PIECE), |(), lines| {
        coloured_lines(lines, column, style)
    });
    pieces.concat()
}

fn coloured_lines(lines: &[String], column: Option<usize>, style: &Style) -> String {
    let mut text = String::new();
    for line in lines {
        let split = column.and_then(|at| line.split_at_checked(at));
        match split.and_then(|(left, right)| Some((left, right, verdict_at_start(right)?))) {
            Some((left, right, verdict)) => {
                let rest = right.strip_prefix(verdict.as_str()).unwrap_or(right);
                text.push_str(left);
                text.push_str(&coloured(verdict.as_str(), verdict, style));
                text.push_str(rest);
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_need_not_wrap_looks_the_same_either_way() {
        let cells = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let columns = [
            Column::fixed("ID", 0, cells(["3f9c1a2b7d10", "", "-"])),
            Column::fixed(
                "CLUSTER",
                0,
                cells(["\u{6771}\u{4eac}", "e\u{301}", "prod"]),
            ),
            Column::fixed(VERDICT, 0, cells(["valid", "warning", "x"])),
            Column::wrapping("FINDINGS", 0, cells(["-", "time-skew, size-fell ", ""])),
        ];
        for width in [52, 53, 200] {
            assert_eq!(unwrapped(&columns), wrapped(&columns, width), "{width}");
        }
        assert_ne!(unwrapped(&columns), wrapped(&columns, 51));
    }
}
