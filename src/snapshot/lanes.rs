//! Scan and hash on one core, chunk by chunk; two snapshots side by side, so that their digests take turns.

use super::feed::{Chunk, Feed};
use super::hashing::TrailerHasher;
use super::pass::Pass;
use super::read::{HashOn, ReadError, Reading};
use crate::monitor::Monitor;
use std::io::Read;

/// Bytes of one read: few enough to stay in the cache next to the core. See [`Chunk`].
const CHUNK_BYTES: usize = 128 << 10;

/// Snapshots to be read on one thread.
pub trait Queue<'r> {
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
        read: Result<Reading, ReadError>,
    ) -> Result<(), Self::Error>;
}

/// Reads all snapshots of `queue` to their ends, two at a time.
///
/// What is learnt of each is what [`read`](super::read()) would have learnt.
///
/// # Errors
///
/// Those of [`Queue::done`].
pub fn read_all<'r, Q: Queue<'r>>(queue: &mut Q, monitor: &'r dyn Monitor) -> Result<(), Q::Error> {
    let mut lanes = [None, None];
    let ended = run(&mut lanes, queue, monitor);
    if ended.is_err() {
        for (ticket, _) in lanes.into_iter().flatten() {
            // The queue has said already why it stops.
            let _ = queue.done(ticket, Err(ReadError::Interrupted));
        }
    }
    ended
}

/// What the queue knows a snapshot by, and the snapshot.
type Occupied<'r, Q> = Option<(<Q as Queue<'r>>::Ticket, Lane<'r>)>;

fn run<'r, Q: Queue<'r>>(
    lanes: &mut [Occupied<'r, Q>; 2],
    queue: &mut Q,
    monitor: &'r dyn Monitor,
) -> Result<(), Q::Error> {
    loop {
        let [one, other] = &mut *lanes;
        advance(one, queue, monitor)?;
        advance(other, queue, monitor)?;
        match (one, other) {
            (None, None) => return Ok(()),
            (Some((_, lane)), None) | (None, Some((_, lane))) => lane.hash(),
            (Some((_, lane)), Some((_, other))) => lane.hash_with(other),
        }
    }
}

/// Reads a snapshot to its end.
pub(super) fn read_one(feed: Feed<'_>) -> Result<Reading, ReadError> {
    let mut lane = Lane::new(feed);
    while lane.scan()? {
        lane.hash();
    }
    Ok(lane.conclude())
}

/// Scans the next chunk of the snapshot in a lane, or else of the next snapshot that has one.
fn advance<'r, Q: Queue<'r>>(
    occupied: &mut Occupied<'r, Q>,
    queue: &mut Q,
    monitor: &'r dyn Monitor,
) -> Result<(), Q::Error> {
    loop {
        if occupied.is_none() {
            *occupied = queue
                .next()
                .map(|(ticket, source)| (ticket, Lane::new(Feed::new(source, monitor))));
        }
        let Some((_, lane)) = occupied else {
            return Ok(());
        };
        let ended = match lane.scan() {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        if let Some((ticket, lane)) = occupied.take() {
            queue.done(ticket, ended.map_or_else(|| Ok(lane.conclude()), Err))?;
        }
    }
}

/// A snapshot under way, with its latest chunk.
struct Lane<'r> {
    feed: Feed<'r>,
    pass: Pass,
    hasher: TrailerHasher,
    chunk: Chunk,
}

impl<'r> Lane<'r> {
    fn new(feed: Feed<'r>) -> Self {
        Self {
            feed,
            pass: Pass::new(),
            hasher: TrailerHasher::new(),
            chunk: Chunk::new(CHUNK_BYTES),
        }
    }

    /// Reads and scans a chunk; false at the end.
    fn scan(&mut self) -> Result<bool, ReadError> {
        self.feed.fill(&mut self.chunk)?;
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

    fn conclude(self) -> Reading {
        self.pass
            .conclude(&self.hasher.finish(), HashOn::SameThread)
    }
}
