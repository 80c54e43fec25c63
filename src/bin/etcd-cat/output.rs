//! From backups to text: one answer, rendered as a document, a table or names.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod document;
pub(crate) mod explanation;
pub(crate) mod list;
pub(crate) mod show;
mod table;
pub(crate) mod text;
pub(crate) mod units;
pub(crate) mod verify;
pub(crate) mod views;
mod words;
mod wrap;

use crate::args::Format;
use crate::error::Failure;
use crate::exit::Exit;
use chrono::{DateTime, Utc};
use etcd_cat::selection::Candidate;

/// In what form an answer is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    /// Document, table or names.
    pub(crate) format: Format,
    /// Columns of the terminal; `None` on a pipe: nothing is wrapped or left out.
    pub(crate) width: Option<usize>,
    /// Whether verdicts are coloured.
    pub(crate) is_coloured: bool,
    /// Ages are as of this instant.
    pub(crate) now: DateTime<Utc>,
}

/// What a command has to say: data for stdout, the rest for stderr, and how to end.
#[derive(Debug)]
pub(crate) struct Answer {
    /// For stdout, with its final newline.
    pub(crate) text: String,
    /// For stderr, one line each; not with `--quiet`.
    pub(crate) notes: Vec<String>,
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What could not be done, although there is an answer.
    pub(crate) failure: Option<Failure>,
}

impl Answer {
    /// An answer without notes.
    pub(crate) fn new(text: String, exit: Exit) -> Self {
        Self {
            text,
            notes: Vec::new(),
            exit,
            failure: None,
        }
    }
}

/// How a backup is called, such that it can be given to another command: `backup/ID`.
pub(crate) fn name(backup: &impl Candidate) -> Option<String> {
    backup.id().map(|id| format!("backup/{id}"))
}

/// Names of backups, one a line; a file without any readable byte has none.
pub(crate) fn names<'a, B: Candidate + 'a>(backups: impl Iterator<Item = &'a B>) -> String {
    backups.filter_map(name).map(|name| name + "\n").collect()
}

#[cfg(test)]
mod tests;
