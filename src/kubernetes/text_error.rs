//! Why a text is not understood: where, but never what it holds.

/// The text is not what it should be; where, but never what.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TextError {
    /// Bytes that are not UTF-8.
    #[error("text is not UTF-8 at byte {offset}")]
    Encoding {
        /// Bytes from the start of the text.
        offset: usize,
    },
    /// No JSON or YAML, or another shape than expected.
    #[error("text is not understood at line {line}, column {column}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Brackets nest deeper than in any real file.
    #[error("text nests deeper than any real one")]
    Nesting,
    /// Commas, colons, brackets and lines without end.
    #[error("text has more commas, colons, brackets and lines than any real one")]
    Marks,
    /// A part of it stands for another: what machines write never does.
    #[error("text repeats a part of itself by an alias, as no real one does")]
    Alias,
    /// An encryption configuration without end.
    #[error("text lists more resources and keys, or has longer names, than any real one")]
    Entries,
    /// As `Shape`, where the parser could not tell the place.
    #[error("text is not understood")]
    Unplaced,
}
