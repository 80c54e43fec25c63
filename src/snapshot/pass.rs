//! What one pass does with a snapshot's bytes on the side of the scan: reads them, scans them, and concludes.

use super::findings::{self, Sizes};
use super::hashing::Hashed;
use super::keyspace::Keyspace;
use super::read::{HashOn, ReadError, Reading};
use super::{Sealed, content};
use crate::bbolt::scan::Scan;
use crate::bbolt::{Layout, MetaDefect};
use crate::bytes::to_u64;
use crate::monitor::Monitor;
use std::io::{self, Read};

/// How far the scan is.
enum ScanState {
    /// Nothing read yet.
    Start,
    /// Neither meta page is valid: nothing to scan.
    NoLayout(MetaDefect),
    /// Under way.
    Running(Box<Scan<Keyspace>>, Layout),
}

/// A snapshot under way.
pub(super) struct Pass<'r> {
    source: Box<dyn Read + 'r>,
    monitor: &'r dyn Monitor,
    scan: ScanState,
    position: u64,
}

impl<'r> Pass<'r> {
    pub(super) fn new(source: Box<dyn Read + 'r>, monitor: &'r dyn Monitor) -> Self {
        Self {
            source,
            monitor,
            scan: ScanState::Start,
            position: 0,
        }
    }

    /// Fills the buffer unless the source ends: chunks are cut at multiples of its length.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
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
    pub(super) fn scan_chunk(&mut self, chunk: &[u8]) -> Option<u64> {
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

    /// Proves what the scan has noted; `hash_on` tells how many cores may do so.
    pub(super) fn conclude(self, hashed: &Hashed, hash_on: HashOn) -> Reading {
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

/// A file that holds no database: its digest is all there is.
fn unreadable(hashed: &Hashed, defect: Option<MetaDefect>) -> Reading {
    let mut snapshot = content::empty(hashed);
    snapshot.findings = vec![findings::no_database(hashed.size_bytes, defect)];
    Reading {
        snapshot,
        sealed: Sealed::default(),
    }
}
