//! Changes of keys, spread over many small heaps by the hash of the key, in some 15 bytes each.
//!
//! Most changes differ little from the one that their heap took before, and are written in a form of one length:
//!
//! | bytes | field | meaning |
//! |---|---|---|
//! | 1 | `mark` | twice the version; one more for a deletion |
//! | 7 | `hash` | of the key, without the byte that tells the heap |
//! | 7 | `steps` | from the lowest bit: 6 bits of class, 14 of age, 14 of sub, 12 of main revisions (zigzag) and 10 of pages since the change before |
//!
//! Any other has the mark 255, and its numbers follow as varints.

use super::revision::Revision;
use super::trail::{Entry, EntryKind};
use crate::bbolt::Pgid;
use crate::bytes::to_usize;
use crate::varint;

/// The heap of a key is told by so many of the highest bits of its hash: a byte, which the heap need not keep.
pub(super) const HEAP_BITS: u32 = 8;
const HEAPS: usize = 1 << HEAP_BITS;
/// Bits of a hash that a heap keeps.
const HASH_BITS: u32 = u64::BITS - HEAP_BITS;

/// A heap grows to this length as vectors do, and then by pieces of it.
const PIECE_BYTES: usize = 8 << 10;
/// More than any change takes.
const MAX_CHANGE_BYTES: usize = 64;

const LONG: u8 = u8::MAX;
const STEPS_BYTES: usize = 7;
const CLASS_BITS: u32 = 6;
const AGE_BITS: u32 = 14;
const SUB_BITS: u32 = 14;
const MAINS_BITS: u32 = 12;
const PAGES_BITS: u32 = 10;

/// A change of a key and the page it lies on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub(super) key_hash: u64,
    pub(super) revision: Revision,
    pub(super) page: Pgid,
    pub(super) create_revision: i64,
    pub(super) version: i64,
    pub(super) class: u16,
    pub(super) is_tombstone: bool,
}

/// All changes of all keys.
#[derive(Debug)]
pub(super) struct Heaps {
    heaps: Vec<Heap>,
}

impl Default for Heaps {
    fn default() -> Self {
        Self {
            heaps: std::iter::repeat_with(Heap::default).take(HEAPS).collect(),
        }
    }
}

impl Heaps {
    /// Adds an entry of `page` that changes a key.
    pub(super) fn push(&mut self, page: Pgid, entry: &Entry) {
        if let Some(heap) = self.heaps.get_mut(heap_of(entry.key_hash)) {
            heap.push(page, entry);
        }
    }

    /// How many heaps there are.
    pub(super) fn len(&self) -> usize {
        self.heaps.len()
    }

    /// Changes of the keys of one heap, in the order in which they were pushed.
    pub(super) fn heap(&self, heap: usize) -> Changes<'_> {
        let found = self.heaps.get(heap);
        Changes {
            heap: crate::bytes::to_u64(heap),
            rest: &[],
            pieces: found.map_or(&[][..], |heap| &heap.full).iter(),
            last: found.map_or(&[], |heap| &heap.bytes),
            latest: Place::default(),
        }
    }

    /// Bytes in memory.
    pub(super) fn size_bytes(&self) -> usize {
        self.heaps.iter().map(Heap::size_bytes).sum()
    }
}

fn heap_of(key_hash: u64) -> usize {
    to_usize(key_hash >> HASH_BITS)
}

/// Changes of the keys whose hashes begin with one byte.
#[derive(Debug, Default)]
struct Heap {
    /// What has filled up stays where it is: growing in one piece would leave holes behind.
    full: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    latest: Place,
}

/// Where the change before is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    page: u64,
    main: i64,
}

impl Heap {
    fn push(&mut self, page: Pgid, entry: &Entry) {
        if self.bytes.len() > PIECE_BYTES - MAX_CHANGE_BYTES {
            let piece = Vec::with_capacity(PIECE_BYTES);
            self.full.push(std::mem::replace(&mut self.bytes, piece));
        }
        let place = Place {
            page: page.0,
            main: entry.revision.main,
        };
        Told::of(entry, place, self.latest).push(entry.key_hash, &mut self.bytes);
        self.latest = place;
    }

    fn size_bytes(&self) -> usize {
        self.full.iter().chain([&self.bytes]).map(Vec::len).sum()
    }
}

