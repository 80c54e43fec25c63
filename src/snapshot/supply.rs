//! Chunks of one snapshot for two sides, each of which looks at all of them.
//!
//! The side that is as far as the other, or further, reads the next chunk for both, some chunks before they are needed. So
//! it is the side with less to do that pays for copying bytes out of the page cache, and neither waits for the other to
//! do so.

use super::feed::{Chunk, Feed};
use super::read::ReadError;
use std::collections::VecDeque;
use std::mem::replace;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of one read: they go from core to core, by way of the cache that both share. See [`Chunk`].
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may wait for the side that is behind.
const MAX_WAITING: usize = 3;
/// Chunks that the side in front sees to before it goes on. One alone would leave both waiting for each other's reading.
const MAX_AHEAD: usize = 2;

/// Where the chunks come from.
pub(super) struct Supply<'r> {
    state: Mutex<State<'r>>,
    has_changed: Condvar,
}

impl<'r> Supply<'r> {
    pub(super) fn new(feed: Feed<'r>) -> Self {
        let state = State {
            source: Source::Free(feed),
            chunks: Vec::new(),
            waiting: VecDeque::new(),
            scan_untaken: 0,
            hash_untaken: 0,
            error: None,
        };
        Self {
            state: Mutex::new(state),
            has_changed: Condvar::new(),
        }
    }

    /// One of the two that take chunks.
    pub(super) fn side(&self, role: Role) -> Side<'_, 'r> {
        Side { supply: self, role }
    }

    /// Why the snapshot could not be read to its end.
    pub(super) fn into_error(self) -> Option<ReadError> {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).error
    }

    fn lock(&self) -> MutexGuard<'_, State<'r>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a side does with the chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Scan,
    Hash,
}

/// One of the two that take chunks. That it goes ends the supply for the other, too.
pub(super) struct Side<'s, 'r> {
    supply: &'s Supply<'r>,
    role: Role,
}

impl Side<'_, '_> {
    /// The next chunk; `None` at the end of the snapshot, or when the other side has given up.
    pub(super) fn next(&self) -> Option<Arc<Chunk>> {
        let Supply { has_changed, .. } = self.supply;
        let mut state = self.supply.lock();
        loop {
            if let Some((mut feed, mut chunk)) = state.begin_reading(self.role) {
                drop(state);
                let filled = feed.fill(&mut chunk);
                state = self.supply.lock();
                state.end_reading(feed, chunk, filled);
                has_changed.notify_one();
            } else if let Some(chunk) = state.take(self.role) {
                // There is room for another one now.
                has_changed.notify_one();
                return Some(chunk);
            } else if let Source::Over = state.source {
                return None;
            } else {
                let woken = has_changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for Side<'_, '_> {
    /// A side that panics must not leave the other waiting.
    fn drop(&mut self) {
        self.supply.lock().source = Source::Over;
        self.supply.has_changed.notify_one();
    }
}

/// Where bytes come from, if not from one of the sides just now.
enum Source<'r> {
    Free(Feed<'r>),
    /// A side is reading.
    Busy,
    /// The snapshot has ended, or a side has.
    Over,
}

struct State<'r> {
    source: Source<'r>,
    /// All that there are; those that nobody holds are filled again.
    chunks: Vec<Arc<Chunk>>,
    /// Those that a side has yet to take, oldest first.
    waiting: VecDeque<Arc<Chunk>>,
    /// How many of them, the newest, each side has yet to take.
    scan_untaken: usize,
    hash_untaken: usize,
    error: Option<ReadError>,
}

impl<'r> State<'r> {
    /// The feed and a chunk to fill, if it is for this side to read now.
    fn begin_reading(&mut self, role: Role) -> Option<(Feed<'r>, Chunk)> {
        let (mine, others) = match role {
            Role::Scan => (self.scan_untaken, self.hash_untaken),
            Role::Hash => (self.hash_untaken, self.scan_untaken),
        };
        let is_in_front = mine <= others && mine < MAX_AHEAD;
        if self.waiting.len() >= MAX_WAITING || (mine > 0 && !is_in_front) {
            return None;
        }
        match replace(&mut self.source, Source::Busy) {
            Source::Free(feed) => Some((feed, self.free_chunk())),
            not_free => {
                self.source = not_free;
                None
            }
        }
    }

    fn free_chunk(&mut self) -> Chunk {
        let is_free = |chunk: &Arc<Chunk>| Arc::strong_count(chunk) == 1;
        let free = self.chunks.iter().position(is_free);
        let used = free.and_then(|free| Arc::into_inner(self.chunks.swap_remove(free)));
        used.unwrap_or_else(|| Chunk::new(CHUNK_BYTES))
    }

    fn end_reading(&mut self, feed: Feed<'r>, chunk: Chunk, filled: Result<(), ReadError>) {
        let is_last = filled.is_err() || chunk.filled().is_empty();
        self.error = filled.err();
        if is_last {
            self.source = Source::Over;
        }
        // The other side may have given up meanwhile.
        if let Source::Over = self.source {
            return;
        }
        self.source = Source::Free(feed);
        let chunk = Arc::new(chunk);
        self.chunks.push(Arc::clone(&chunk));
        self.waiting.push_back(chunk);
        self.scan_untaken += 1;
        self.hash_untaken += 1;
    }

    fn take(&mut self, role: Role) -> Option<Arc<Chunk>> {
        let untaken = match role {
            Role::Scan => &mut self.scan_untaken,
            Role::Hash => &mut self.hash_untaken,
        };
        let taken = self.waiting.len() - *untaken;
        let chunk = self.waiting.get(taken).map(Arc::clone)?;
        *untaken -= 1;
        let still_waiting = self.scan_untaken.max(self.hash_untaken);
        self.waiting.drain(..self.waiting.len() - still_waiting);
        Some(chunk)
    }
}
