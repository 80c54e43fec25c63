//! What one pass does with a snapshot's bytes beside hashing them: it scans them, and concludes at their end.

use super::content;
use super::entry_request::EntryRequest;
use super::every_value::EveryValue;
use super::findings::{self, NoDatabase, Sizes};
use super::hashing::Hashed;
use super::keyspace::Keyspace;
use super::mend::suspects;
use super::reading::{HashOn, SnapshotReading};
use super::stored_entries::StoredEntries;
use crate::bbolt::{Layout, Scan};
use crate::kubernetes::encryption::{Keys, Sealed};
use std::sync::Arc;

/// Bytes in front that may be no part of the data, and some more.
const HEAD_BYTES: usize = 65 << 10;

/// How far the scan is.
enum ScanState {
    /// Nothing read yet.
    Start,
    /// Neither meta page is valid: nothing to scan.
    NoLayout(NoDatabase),
    /// Under way.
    Running(Box<Scan<Keyspace>>, Layout),
}

/// The scan of a snapshot, under way.
pub(super) struct SnapshotPass {
    scan: ScanState,
    /// The first bytes, by which a change is recognised.
    head: Vec<u8>,
    request: EntryRequest,
    /// On which every encrypted value is to be tried.
    keys: Option<Arc<Keys>>,
}

impl SnapshotPass {
    pub(super) fn new(request: &EntryRequest) -> Self {
        Self {
            scan: ScanState::Start,
            head: Vec::new(),
            request: request.clone(),
            keys: None,
        }
    }

    /// Every encrypted value is to be tried on these keys.
    pub(super) fn with_keys(keys: Arc<Keys>) -> Self {
        Self {
            keys: Some(keys),
            ..Self::new(&EntryRequest::default())
        }
    }

    /// Scans a chunk. The first one holds both meta pages.
    pub(super) fn scan(&mut self, chunk: &[u8]) {
        if let ScanState::Start = self.scan {
            self.head = chunk.get(..HEAD_BYTES).unwrap_or(chunk).to_vec();
            self.scan = match Layout::find(chunk) {
                Ok(layout) => {
                    let mut keyspace = Keyspace::collecting(&self.request);
                    keyspace.every_value = self.keys.take().map(EveryValue::new);
                    ScanState::Running(Box::new(Scan::new(layout, keyspace)), layout)
                }
                Err(defect) => ScanState::NoLayout(NoDatabase::new(defect, chunk)),
            };
        }
        if let ScanState::Running(scan, _) = &mut self.scan {
            scan.feed(chunk);
        }
    }

    /// Proves what the scan has noted; `hash_on` tells how many cores may do so.
    pub(super) fn conclude(self, hashed: &Hashed, hash_on: HashOn) -> SnapshotReading {
        let (scan, layout) = match self.scan {
            ScanState::Start => return unreadable(hashed, None),
            ScanState::NoLayout(found) => {
                let mut reading = unreadable(hashed, Some(&found));
                reading.suspect = suspects(&self.head, None, hashed);
                return reading;
            }
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
        reading.suspect = suspects(&self.head, Some(&layout), hashed);
        reading
    }
}

/// A file that holds no database: its digest is all there is.
fn unreadable(hashed: &Hashed, found: Option<&NoDatabase>) -> SnapshotReading {
    let mut snapshot = content::empty(hashed);
    snapshot.findings = vec![findings::no_database(hashed.size_bytes, found)];
    SnapshotReading {
        snapshot,
        sealed: Sealed::default(),
        odd_values: None,
        whole: hashed.whole,
        with_own_digest: hashed.with_own_digest,
        suspect: None,
        entries: StoredEntries::default(),
    }
}
