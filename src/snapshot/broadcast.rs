//! Chunks of one snapshot for two consumers, the scan and the hash, each of which looks at all of them.
//!
//! The consumer that is not behind reads ahead for both. So it is the consumer with less to do that pays for copying
//! bytes out of the page cache, and while reading is faster than the work, neither waits for the other's reading.

use super::chunk::{ChunkReader, SnapshotChunk};
use super::reading::ReadError;
use std::collections::VecDeque;
use std::mem::replace;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a chunk: they go from core to core, by way of the cache that both share. See [`SnapshotChunk`].
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that the consumer that is not behind has ready before it goes on. With one, consumers of equal speed would
/// wait for each other's reading at nearly every chunk.
const MAX_AHEAD: usize = 2;
/// Chunks that may wait for the consumer that is behind. More than these gained nothing where it was measured.
const MAX_WAITING: usize = 3;

/// Hands each chunk to both consumers.
pub(super) struct ChunkBroadcast<'r> {
    state: Mutex<BroadcastState<'r>>,
    has_changed: Condvar,
}

impl<'r> ChunkBroadcast<'r> {
    pub(super) fn new(source: ChunkReader<'r>) -> Self {
        let state = BroadcastState {
            turn: ReadTurn::Nobody(source),
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

    /// The consumer with this role. There must be one of each.
    pub(super) fn consumer(&self, role: ConsumerRole) -> ChunkConsumer<'_, 'r> {
        ChunkConsumer {
            broadcast: self,
            role,
        }
    }

    /// Why the snapshot could not be read to its end.
    pub(super) fn into_error(self) -> Option<ReadError> {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).error
    }

    /// The source, if no consumer has begun to read it.
    pub(super) fn into_unread(self) -> Option<ChunkReader<'r>> {
        let state = self.state.into_inner();
        match state.unwrap_or_else(PoisonError::into_inner).turn {
            ReadTurn::Nobody(source) => Some(source),
            ReadTurn::Consumer | ReadTurn::Over => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BroadcastState<'r>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a consumer does with the chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ConsumerRole {
    Scan,
    Hash,
}

/// One of the two that look at all chunks, in the order of the snapshot. There are four chunks at most if each is
/// dropped before the next one is asked for.
///
/// Dropping a consumer ends the other, too, once that has taken what is waiting.
pub(super) struct ChunkConsumer<'s, 'r> {
    broadcast: &'s ChunkBroadcast<'r>,
    role: ConsumerRole,
}

impl Iterator for ChunkConsumer<'_, '_> {
    type Item = Arc<SnapshotChunk>;

    fn next(&mut self) -> Option<Arc<SnapshotChunk>> {
        let ChunkBroadcast { has_changed, .. } = self.broadcast;
        let mut state = self.broadcast.lock();
        loop {
            if let Some((mut source, mut chunk)) = state.begin_reading(self.role) {
                drop(state);
                let filled = source.fill(&mut chunk);
                state = self.broadcast.lock();
                state.end_reading(source, chunk, filled);
                has_changed.notify_one();
            } else if let Some(taken) = state.take(self.role) {
                if taken.makes_room {
                    has_changed.notify_one();
                }
                return Some(taken.chunk);
            } else if let ReadTurn::Over = state.turn {
                return None;
            } else {
                let woken = has_changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for ChunkConsumer<'_, '_> {
    /// A consumer that panics must not leave the other waiting.
    fn drop(&mut self) {
        let _turn = replace(&mut self.broadcast.lock().turn, ReadTurn::Over);
        self.broadcast.has_changed.notify_one();
    }
}

/// Whose turn it is to read.
enum ReadTurn<'r> {
    Nobody(ChunkReader<'r>),
    /// One of the consumers has the source.
    Consumer,
    /// Nobody will: the snapshot has ended, or a consumer was dropped.
    Over,
}

struct BroadcastState<'r> {
    turn: ReadTurn<'r>,
    /// All but one that is being filled. Those that nobody else holds are filled again.
    chunks: Vec<Arc<SnapshotChunk>>,
    /// Those that a consumer has yet to take, oldest first.
    waiting: VecDeque<Arc<SnapshotChunk>>,
    /// How many of those waiting, the newest, the scan has yet to take.
    scan_untaken: usize,
    /// How many of those waiting, the newest, the hash has yet to take.
    hash_untaken: usize,
    error: Option<ReadError>,
}

/// A chunk on its way to a consumer.
struct TakenChunk {
    chunk: Arc<SnapshotChunk>,
    /// Both consumers have taken it: another one may wait in its place.
    makes_room: bool,
}

impl<'r> BroadcastState<'r> {
    /// The source and a chunk to fill, if this consumer is to read now.
    fn begin_reading(&mut self, role: ConsumerRole) -> Option<(ChunkReader<'r>, SnapshotChunk)> {
        let (mine, others) = match role {
            ConsumerRole::Scan => (self.scan_untaken, self.hash_untaken),
            ConsumerRole::Hash => (self.hash_untaken, self.scan_untaken),
        };
        let is_behind = mine > others;
        if is_behind || mine >= MAX_AHEAD || self.waiting.len() >= MAX_WAITING {
            return None;
        }
        match replace(&mut self.turn, ReadTurn::Consumer) {
            ReadTurn::Nobody(source) => Some((source, self.free_chunk())),
            other => {
                self.turn = other;
                None
            }
        }
    }

    fn free_chunk(&mut self) -> SnapshotChunk {
        let is_free = |chunk: &Arc<SnapshotChunk>| Arc::strong_count(chunk) == 1;
        let free = self.chunks.iter().position(is_free);
        let used = free.and_then(|free| Arc::into_inner(self.chunks.swap_remove(free)));
        used.unwrap_or_else(|| SnapshotChunk::new(CHUNK_BYTES))
    }

    fn end_reading(
        &mut self,
        source: ChunkReader<'r>,
        chunk: SnapshotChunk,
        filled: Result<(), ReadError>,
    ) {
        if let Err(error) = filled {
            self.error = Some(error);
            self.turn = ReadTurn::Over;
        } else if chunk.filled().is_empty() {
            self.turn = ReadTurn::Over;
        }
        // It may be over because the other consumer was dropped meanwhile.
        if let ReadTurn::Over = self.turn {
            return;
        }
        self.turn = ReadTurn::Nobody(source);
        let chunk = Arc::new(chunk);
        self.chunks.push(Arc::clone(&chunk));
        self.waiting.push_back(chunk);
        self.scan_untaken += 1;
        self.hash_untaken += 1;
    }

    fn take(&mut self, role: ConsumerRole) -> Option<TakenChunk> {
        let untaken = match role {
            ConsumerRole::Scan => &mut self.scan_untaken,
            ConsumerRole::Hash => &mut self.hash_untaken,
        };
        let position = self.waiting.len() - *untaken;
        let chunk = self.waiting.get(position).map(Arc::clone)?;
        *untaken -= 1;
        let makes_room = self.waiting.len() > self.scan_untaken.max(self.hash_untaken);
        if makes_room {
            self.waiting.pop_front();
        }
        Some(TakenChunk { chunk, makes_room })
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_BYTES, ChunkBroadcast, ChunkConsumer, ConsumerRole};
    use crate::monitor::Silent;
    use crate::snapshot::chunk::ChunkReader;
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

    fn broadcast() -> ChunkBroadcast<'static> {
        ChunkBroadcast::new(ChunkReader::new(Box::<Numbered>::default(), &Silent))
    }

    /// The first and last byte of each chunk.
    fn ends(consumer: ChunkConsumer<'_, '_>, pause: Duration) -> Vec<[u8; 2]> {
        let mut found = Vec::new();
        for chunk in consumer {
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
            let broadcast = broadcast();
            let (scanned, hashed) = std::thread::scope(|scope| {
                let hashed =
                    scope.spawn(|| ends(broadcast.consumer(ConsumerRole::Hash), hash_pause));
                let scanned = ends(broadcast.consumer(ConsumerRole::Scan), scan_pause);
                (scanned, hashed.join().expect("no panic"))
            });
            let expected: Vec<_> = (0..CHUNKS).map(|number| [number; 2]).collect();
            assert_eq!((&scanned, &hashed), (&expected, &expected));
            assert!(broadcast.lock().chunks.len() <= 4);
            assert!(broadcast.into_error().is_none());
        }
    }

    #[test]
    fn a_side_that_is_dropped_ends_the_other_behind_what_is_waiting() {
        let broadcast = broadcast();
        let mut scan = broadcast.consumer(ConsumerRole::Scan);
        assert!(scan.next().is_some());
        let waiting = broadcast.lock().hash_untaken;
        drop(scan);
        assert_eq!(broadcast.consumer(ConsumerRole::Hash).count(), waiting);
        assert!(waiting > 0);
    }
}