/// Reads a heap.
pub(super) struct Changes<'t> {
    heap: u64,
    rest: &'t [u8],
    pieces: std::slice::Iter<'t, Vec<u8>>,
    last: &'t [u8],
    latest: Place,
}

impl Iterator for Changes<'_> {
    type Item = Change;

    #[inline]
    fn next(&mut self) -> Option<Change> {
        if self.rest.is_empty() {
            let piece = self.pieces.next().map(Vec::as_slice);
            self.rest = piece.unwrap_or_else(|| std::mem::take(&mut self.last));
        }
        let (hash, told) = Told::take(&mut self.rest)?;
        let page = self.latest.page.wrapping_add(told.pages);
        let main = self.latest.main.wrapping_add(told.mains);
        self.latest = Place { page, main };
        let create_revision = if told.is_tombstone {
            0
        } else {
            main.wrapping_sub(told.age.cast_signed())
        };
        Some(Change {
            key_hash: self.heap << HASH_BITS | hash,
            revision: Revision {
                main,
                sub: told.sub.cast_signed(),
            },
            page: Pgid(page),
            create_revision,
            version: told.version.cast_signed(),
            class: told.class,
            is_tombstone: told.is_tombstone,
        })
    }
}

/// What is written of a change beside the hash of its key.
struct Told {
    /// Pages behind the change before.
    pages: u64,
    /// Main revisions above the change before.
    mains: i64,
    sub: u64,
    /// Main revisions since the key was created; 0 for a deletion.
    age: u64,
    /// 0 for a deletion.
    version: u64,
    class: u16,
    is_tombstone: bool,
}

impl Told {
    fn of(entry: &Entry, place: Place, latest: Place) -> Self {
        let is_tombstone = entry.kind == EntryKind::Tombstone;
        let age = place.main.wrapping_sub(entry.create_revision);
        let (age, version) = if is_tombstone {
            (0, 0)
        } else {
            (age.cast_unsigned(), entry.version.cast_unsigned())
        };
        Self {
            pages: place.page.wrapping_sub(latest.page),
            mains: place.main.wrapping_sub(latest.main),
            sub: entry.revision.sub.cast_unsigned(),
            age,
            version,
            class: entry.class,
            is_tombstone,
        }
    }

    fn push(&self, key_hash: u64, bytes: &mut Vec<u8>) {
        let steps = self.steps();
        let mark = self.short_mark().filter(|_| steps.is_some());
        let hash = key_hash << HEAP_BITS | u64::from(mark.unwrap_or(LONG));
        bytes.extend_from_slice(&hash.to_le_bytes());
        match steps.filter(|_| mark.is_some()) {
            Some(steps) => {
                let [steps @ .., _] = steps.to_le_bytes();
                bytes.extend_from_slice(&steps);
            }
            None => self.push_long(bytes),
        }
    }

    fn short_mark(&self) -> Option<u8> {
        let mark = u8::try_from(self.version).ok()?.checked_mul(2)?;
        let mark = mark | u8::from(self.is_tombstone);
        (mark != LONG).then_some(mark)
    }

    /// The steps in a word, if there is room for each.
    fn steps(&self) -> Option<u64> {
        let fields = [
            (self.pages, PAGES_BITS),
            (varint::zigzag(self.mains), MAINS_BITS),
            (self.sub, SUB_BITS),
            (self.age, AGE_BITS),
            (u64::from(self.class), CLASS_BITS),
        ];
        let is_short = fields.iter().all(|(value, bits)| value >> bits == 0);
        let steps = fields
            .iter()
            .fold(0, |steps, (value, bits)| steps << bits | value);
        is_short.then_some(steps)
    }

    fn push_long(&self, bytes: &mut Vec<u8>) {
        let head = u64::from(self.class) << 1 | u64::from(self.is_tombstone);
        varint::push(bytes, head);
        varint::push_signed(bytes, self.pages.cast_signed());
        varint::push_signed(bytes, self.mains);
        varint::push(bytes, self.sub);
        varint::push(bytes, self.age);
        varint::push(bytes, self.version);
    }

