//! What stands in the columns of tables.
//!
//! A hundred thousand rows are close to a million cells: texts of their own would take longer to come by, and to give back,
//! than to fill.

use super::text::safe;
use etcd_cat::parallel::PIECE;
use unicode_width::UnicodeWidthStr as _;

/// Cells of one column, one text after the other. Every cell is made safe here, whoever filled it.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    text: String,
    ends: Vec<usize>,
    width: usize,
}

impl Cells {
    pub(super) fn push(&mut self, cell: &str) {
        let cell = safe(cell);
        self.width = self.width.max(width(&cell));
        self.text.push_str(&cell);
        self.ends.push(self.text.len());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let cell = self.text.get(start..*end);
            start = *end;
            cell.unwrap_or_default()
        })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Columns of the terminal that the widest takes.
    pub(super) fn width(&self) -> usize {
        self.width
    }
}

/// Cells in pieces of as many as one processor takes at a time.
pub(super) fn in_pieces(cells: Vec<String>) -> Vec<Cells> {
    let mut pieces = vec![Cells::default(); cells.len().div_ceil(PIECE)];
    for (number, cell) in cells.into_iter().enumerate() {
        if let Some(piece) = pieces.get_mut(number / PIECE) {
            piece.push(&cell);
        }
    }
    pieces
}

/// Columns of the terminal that a safe text takes.
pub(super) fn width(cell: &str) -> usize {
    if cell.is_ascii() {
        cell.len()
    } else {
        cell.width()
    }
}
