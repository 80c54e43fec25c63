//! Chunks of one snapshot for two sides, each of which looks at all of them.
//!
//! The side that is not behind reads ahead for both. So it is the side with less to do that pays for copying bytes out of
//! the page cache, and while reading is faster than the work, neither waits for the other's reading.

use super::feed::{Chunk, Feed};
use super::read::ReadError;
use std::collections::VecDeque;
use std::mem::replace;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a chunk: they go from core to core, by way of the cache that both share. See [`Chunk`].
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that the side that is not behind has ready before it goes on. With one, sides of equal speed would wait for
/// each other's reading at nearly every chunk.
const MAX_AHEAD: usize = 2;
/// Chunks that may wait for the side that is behind. More than these gained nothing where it was measured.
const MAX_WAITING: usize = 3;

/// Hands each chunk to both sides.
pub(super) struct Supply<'r> {
    state: Mutex<State<'r>>,
    has_changed: Condvar,
}

impl<'r> Supply<'r> {
    pub(super) fn new(feed: Feed<'r>) -> Self {
        let state = State {
            reader: Reader::Nobody(feed),
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

    /// The side with this role. There must be one of each.
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

/// One of the two that look at all chunks, in the order of the snapshot. There are four chunks at most if each is dropped
/// before the next one is asked for.
///
/// Dropping a side ends the other, too, once that has taken what is waiting.
pub(super) struct Side<'s, 'r> {
    supply: &'s Supply<'r>,
    role: Role,
}

impl Iterator for Side<'_, '_> {
    type Item = Arc<Chunk>;

    fn next(&mut self) -> Option<Arc<Chunk>> {
        let Supply { has_changed, .. } = self.supply;
        let mut state = self.supply.lock();
        loop {
            if let Some((mut feed, mut chunk)) = state.begin_reading(self.role) {
                drop(state);
                let filled = feed.fill(&mut chunk);
                state = self.supply.lock();
                state.end_reading(feed, chunk, filled);
                has_changed.notify_one();
            } else if let Some(taken) = state.take(self.role) {
                if taken.makes_room {
                    has_changed.notify_one();
                }
                return Some(taken.chunk);
            } else if let Reader::Over = state.reader {
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
        let _reader = replace(&mut self.supply.lock().reader, Reader::Over);
        self.supply.has_changed.notify_one();
    }
}

/// Who reads just now.
enum Reader<'r> {
    Nobody(Feed<'r>),
    /// One of the sides has the feed.
    Side,
    /// Nobody will: the snapshot has ended, or a side was dropped.
    Over,
}

struct State<'r> {
    reader: Reader<'r>,
    /// All but one that is being filled. Those that nobody else holds are filled again.
    chunks: Vec<Arc<Chunk>>,
    /// Those that a side has yet to take, oldest first.
    waiting: VecDeque<Arc<Chunk>>,
    /// How many of those waiting, the newest, the scan has yet to take.
    scan_untaken: usize,
    /// How many of those waiting, the newest, the hash has yet to take.
    hash_untaken: usize,
    error: Option<ReadError>,
}

/// A chunk on its way to a side.
struct Taken {
    chunk: Arc<Chunk>,
    /// Both sides have taken it: another one may wait in its place.
    makes_room: bool,
}

impl<'r> State<'r> {
    /// The feed and a chunk to fill, if this side is to read now.
    fn begin_reading(&mut self, role: Role) -> Option<(Feed<'r>, Chunk)> {
        let (mine, others) = match role {
            Role::Scan => (self.scan_untaken, self.hash_untaken),
            Role::Hash => (self.hash_untaken, self.scan_untaken),
        };
        let is_behind = mine > others;
        if is_behind || mine >= MAX_AHEAD || self.waiting.len() >= MAX_WAITING {
            return None;
        }
        match replace(&mut self.reader, Reader::Side) {
            Reader::Nobody(feed) => Some((feed, self.free_chunk())),
            other => {
                self.reader = other;
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
        if let Err(error) = filled {
            self.error = Some(error);
            self.reader = Reader::Over;
        } else if chunk.filled().is_empty() {
            self.reader = Reader::Over;
        }
        // It may be over because the other side was dropped meanwhile.
        if let Reader::Over = self.reader {
            return;
        }
        self.reader = Reader::Nobody(feed);
        let chunk = Arc::new(chunk);
        self.chunks.push(Arc::clone(&chunk));
        self.waiting.push_back(chunk);
        self.scan_untaken += 1;
        self.hash_untaken += 1;
    }

    fn take(&mut self, role: Role) -> Option<Taken> {
        let untaken = match role {
            Role::Scan => &mut self.scan_untaken,
            Role::Hash => &mut self.hash_untaken,
        };
        let position = self.waiting.len() - *untaken;
        let chunk = self.waiting.get(position).map(Arc::clone)?;
        *untaken -= 1;
        let makes_room = self.waiting.len() > self.scan_untaken.max(self.hash_untaken);
        if makes_room {
            self.waiting.pop_front();
        }
        Some(Taken { chunk, makes_room })
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_BYTES, Role, Side, Supply};
    use crate::monitor::Silent;
    use crate::snapshot::feed::Feed;
    use std::io::{self, Read};
    use std::time::Duration;

    const CHUNKS: u8 = 12;

    /// Chunks of zeros, ones, twos and so on.
    #[derive(Default)]
    struct Numbered {
        bytes: usize,
    }

    impl Read for Numbered {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let number = u8::try_from(self.bytes / CHUNK_BYTES).expect("few chunks");
            if number == CHUNKS {
                return Ok(0);
            }
            let length = out.len().min(CHUNK_BYTES / 2);
            out.iter_mut().take(length).for_each(|byte| *byte = number);
            self.bytes += length;
            Ok(length)
        }
    }

    fn supply() -> Supply<'static> {
        Supply::new(Feed::new(Box::<Numbered>::default(), &Silent))
    }

    /// The first and last byte of each chunk.
    fn ends(side: Side<'_, '_>, pause: Duration) -> Vec<[u8; 2]> {
        let mut found = Vec::new();
        for chunk in side {
            std::thread::sleep(pause);
            let bytes = chunk.filled();
            found.extend(
                bytes
                    .first()
                    .zip(bytes.last())
                    .map(|(first, last)| [*first, *last]),
            );
        }
        found
    }

    #[test]
    fn both_sides_get_every_chunk_in_order_whichever_is_slow() {
        let (none, some) = (Duration::ZERO, Duration::from_millis(2));
        for (scan_pause, hash_pause) in [(none, none), (some, none), (none, some)] {
            let supply = supply();
            let (scanned, hashed) = std::thread::scope(|scope| {
                let hashed = scope.spawn(|| ends(supply.side(Role::Hash), hash_pause));
                let scanned = ends(supply.side(Role::Scan), scan_pause);
                (scanned, hashed.join().expect("no panic"))
            });
            let expected: Vec<_> = (0..CHUNKS).map(|number| [number; 2]).collect();
            assert_eq!((&scanned, &hashed), (&expected, &expected));
            assert!(supply.lock().chunks.len() <= 4);
            assert!(supply.into_error().is_none());
        }
    }

    #[test]
    fn a_side_that_is_dropped_ends_the_other_behind_what_is_waiting() {
        let supply = supply();
        let mut scan = supply.side(Role::Scan);
        assert!(scan.next().is_some());
        let waiting = supply.lock().hash_untaken;
        drop(scan);
        assert_eq!(supply.side(Role::Hash).count(), waiting);
        assert!(waiting > 0);
    }
}
