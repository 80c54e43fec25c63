//! Tables that fit the terminal without cutting anything that matters.
//!
//! On a terminal that is too narrow, whole columns are left out, the least telling first, and the last ones wrap.
//! On a pipe and in wide form every column is there and nothing wraps.

use super::cells::{Cells, in_pieces, width};
use super::words::{coloured, verdict_at_start};
use super::{Format, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Comfy, presets};
use etcd_cat::parallel;

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
    pieces: Vec<Cells>,
}

impl Column {
    /// A column whose cells stay on one line.
    pub(super) fn fixed(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self::of_pieces(title, rank, in_pieces(cells))
    }

    /// The same of cells in pieces, as many in each as in those of the other columns.
    pub(super) fn of_pieces(title: &'static str, rank: u8, pieces: Vec<Cells>) -> Self {
        Self {
            title,
            rank,
            min_width: None,
            pieces,
        }
    }

    /// A column of codes, which wraps between them.
    pub(super) fn wrapping(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self::fixed(title, rank, cells).wrapped()
    }

    /// It wraps between codes.
    pub(super) fn wrapped(self) -> Self {
        Self {
            min_width: Some(LONGEST_CODE),
            ..self
        }
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().flat_map(Cells::iter)
    }

    fn natural_width(&self) -> usize {
        let cells = self.pieces.iter().map(Cells::width);
        cells.max().unwrap_or_default().max(self.title.len())
    }

    fn least_width(&self) -> usize {
        let natural = self.natural_width();
        self.min_width.map_or(natural, |least| least.min(natural))
    }
}

/// Renders the columns as a table; nothing at all when there are no rows.
pub(super) fn render(mut columns: Vec<Column>, style: &Style) -> String {
    if columns.iter().all(|column| column.cells().next().is_none()) {
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

/// Each row on one line, in pieces of lines after the titles. Where nothing wraps, blanks are all that is missing, and ten
/// thousand rows must not wait for a library that makes a list of lines out of every cell.
fn unwrapped(columns: &[Column]) -> Vec<String> {
    let columns: Vec<(&Column, usize)> = columns
        .iter()
        .map(|column| (column, column.natural_width() + GAP))
        .collect();
    let mut titles = String::new();
    push_line(
        &mut titles,
        columns.iter().map(|(column, room)| (column.title, *room)),
    );
    let pieces = columns.iter().map(|(column, _)| column.pieces.len());
    let pieces = parallel::share(0..pieces.max().unwrap_or_default(), |(), piece| {
        let cells = columns
            .iter()
            .map(|(column, room)| (column.pieces.get(piece), *room));
        lines(&cells.collect::<Vec<_>>())
    });
    std::iter::once(titles).chain(pieces).collect()
}

/// One piece of each column, each with the room that it has.
fn lines(columns: &[(Option<&Cells>, usize)]) -> String {
    let rows = columns
        .iter()
        .filter_map(|(cells, _)| Some((*cells)?.len()));
    let rows = rows.max().unwrap_or_default();
    let room: usize = columns.iter().map(|(_, room)| room).sum();
    let mut text = String::with_capacity(rows * (room + 1));
    let mut columns: Vec<_> = columns
        .iter()
        .map(|(cells, room)| (cells.map(Cells::iter).into_iter().flatten(), *room))
        .collect();
    for _ in 0..rows {
        let cells = columns.iter_mut();
        let cells = cells.map(|(cells, room)| (cells.next().unwrap_or_default(), *room));
        push_line(&mut text, cells);
    }
    text
}

/// Cells, each with the room that it has, on one line.
fn push_line<'c>(text: &mut String, cells: impl Iterator<Item = (&'c str, usize)>) {
    let start = text.len();
    for (cell, room) in cells {
        text.push_str(cell);
        push_blanks(text, room.saturating_sub(width(cell)));
    }
    let line = text.get(start..).unwrap_or_default();
    text.truncate(start + line.trim_end().len());
    text.push('\n');
}

fn push_blanks(text: &mut String, mut number: usize) {
    const BLANKS: &str = "                                                                ";
    while let Some(last) = number.checked_sub(BLANKS.len()) {
        text.push_str(BLANKS);
        number = last;
    }
    text.push_str(BLANKS.get(..number).unwrap_or_default());
}

/// Lines of a table whose cells wrap, the titles first.
fn wrapped(columns: &[Column], width: usize) -> Vec<String> {
    let mut table = Comfy::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.title));
    let mut cells: Vec<_> = columns.iter().map(Column::cells).collect();
    loop {
        let row: Vec<Option<&str>> = cells.iter_mut().map(Iterator::next).collect();
        if row.iter().all(Option::is_none) {
            break;
        }
        table.add_row(row.into_iter().map(Option::unwrap_or_default));
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
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Colours the verdicts after the widths are settled: a table cannot measure colours.
fn colour(pieces: &[String], style: &Style) -> String {
    if !style.is_coloured {
        return pieces.concat();
    }
    let column = pieces.first().and_then(|titles| titles.find(VERDICT));
    let pieces = parallel::share(pieces.iter(), |(), lines| {
        coloured_lines(lines, column, style)
    });
    pieces.concat()
}

fn coloured_lines(lines: &str, column: Option<usize>, style: &Style) -> String {
    let mut text = String::new();
    for line in lines.split_inclusive('\n') {
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
            let wrapped = wrapped(&columns, width).concat();
            assert_eq!(unwrapped(&columns).concat(), wrapped, "{width}");
        }
        assert_ne!(unwrapped(&columns).concat(), wrapped(&columns, 51).concat());
    }
}
