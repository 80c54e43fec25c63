//! Leases, noted page by page while the file passes: bucket `lease` may be too large to keep its pages.
//!
//! A key is bound to a lease by its id. etcd keeps a key whose lease is not there, for ever; so a live key of that kind
//! is told. Superseded records may name leases that have expired.

use crate::bbolt::{LeafElement, Pgid, Tree};
use crate::etcd::buckets::{self, BucketDefect, Leases};
use std::collections::{HashMap, HashSet};

/// Length of a lease id, the key of bucket `lease`.
pub(super) const LEASE_ID_BYTES: usize = 8;
/// Defects that are described one by one.
const MAX_DEFECTS: usize = 1 << 10;
/// Leases of keys that are noted; etcd keeps fewer in use.
const MAX_LEASES: usize = 1 << 16;
/// Records noted of one lease, the newest: what is older has been superseded.
const MAX_RECORDS: usize = 8;
/// Bytes of a key that are kept, to be shown.
const MAX_KEY_BYTES: usize = 256;
/// Pages noted of one record; each commit leaves a stale copy of the last leaf behind.
const MAX_PAGES: usize = 1 << 10;

/// What the pages that look like those of bucket `lease` hold.
#[derive(Default)]
pub(super) struct LeasePages {
    pages: HashMap<u64, Vec<i64>>,
    defects: Vec<(Pgid, BucketDefect)>,
}

impl LeasePages {
    /// Reads a page on which keys are as long as lease ids.
    pub(super) fn note(&mut self, page: Pgid, elements: &[LeafElement<'_>]) {
        let is_lease_id = |element: &LeafElement<'_>| element.key.len() == LEASE_ID_BYTES;
        if !elements.iter().any(is_lease_id) {
            return;
        }
        let Leases { ids, defects } = buckets::leases(elements);
        self.pages.insert(page.0, ids.into_iter().collect());
        let space = MAX_DEFECTS.saturating_sub(self.defects.len());
        self.defects
            .extend(defects.into_iter().take(space).map(|defect| (page, defect)));
    }

    /// What the live pages of bucket `lease` tell; `None` where not all of them could be read.
    pub(super) fn of_bucket(&self, tree: &Tree<'_>) -> Option<Leases> {
        let bucket = tree.bucket(b"lease").filter(|bucket| bucket.is_complete)?;
        let mut leaves = tree.leaves(bucket).peekable();
        if leaves.peek().is_none() {
            return Some(buckets::leases(&tree.entries(bucket)?));
        }
        let mut found = Leases::default();
        let mut live = HashSet::new();
        for leaf in leaves.filter(|leaf| leaf.count > 0) {
            found.ids.extend(self.pages.get(&leaf.page.0)?);
            live.insert(leaf.page.0);
        }
        let defects = self.defects.iter();
        let of_live = defects.filter(|(page, _)| live.contains(&page.0));
        found.defects = of_live.map(|(_, defect)| defect.clone()).collect();
        Some(found)
    }
}

/// A record that binds a key to a lease.
pub(super) struct LeasedRecord {
    pub(super) key: Vec<u8>,
    pub(super) key_hash: u64,
    pub(super) main: i64,
    pub(super) pages: Vec<u64>,
}

/// The newest records of each lease.
#[derive(Default)]
pub(super) struct LeasedKeys {
    leases: HashMap<i64, Vec<LeasedRecord>>,
}

impl LeasedKeys {
    /// Offers a record with a lease.
    pub(super) fn offer(&mut self, lease: i64, key: &[u8], key_hash: u64, main: i64, page: u64) {
        if !self.leases.contains_key(&lease) && self.leases.len() >= MAX_LEASES {
            return;
        }
        let records = self.leases.entry(lease).or_default();
        if let Some(same) = records
            .iter_mut()
            .find(|record| record.main == main && record.key_hash == key_hash)
        {
            if same.pages.len() < MAX_PAGES {
                same.pages.push(page);
            }
            return;
        }
        if records.len() >= MAX_RECORDS {
            let oldest = records
                .iter()
                .enumerate()
                .min_by_key(|(_, record)| record.main);
            match oldest.map(|(index, record)| (index, record.main)) {
                Some((index, oldest)) if oldest < main => drop(records.swap_remove(index)),
                _ => return,
            }
        }
        records.push(LeasedRecord {
            key: key.get(..MAX_KEY_BYTES).unwrap_or(key).to_vec(),
            key_hash,
            main,
            pages: vec![page],
        });
    }

    /// Hashes of the keys of all records.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        self.leases.values().flatten().map(|record| record.key_hash)
    }

    /// Live keys whose lease is not among `leases`, with the lease, by key.
    pub(super) fn without_lease(
        self,
        leases: &HashSet<i64>,
        is_live: impl Fn(&LeasedRecord) -> bool,
    ) -> Vec<(Vec<u8>, i64)> {
        let gone = self
            .leases
            .into_iter()
            .filter(|(lease, _)| !leases.contains(lease));
        let mut found: Vec<(Vec<u8>, i64)> = gone
            .flat_map(|(lease, records)| records.into_iter().map(move |record| (lease, record)))
            .filter(|(_, record)| is_live(record))
            .map(|(lease, record)| (record.key, lease))
            .collect();
        found.sort();
        found.dedup();
        found
    }
}
