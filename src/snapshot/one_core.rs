//! Scan and hash on one core, chunk by chunk; two snapshots side by side, so that their digests take turns.

use super::chunk::{ChunkReader, SnapshotChunk};
use super::entry_request::EntryRequest;
use super::hashing::TrailerHasher;
use super::pass::SnapshotPass;
use super::reading::{HashOn, ReadError, SnapshotReading};
use crate::monitor::Monitor;
use std::io::Read;

/// Bytes of one read: few enough to stay in the cache next to the core. See [`SnapshotChunk`].
const CHUNK_BYTES: usize = 128 << 10;

/// Snapshots to be read on one thread.
pub trait SnapshotQueue<'r> {
    /// What the queue knows a snapshot by.
    type Ticket;
    /// Why the queue may want to stop.
    type Error;

    /// The next snapshot; `None` when there is none for now. The reading ends when there is none and none is under way.
    fn next(&mut self) -> Option<(Self::Ticket, Box<dyn Read + Send + 'r>)>;

    /// Takes what was learnt of a snapshot. It is called once for each that was given out.
    ///
    /// # Errors
    ///
    /// The rest of the queue is not to be read; what is under way counts as interrupted.
    fn done(
        &mut self,
        ticket: Self::Ticket,
        read: Result<SnapshotReading, ReadError>,
    ) -> Result<(), Self::Error>;
}

/// Reads all snapshots of `queue` to their ends, two at a time.
///
/// What is learnt of each is what [`read`](super::read()) would have learnt.
///
/// # Errors
///
/// Those of [`SnapshotQueue::done`].
pub fn read_all<'r, Q: SnapshotQueue<'r>>(
    queue: &mut Q,
    monitor: &'r dyn Monitor,
) -> Result<(), Q::Error> {
    let mut slots = [None, None];
    let ended = run(&mut slots, queue, monitor);
    if ended.is_err() {
        for (ticket, _) in slots.into_iter().flatten() {
            // The queue has said already why it stops.
            let _ = queue.done(ticket, Err(ReadError::Interrupted));
        }
    }
    ended
}

/// A snapshot under way and what the queue knows it by.
type Slot<'r, Q> = Option<(<Q as SnapshotQueue<'r>>::Ticket, OneCorePass<'r>)>;

fn run<'r, Q: SnapshotQueue<'r>>(
    slots: &mut [Slot<'r, Q>; 2],
    queue: &mut Q,
    monitor: &'r dyn Monitor,
) -> Result<(), Q::Error> {
    loop {
        let [one, other] = &mut *slots;
        advance(one, queue, monitor)?;
        advance(other, queue, monitor)?;
        match (one, other) {
            (None, None) => return Ok(()),
            (Some((_, under_way)), None) | (None, Some((_, under_way))) => under_way.hash(),
            (Some((_, under_way)), Some((_, other))) => under_way.hash_with(other),
        }
    }
}

/// Reads a snapshot to its end.
pub(super) fn read_one(
    chunks: ChunkReader<'_>,
    pass: SnapshotPass,
) -> Result<SnapshotReading, ReadError> {
    let mut under_way = OneCorePass::new(chunks, pass);
    while under_way.scan()? {
        under_way.hash();
    }
    Ok(under_way.conclude())
}

/// Scans the next chunk of the snapshot in a slot, or else of the next snapshot that has one.
fn advance<'r, Q: SnapshotQueue<'r>>(
    slot: &mut Slot<'r, Q>,
    queue: &mut Q,
    monitor: &'r dyn Monitor,
) -> Result<(), Q::Error> {
    loop {
        if slot.is_none() {
            *slot = queue.next().map(|(ticket, source)| {
                let chunks = ChunkReader::new(source, monitor);
                (
                    ticket,
                    OneCorePass::new(chunks, SnapshotPass::new(&EntryRequest::default())),
                )
            });
        }
        let Some((_, under_way)) = slot else {
            return Ok(());
        };
        let ended = match under_way.scan() {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        if let Some((ticket, under_way)) = slot.take() {
            queue.done(ticket, ended.map_or_else(|| Ok(under_way.conclude()), Err))?;
        }
    }
}

/// A snapshot under way, with its latest chunk.
struct OneCorePass<'r> {
    chunks: ChunkReader<'r>,
    pass: SnapshotPass,
    hasher: TrailerHasher,
    chunk: SnapshotChunk,
}

impl<'r> OneCorePass<'r> {
    fn new(chunks: ChunkReader<'r>, pass: SnapshotPass) -> Self {
        Self {
            chunks,
            pass,
            hasher: TrailerHasher::new(),
            chunk: SnapshotChunk::new(CHUNK_BYTES),
        }
    }

    /// Reads and scans a chunk; false at the end.
    fn scan(&mut self) -> Result<bool, ReadError> {
        self.chunks.fill(&mut self.chunk)?;
        let chunk = self.chunk.filled();
        if chunk.is_empty() {
            return Ok(false);
        }
        self.pass.scan(chunk);
        Ok(true)
    }

    fn hash(&mut self) {
        self.hasher.update(self.chunk.filled());
    }

    fn hash_with(&mut self, other: &mut Self) {
        let (chunk, other_chunk) = (self.chunk.filled(), other.chunk.filled());
        self.hasher
            .update_both(chunk, &mut other.hasher, other_chunk);
    }

    fn conclude(self) -> SnapshotReading {
        self.pass
            .conclude(&self.hasher.finish(), HashOn::SameThread)
    }
}
