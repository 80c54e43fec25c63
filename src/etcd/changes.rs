//! Changes of keys, in many small partitions by the hash of the key, in some 22 bytes each: seven of the hash,
//! four of a checksum, and varints that are small where changes lie side by side.

use super::entry::{EntryKind, RevisionEntry};
use super::revision::Revision;
use crate::bbolt::Pgid;
use crate::bytes::to_usize;
use crate::protobuf::varint;

/// The partition of a key is told by so many of the highest bits of its hash: a byte, which the partition need not
/// keep.
pub(super) const PARTITION_BITS: u32 = 8;
const PARTITIONS: usize = 1 << PARTITION_BITS;
/// Bits of a hash that a partition keeps.
const HASH_BITS: u32 = u64::BITS - PARTITION_BITS;

/// A partition grows to this length as vectors do, and then by pieces of it.
const PIECE_BYTES: usize = 8 << 10;
/// More than any change takes.
const MAX_CHANGE_BYTES: usize = 64;

/// A change of a key and the page it lies on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct KeyChange {
    pub(super) key_hash: u64,
    pub(super) revision: Revision,
    pub(super) page: Pgid,
    pub(super) create_revision: i64,
    pub(super) version: i64,
    pub(super) value_bytes: u32,
    pub(super) class: u16,
    pub(super) content: u32,
    pub(super) is_tombstone: bool,
}

/// All changes of all keys, in partitions.
#[derive(Debug)]
pub(super) struct KeyChanges {
    partitions: Vec<Partition>,
}

impl Default for KeyChanges {
    fn default() -> Self {
        Self {
            partitions: std::iter::repeat_with(Partition::default)
                .take(PARTITIONS)
                .collect(),
        }
    }
}

impl KeyChanges {
    /// Adds an entry of `page` that changes a key.
    pub(super) fn push(&mut self, page: Pgid, entry: &RevisionEntry) {
        if let Some(partition) = self.partitions.get_mut(partition_of(entry.key_hash)) {
            partition.push(page, entry);
        }
    }

    /// How many partitions there are.
    pub(super) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Changes of the keys of one partition, in the order in which they were pushed.
    pub(super) fn partition(&self, partition: usize) -> PartitionChanges<'_> {
        let found = self.partitions.get(partition);
        PartitionChanges {
            partition: crate::bytes::to_u64(partition),
            rest: &[],
            pieces: found.map_or(&[][..], |partition| &partition.full).iter(),
            last: found.map_or(&[], |partition| &partition.bytes),
            latest: Origin::default(),
        }
    }
}

fn partition_of(key_hash: u64) -> usize {
    to_usize(key_hash >> HASH_BITS)
}

/// Changes of the keys whose hashes begin with one byte.
#[derive(Debug, Default)]
struct Partition {
    /// What has filled up stays where it is: growing in one piece would leave holes behind.
    full: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    latest: Origin,
}

/// Where the change before is: the next one is told by its distance from there.
#[derive(Clone, Copy, Debug, Default)]
struct Origin {
    page: u64,
    main: i64,
}

impl Partition {
    fn push(&mut self, page: Pgid, entry: &RevisionEntry) {
        let Revision { main, sub } = entry.revision;
        let is_tombstone = entry.kind == EntryKind::Tombstone;
        if self.bytes.len() > PIECE_BYTES - MAX_CHANGE_BYTES {
            let piece = Vec::with_capacity(PIECE_BYTES);
            self.full.push(std::mem::replace(&mut self.bytes, piece));
        }
        let (bytes, latest) = (&mut self.bytes, self.latest);
        let [hash @ .., _] = entry.key_hash.to_le_bytes();
        bytes.extend_from_slice(&hash);
        varint::push(bytes, u64::from(entry.class) << 1 | u64::from(is_tombstone));
        varint::push_signed(bytes, page.0.wrapping_sub(latest.page).cast_signed());
        varint::push_signed(bytes, main.wrapping_sub(latest.main));
        varint::push(bytes, sub.cast_unsigned());
        if !is_tombstone {
            let age = main.wrapping_sub(entry.create_revision);
            varint::push(bytes, age.cast_unsigned());
            varint::push(bytes, entry.version.cast_unsigned());
            varint::push(bytes, u64::from(entry.value_bytes));
            bytes.extend_from_slice(&entry.content.to_le_bytes());
        }
        self.latest = Origin { page: page.0, main };
    }
}

