//! What the system or a store refused, with the place.

use super::ObjectId;
use std::io;

/// Something could not be done to an object.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {id}")]
pub struct IoError {
    /// What was to be done: a verb that the name follows.
    pub action: &'static str,
    /// To what.
    pub id: ObjectId,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Puts what was tried on which object into an error of the system.
pub(crate) trait AtPath<T> {
    /// Says what was tried on what.
    fn at_path(self, action: &'static str, path: impl Into<ObjectId>) -> Result<T, IoError>;
}

impl<T, E: Into<io::Error>> AtPath<T> for Result<T, E> {
    fn at_path(self, action: &'static str, path: impl Into<ObjectId>) -> Result<T, IoError> {
        self.map_err(|source| IoError {
            action,
            id: path.into(),
            source: source.into(),
        })
    }
}

/// Another object lies there than the one that was opened: the bytes of both are never joined.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the object was replaced while it was read")]
pub(crate) struct ReplacedMeanwhile;

impl ReplacedMeanwhile {
    /// Is it this that the words of an error tell? Words are what is remembered of errors.
    pub(crate) fn is_told_by(words: &str) -> bool {
        words == Self.to_string()
    }
}

impl From<ReplacedMeanwhile> for io::Error {
    fn from(replaced: ReplacedMeanwhile) -> Self {
        Self::other(replaced)
    }
}

/// The store has to bring it back before it can be read. Not every listing shows that.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it lies in the archive of the store, which has to restore it first")]
pub(crate) struct InArchive;

impl InArchive {
    /// Is it this that the words of an error tell?
    pub(crate) fn is_told_by(words: &str) -> bool {
        words == Self.to_string()
    }
}

impl From<InArchive> for io::Error {
    fn from(archived: InArchive) -> Self {
        Self::other(archived)
    }
}
