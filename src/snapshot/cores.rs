//! One snapshot, two cores: one scans it, the other hashes it.
//!
//! Both sides look at the same chunks; the side that has done with its chunks first reads the next one for both. So it is
//! the side with less to do that pays for copying bytes out of the page cache.

use super::feed::{Chunk, Feed};
use super::hashing::{Hashed, TrailerHasher};
use super::pass::Pass;
use super::read::{HashOn, ReadError, Reading};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one read: they go from core to core, by way of the cache that both share. See [`Chunk`].
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may wait for one side.
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
        let side = |from_other, to_other| Side {
            supply,
            from_other,
            to_other,
        };
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
        let mut chunk = used.unwrap_or_else(|| Chunk::new(CHUNK_BYTES));
        if let Err(error) = self.feed.fill(&mut chunk) {
            self.error = Some(error);
        }
        let chunk = Arc::new(chunk);
        self.chunks.push(Arc::clone(&chunk));
        chunk
    }
}

/// One of the two that look at every chunk.
struct Side<'s, 'r> {
    supply: &'s Mutex<Supply<'r>>,
    from_other: Receiver<Arc<Chunk>>,
    to_other: SyncSender<Arc<Chunk>>,
}

impl Side<'_, '_> {
    /// The next chunk; `None` at the end of the snapshot, or when the other side has given up.
    fn next(&self) -> Option<Arc<Chunk>> {
        let chunk = match self.from_other.try_recv() {
            Ok(chunk) => chunk,
            Err(TryRecvError::Empty) => self.read_or_wait()?,
            Err(TryRecvError::Disconnected) => return None,
        };
        (!chunk.filled().is_empty()).then_some(chunk)
    }

    /// Reads on, unless the other side is doing that. Waiting for the lock instead could be for ever: who holds it may
    /// be waiting for room in the other's channel.
    fn read_or_wait(&self) -> Option<Arc<Chunk>> {
        let Ok(mut supply) = self.supply.try_lock() else {
            return self.from_other.recv().ok();
        };
        // The other side may have read one in the meantime: that is the next one, and this side will be back.
        if let Ok(chunk) = self.from_other.try_recv() {
            return Some(chunk);
        }
        let chunk = supply.next();
        // Sent under the lock, so that chunks arrive in the order in which they were read.
        self.to_other.send(Arc::clone(&chunk)).ok()?;
        Some(chunk)
    }
}
