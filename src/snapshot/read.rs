//! Reading snapshots: where the hash is computed, what a pass gives, and why it may fail.

use super::feed::Feed;
use super::{Snapshot, cores, lanes};
use crate::kubernetes::encryption::Sealed;
use crate::monitor::Monitor;
use std::io::{self, Read};

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
pub struct Reading {
    /// The facts.
    pub snapshot: Snapshot,
    /// Values that need keys to be proven. In memory only.
    pub sealed: Sealed,
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

/// Reads a snapshot to its end and learns everything about it.
///
/// Bytes beyond the first bad one are read all the same: all defects are collected.
///
/// # Errors
///
/// [`ReadError::Io`] when the source fails, [`ReadError::Interrupted`] when `monitor` says so.
pub fn read(
    source: &mut (dyn Read + Send),
    hash_on: HashOn,
    monitor: &dyn Monitor,
) -> Result<Reading, ReadError> {
    let feed = Feed::new(Box::new(source), monitor);
    match hash_on {
        HashOn::SameThread => lanes::read_one(feed),
        HashOn::OwnThread => cores::read_one(feed),
    }
}
