//! Looks at every leaf page while it passes: decodes entries of bucket `key` and notes what will be needed of them.

use super::classes::{Classes, NO_OBJECT};
use super::wanted::{Purpose, Wanted, purpose};
use crate::bbolt::scan::{LeafObserver, Observation};
use crate::bbolt::{LeafElement, Pgid};
use crate::etcd::{
    Entry, EntryKind, KeyHashes, KeyValue, KeyValueDefect, PageTimes, RevisionKey,
    RevisionKeyDefect, Trail,
};
use crate::kubernetes::encryption::value::StoredValue;
use crate::kubernetes::envelope::{Envelope, lease_renewed_at, written_at};
use crate::secret::Secret;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;

/// Defective entries that are described one by one.
const MAX_DESCRIBED: usize = 1 << 12;
/// Encrypted values kept of each class: those whose keys have the smallest hashes, which is a fair choice among keys
/// however often each was written. Some will turn out to be superseded or on stale pages.
const SAMPLES: usize = 64;
/// Largest encrypted value that is taken as a sample.
const MAX_SAMPLE_BYTES: usize = 32 << 10;
/// Length of a lease id, the key of bucket `lease`.
const LEASE_ID_BYTES: usize = 8;

/// An entry of a page that looks like one of bucket `key`, and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefectiveEntry {
    pub(super) page: Pgid,
    pub(super) index: usize,
    /// Its revision, if the key tells it.
    pub(super) revision: Option<crate::etcd::Revision>,
    pub(super) defect: EntryDefect,
}

/// What can be wrong with an entry looked at alone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum EntryDefect {
    #[error("{0}")]
    Key(RevisionKeyDefect),
    #[error("{0}")]
    Value(KeyValueDefect),
    #[error("the value is a bucket")]
    Bucket,
}

impl EntryDefect {
    /// False when the entry decodes but contradicts itself.
    pub(super) fn is_undecodable(&self) -> bool {
        use KeyValueDefect as V;
        !matches!(
            self,
            Self::Value(
                V::ModRevision { .. } | V::CreateRevision { .. } | V::Version { .. } | V::Tombstone
            )
        )
    }
}

/// An encrypted value kept as a sample.
pub(super) struct Sample {
    pub(super) key: Vec<u8>,
    pub(super) key_hash: u64,
    pub(super) main: i64,
    pub(super) pages: Vec<u64>,
    pub(super) value: Secret,
}

impl Sample {
    fn new(stored: &KeyValue<'_>, key_hash: u64, main: i64, page: Pgid) -> Self {
        Self {
            key: stored.key.to_vec(),
            key_hash,
            main,
            pages: vec![page.0],
            value: Secret::new(stored.value.to_vec()),
        }
    }
}

/// Notes on the entries of all pages that look like pages of bucket `key`.
#[derive(Default)]
pub(super) struct Keyspace {
    hasher: RandomState,
    pub(super) trail: Trail,
    pub(super) classes: Classes,
    pub(super) wanted: Wanted,
    pub(super) samples: HashMap<u16, Vec<Sample>>,
    pub(super) defective: Vec<DefectiveEntry>,
    entries: Vec<Entry>,
}

/// Tag of pages without a trail.
pub(super) const NO_TRAIL: u64 = 0;

impl LeafObserver for Keyspace {
    fn leaf(&mut self, page: Pgid, elements: &[LeafElement<'_>]) -> Observation {
        let is_revision = |element: Option<&LeafElement<'_>>| {
            element.is_some_and(|element| RevisionKey::parse(element.key).is_ok())
        };
        if !is_revision(elements.first()) && !is_revision(elements.last()) {
            let keep = elements
                .iter()
                .any(|element| element.key.len() != LEASE_ID_BYTES);
            return Observation {
                tag: NO_TRAIL,
                keep,
            };
        }
        let mut times = PageTimes::default();
        self.entries.clear();
        for (index, element) in elements.iter().enumerate() {
            let entry = self.entry(page, index, element, &mut times);
            self.entries.push(entry);
        }
        let tag = self.trail.push(page, times, &self.entries) + 1;
        Observation { tag, keep: false }
    }
}

