//! What is remembered of each entry of bucket `key` until the tree says which pages are alive.
//!
//! Some 17 bytes an entry: enough to replay the history of every key, in the order of revisions, without a second
//! look at the file. Each entry can be read by itself, so that the replay remembers of a key no more than where its
//! newest entry stands.

use super::revision::Revision;
use crate::bytes::{to_u64, to_usize};
use crate::varint;

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntryKind {
    /// A value was put.
    Put,
    /// A key was deleted.
    Tombstone,
    /// An entry without a value, as a restore with a revision bump writes once (lawful at the compaction revision).
    Bump,
    /// Not to be replayed: a defect of its own tells why.
    Defective,
}

/// One entry of bucket `key`, its key reduced to a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its revision.
    pub revision: Revision,
    /// What it does.
    pub kind: EntryKind,
    /// Hash of the etcd key, seeded anew in each run.
    pub key_hash: u64,
    /// As stored; 0 unless [`EntryKind::Put`].
    pub create_revision: i64,
    /// As stored; 0 unless [`EntryKind::Put`].
    pub version: i64,
    /// What the observer calls this kind of value; below 65,536.
    pub class: u16,
}

/// Newest instants told by the objects on one page, in seconds since 1970; 0 for none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PageTimes {
    /// Newest `renewTime` of a Lease.
    pub lease_seconds: i64,
    /// Newest other time.
    pub content_seconds: i64,
}

/// The entries of all leaf pages that look like pages of bucket `key`.
#[derive(Debug, Default)]
pub struct Trail {
    bytes: Vec<u8>,
}

const KIND_BITS: u64 = 2;

impl Trail {
    /// Appends the entries of one page; the result finds them again.
    pub fn push(&mut self, times: PageTimes, entries: &[Entry]) -> u64 {
        let start = to_u64(self.bytes.len());
        varint::push_signed(&mut self.bytes, times.lease_seconds);
        varint::push_signed(&mut self.bytes, times.content_seconds);
        for entry in entries {
            push_entry(&mut self.bytes, entry);
        }
        start
    }

    /// The `count` entries of the page that was pushed at `start`.
    pub fn page(&self, start: u64, count: u16) -> TrailPage<'_> {
        let mut rest = self.from(start);
        let lease_seconds = varint::take_signed(&mut rest).unwrap_or_default();
        let content_seconds = varint::take_signed(&mut rest).unwrap_or_default();
        TrailPage {
            times: PageTimes {
                lease_seconds,
                content_seconds,
            },
            position: to_u64(self.bytes.len() - rest.len()),
            rest,
            left: count,
        }
    }

    /// The entry at a position that [`TrailPage::next_at`] told.
    pub fn entry(&self, position: u64) -> Option<Entry> {
        take_entry(&mut self.from(position))
    }

    /// The key hash of that entry.
    pub fn key_hash(&self, position: u64) -> Option<u64> {
        Some(u64::from_le_bytes(*self.from(position).first_chunk()?))
    }

    fn from(&self, position: u64) -> &[u8] {
        self.bytes.get(to_usize(position)..).unwrap_or_default()
    }

    /// Bytes in memory.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The hash comes first, where a look-up finds it without decoding anything.
fn push_entry(bytes: &mut Vec<u8>, entry: &Entry) {
    let kind = match entry.kind {
        EntryKind::Put => 0,
        EntryKind::Tombstone => 1,
        EntryKind::Bump => 2,
        EntryKind::Defective => 3,
    };
    let Revision { main, sub } = entry.revision;
    bytes.extend_from_slice(&entry.key_hash.to_le_bytes());
    varint::push(bytes, u64::from(entry.class) << KIND_BITS | kind);
    varint::push(bytes, main.cast_unsigned());
    varint::push(bytes, sub.cast_unsigned());
    if entry.kind == EntryKind::Put {
        let age = main.wrapping_sub(entry.create_revision);
        varint::push(bytes, age.cast_unsigned());
        varint::push(bytes, entry.version.cast_unsigned());
    }
}

#[inline]
fn take_entry(rest: &mut &[u8]) -> Option<Entry> {
    let (hash, tail) = rest.split_first_chunk()?;
    *rest = tail;
    let head = varint::take(rest)?;
    let main = varint::take(rest)?.cast_signed();
    let sub = varint::take(rest)?.cast_signed();
    let kind = match head & 3 {
        0 => EntryKind::Put,
        1 => EntryKind::Tombstone,
        2 => EntryKind::Bump,
        _ => EntryKind::Defective,
    };
    let (create_revision, version) = if kind == EntryKind::Put {
        let age = varint::take(rest)?.cast_signed();
        (main.wrapping_sub(age), varint::take(rest)?.cast_signed())
    } else {
        (0, 0)
    };
    Some(Entry {
        revision: Revision { main, sub },
        kind,
        key_hash: u64::from_le_bytes(*hash),
        create_revision,
        version,
        class: u16::try_from(head >> KIND_BITS).ok()?,
    })
}

/// The entries of one page, in the order of revisions.
#[derive(Debug)]
pub struct TrailPage<'t> {
    /// Newest instants on it.
    pub times: PageTimes,
    rest: &'t [u8],
    position: u64,
    left: u16,
}

impl TrailPage<'_> {
    /// The next entry and its position in the trail.
    #[inline]
    pub fn next_at(&mut self) -> Option<(u64, Entry)> {
        self.left = self.left.checked_sub(1)?;
        let (before, position) = (self.rest.len(), self.position);
        let entry = take_entry(&mut self.rest)?;
        self.position += to_u64(before - self.rest.len());
        Some((position, entry))
    }
}

impl Iterator for TrailPage<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.next_at().map(|(_, entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryKind, PageTimes, Trail};
    use crate::etcd::Revision;

    #[test]
    fn entries_come_back_as_they_went_in() {
        let put = Entry {
            revision: Revision { main: 900, sub: 2 },
            kind: EntryKind::Put,
            key_hash: u64::MAX,
            create_revision: 17,
            version: 40,
            class: 65_535,
        };
        let entries = [
            put,
            Entry {
                revision: Revision { main: 901, sub: 0 },
                kind: EntryKind::Tombstone,
                create_revision: 0,
                version: 0,
                class: 0,
                ..put
            },
            Entry {
                revision: Revision {
                    main: i64::MAX,
                    sub: i64::MAX,
                },
                ..put
            },
        ];
        let times = PageTimes {
            lease_seconds: 1_730_516_400,
            content_seconds: -1,
        };
        let mut trail = Trail::default();
        trail.push(PageTimes::default(), &[put]);
        let start = trail.push(times, &entries);
        let mut page = trail.page(start, 3);
        assert_eq!(page.times, times);
        for entry in entries {
            let (position, found) = page.next_at().expect("as many as were pushed");
            assert_eq!(found, entry);
            assert_eq!(trail.entry(position), Some(entry));
            assert_eq!(trail.key_hash(position), Some(entry.key_hash));
        }
        assert_eq!(page.next_at(), None);
    }
}
