//! Why a pair could not be staged.

use crate::backup::Verdict;
use crate::digest::Sha256Digest;
use crate::discovery::OpenError;
use crate::finding::Code;
use crate::source::IoError;
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
    #[error("{path} yields {found} bytes, expected the {expected} that were verified", path = path.display())]
    Length {
        /// The source.
        path: PathBuf,
        /// Bytes read, at most one more than expected.
        found: u64,
        /// Bytes verified.
        expected: u64,
    },
    /// The source is not what was verified.
    #[error("SHA-256 of {path} is {found}, expected the verified {expected}", path = path.display())]
    Digest {
        /// The source.
        path: PathBuf,
        /// What was read now.
        found: Sha256Digest,
        /// What was verified.
        expected: Sha256Digest,
    },
    /// Somebody wrote to the source.
    #[error("{path} changed while it was copied", path = path.display())]
    SourceChanged {
        /// The source.
        path: PathBuf,
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
    #[error("{path} has no time to be named after", path = path.display())]
    NoStamp {
        /// The snapshot.
        path: PathBuf,
    },
    /// The run was to stop.
    #[error("interrupted")]
    Interrupted,
}

fn joined(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    codes.join(", ")
}
