//! What is remembered of each entry of bucket `key` until the tree says which pages are alive.
//!
//! Some 15 bytes an entry: enough to replay the history of every key, in the order of revisions, without a second
//! look at the file.

use super::revision::Revision;
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
        let start = crate::bytes::to_u64(self.bytes.len());
        let bytes = &mut self.bytes;
        varint::push_signed(bytes, times.lease_seconds);
        varint::push_signed(bytes, times.content_seconds);
        let mut previous = 0;
        for entry in entries {
            let kind = match entry.kind {
                EntryKind::Put => 0,
                EntryKind::Tombstone => 1,
                EntryKind::Bump => 2,
                EntryKind::Defective => 3,
            };
            varint::push(bytes, u64::from(entry.class) << KIND_BITS | kind);
            varint::push_signed(bytes, entry.revision.main.wrapping_sub(previous));
            varint::push(bytes, entry.revision.sub.cast_unsigned());
            bytes.extend_from_slice(&entry.key_hash.to_le_bytes());
            if entry.kind == EntryKind::Put {
                varint::push(
                    bytes,
                    entry
                        .revision
                        .main
                        .wrapping_sub(entry.create_revision)
                        .cast_unsigned(),
                );
                varint::push(bytes, entry.version.cast_unsigned());
            }
            previous = entry.revision.main;
        }
        start
    }

    /// The `count` entries of the page that was pushed at `start`.
    pub fn page(&self, start: u64, count: u16) -> TrailPage<'_> {
        let mut rest = self
            .bytes
            .get(crate::bytes::to_usize(start)..)
            .unwrap_or_default();
        let lease_seconds = varint::take_signed(&mut rest).unwrap_or_default();
        let content_seconds = varint::take_signed(&mut rest).unwrap_or_default();
        TrailPage {
            times: PageTimes {
                lease_seconds,
                content_seconds,
            },
            rest,
            left: count,
            previous: 0,
        }
    }

    /// Bytes in memory.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The entries of one page, in the order of revisions.
#[derive(Debug)]
pub struct TrailPage<'t> {
    /// Newest instants on it.
    pub times: PageTimes,
    rest: &'t [u8],
    left: u16,
    previous: i64,
}

impl Iterator for TrailPage<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.left = self.left.checked_sub(1)?;
        let head = varint::take(&mut self.rest)?;
        let class = u16::try_from(head >> KIND_BITS).ok()?;
        let main = self
            .previous
            .wrapping_add(varint::take_signed(&mut self.rest)?);
        let sub = varint::take(&mut self.rest)?.cast_signed();
        let (hash, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        self.previous = main;
        let kind = match head & 3 {
            0 => EntryKind::Put,
            1 => EntryKind::Tombstone,
            2 => EntryKind::Bump,
            _ => EntryKind::Defective,
        };
        let (create_revision, version) = if kind == EntryKind::Put {
            let age = varint::take(&mut self.rest)?.cast_signed();
            (
                main.wrapping_sub(age),
                varint::take(&mut self.rest)?.cast_signed(),
            )
        } else {
            (0, 0)
        };
        let revision = Revision { main, sub };
        Some(Entry {
            revision,
            kind,
            key_hash: u64::from_le_bytes(*hash),
            create_revision,
            version,
            class,
        })
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
        let page = trail.page(start, 3);
        assert_eq!(page.times, times);
        assert_eq!(page.collect::<Vec<_>>(), entries);
    }
}
