//! Collects the entries that were asked for while the file passes, stale ones among them, and gives out those on live
//! pages once the tree has told which these are.

use super::entry_keys::{EntryKey, KeyBuffer, KeyPlace};
use super::entry_request::{EntryRequest, KeyFilter, Versions};
use super::stored_entries::{StoredEntries, StoredEntry, Timeline};
use crate::bbolt::Pgid;
use crate::bytes::{to_u64, to_usize};
use crate::etcd::{KeyValue, Revision, RevisionKey};
use crate::kubernetes::encoding::Encoding;
use crate::secret::Secret;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of all values kept: an answer of more is nothing that anybody reads, and the machine has other things to do.
pub const MAX_KEPT_BYTES: u64 = 256 << 20;

/// An entry on some page.
struct NotedEntry {
    page: Pgid,
    key: KeyPlace,
    key_hash: u64,
    revision: Revision,
    is_deletion: bool,
    is_marked: bool,
    create_revision: i64,
    version: i64,
    value_bytes: u32,
    digest: u64,
}

/// The hash of a key, the revision of a value and the value's digest. Stale pages may hold another one at the same revision.
type ValueId = (u64, Revision, u64);

/// The entries of all pages that were asked for.
pub(super) struct EntryCollector {
    request: EntryRequest,
    keys: KeyBuffer,
    entries: Vec<NotedEntry>,
    values: HashMap<ValueId, Secret, RandomState>,
    /// The newest value of each key that was kept, where no more is asked for.
    newest: HashMap<u64, ValueId, RandomState>,
    total_bytes: usize,
}

impl EntryCollector {
    /// `None` when nothing is asked for.
    pub(super) fn new(request: &EntryRequest) -> Option<Self> {
        (!matches!(request.keys, KeyFilter::None)).then(|| Self {
            request: request.clone(),
            keys: KeyBuffer::default(),
            entries: Vec::new(),
            values: HashMap::default(),
            newest: HashMap::default(),
            total_bytes: 0,
        })
    }

    /// Offers a sound entry of a page, with the hash of its storage key.
    pub(super) fn offer(
        &mut self,
        page: Pgid,
        key: RevisionKey,
        stored: &KeyValue<'_>,
        key_hash: u64,
    ) {
        if !self.request.keys.has(stored.key) {
            return;
        }
        let Some(place) = self.keys.push(stored.key) else {
            return;
        };
        let digest = self.request.digest(stored.value);
        self.entries.push(NotedEntry {
            page,
            key: place,
            key_hash,
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
            self.keep((key_hash, key.revision, digest), stored.value);
        }
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
        let (key_hash, revision, _) = id;
        match self.newest.get(&key_hash) {
            Some((_, newest, _)) if *newest > revision => return false,
            Some(other) if other.1 < revision => {
                let dropped = self.values.remove(other);
                self.total_bytes -= dropped.map_or(0, |value| value.len());
            }
            _ => {}
        }
        self.newest.insert(key_hash, id);
        true
    }

    /// The entries on live pages.
    pub(super) fn conclude(
        mut self,
        is_live: impl Fn(Pgid) -> bool,
        timeline: Timeline,
    ) -> StoredEntries {
        let keys = Arc::new(std::mem::take(&mut self.keys));
        let mut noted = std::mem::take(&mut self.entries);
        noted.retain(|entry| is_live(entry.page));
        // Of equal hashes, nearly always, are versions of one key.
        noted.sort_unstable_by(|left, right| {
            let hashes = left.key_hash.cmp(&right.key_hash);
            let keys = || keys.key(left.key).cmp(keys.key(right.key));
            let revision = |entry: &NotedEntry| (entry.revision, entry.is_deletion);
            let revisions = || revision(left).cmp(&revision(right));
            hashes.then_with(keys).then_with(revisions)
        });
        let is_one_key = |left: &NotedEntry, right: &NotedEntry| {
            left.key_hash == right.key_hash && keys.key(left.key) == keys.key(right.key)
        };
        let mut entries = Vec::new();
        for history in noted.chunk_by(is_one_key) {
            match (self.request.versions, history.split_last()) {
                (Versions::Newest, Some((newest, _))) if !newest.is_deletion => {
                    entries.push(self.stored(newest, &keys));
                }
                (Versions::Newest, _) => {}
                (Versions::All, _) => {
                    entries.extend(history.iter().map(|entry| self.stored(entry, &keys)));
                }
            }
        }
        StoredEntries { entries, timeline }
    }

    fn stored(&mut self, entry: &NotedEntry, keys: &Arc<KeyBuffer>) -> StoredEntry {
        let value = self
            .values
            .remove(&(entry.key_hash, entry.revision, entry.digest));
        StoredEntry {
            key: EntryKey::new(keys, entry.key),
            key_hash: entry.key_hash,
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
