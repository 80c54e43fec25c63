//! Kuberesources by something that they have in common.

use crate::inventory::KuberesourcesIndex;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// A list for each key, all in one piece of memory. Each ascends by index until it is sorted otherwise.
#[derive(Debug)]
pub(super) struct IndexLists<K> {
    ranges: HashMap<K, Range<usize>, RandomState>,
    entries: Vec<KuberesourcesIndex>,
}

impl<K: Copy + Eq + Hash + Ord> IndexLists<K> {
    /// Brings together what has the same key; what is named twice under one key is in its list once.
    pub(super) fn new(mut keyed: Vec<(K, KuberesourcesIndex)>) -> Self {
        // What lies in one directory ascends already: the stable way of sorting merges such runs.
        keyed.sort();
        keyed.dedup();
        let lists = || keyed.chunk_by(|one, other| one.0 == other.0);
        let mut ranges = HashMap::with_capacity_and_hasher(lists().count(), RandomState::default());
        let mut start = 0;
        for list in lists() {
            let end = start + list.len();
            ranges.extend(list.first().map(|(key, _)| (*key, start..end)));
            start = end;
        }
        Self {
            ranges,
            entries: keyed.iter().map(|(_, index)| *index).collect(),
        }
    }

    /// The list of a key; an empty one where there is none.
    pub(super) fn of(&self, key: &K) -> &[KuberesourcesIndex] {
        let range = self.ranges.get(key).cloned();
        let list = range.and_then(|range| self.entries.get(range));
        list.unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every key, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.ranges.keys().copied()
    }

    /// Lists with more entries than so many, in no order.
    pub(super) fn longer_than(
        &self,
        count: usize,
    ) -> impl Iterator<Item = (K, &[KuberesourcesIndex])> {
        let long = self
            .ranges
            .iter()
            .filter(move |(_, range)| range.len() > count);
        long.filter_map(|(key, range)| Some((*key, self.entries.get(range.clone())?)))
    }

    /// Puts the lists with more entries than so many into another order, as far as they are asked for.
    pub(super) fn sort_longer_than<P: Ord>(
        &mut self,
        count: usize,
        is_asked: impl Fn(&K) -> bool,
        place: impl Fn(KuberesourcesIndex) -> P,
    ) {
        for (key, range) in &self.ranges {
            if range.len() > count
                && is_asked(key)
                && let Some(list) = self.entries.get_mut(range.clone())
            {
                list.sort_unstable_by_key(|index| place(*index));
            }
        }
    }
}
