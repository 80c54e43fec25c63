//! What is remembered of each entry of bucket `key` until the tree says which pages are alive.
//!
//! Two questions are asked of the entries, and each has a stream of its own, some 16 bytes an entry in all. Is a
//! revision missing: the order of revisions on each page. Does each change of a key follow the one before: changes,
//! spread over many small heaps by the hash of their key, so that the history of every key can be put together in the
//! processor's cache, without a table of all keys.

use super::heap::Heaps;
use super::revision::Revision;
use crate::bbolt::Pgid;
use crate::bytes::{to_u64, to_usize};
use crate::protobuf::varint;

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

impl EntryKind {
    /// Does it change a key?
    fn is_change(self) -> bool {
        matches!(self, Self::Put | Self::Tombstone)
    }
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
    /// What the observer calls this kind of value.
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
    orders: Vec<u8>,
    changes: Heaps,
}

impl Trail {
    /// Appends the entries of one page; the result finds their order again.
    pub fn push(&mut self, page: Pgid, times: PageTimes, entries: &[Entry]) -> u64 {
        let start = to_u64(self.orders.len());
        varint::push_signed(&mut self.orders, times.lease_seconds);
        varint::push_signed(&mut self.orders, times.content_seconds);
        push_order(&mut self.orders, entries);
        for entry in entries.iter().filter(|entry| entry.kind.is_change()) {
            self.changes.push(page, entry);
        }
        start
    }

    /// What is known of the page whose `count` entries were pushed at `start`; `None` when nothing was.
    pub fn page(&self, start: u64, count: u16) -> Option<TrailPage<'_>> {
        let mut rest = self.orders.get(to_usize(start)..)?;
        let lease_seconds = varint::take_signed(&mut rest)?;
        let content_seconds = varint::take_signed(&mut rest)?;
        Some(TrailPage {
            times: PageTimes {
                lease_seconds,
                content_seconds,
            },
            order: take_order(rest, count)?,
        })
    }

    /// Changes of keys.
    pub(super) fn changes(&self) -> &Heaps {
        &self.changes
    }

    /// Bytes in memory.
    pub fn size_bytes(&self) -> usize {
        self.orders.len() + self.changes.size_bytes()
    }
}

/// What is known of a page apart from the changes on it.
#[derive(Debug)]
pub struct TrailPage<'t> {
    /// Newest instants on it.
    pub times: PageTimes,
    /// The revisions on it.
    pub order: PageOrder<'t>,
}

/// The revisions of the entries of one page.
#[derive(Clone, Debug)]
pub enum PageOrder<'t> {
    /// Changes, each the next one in its transaction or the first of the next transaction.
    Dense {
        /// Revision of the first one.
        first: Revision,
        /// Revision of the last one.
        last: Revision,
    },
    /// Anything else.
    Sparse(Steps<'t>),
}

impl PageOrder<'_> {
    /// The smallest revision on the page that can be relied upon.
    pub fn smallest(&self) -> Option<Revision> {
        match self {
            Self::Dense { first, .. } => Some(*first),
            Self::Sparse(steps) => {
                let sound = steps
                    .clone()
                    .filter(|step| step.kind != EntryKind::Defective);
                sound.map(|step| step.revision).min()
            }
        }
    }

    /// Entries that cannot be read.
    pub fn defective(&self) -> usize {
        match self {
            Self::Dense { .. } => 0,
            Self::Sparse(steps) => {
                let is_defective = |step: &Step| step.kind == EntryKind::Defective;
                steps.clone().filter(is_defective).count()
            }
        }
    }
}

/// An entry's place in the order of revisions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// The entry's revision.
    pub revision: Revision,
    /// [`EntryKind::Put`] stands for deletions, too.
    pub kind: EntryKind,
}

const SPARSE: u8 = 0;
const DENSE: u8 = 1;

fn push_order(bytes: &mut Vec<u8>, entries: &[Entry]) {
    let dense = entries
        .first()
        .zip(entries.last())
        .filter(|_| is_dense(entries));
    if let Some((first, last)) = dense {
        bytes.push(DENSE);
        push_step(bytes, 0, first);
        push_step(bytes, first.revision.main, last);
        return;
    }
    bytes.push(SPARSE);
    let mut main = 0;
    for entry in entries {
        push_step(bytes, main, entry);
        main = entry.revision.main;
    }
}

fn take_order(rest: &[u8], count: u16) -> Option<PageOrder<'_>> {
    let (&form, rest) = rest.split_first()?;
    let mut steps = Steps {
        rest,
        main: 0,
        left: count,
    };
    if form == SPARSE {
        return Some(PageOrder::Sparse(steps));
    }
    steps.left = 2;
    let (first, last) = (steps.next()?.revision, steps.next()?.revision);
    Some(PageOrder::Dense { first, last })
}

fn is_dense(entries: &[Entry]) -> bool {
    let follows = |left: Revision, right: Revision| {
        if left.main == right.main {
            right.sub.checked_sub(1) == Some(left.sub)
        } else {
            right.main.checked_sub(1) == Some(left.main) && right.sub == 0
        }
    };
    entries.iter().all(|entry| entry.kind.is_change())
        && entries
            .windows(2)
            .all(|pair| matches!(pair, [left, right] if follows(left.revision, right.revision)))
}

