//! The forms of an answer, and the one place that chooses among them.
//!
//! A new form is a file here, a variant and an arm of [`write`].

pub(crate) mod json;
mod names;
mod yaml;

use super::{Answer, Style};
use clap::ValueEnum;
use std::io::{self, Write};

/// Form of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For reading, as wide as the terminal
    Table,
    /// For reading, all columns
    Wide,
    /// One JSON document
    Json,
    /// The same document as YAML
    Yaml,
    /// Only names, one a line: backup/ID
    Name,
}

impl Format {
    /// True for the forms that programs read as a whole.
    pub(crate) fn is_document(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }

    /// True for the forms that people read.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// True for the forms that tell more of a backup in a list than its summary knows.
    pub(crate) fn needs_whole_backups(self) -> bool {
        self == Self::Wide || self.is_document()
    }
}

/// Writes the answer in the form of `style`.
pub(crate) fn write(answer: &impl Answer, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match style.format {
        Format::Table | Format::Wide => out.write_all(answer.page(style).as_bytes()),
        Format::Json => json::write(&answer.document(style), out),
        Format::Yaml => yaml::write(&answer.document(style), out),
        Format::Name => names::write(answer, out),
    }
}
