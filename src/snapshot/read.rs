//! Reading one snapshot, on one core or on two.

use super::chunk::ChunkReader;
use super::entry_request::EntryRequest;
use super::pass::SnapshotPass;
use super::reading::{HashOn, ReadError, SnapshotReading};
use super::{one_core, two_cores};
use crate::kubernetes::encryption::Keys;
use crate::monitor::Monitor;
use std::io::Read;
use std::sync::Arc;

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
) -> Result<SnapshotReading, ReadError> {
    read_entries(source, &EntryRequest::default(), hash_on, monitor)
}

/// The same, and keeps the entries that are asked for: only those on live pages, with values as they are stored.
///
/// What they are worth the facts tell: as long as these have findings, nothing of it is proven.
///
/// # Errors
///
/// As for [`read`].
pub fn read_entries(
    source: &mut (dyn Read + Send),
    request: &EntryRequest,
    hash_on: HashOn,
    monitor: &dyn Monitor,
) -> Result<SnapshotReading, ReadError> {
    let chunks = ChunkReader::new(Box::new(source), monitor);
    match hash_on {
        HashOn::SameThread => one_core::read_one(chunks, SnapshotPass::new(request)),
        HashOn::OwnThread => two_cores::read_one(chunks, request),
    }
}

/// The same, once more, with keys at hand: every encrypted value is tried on them.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn read_with_keys(
    source: &mut (dyn Read + Send),
    keys: Arc<Keys>,
    monitor: &dyn Monitor,
) -> Result<SnapshotReading, ReadError> {
    let chunks = ChunkReader::new(Box::new(source), monitor);
    one_core::read_one(chunks, SnapshotPass::with_keys(keys))
}
