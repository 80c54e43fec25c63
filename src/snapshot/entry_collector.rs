//! Collects the entries that were asked for while the file passes, stale ones among them, and gives out those on live
//! pages once the tree has told which these are.

use super::entry_request::{EntryRequest, KeyFilter, Versions};
use super::stored_entries::{StoredEntries, StoredEntry, Timeline};
use crate::bbolt::Pgid;
use crate::bytes::{to_u64, to_usize};
use crate::etcd::{KeyValue, Revision, RevisionKey};
use crate::kubernetes::encoding::Encoding;
use crate::secret::Secret;
use foldhash::quality::RandomState;
use std::collections::HashMap;

/// Bytes of all values kept: an answer of more is nothing that anybody reads, and the machine has other things to do.
pub const MAX_KEPT_BYTES: u64 = 256 << 20;

/// An entry on some page, its key by number.
struct NotedEntry {
    page: Pgid,
    key: u32,
    revision: Revision,
    is_deletion: bool,
    is_marked: bool,
    create_revision: i64,
    version: i64,
    value_bytes: u32,
    digest: u64,
}

/// A value and what it is the value of. Stale pages may hold another one at the same revision.
type ValueId = (u32, Revision, u64);

/// The entries of all pages that were asked for.
pub(super) struct EntryCollector {
    request: EntryRequest,
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    entries: Vec<NotedEntry>,
    values: HashMap<ValueId, Secret, RandomState>,
    /// The newest value of each key that was kept, where no more is asked for.
    newest: HashMap<u32, ValueId, RandomState>,
    total_bytes: usize,
}

impl EntryCollector {
    /// `None` when nothing is asked for.
    pub(super) fn new(request: &EntryRequest) -> Option<Self> {
        (!matches!(request.keys, KeyFilter::None)).then(|| Self {
            request: request.clone(),
            numbers: HashMap::default(),
            entries: Vec::new(),
            values: HashMap::default(),
            newest: HashMap::default(),
            total_bytes: 0,
        })
    }

    /// Offers a sound entry of a page.
    pub(super) fn offer(&mut self, page: Pgid, key: RevisionKey, stored: &KeyValue<'_>) {
        if !self.request.keys.has(stored.key) {
            return;
        }
        let Some(number) = self.number(stored.key) else {
            return;
        };
        let digest = self.request.digest(stored.value);
        self.entries.push(NotedEntry {
            page,
            key: number,
            revision: key.revision,
            is_deletion: key.is_tombstone,
            is_marked: self.request.marked.has(stored.key, stored.value),
            create_revision: stored.create_revision,
            version: stored.version,
            value_bytes: u32::try_from(stored.value.len()).unwrap_or(u32::MAX),
            digest,
        });
        let is_sealed = || {
            Encoding::of(stored.value) == Encoding::Encrypted
                && self.request.sealed_values.has(stored.key)
        };
        if !key.is_tombstone && (self.request.values.has(stored.key) || is_sealed()) {
            self.keep((number, key.revision, digest), stored.value);
        }
    }

    fn number(&mut self, key: &[u8]) -> Option<u32> {
        if let Some(number) = self.numbers.get(key) {
            return Some(*number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        self.numbers.insert(key.into(), number);
        Some(number)
    }

    fn keep(&mut self, id: ValueId, value: &[u8]) {
        if self.values.contains_key(&id) {
            return;
        }
        if self.request.versions == Versions::Newest && !self.make_way(id) {
            return;
        }
        if to_u64(self.total_bytes + value.len()) > MAX_KEPT_BYTES {
            return;
        }
        self.total_bytes += value.len();
        self.values.insert(id, Secret::new(value.to_vec()));
    }

    /// Drops the older value of a key; false when it is the newer one. No stale page holds a newer revision of a key that
    /// is alive than the tree does.
    fn make_way(&mut self, id: ValueId) -> bool {
        let (number, revision, _) = id;
        match self.newest.get(&number) {
            Some((_, newest, _)) if *newest > revision => return false,
            Some(other) if other.1 < revision => {
                let dropped = self.values.remove(other);
                self.total_bytes -= dropped.map_or(0, |value| value.len());
            }
            _ => {}
        }
        self.newest.insert(number, id);
        true
    }

    /// The entries on live pages, by key and revision.
    pub(super) fn conclude(
        mut self,
        is_live: impl Fn(Pgid) -> bool,
        timeline: Timeline,
    ) -> StoredEntries {
        let mut noted = std::mem::take(&mut self.entries);
        noted.retain(|entry| is_live(entry.page));
        noted.sort_unstable_by_key(|entry| (entry.key, entry.revision, entry.is_deletion));
        let mut keys: Vec<Box<[u8]>> = vec![Box::default(); self.numbers.len()];
        for (key, number) in std::mem::take(&mut self.numbers) {
            if let Some(place) = u64::from(number)
                .try_into()
                .ok()
                .and_then(|n: usize| keys.get_mut(n))
            {
                *place = key;
            }
        }
        let mut entries = Vec::new();
        for history in noted.chunk_by(|left, right| left.key == right.key) {
            let key = history.first().map(|entry| to_usize(entry.key));
            let Some(key) = key
                .and_then(|number| keys.get_mut(number))
                .map(std::mem::take)
            else {
                continue;
            };
            let key: std::sync::Arc<[u8]> = key.into();
            match (self.request.versions, history.split_last()) {
                (Versions::Newest, Some((newest, _))) if !newest.is_deletion => {
                    entries.push(self.stored(newest, key));
                }
                (Versions::Newest, _) => {}
                (Versions::All, _) => {
                    entries.extend(history.iter().map(|entry| self.stored(entry, key.clone())));
                }
            }
        }
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        StoredEntries { entries, timeline }
    }

    fn stored(&mut self, entry: &NotedEntry, key: std::sync::Arc<[u8]>) -> StoredEntry {
        let value = self
            .values
            .remove(&(entry.key, entry.revision, entry.digest));
        StoredEntry {
            key,
            revision: entry.revision.main,
            is_deletion: entry.is_deletion,
            create_revision: entry.create_revision,
            version: entry.version,
            value_bytes: to_u64(to_usize(entry.value_bytes)),
            digest: entry.digest,
            is_marked: entry.is_marked,
            value,
        }
    }
}
