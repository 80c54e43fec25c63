//! Where the newest entry of each key stands in the trail: eight bytes a slot, however much is known of the key.

use super::trail::{Entry, Trail};
use crate::bytes::{to_u64, to_usize};

/// Low bits of a slot: of the key's hash, so that another key's slot is told apart without a look at the trail.
const TAG_BITS: u32 = 24;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// An open hash table. Keys are hashed already.
#[derive(Debug)]
pub(super) struct NewestEntries<'t> {
    trail: &'t Trail,
    /// 0: empty. Else the position in the trail, plus one, above the tag.
    slots: Vec<u64>,
    used: usize,
}

impl<'t> NewestEntries<'t> {
    /// A table for about as many keys.
    pub(super) fn new(trail: &'t Trail, keys: u64) -> Self {
        Self {
            trail,
            slots: vec![0; to_usize(keys + keys / 4 + 64)],
            used: 0,
        }
    }

    /// Entries of whatever keys are in the key's first slot. Asking for many of them at once before any is needed lets
    /// the processor wait for memory once.
    pub(super) fn glance(&self, key_hash: u64) -> u64 {
        let slot = self.slots.get(self.home(key_hash)).copied();
        slot.and_then(position)
            .and_then(|position| self.trail.key_hash(position))
            .unwrap_or_default()
    }

    /// The newest entry of a key.
    pub(super) fn get(&self, key_hash: u64) -> Option<Entry> {
        let (_, position) = self.find(key_hash)?;
        self.trail.entry(position?)
    }

    /// Makes the entry at `position` the newest of its key; the one that was.
    pub(super) fn replace(&mut self, key_hash: u64, position: u64) -> Option<Entry> {
        if self.used >= self.slots.len() / 8 * 7 {
            self.grow();
        }
        let (index, previous) = self.find(key_hash)?;
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = (position + 1) << TAG_BITS | key_hash & TAG_MASK;
        }
        if previous.is_none() {
            self.used += 1;
        }
        self.trail.entry(previous?)
    }

    /// The slot of a key, and its position if it is taken.
    #[inline]
    fn find(&self, key_hash: u64) -> Option<(usize, Option<u64>)> {
        let home = self.home(key_hash);
        let (before, behind) = self.slots.split_at_checked(home)?;
        let slots = (home..).zip(behind).chain((0..).zip(before));
        for (index, &slot) in slots {
            let Some(position) = position(slot) else {
                return Some((index, None));
            };
            let is_tagged = slot & TAG_MASK == key_hash & TAG_MASK;
            if is_tagged && self.trail.key_hash(position) == Some(key_hash) {
                return Some((index, Some(position)));
            }
        }
        None
    }

    /// Maps the hash's high bits to the table's length.
    #[inline]
    fn home(&self, key_hash: u64) -> usize {
        let length = u128::from(to_u64(self.slots.len()));
        to_usize((u128::from(key_hash) * length) >> 64)
    }

    fn grow(&mut self) {
        let slots = vec![0; self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, slots);
        for slot in old {
            let key_hash = position(slot).and_then(|position| self.trail.key_hash(position));
            let found = key_hash.and_then(|key_hash| self.find(key_hash));
            if let Some(free) = found.and_then(|(index, _)| self.slots.get_mut(index)) {
                *free = slot;
            }
        }
    }
}

#[inline]
fn position(slot: u64) -> Option<u64> {
    (slot >> TAG_BITS).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::NewestEntries;
    use crate::etcd::{Entry, EntryKind, PageTimes, Revision, Trail};

    #[test]
    fn the_newest_entry_of_each_key_is_found_in_a_table_that_grows() {
        let entry = |main: i64| Entry {
            revision: Revision { main, sub: 0 },
            kind: EntryKind::Tombstone,
            // 500 keys, three entries each, hashes that crowd into few slots and share tags.
            key_hash: u64::try_from(main % 500).expect("is positive") << 25,
            create_revision: 0,
            version: 0,
            class: 0,
        };
        let mut trail = Trail::default();
        let entries: Vec<_> = (0..1500).map(entry).collect();
        let start = trail.push(PageTimes::default(), &entries);
        let mut page = trail.page(start, 1500);
        let mut newest = NewestEntries::new(&trail, 4);
        while let Some((position, entry)) = page.next_at() {
            let previous = newest.replace(entry.key_hash, position);
            let expected = entry.revision.main - 500;
            assert_eq!(
                previous.map(|previous| previous.revision.main),
                (expected >= 0).then_some(expected)
            );
        }
        for entry in entries.iter().skip(1000) {
            assert_eq!(newest.get(entry.key_hash), Some(*entry));
        }
        assert_eq!(newest.get(u64::MAX), None);
    }
}