    /// Takes a change off the front, with the bits of the hash that were kept.
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<(u64, Self)> {
        let (word, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        let hash = u64::from_le_bytes(*word) >> HEAP_BITS;
        let [mark, ..] = *word;
        let told = if mark == LONG {
            Self::take_long(bytes)
        } else {
            Self::take_short(mark, bytes)
        };
        Some((hash, told?))
    }

    #[inline]
    fn take_short(mark: u8, bytes: &mut &[u8]) -> Option<Self> {
        let (steps, rest) = bytes.split_first_chunk::<STEPS_BYTES>()?;
        *bytes = rest;
        let [s0, s1, s2, s3, s4, s5, s6] = *steps;
        let mut steps = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, 0]);
        let mut take = |bits: u32| {
            let value = steps & !(u64::MAX << bits);
            steps >>= bits;
            value
        };
        Some(Self {
            class: u16::try_from(take(CLASS_BITS)).ok()?,
            age: take(AGE_BITS),
            sub: take(SUB_BITS),
            mains: varint::unzigzag(take(MAINS_BITS)),
            pages: take(PAGES_BITS),
            version: u64::from(mark >> 1),
            is_tombstone: mark & 1 == 1,
        })
    }

    fn take_long(bytes: &mut &[u8]) -> Option<Self> {
        let head = varint::take(bytes)?;
        Some(Self {
            class: u16::try_from(head >> 1).ok()?,
            is_tombstone: head & 1 == 1,
            pages: varint::take_signed(bytes)?.cast_unsigned(),
            mains: varint::take_signed(bytes)?,
            sub: varint::take(bytes)?,
            age: varint::take(bytes)?,
            version: varint::take(bytes)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Heaps, heap_of};
    use crate::bbolt::Pgid;
    use crate::etcd::{Entry, EntryKind, Revision};

    const PUT: Entry = Entry {
        revision: Revision { main: 900, sub: 2 },
        kind: EntryKind::Put,
        key_hash: u64::MAX,
        create_revision: 17,
        version: 40,
        class: 63,
    };

    fn change(page: u64, entry: Entry) -> Change {
        Change {
            key_hash: entry.key_hash,
            revision: entry.revision,
            page: Pgid(page),
            create_revision: entry.create_revision,
            version: entry.version,
            class: entry.class,
            is_tombstone: entry.kind == EntryKind::Tombstone,
        }
    }

    #[test]
    fn changes_come_back_by_the_heap_of_their_key() {
        let deletion = Entry {
            kind: EntryKind::Tombstone,
            create_revision: 0,
            version: 0,
            ..PUT
        };
        let at = |main, sub, entry| Entry {
            revision: Revision { main, sub },
            ..entry
        };
        let pushed = [
            (9, PUT),
            (7, at(901, 0, deletion)),
            (1030, at(899, 16_383, PUT)),
            (2054, at(899, 16_384, PUT)),
            (
                2055,
                at(
                    2946,
                    0,
                    Entry {
                        version: 127,
                        ..PUT
                    },
                ),
            ),
            (
                2056,
                at(
                    4995,
                    0,
                    Entry {
                        version: 128,
                        ..PUT
                    },
                ),
            ),
            (
                2057,
                at(
                    16_400,
                    0,
                    Entry {
                        create_revision: 17,
                        ..PUT
                    },
                ),
            ),
            (2058, at(16_401, 0, Entry { class: 64, ..PUT })),
            (
                2059,
                Entry {
                    create_revision: i64::MIN,
                    version: i64::MAX,
                    class: u16::MAX,
                    ..at(i64::MAX, i64::MAX, PUT)
                },
            ),
            (u64::MAX, at(i64::MIN, 0, deletion)),
            (0, PUT),
        ];
        let mut heaps = Heaps::default();
        let other = Entry { key_hash: 1, ..PUT };
        heaps.push(Pgid(3), &other);
        for (page, entry) in pushed {
            heaps.push(Pgid(page), &entry);
        }
        let expected = pushed.map(|(page, entry)| change(page, entry));
        assert!(heaps.heap(heap_of(u64::MAX)).eq(expected));
        assert!(heaps.heap(heap_of(1)).eq([change(3, other)]));
        assert_eq!(heaps.heap(17).count(), 0);
    }

    #[test]
    fn a_heap_goes_on_over_several_pieces() {
        let mut heaps = Heaps::default();
        for page in 0..2000 {
            heaps.push(Pgid(page), &PUT);
        }
        let pages = heaps
            .heap(heap_of(PUT.key_hash))
            .map(|change| change.page.0);
        assert!(pages.eq(0..2000));
        assert_eq!(heaps.size_bytes(), 2000 * 15);
    }
}