/// Kinds that are told by a byte of their own; nearly all entries are changes.
const BUMP: u8 = 0;
const DEFECTIVE: u8 = 1;

/// Two bytes for most entries: the distance to the revision before, and the position in the transaction.
fn push_step(bytes: &mut Vec<u8>, previous_main: i64, entry: &Entry) {
    let Revision { main, sub } = entry.revision;
    let mark = match entry.kind {
        EntryKind::Put | EntryKind::Tombstone => None,
        EntryKind::Bump => Some(BUMP),
        EntryKind::Defective => Some(DEFECTIVE),
    };
    varint::push_signed(bytes, main.wrapping_sub(previous_main));
    // Revisions are not negative, so the highest bit is free.
    varint::push(bytes, sub.cast_unsigned() << 1 | u64::from(mark.is_some()));
    bytes.extend(mark);
}

/// The entries of one page, in the order of the page.
#[derive(Clone, Debug)]
pub struct Steps<'t> {
    rest: &'t [u8],
    main: i64,
    left: u16,
}

impl Iterator for Steps<'_> {
    type Item = Step;

    #[inline]
    fn next(&mut self) -> Option<Step> {
        self.left = self.left.checked_sub(1)?;
        let distance = varint::take_signed(&mut self.rest)?;
        let sub = varint::take(&mut self.rest)?;
        self.main = self.main.wrapping_add(distance);
        let kind = if sub & 1 == 0 {
            EntryKind::Put
        } else {
            let (&mark, rest) = self.rest.split_first()?;
            self.rest = rest;
            if mark == BUMP {
                EntryKind::Bump
            } else {
                EntryKind::Defective
            }
        };
        let (main, sub) = (self.main, (sub >> 1).cast_signed());
        Some(Step {
            revision: Revision { main, sub },
            kind,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Entry, EntryKind, PageOrder, PageTimes, Step, Trail};
    use crate::bbolt::Pgid;
    use crate::etcd::Revision;

    /// A change whose numbers are all different.
    pub(in crate::etcd) const PUT: Entry = Entry {
        revision: Revision { main: 900, sub: 2 },
        kind: EntryKind::Put,
        key_hash: u64::MAX,
        create_revision: 17,
        version: 40,
        class: 65_535,
    };

    fn entries() -> [Entry; 5] {
        let revision = |main, sub| Revision { main, sub };
        let other = |kind, revision| Entry {
            revision,
            kind,
            create_revision: 0,
            version: 0,
            class: 0,
            ..PUT
        };
        [
            PUT,
            other(EntryKind::Tombstone, revision(901, 0)),
            other(EntryKind::Bump, revision(902, 0)),
            other(EntryKind::Defective, revision(0, 0)),
            Entry {
                revision: revision(i64::MAX, i64::MAX),
                key_hash: 1,
                create_revision: i64::MIN,
                ..PUT
            },
        ]
    }

    #[test]
    fn the_order_of_a_page_comes_back() {
        let times = PageTimes {
            lease_seconds: 1_730_516_400,
            content_seconds: -1,
        };
        let mut trail = Trail::default();
        trail.push(Pgid(9), PageTimes::default(), &[PUT]);
        let start = trail.push(Pgid(7), times, &entries());
        let page = trail.page(start, 5).expect("was pushed");
        assert_eq!(page.times, times);
        assert_eq!(page.order.defective(), 1);
        assert_eq!(page.order.smallest(), Some(PUT.revision));
        let expected = entries().map(|entry| Step {
            revision: entry.revision,
            kind: if entry.kind == EntryKind::Tombstone {
                EntryKind::Put
            } else {
                entry.kind
            },
        });
        assert_eq!(steps_of(page.order), expected);
    }

    fn steps_of(order: PageOrder<'_>) -> Vec<Step> {
        match order {
            PageOrder::Dense { .. } => Vec::new(),
            PageOrder::Sparse(steps) => steps.collect(),
        }
    }

    #[test]
    fn of_a_page_on_which_no_revision_is_absent_both_ends_are_kept() {
        let put = |main, sub| Entry {
            revision: Revision { main, sub },
            ..PUT
        };
        let is_dense = |entries: &[Entry]| {
            let mut trail = Trail::default();
            let start = trail.push(Pgid(7), PageTimes::default(), entries);
            let page = trail.page(start, 3).expect("was pushed");
            let (first, last) = (entries.first(), entries.last());
            match page.order {
                PageOrder::Dense {
                    first: one,
                    last: other,
                } => {
                    assert_eq!(Some(one), first.map(|entry| entry.revision));
                    assert_eq!(Some(other), last.map(|entry| entry.revision));
                    true
                }
                PageOrder::Sparse(steps) => {
                    assert_eq!(steps.count(), entries.len());
                    false
                }
            }
        };
        assert!(is_dense(&[put(4, 6), put(4, 7), put(5, 0)]));
        assert!(!is_dense(&[put(4, 6), put(4, 7), put(5, 1)]));
        assert!(!is_dense(&[put(4, 6), put(4, 6), put(5, 0)]));
        assert!(!is_dense(&[put(4, 6), put(5, 0), put(7, 0)]));
        assert!(!is_dense(&[put(5, 0), put(4, 0), put(5, 0)]));
    }
}
