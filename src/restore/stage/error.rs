//! Why a pair could not be staged.

use crate::backup::Verdict;
use crate::digest::Sha256Digest;
use crate::finding::Code;
use crate::source::{IoError, ObjectId, OpenError};
use std::path::PathBuf;

/// A pair could not be staged. The target is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// It would not restore.
    #[error("backup {id} is {}: {}", verdict.as_str(), joined(reasons))]
    NotUsable {
        /// Of the backup.
        id: String,
        /// What it came to.
        verdict: Verdict,
        /// What speaks against it.
        reasons: Vec<Code>,
    },
    /// Half a backup.
    #[error("there is no snapshot to stage")]
    NoSnapshot,
    /// A source cannot be opened.
    #[error("a half of the backup cannot be opened")]
    Source(#[source] OpenError),
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The target is not a directory.
    #[error("{path} is not a directory, expected an empty or a new one", path = path.display())]
    NotADirectory {
        /// The target.
        path: PathBuf,
    },
    /// The target holds something.
    #[error("{path} holds {held}, expected an empty or a new directory", path = path.display())]
    NotEmpty {
        /// The target.
        path: PathBuf,
        /// What lies there, with the effect on a restore if there is one.
        held: String,
    },
    /// A place where a restore could not be run from.
    #[error("{path} cannot be restored from: {reason}", path = path.display())]
    UnfitDirectory {
        /// The target.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// Too little space.
    #[error("{path} has {available_bytes} bytes free, expected at least {needed_bytes}", path = path.display())]
    NoSpace {
        /// The target or the directory it is to be made in.
        path: PathBuf,
        /// What both halves take.
        needed_bytes: u64,
        /// What may be written.
        available_bytes: u64,
    },
    /// The source is not as long as what was verified.
    #[error("{id} yields {found} bytes, expected the {expected} that were verified")]
    Length {
        /// The source.
        id: ObjectId,
        /// Bytes read, at most one more than expected.
        found: u64,
        /// Bytes verified.
        expected: u64,
    },
    /// The source is not what was verified.
    #[error("SHA-256 of {id} is {found}, expected the verified {expected}")]
    Digest {
        /// The source.
        id: ObjectId,
        /// What was read now.
        found: Sha256Digest,
        /// What was verified.
        expected: Sha256Digest,
    },
    /// Somebody wrote to the source.
    #[error("{id} changed while it was copied")]
    SourceChanged {
        /// The source.
        id: ObjectId,
    },
    /// The disk gave back other bytes than were written.
    #[error("{path} reads back as {found}, expected the written {expected}", path = path.display())]
    ReadBack {
        /// The file in the target.
        path: PathBuf,
        /// SHA-256 of what was read back.
        found: Sha256Digest,
        /// SHA-256 of what was written.
        expected: Sha256Digest,
    },
    /// Neither the names nor the content say when the backup was taken.
    #[error("{id} has no time to be named after")]
    NoStamp {
        /// The snapshot.
        id: ObjectId,
    },
    /// The run was to stop.
    #[error("interrupted")]
    Interrupted,
}

fn joined(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    codes.join(", ")
}
