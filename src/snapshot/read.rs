//! The one pass over a snapshot: SHA-256 on one side, the scan of pages on the other, the proof at the end.

use super::findings::{self, Sizes};
use super::hashing::{Hashed, TrailerHasher};
use super::keyspace::Keyspace;
use super::{Sealed, Snapshot, content};
use crate::bbolt::scan::Scan;
use crate::bbolt::{Layout, MetaDefect};
use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of one read that one core looks at twice: few enough to stay in the cache next to it. Like the other size a
/// multiple of 64 KiB, the largest page size, and enough to hold both meta pages.
const CHUNK_BYTES: usize = 128 << 10;
/// Bytes of one read that goes from core to core, by way of the cache that they share.
const SHARED_CHUNK_BYTES: usize = 1 << 20;
/// Buffers between the scan and the hash.
const RING_BUFFERS: usize = 4;

/// Where the hash is computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HashOn {
    /// A thread of its own: one file, two cores.
    OwnThread,
    /// The thread that scans: as many files as cores.
    SameThread,
}

/// What one pass has learnt.
#[derive(Debug)]
pub struct Reading {
    /// The facts.
    pub snapshot: Snapshot,
    /// Values that need keys to be proven. In memory only.
    pub sealed: Sealed,
}

/// Why a pass could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refused to read on.
    #[error("cannot read at offset {offset}")]
    Io {
        /// Bytes read before.
        offset: u64,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// Stopped on request.
    #[error("interrupted")]
    Interrupted,
}

/// Reads a snapshot to its end and learns everything about it.
///
/// Bytes beyond the first bad one are read all the same: all defects are collected.
///
/// # Errors
///
/// [`ReadError::Io`] when the source fails, [`ReadError::Interrupted`] when `monitor` says so.
pub fn read(
    source: &mut dyn Read,
    hash_on: HashOn,
    monitor: &dyn Monitor,
) -> Result<Reading, ReadError> {
    let mut pass = Pass {
        source,
        monitor,
        scan: ScanState::Start,
        position: 0,
    };
    let hashed = match hash_on {
        HashOn::SameThread => pass.run_alone()?,
        HashOn::OwnThread => pass.run_beside_hash()?,
    };
    Ok(pass.conclude(&hashed, hash_on))
}

/// How far the scan is.
enum ScanState {
    /// Nothing read yet.
    Start,
    /// Neither meta page is valid: nothing to scan.
    NoLayout(MetaDefect),
    /// Under way.
    Running(Box<Scan<Keyspace>>, Layout),
}

struct Pass<'a> {
    source: &'a mut dyn Read,
    monitor: &'a dyn Monitor,
    scan: ScanState,
    position: u64,
}

impl Pass<'_> {
    fn run_alone(&mut self) -> Result<Hashed, ReadError> {
        let mut hasher = TrailerHasher::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let length = self.fill(&mut buffer)?;
            let chunk = buffer.get(..length).unwrap_or_default();
            if chunk.is_empty() {
                return Ok(hasher.finish());
            }
            if let Some(data_end) = self.scan_chunk(chunk) {
                hasher.expect_data_end(data_end);
            }
            hasher.update(chunk);
        }
    }

    /// Scans on this thread, hashes on another; buffers go round in a ring.
    fn run_beside_hash(&mut self) -> Result<Hashed, ReadError> {
        let (full, to_hash) = sync_channel::<(Vec<u8>, usize, Option<u64>)>(RING_BUFFERS);
        let (empty, recycled) = sync_channel::<Vec<u8>>(RING_BUFFERS);
        std::thread::scope(|scope| {
            let hash = scope.spawn(move || hash_all(&to_hash, &empty));
            let fed = self.feed_ring(&full, &recycled);
            drop(full);
            let hashed = hash.join().map_err(|_| ReadError::Interrupted);
            fed.and(hashed)
        })
    }

    fn feed_ring(
        &mut self,
        full: &SyncSender<(Vec<u8>, usize, Option<u64>)>,
        recycled: &Receiver<Vec<u8>>,
    ) -> Result<(), ReadError> {
        let mut made = 0;
        loop {
            let mut buffer = if made < RING_BUFFERS {
                made += 1;
                vec![0; SHARED_CHUNK_BYTES]
            } else {
                recycled.recv().map_err(|_| ReadError::Interrupted)?
            };
            let length = self.fill(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            let data_end = self.scan_chunk(buffer.get(..length).unwrap_or_default());
            full.send((buffer, length, data_end))
                .map_err(|_| ReadError::Interrupted)?;
        }
    }

    /// Fills the buffer unless the source ends: chunks are cut at multiples of its length.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if self.monitor.is_interrupted() {
            return Err(ReadError::Interrupted);
        }
        let mut length = 0;
        while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match self.source.read(rest) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ReadError::Io {
                        offset: self.position + to_u64(length),
                        source,
                    });
                }
            }
        }
        self.position += to_u64(length);
        Ok(length)
    }

    /// Scans a chunk; tells where the data ends when the first one has shown it.
    fn scan_chunk(&mut self, chunk: &[u8]) -> Option<u64> {
        let is_first = matches!(self.scan, ScanState::Start);
        if is_first {
            self.scan = match Layout::find(chunk) {
                Ok(layout) => {
                    ScanState::Running(Box::new(Scan::new(layout, Keyspace::default())), layout)
                }
                Err(defect) => ScanState::NoLayout(defect),
            };
        }
        let ScanState::Running(scan, layout) = &mut self.scan else {
            return None;
        };
        scan.feed(chunk);
        layout.meta.size_bytes().filter(|_| is_first)
    }

    fn conclude(self, hashed: &Hashed, hash_on: HashOn) -> Reading {
        let (scan, layout) = match self.scan {
            ScanState::Start => return unreadable(hashed, None),
            ScanState::NoLayout(defect) => return unreadable(hashed, Some(defect)),
            ScanState::Running(scan, layout) => (scan, layout),
        };
        let sizes = Sizes {
            hashed,
            data_bytes: layout.meta.size_bytes(),
            page_size: layout.meta.page_size,
        };
        let mut found = findings::size_and_digest(&sizes);
        found.extend(findings::meta(&layout));
        let (notes, keyspace) = scan.finish();
        let mut reading = content::conclude(&layout, &notes, keyspace, hashed, hash_on);
        found.append(&mut reading.snapshot.findings);
        reading.snapshot.findings = found;
        reading
    }
}

fn hash_all(full: &Receiver<(Vec<u8>, usize, Option<u64>)>, empty: &SyncSender<Vec<u8>>) -> Hashed {
    let mut hasher = TrailerHasher::new();
    while let Ok((buffer, length, data_end)) = full.recv() {
        if let Some(data_end) = data_end {
            hasher.expect_data_end(data_end);
        }
        hasher.update(buffer.get(..length).unwrap_or_default());
        // The scan has ended when nobody takes the buffer back.
        let _ = empty.try_send(buffer);
    }
    hasher.finish()
}

/// A file that holds no database: its digest is all there is.
fn unreadable(hashed: &Hashed, defect: Option<MetaDefect>) -> Reading {
    let mut snapshot = content::empty(hashed);
    snapshot.findings = vec![findings::no_database(hashed.size_bytes, defect)];
    Reading {
        snapshot,
        sealed: Sealed::default(),
    }
}
