//! One snapshot, two cores: one scans it, the other hashes it, and both look at the same chunks.

use super::broadcast::{ChunkBroadcast, ChunkConsumer, ConsumerRole};
use super::chunk::ChunkReader;
use super::entry_request::EntryRequest;
use super::hashing::{Hashed, TrailerHasher};
use super::one_core;
use super::pass::SnapshotPass;
use super::reading::{HashOn, ReadError, SnapshotReading};
use std::io;
use std::panic::resume_unwind;
use std::thread::Builder;

/// Reads a snapshot to its end.
pub(super) fn read_one(
    chunks: ChunkReader<'_>,
    request: &EntryRequest,
) -> Result<SnapshotReading, ReadError> {
    let mut pass = SnapshotPass::new(request);
    let broadcast = ChunkBroadcast::new(chunks);
    match scan_and_hash(&broadcast, &mut pass) {
        Ok(hashed) => match broadcast.into_error() {
            Some(error) => Err(error),
            None => Ok(pass.conclude(&hashed, HashOn::OwnThread)),
        },
        // No thread to be had: one core does it all.
        Err(source) => match broadcast.into_unread() {
            Some(chunks) => one_core::read_one(chunks, pass),
            None => Err(ReadError::Io { offset: 0, source }),
        },
    }
}

/// An error when there is no thread to hash on; nothing has been read then.
fn scan_and_hash(broadcast: &ChunkBroadcast<'_>, pass: &mut SnapshotPass) -> io::Result<Hashed> {
    std::thread::scope(|scope| {
        let hash = Builder::new()
            .spawn_scoped(scope, || hash_all(broadcast.consumer(ConsumerRole::Hash)))?;
        scan_all(pass, broadcast.consumer(ConsumerRole::Scan));
        Ok(hash.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn scan_all(pass: &mut SnapshotPass, chunks: ChunkConsumer<'_, '_>) {
    for chunk in chunks {
        pass.scan(chunk.filled());
    }
}

fn hash_all(chunks: ChunkConsumer<'_, '_>) -> Hashed {
    let mut hasher = TrailerHasher::new();
    for chunk in chunks {
        hasher.update(chunk.filled());
    }
    hasher.finish()
}
