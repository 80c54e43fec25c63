//! Every encrypted value that passes, tried on keys that a sample has shown to be right.
//!
//! Whether a value is alive is known only at the end, so what is odd about stale ones is kept until then.

use super::classes::ValueClasses;
use crate::bbolt::Pgid;
use crate::etcd::KeyValue;
use crate::kubernetes::encryption::{Keys, NamedValues, OddValues, Tried, UnsealError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Odd values that are kept, superseded and stale ones among them.
const MAX_KEPT: usize = 1 << 14;
/// Bytes of a storage key that are kept, to be shown.
const MAX_KEY_BYTES: usize = 256;

/// An encrypted value that is not what it should be.
#[derive(Debug)]
struct OddValue {
    class: u16,
    storage_key: Vec<u8>,
    key_hash: u64,
    main: i64,
    page: Pgid,
    is_mismatched: bool,
}

/// The keys, and what did not stand the trial.
#[derive(Debug)]
pub(super) struct EveryValue {
    keys: Arc<Keys>,
    odd: Vec<OddValue>,
    /// More than are kept: then nothing is said of all of them.
    is_full: bool,
}

impl EveryValue {
    pub(super) fn new(keys: Arc<Keys>) -> Self {
        Self {
            keys,
            odd: Vec::new(),
            is_full: false,
        }
    }

    /// Tries a value of a class of this resource.
    pub(super) fn offer(
        &mut self,
        (class, resource): (u16, &str),
        page: Pgid,
        main: i64,
        key_hash: u64,
        stored: &KeyValue<'_>,
    ) {
        let is_mismatched = match self.keys.try_value(resource, stored.key, stored.value) {
            Tried::Mismatched => true,
            Tried::Shut(UnsealError::KeyWrong) => false,
            // A key that is not there is told by the sample.
            Tried::Opened | Tried::Shut(_) => return,
        };
        if self.odd.len() >= MAX_KEPT {
            self.is_full = true;
            return;
        }
        let key = stored.key;
        self.odd.push(OddValue {
            class,
            storage_key: key.get(..MAX_KEY_BYTES).unwrap_or(key).to_vec(),
            key_hash,
            main,
            page,
            is_mismatched,
        });
    }

    /// Hashes of the keys of all that is odd.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        self.odd.iter().map(|odd| odd.key_hash)
    }

    /// What is odd and alive; `None` when there was too much to tell.
    pub(super) fn live(
        mut self,
        classes: &ValueClasses,
        is_live: impl Fn(u64, i64, Pgid) -> bool,
    ) -> Option<Vec<OddValues>> {
        if self.is_full {
            return None;
        }
        self.odd
            .retain(|odd| is_live(odd.key_hash, odd.main, odd.page));
        self.odd
            .sort_by(|one, other| one.storage_key.cmp(&other.storage_key));
        let mut found = BTreeMap::new();
        for odd in &self.odd {
            let Some((resource, provider, key_name)) = classes.sealed(odd.class) else {
                continue;
            };
            let values: &mut OddValues = found.entry(odd.class).or_insert_with(|| OddValues {
                resource: resource.to_owned(),
                provider: provider.to_owned(),
                key_name: key_name.to_owned(),
                damaged: NamedValues::default(),
                mismatched: NamedValues::default(),
            });
            let named = if odd.is_mismatched {
                &mut values.mismatched
            } else {
                &mut values.damaged
            };
            named.add(&odd.storage_key);
        }
        Some(found.into_values().collect())
    }
}
