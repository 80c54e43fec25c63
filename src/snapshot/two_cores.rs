//! One snapshot, two cores: one scans it, the other hashes it, and both look at the same chunks.

use super::broadcast::{ChunkBroadcast, ChunkConsumer, ConsumerRole};
use super::chunk::ChunkReader;
use super::hashing::{Hashed, TrailerHasher};
use super::pass::SnapshotPass;
use super::reading::{HashOn, ReadError, SnapshotReading};
use std::panic::resume_unwind;

/// Reads a snapshot to its end.
pub(super) fn read_one(chunks: ChunkReader<'_>) -> Result<SnapshotReading, ReadError> {
    let mut pass = SnapshotPass::new();
    let hashed = scan_and_hash(chunks, &mut pass)?;
    Ok(pass.conclude(&hashed, HashOn::OwnThread))
}

fn scan_and_hash(chunks: ChunkReader<'_>, pass: &mut SnapshotPass) -> Result<Hashed, ReadError> {
    let broadcast = ChunkBroadcast::new(chunks);
    let hashed = std::thread::scope(|scope| {
        let hash = scope.spawn(|| hash_all(broadcast.consumer(ConsumerRole::Hash)));
        scan_all(pass, broadcast.consumer(ConsumerRole::Scan));
        hash.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    match broadcast.into_error() {
        Some(error) => Err(error),
        None => Ok(hashed),
    }
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
