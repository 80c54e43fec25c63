//! What one pass over a snapshot gives, and why it may fail.

use super::facts::Snapshot;
use super::mend::Suspect;
use super::stored_entries::StoredEntries;
use crate::digest::Sha256Digest;
use crate::kubernetes::encryption::{OddValues, Sealed};
use std::io;

/// Where the hash is computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HashOn {
    /// A thread of its own: one file, two cores.
    OwnThread,
    /// The thread that scans: several files, or one core.
    SameThread,
}

/// What one pass has learnt.
#[derive(Debug)]
pub struct SnapshotReading {
    /// The facts.
    pub snapshot: Snapshot,
    /// Values that need keys to be proven. In memory only.
    pub sealed: Sealed,
    /// SHA-256 of all bytes, the trailer among them.
    pub whole: Sha256Digest,
    /// SHA-256 of all bytes and the digest of the data behind them, had that been lost.
    pub(crate) with_own_digest: Sha256Digest,
    /// What could explain a digest that does not match.
    pub(crate) suspect: Option<Suspect>,
    /// The entries that were asked for. In memory only.
    pub entries: StoredEntries,
    /// Encrypted values that did not stand the trial, where all were tried on keys.
    pub(crate) odd_values: Option<Vec<OddValues>>,
}

/// Why a pass could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refused to read on.
    #[error("cannot read at offset {offset}")]
    Io {
        /// Bytes read before.
        offset: u64,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// Stopped on request.
    #[error("interrupted")]
    Interrupted,
}
