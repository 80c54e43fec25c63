//! One snapshot, two cores: one scans it, the other hashes it, and both look at the same chunks.

use super::feed::Feed;
use super::hashing::{Hashed, TrailerHasher};
use super::pass::Pass;
use super::read::{HashOn, ReadError, Reading};
use super::supply::{Role, Side, Supply};
use std::panic::resume_unwind;

/// Reads a snapshot to its end.
pub(super) fn read_one(feed: Feed<'_>) -> Result<Reading, ReadError> {
    let mut pass = Pass::new();
    let hashed = scan_and_hash(feed, &mut pass)?;
    Ok(pass.conclude(&hashed, HashOn::OwnThread))
}

fn scan_and_hash(feed: Feed<'_>, pass: &mut Pass) -> Result<Hashed, ReadError> {
    let supply = Supply::new(feed);
    let hashed = std::thread::scope(|scope| {
        let hash = scope.spawn(|| hash_all(supply.side(Role::Hash)));
        scan_all(pass, supply.side(Role::Scan));
        hash.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    match supply.into_error() {
        Some(error) => Err(error),
        None => Ok(hashed),
    }
}

fn scan_all(pass: &mut Pass, chunks: Side<'_, '_>) {
    for chunk in chunks {
        pass.scan(chunk.filled());
    }
}

fn hash_all(chunks: Side<'_, '_>) -> Hashed {
    let mut hasher = TrailerHasher::new();
    for chunk in chunks {
        hasher.update(chunk.filled());
    }
    hasher.finish()
}
