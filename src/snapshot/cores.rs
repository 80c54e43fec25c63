//! One snapshot, two cores: one scans it, the other hashes it.
//!
//! Both sides look at the same chunks; the side that has done with its chunks first reads the next one for both. So it is
//! the side with less to do that pays for copying bytes out of the page cache.

use super::feed::Feed;
use super::hashing::{Hashed, TrailerHasher};
use super::pass::Pass;
use super::read::{HashOn, ReadError, Reading};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one read: they go from core to core, by way of the cache that both share. Like the size of a lane's reads a
/// multiple of 64 KiB, the largest page size, and enough to hold both meta pages.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that one side may be ahead of the other.
const LEAD: usize = 2;

/// Reads a snapshot to its end.
pub(super) fn read_one(feed: Feed<'_>) -> Result<Reading, ReadError> {
    let mut pass = Pass::new();
    let hashed = scan_and_hash(feed, &mut pass)?;
    Ok(pass.conclude(&hashed, HashOn::OwnThread))
}

fn scan_and_hash(feed: Feed<'_>, pass: &mut Pass) -> Result<Hashed, ReadError> {
    let supply = Mutex::new(Supply {
        feed,
        chunks: Vec::new(),
        error: None,
    });
    let (to_scan, for_scan) = sync_channel(LEAD);
    let (to_hash, for_hash) = sync_channel(LEAD);
    let hashed = std::thread::scope(|scope| {
        let supply = &supply;
        let side = |own, other| Side { supply, own, other };
        let hash_side = side(for_hash, to_scan);
        let hash = scope.spawn(move || hash_all(&hash_side));
        scan_all(pass, &side(for_scan, to_hash));
        hash.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    let supply = supply.into_inner().unwrap_or_else(PoisonError::into_inner);
    match supply.error {
        Some(error) => Err(error),
        None => Ok(hashed),
    }
}

fn scan_all(pass: &mut Pass, side: &Side<'_, '_>) {
    while let Some(chunk) = side.next() {
        pass.scan(chunk.filled());
    }
}

fn hash_all(side: &Side<'_, '_>) -> Hashed {
    let mut hasher = TrailerHasher::new();
    while let Some(chunk) = side.next() {
        hasher.update(chunk.filled());
    }
    hasher.finish()
}

/// Bytes for both sides.
struct Chunk {
    bytes: Vec<u8>,
    /// How many are filled; none behind the end of the snapshot.
    length: usize,
}

impl Chunk {
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Where chunks come from.
struct Supply<'r> {
    feed: Feed<'r>,
    /// All that there are; those that neither side holds are filled again.
    chunks: Vec<Arc<Chunk>>,
    /// Why the snapshot could not be read to its end.
    error: Option<ReadError>,
}

impl Supply<'_> {
    fn next(&mut self) -> Arc<Chunk> {
        let is_free = |chunk: &Arc<Chunk>| Arc::strong_count(chunk) == 1;
        let free = self.chunks.iter().position(is_free);
        let used = free.and_then(|free| Arc::into_inner(self.chunks.swap_remove(free)));
        let mut bytes = used.map_or_else(|| vec![0; CHUNK_BYTES], |chunk| chunk.bytes);
        let length = self.feed.fill(&mut bytes).unwrap_or_else(|error| {
            self.error = Some(error);
            0
        });
        let chunk = Arc::new(Chunk { bytes, length });
        self.chunks.push(Arc::clone(&chunk));
        chunk
    }
}

/// One of the two that look at every chunk.
struct Side<'s, 'r> {
    supply: &'s Mutex<Supply<'r>>,
    /// What the other side has read.
    own: Receiver<Arc<Chunk>>,
    /// Where what this side reads goes, too.
    other: SyncSender<Arc<Chunk>>,
}

impl Side<'_, '_> {
    /// The next chunk; `None` at the end of the snapshot, or when the other side has given up.
    fn next(&self) -> Option<Arc<Chunk>> {
        let chunk = match self.own.try_recv() {
            Ok(chunk) => chunk,
            Err(_) => self.read_or_wait()?,
        };
        (chunk.length > 0).then_some(chunk)
    }

    /// Reads on, unless the other side is doing that.
    fn read_or_wait(&self) -> Option<Arc<Chunk>> {
        let Ok(mut supply) = self.supply.try_lock() else {
            return self.own.recv().ok();
        };
        // It may have done so in the meantime: that chunk is the next one.
        if let Ok(chunk) = self.own.try_recv() {
            return Some(chunk);
        }
        let chunk = supply.next();
        self.other.send(Arc::clone(&chunk)).ok()?;
        Some(chunk)
    }
}
