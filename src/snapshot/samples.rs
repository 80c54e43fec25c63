//! A few encrypted values of each class, on which the keys will be tried.

use crate::bbolt::Pgid;
use crate::etcd::KeyValue;
use crate::secret::Secret;
use std::collections::HashMap;

/// Encrypted values kept of each class: those whose keys have the smallest hashes, which is a fair choice among keys
/// however often each was written. Some will turn out to be superseded or on stale pages.
const SAMPLES: usize = 64;
/// Largest encrypted value that is taken as a sample.
const MAX_SAMPLE_BYTES: usize = 32 << 10;

/// An encrypted value kept as a sample.
pub(super) struct EncryptedSample {
    pub(super) storage_key: Vec<u8>,
    pub(super) key_hash: u64,
    pub(super) main: i64,
    pub(super) pages: Vec<u64>,
    pub(super) value: Secret,
}

impl EncryptedSample {
    fn new(stored: &KeyValue<'_>, key_hash: u64, main: i64, page: Pgid) -> Self {
        Self {
            storage_key: stored.key.to_vec(),
            key_hash,
            main,
            pages: vec![page.0],
            value: Secret::new(stored.value.to_vec()),
        }
    }
}

/// The samples of each class.
#[derive(Default)]
pub(super) struct EncryptedSamples {
    by_class: HashMap<u16, Vec<EncryptedSample>>,
}

impl EncryptedSamples {
    /// Offers an encrypted value of a class; it is kept if the hash of its key is among the smallest.
    pub(super) fn offer(
        &mut self,
        class: u16,
        page: Pgid,
        main: i64,
        key_hash: u64,
        stored: &KeyValue<'_>,
    ) {
        if stored.value.len() > MAX_SAMPLE_BYTES {
            return;
        }
        let samples = self.by_class.entry(class).or_default();
        let same = |sample: &&mut EncryptedSample| sample.key_hash == key_hash;
        if let Some(same) = samples.iter_mut().find(same) {
            if same.main == main && same.value.expose() == stored.value {
                same.pages.push(page.0);
            } else if same.main < main {
                *same = EncryptedSample::new(stored, key_hash, main, page);
            }
        } else if has_room(samples, key_hash) {
            samples.push(EncryptedSample::new(stored, key_hash, main, page));
        }
    }

    /// Hashes of the keys of all samples.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        let samples = self.by_class.values().flatten();
        samples.map(|sample| sample.key_hash)
    }

    /// Each class and its samples.
    pub(super) fn into_classes(self) -> impl Iterator<Item = (u16, Vec<EncryptedSample>)> {
        self.by_class.into_iter()
    }
}

/// Drops the sample with the largest hash where there are as many as are kept; false when `key_hash` is larger still.
fn has_room(samples: &mut Vec<EncryptedSample>, key_hash: u64) -> bool {
    if samples.len() < SAMPLES {
        return true;
    }
    let largest = samples
        .iter()
        .enumerate()
        .max_by_key(|(_, sample)| sample.key_hash);
    let Some((index, _)) = largest.filter(|(_, largest)| key_hash < largest.key_hash) else {
        return false;
    };
    samples.swap_remove(index);
    true
}
