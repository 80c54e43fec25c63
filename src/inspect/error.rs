//! Why there is nothing to show.

use crate::finding::Finding;
use crate::objects::{DecodeError, FindError};
use crate::oc::RunError;
use crate::source::ObjectId;
use crate::survey::EntriesError;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// There is no snapshot at that place.
    #[error("{id} is no snapshot: {reason}")]
    NoSnapshot {
        /// Where.
        id: ObjectId,
        /// What is there instead.
        reason: String,
    },
    /// There are several, and only one can be meant.
    #[error("{id} holds {} snapshots", found.len())]
    Several {
        /// Where.
        id: ObjectId,
        /// The snapshots.
        found: Vec<ObjectId>,
    },
    /// The system refused.
    #[error("cannot read {id}{}: {reason}", offset.map_or_else(String::new, |offset| format!(" at byte {offset}")))]
    Unreadable {
        /// Which file.
        id: ObjectId,
        /// The system's words.
        reason: String,
        /// Where in it.
        offset: Option<u64>,
    },
    /// The bytes are not proven, so nothing of them is shown.
    #[error("{id} is not proven, so nothing of it is shown")]
    Unproven {
        /// Which file.
        id: ObjectId,
        /// What speaks against it.
        findings: Vec<Finding>,
    },
    /// The file is another one than the one that was asked for.
    #[error("{id} is another file by now: its data is {found}, expected {expected}")]
    Replaced {
        /// Which file.
        id: ObjectId,
        /// Beginning of its digest.
        found: String,
        /// Beginning of the digest expected.
        expected: String,
    },
    /// The backup has no snapshot.
    #[error("the backup has no snapshot that could be looked into")]
    NoHalf,
    /// The name of the kind leads nowhere.
    #[error(transparent)]
    Kind(#[from] FindError),
    /// More than may be held in memory.
    #[error(
        "{objects} objects of {bytes} bytes are more than is held in memory at once ({limit} bytes)"
    )]
    TooMuch {
        /// How many were asked for.
        objects: usize,
        /// Bytes of all of them as they are stored.
        bytes: u64,
        /// What may be held.
        limit: u64,
    },
    /// The snapshot does not know what was at that revision.
    #[error("revision {revision} {reason}: the snapshot knows {from} to {to}")]
    Revision {
        /// As it was asked.
        revision: i64,
        /// Why not.
        reason: &'static str,
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// `oc` failed.
    #[error(transparent)]
    Oc(#[from] RunError),
    /// The live cluster is another one.
    #[error("the backup is of cluster {backup}, and {live} answers")]
    OtherCluster {
        /// Id of the cluster that was backed up.
        backup: String,
        /// Id of the one that answers.
        live: String,
    },
    /// The live cluster gave no kind that the backup has.
    #[error("the live cluster gives no kind that the backup has, such as {resource}: {reason}")]
    NothingListed {
        /// One of them.
        resource: String,
        /// Why it was not given.
        reason: String,
    },
    /// Asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl InspectError {
    /// The error of reading a snapshot there.
    pub(super) fn at(id: &ObjectId, error: EntriesError) -> Self {
        let id = id.clone();
        match error {
            EntriesError::NoSnapshot(reason) => Self::NoSnapshot { id, reason },
            EntriesError::Several(found) => Self::Several { id, found },
            EntriesError::Unreadable { reason, offset } => Self::Unreadable { id, reason, offset },
            EntriesError::Interrupted => Self::Interrupted,
        }
    }
}

/// Why an object cannot be shown; others are all the same.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It is encrypted, and stays so.
    #[error("it is encrypted: {reason}")]
    Sealed {
        /// What is missing.
        reason: String,
    },
    /// What is stored is no object, or an ill-formed one.
    #[error("it cannot be decoded: {0}")]
    Decode(#[from] DecodeError),
    /// Its value was not kept.
    #[error("its value was not kept")]
    NotKept,
}
