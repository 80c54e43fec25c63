//! Values that somebody will want to read once the tree has shown which pages are alive.
//!
//! A value may lie on several pages, stale copies among them. For each key only the newest few versions are kept,
//! each with the pages it was seen on; a version counts when one of its pages is alive and no newer one exists.

use crate::secret::Secret;
use std::collections::HashMap;

/// Versions kept of one key. Only the newest live one is wanted; the others are there in case it lies on a stale page.
const VERSIONS: usize = 4;
/// Pages noted for one version. Each commit leaves a stale copy of the last leaf behind: hundreds on large pages.
const MAX_PAGES: usize = 1 << 16;
/// Largest value that is kept.
const MAX_VALUE_BYTES: usize = 2 << 20;
/// Bytes of all values kept.
const MAX_TOTAL_BYTES: usize = 48 << 20;

/// One version of a key.
pub(super) struct KeyVersion {
    pub(super) main: i64,
    /// It may hold a private key, or the keys of an API server.
    pub(super) value: Secret,
    pub(super) pages: Vec<u64>,
}

/// Newest versions of some keys.
#[derive(Default)]
pub(super) struct Wanted {
    keys: HashMap<Vec<u8>, (u64, Vec<KeyVersion>)>,
    total_bytes: usize,
}

impl Wanted {
    /// Offers a version of a key; it is kept if it is among the newest.
    pub(super) fn offer(&mut self, key: &[u8], key_hash: u64, main: i64, page: u64, value: &[u8]) {
        if value.len() > MAX_VALUE_BYTES || self.total_bytes + value.len() > MAX_TOTAL_BYTES {
            return;
        }
        if !self.keys.contains_key(key) {
            self.keys
                .insert(key.to_vec(), (key_hash, Vec::with_capacity(VERSIONS)));
        }
        let Some((_, versions)) = self.keys.get_mut(key) else {
            return;
        };
        if note_again(versions, main, page, value) {
            return;
        }
        match make_room(versions, main) {
            Some(freed_bytes) => self.total_bytes -= freed_bytes,
            None => return,
        }
        self.total_bytes += value.len();
        versions.push(KeyVersion {
            main,
            value: Secret::new(value.to_vec()),
            pages: vec![page],
        });
    }

    /// Hashes of the keys that have a version.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        self.keys.values().map(|(key_hash, _)| *key_hash)
    }

    /// Key, hash and versions, by key.
    pub(super) fn into_sorted(self) -> Vec<(Vec<u8>, u64, Vec<KeyVersion>)> {
        let mut keys: Vec<_> = self
            .keys
            .into_iter()
            .map(|(key, (hash, versions))| (key, hash, versions))
            .collect();
        keys.sort_by(|left, right| left.0.cmp(&right.0));
        keys
    }
}

/// Notes that a version kept already was seen on one more page; false when it is not kept.
fn note_again(versions: &mut [KeyVersion], main: i64, page: u64, value: &[u8]) -> bool {
    let same = versions
        .iter_mut()
        .find(|version| version.main == main && version.value.expose() == value);
    let Some(same) = same else {
        return false;
    };
    if same.pages.len() < MAX_PAGES {
        same.pages.push(page);
    }
    true
}

/// Drops the oldest version where there are as many as are kept. Bytes that this frees; `None` when all are newer.
fn make_room(versions: &mut Vec<KeyVersion>, main: i64) -> Option<usize> {
    if versions.len() < VERSIONS {
        return Some(0);
    }
    let oldest = versions
        .iter()
        .enumerate()
        .min_by_key(|(_, version)| version.main);
    let (index, _) = oldest.filter(|(_, oldest)| oldest.main < main)?;
    Some(versions.swap_remove(index).value.len())
}
