//! What lists in an archive say of its files, and what was computed of these as they passed by.

use super::recorded::{Digests, RecordedChecksums, Sums};
use crate::bytes::to_u64;
use crate::digest::Sha256Digest;
use crate::discovery::{MAX_LIST_BYTES, is_checksum_list};
use crate::snapshot::SnapshotReading;
use crate::source::ObjectId;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

/// Checksums of one archive that are kept: more than any shop has.
const MAX_RECORDED: usize = 20_000;

/// What lists in an archive say, and what is so.
#[derive(Debug, Default)]
pub(super) struct MemberChecksums {
    recorded: RecordedChecksums,
    count: usize,
    computed: BTreeMap<ObjectId, Computed>,
}

/// What was computed of one file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Computed {
    pub(super) digests: Digests,
    /// Of a snapshot: SHA-256 of all bytes and the digest of the data behind them.
    pub(super) with_own_digest: Option<Sha256Digest>,
}

impl MemberChecksums {
    /// Takes a list, if the name says that it is one; false: it is none.
    pub(super) fn learn(&mut self, id: &ObjectId, bytes: &mut dyn Read) -> bool {
        if !id.file_name().is_some_and(is_checksum_list) {
            return false;
        }
        let mut text = Vec::new();
        let read = bytes.take(MAX_LIST_BYTES + 1).read_to_end(&mut text);
        // A list that breaks off, or is longer than any, says nothing.
        if read.is_ok_and(|length| to_u64(length) <= MAX_LIST_BYTES) {
            let count = &mut self.count;
            self.recorded.learn(id, &text, |_| {
                *count += 1;
                *count <= MAX_RECORDED
            });
        }
        true
    }

    /// For a file that comes next: what the lists so far ask for.
    pub(super) fn sums(&self, id: &ObjectId) -> Sums {
        Sums::for_each(self.recorded.of(id), false)
    }

    /// What was computed of a file; of members of one name, that of the last.
    pub(super) fn enter(&mut self, id: &ObjectId, digests: Digests) {
        let computed = self.computed.entry(id.clone()).or_default();
        computed.digests = computed.digests.and(digests);
    }

    /// What reading a snapshot that was not packed computed on the way.
    pub(super) fn enter_reading(&mut self, id: &ObjectId, reading: &SnapshotReading) {
        let digests = Digests {
            sha256: Some(reading.whole.0),
            md5: None,
        };
        let computed = Computed {
            digests,
            with_own_digest: Some(reading.with_own_digest),
        };
        self.computed.insert(id.clone(), computed);
    }

    /// What was recorded, by file.
    pub(super) fn recorded(&self) -> &RecordedChecksums {
        &self.recorded
    }

    /// What was computed of a file.
    pub(super) fn computed(&self, id: &ObjectId) -> Computed {
        self.computed.get(id).copied().unwrap_or_default()
    }

    /// Files that a list asks more of than was computed.
    pub(super) fn uncomputed(&self, met: &BTreeMap<ObjectId, u32>) -> BTreeSet<ObjectId> {
        let asked = self.recorded.iter().filter(|(id, recorded)| {
            met.contains_key(*id) && self.computed(id).digests.lack(recorded)
        });
        asked.map(|(id, _)| id.clone()).collect()
    }
}

/// Reads what is left of a file, so that its digests are of all of it; `None` where it breaks off.
pub(super) fn finish_sums(sums: &Sums, mut rest: impl Read) -> Option<Digests> {
    if !sums.is_wanted() {
        return None;
    }
    io::copy(&mut rest, &mut io::sink()).ok()?;
    Some(sums.finish(None))
}
