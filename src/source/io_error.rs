//! What the system refused, with the place.

use std::io;
use std::path::{Path, PathBuf};

/// The system refused to do something to a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}", path = path.display())]
pub struct IoError {
    /// What was to be done: a verb that the path follows.
    pub action: &'static str,
    /// To what.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Puts what was tried on which path into an error of the system.
pub(crate) trait AtPath<T> {
    /// Says what was tried on what.
    fn at_path(self, action: &'static str, path: &Path) -> Result<T, IoError>;
}

impl<T, E: Into<io::Error>> AtPath<T> for Result<T, E> {
    fn at_path(self, action: &'static str, path: &Path) -> Result<T, IoError> {
        self.map_err(|source| IoError {
            action,
            path: path.to_owned(),
            source: source.into(),
        })
    }
}