/// Reads a partition.
pub(super) struct PartitionChanges<'n> {
    partition: u64,
    rest: &'n [u8],
    pieces: std::slice::Iter<'n, Vec<u8>>,
    last: &'n [u8],
    latest: Origin,
}

impl Iterator for PartitionChanges<'_> {
    type Item = KeyChange;

    #[inline]
    fn next(&mut self) -> Option<KeyChange> {
        if self.rest.is_empty() {
            let piece = self.pieces.next().map(Vec::as_slice);
            self.rest = piece.unwrap_or_else(|| std::mem::take(&mut self.last));
        }
        let (&[h0, h1, h2, h3, h4, h5, h6], rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        let hash = u64::from_le_bytes([h0, h1, h2, h3, h4, h5, h6, 0]);
        let head = varint::take(&mut self.rest)?;
        let pages = varint::take_signed(&mut self.rest)?.cast_unsigned();
        let page = self.latest.page.wrapping_add(pages);
        let mains = varint::take_signed(&mut self.rest)?;
        let main = self.latest.main.wrapping_add(mains);
        let sub = varint::take(&mut self.rest)?.cast_signed();
        self.latest = Origin { page, main };
        let is_tombstone = head & 1 == 1;
        let (create_revision, version, value_bytes, content) = if is_tombstone {
            (0, 0, 0, 0)
        } else {
            let age = varint::take(&mut self.rest)?.cast_signed();
            let version = varint::take(&mut self.rest)?.cast_signed();
            let value_bytes = varint::take(&mut self.rest)?;
            let (content, rest) = self.rest.split_first_chunk()?;
            self.rest = rest;
            (
                main.wrapping_sub(age),
                version,
                value_bytes,
                u32::from_le_bytes(*content),
            )
        };
        Some(KeyChange {
            key_hash: self.partition << HASH_BITS | hash,
            revision: Revision { main, sub },
            page: Pgid(page),
            create_revision,
            version,
            value_bytes: u32::try_from(value_bytes).ok()?,
            class: u16::try_from(head >> 1).ok()?,
            content,
            is_tombstone,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyChange, KeyChanges, partition_of};
    use crate::bbolt::Pgid;
    use crate::etcd::{EntryKind, Revision, RevisionEntry};

    const PUT: RevisionEntry = RevisionEntry::PUT;

    fn change(page: u64, entry: RevisionEntry) -> KeyChange {
        KeyChange {
            key_hash: entry.key_hash,
            revision: entry.revision,
            page: Pgid(page),
            create_revision: entry.create_revision,
            version: entry.version,
            value_bytes: entry.value_bytes,
            class: entry.class,
            content: entry.content,
            is_tombstone: entry.kind == EntryKind::Tombstone,
        }
    }

    #[test]
    fn changes_come_back_by_the_partition_of_their_key() {
        let deletion = RevisionEntry {
            kind: EntryKind::Tombstone,
            create_revision: 0,
            version: 0,
            content: 0,
            value_bytes: 0,
            ..PUT
        };
        let extreme = RevisionEntry {
            revision: Revision {
                main: i64::MAX,
                sub: i64::MAX,
            },
            create_revision: i64::MIN,
            version: i64::MAX,
            value_bytes: u32::MAX,
            class: u16::MAX,
            ..PUT
        };
        let earlier = RevisionEntry {
            revision: Revision { main: 3, sub: 0 },
            ..deletion
        };
        let pushed = [(9, PUT), (7, earlier), (u64::MAX, extreme), (0, PUT)];
        let mut changes = KeyChanges::default();
        let other = RevisionEntry { key_hash: 1, ..PUT };
        changes.push(Pgid(3), &other);
        for (page, entry) in pushed {
            changes.push(Pgid(page), &entry);
        }
        let expected = pushed.map(|(page, entry)| change(page, entry));
        assert!(changes.partition(partition_of(u64::MAX)).eq(expected));
        assert!(changes.partition(partition_of(1)).eq([change(3, other)]));
        assert_eq!(changes.partition(17).count(), 0);
    }

    #[test]
    fn a_partition_goes_on_over_several_pieces() {
        let mut changes = KeyChanges::default();
        for page in 0..2000 {
            changes.push(Pgid(page), &PUT);
        }
        let pages = changes
            .partition(partition_of(PUT.key_hash))
            .map(|change| change.page.0);
        assert!(pages.eq(0..2000));
    }
}