impl Keyspace {
    fn entry(
        &mut self,
        page: Pgid,
        index: usize,
        element: &LeafElement<'_>,
        times: &mut PageTimes,
    ) -> Entry {
        let mut entry = Entry {
            revision: crate::etcd::Revision::default(),
            kind: EntryKind::Defective,
            key_hash: 0,
            create_revision: 0,
            version: 0,
            class: NO_OBJECT,
        };
        let key = match RevisionKey::parse(element.key) {
            Ok(key) => key,
            Err(defect) => {
                self.defective(page, index, None, EntryDefect::Key(defect));
                return entry;
            }
        };
        entry.revision = key.revision;
        if element.is_bucket {
            self.defective(page, index, Some(key.revision), EntryDefect::Bucket);
            return entry;
        }
        if element.value.is_empty() && !key.is_tombstone {
            entry.kind = EntryKind::Bump;
            return entry;
        }
        let decoded =
            KeyValue::decode(element.value).and_then(|value| value.check(key).map(|()| value));
        match decoded {
            Ok(value) => self.sound_entry(page, key, &value, times),
            Err(defect) => {
                self.defective(page, index, Some(key.revision), EntryDefect::Value(defect));
                entry
            }
        }
    }

    fn sound_entry(
        &mut self,
        page: Pgid,
        key: RevisionKey,
        stored: &KeyValue<'_>,
        times: &mut PageTimes,
    ) -> Entry {
        let key_hash = self.hasher.hash_one(stored.key);
        let (kind, class) = if key.is_tombstone {
            (EntryKind::Tombstone, NO_OBJECT)
        } else {
            (
                EntryKind::Put,
                self.value(page, key.revision.main, key_hash, stored, times),
            )
        };
        let (create_revision, version) = (stored.create_revision, stored.version);
        Entry {
            revision: key.revision,
            kind,
            key_hash,
            create_revision,
            version,
            class,
        }
    }

    /// Classifies a value and keeps what will be wanted of it.
    fn value(
        &mut self,
        page: Pgid,
        main: i64,
        key_hash: u64,
        stored: &KeyValue<'_>,
        times: &mut PageTimes,
    ) -> u16 {
        let value = StoredValue::parse(stored.value);
        let class = self.classes.number(stored.key, &value);
        if class == NO_OBJECT {
            return class;
        }
        match value {
            StoredValue::Plain => note_times(stored, times),
            StoredValue::Encrypted(_) => self.sample(class, page, main, key_hash, stored),
            StoredValue::Malformed => {}
        }
        if purpose(stored.key).is_some() {
            self.wanted
                .offer(stored.key, key_hash, main, page.0, stored.value);
        }
        class
    }

    fn sample(&mut self, class: u16, page: Pgid, main: i64, key_hash: u64, stored: &KeyValue<'_>) {
        if stored.value.len() > MAX_SAMPLE_BYTES {
            return;
        }
        let samples = self.samples.entry(class).or_default();
        if let Some(same) = samples
            .iter_mut()
            .find(|sample| sample.key_hash == key_hash)
        {
            if same.main == main && same.value.expose() == stored.value {
                same.pages.push(page.0);
            } else if same.main < main {
                *same = Sample::new(stored, key_hash, main, page);
            }
            return;
        }
        if samples.len() >= SAMPLES {
            let largest = samples
                .iter()
                .enumerate()
                .max_by_key(|(_, sample)| sample.key_hash);
            match largest.map(|(index, sample)| (index, sample.key_hash)) {
                Some((index, largest)) if key_hash < largest => {
                    samples.swap_remove(index);
                }
                _ => return,
            }
        }
        samples.push(Sample::new(stored, key_hash, main, page));
    }

    fn defective(
        &mut self,
        page: Pgid,
        index: usize,
        revision: Option<crate::etcd::Revision>,
        defect: EntryDefect,
    ) {
        if self.defective.len() < MAX_DESCRIBED {
            self.defective.push(DefectiveEntry {
                page,
                index,
                revision,
                defect,
            });
        }
    }

    /// Hashes of the keys of all values that were kept.
    pub(super) fn asked(&self) -> KeyHashes {
        let samples = self.samples.values().flatten();
        let samples = samples.map(|sample| sample.key_hash);
        samples.chain(self.wanted.key_hashes()).collect()
    }

    /// Is this what the value at this key is wanted for?
    pub(super) fn purpose_of(key: &[u8]) -> Option<Purpose> {
        purpose(key)
    }
}

fn note_times(stored: &KeyValue<'_>, times: &mut PageTimes) {
    let Ok(Some(envelope)) = Envelope::parse(stored.value) else {
        return;
    };
    if envelope.kind == b"Lease" {
        let renewed_at = lease_renewed_at(envelope.raw).ok().flatten();
        times.lease_seconds = times
            .lease_seconds
            .max(renewed_at.map_or(0, |at| at.timestamp()));
    }
    let written_at = written_at(envelope.raw).ok().flatten();
    times.content_seconds = times.content_seconds.max(written_at.unwrap_or_default());
}
