//! Looks at every leaf page while it passes: decodes entries of bucket `key` and notes what will be needed of them.

use super::classes::{NO_OBJECT, ValueClasses};
use super::defective_objects::DefectiveObjects;
use super::entry_collector::EntryCollector;
use super::entry_defect::{DefectiveEntry, EntryDefect};
use super::entry_request::EntryRequest;
use super::every_value::EveryValue;
use super::leases::{LEASE_ID_BYTES, LeasePages, LeasedKeys};
use super::purpose::{Purpose, purpose};
use super::samples::EncryptedSamples;
use super::wanted::Wanted;
use super::zeros::zeros_in;
use crate::bbolt::{LeafElement, LeafObserver, Observation, Pgid};
use crate::digest::Crc32c;
use crate::etcd::{
    EntryKind, EntryNotes, KeyHashes, KeyValue, PageTimes, Revision, RevisionEntry, RevisionKey,
};
use crate::kubernetes::encoding::Encoding;
use crate::kubernetes::encryption::StoredValue;
use crate::kubernetes::stored_object::look_at;
use foldhash::quality::RandomState;
use std::borrow::Cow;
use std::hash::BuildHasher;

/// Defective entries that are described one by one.
const MAX_DESCRIBED: usize = 1 << 12;

/// Notes on the entries of all pages that look like pages of bucket `key`.
#[derive(Default)]
pub(super) struct Keyspace {
    hasher: RandomState,
    pub(super) notes: EntryNotes,
    pub(super) classes: ValueClasses,
    pub(super) wanted: Wanted,
    pub(super) samples: EncryptedSamples,
    /// Where keys are at hand.
    pub(super) every_value: Option<EveryValue>,
    pub(super) defective: Vec<DefectiveEntry>,
    pub(super) defective_objects: DefectiveObjects,
    pub(super) lease_pages: LeasePages,
    pub(super) leased: LeasedKeys,
    /// `None`: no entry is asked for beside the facts.
    pub(super) collector: Option<EntryCollector>,
    entries: Vec<RevisionEntry>,
}

/// Tag of pages whose entries are not noted.
pub(super) const NOT_NOTED: u64 = 0;

impl LeafObserver for Keyspace {
    fn leaf(&mut self, page: Pgid, elements: &[LeafElement<'_>]) -> Observation {
        let is_revision = |element: Option<&LeafElement<'_>>| {
            element.is_some_and(|element| RevisionKey::parse(element.key).is_ok())
        };
        if !is_revision(elements.first()) && !is_revision(elements.last()) {
            self.lease_pages.note(page, elements);
            let keep = elements
                .iter()
                .any(|element| element.key.len() != LEASE_ID_BYTES);
            return Observation {
                tag: NOT_NOTED,
                keep,
            };
        }
        let mut times = PageTimes::default();
        self.entries.clear();
        for (index, element) in elements.iter().enumerate() {
            let entry = self.entry(page, index, element, &mut times);
            self.entries.push(entry);
        }
        let tag = self.notes.push(page, times, &self.entries) + 1;
        Observation { tag, keep: false }
    }
}

impl Keyspace {
    /// Collects these entries beside what the facts are drawn from.
    pub(super) fn collecting(request: &EntryRequest) -> Self {
        Self {
            hasher: request.hasher.clone(),
            collector: EntryCollector::new(request),
            ..Self::default()
        }
    }

    fn entry(
        &mut self,
        page: Pgid,
        index: usize,
        element: &LeafElement<'_>,
        times: &mut PageTimes,
    ) -> RevisionEntry {
        let mut entry = RevisionEntry {
            revision: Revision::default(),
            kind: EntryKind::Defective,
            key_hash: 0,
            create_revision: 0,
            version: 0,
            value_bytes: 0,
            class: NO_OBJECT,
            content: 0,
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
    ) -> RevisionEntry {
        let key_hash = self.hasher.hash_one(stored.key);
        if stored.lease != 0 && !key.is_tombstone {
            self.leased.offer(
                stored.lease,
                stored.key,
                key_hash,
                key.revision.main,
                page.0,
            );
        }
        let (kind, class, content) = if key.is_tombstone {
            (EntryKind::Tombstone, NO_OBJECT, 0)
        } else {
            let class = self.value(page, key.revision.main, key_hash, stored, times);
            let content = Crc32c::of(stored.key).followed_by(stored.value).value;
            (EntryKind::Put, class, content)
        };
        if let Some(collector) = &mut self.collector {
            collector.offer(page, key, stored, key_hash);
        }
        let (create_revision, version) = (stored.create_revision, stored.version);
        let value_bytes = u32::try_from(stored.value.len()).unwrap_or(u32::MAX);
        RevisionEntry {
            revision: key.revision,
            kind,
            key_hash,
            create_revision,
            version,
            value_bytes,
            class,
            content,
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
        if class == NO_OBJECT && Encoding::of(stored.value) == Encoding::Other {
            return class;
        }
        match value {
            StoredValue::Encrypted(_) if class != NO_OBJECT => {
                self.samples.offer(class, page, main, key_hash, stored);
                if let (Some(every), Some(resource)) =
                    (&mut self.every_value, self.classes.resource(class))
                {
                    every.offer((class, resource), page, main, key_hash, stored);
                }
            }
            _ => match look_at(stored.key, stored.value)
                .and_then(|told| zeros_in(stored.value).map_or(Ok(told), Err))
            {
                Ok(told) => {
                    times.lease_seconds = times.lease_seconds.max(told.lease_seconds);
                    times.content_seconds = times.content_seconds.max(told.content_seconds);
                }
                Err(defect) => {
                    let objects = &mut self.defective_objects;
                    objects.offer(stored.key, key_hash, main, page, &defect);
                }
            },
        }
        if let Some(wanted) = purpose(stored.key) {
            let excerpt = match wanted {
                Purpose::Cluster(object) => object.excerpt(stored.value),
                _ => Some(Cow::Borrowed(stored.value)),
            };
            if let Some(excerpt) = excerpt {
                self.wanted
                    .offer(stored.key, key_hash, main, page.0, &excerpt);
            }
        }
        class
    }

    fn defective(
        &mut self,
        page: Pgid,
        index: usize,
        revision: Option<Revision>,
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
        let samples = self.samples.key_hashes();
        let leased = self.leased.key_hashes();
        samples
            .chain(self.wanted.key_hashes())
            .chain(leased)
            .chain(self.defective_objects.key_hashes())
            .chain(self.every_value.iter().flat_map(EveryValue::key_hashes))
            .collect()
    }
}
