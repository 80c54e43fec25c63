//! What is remembered of each entry of bucket `key` until the tree says which pages are alive.
//!
//! Two questions are asked of the entries, and each has a stream of its own, some 16 bytes an entry in all. Is a
//! revision missing: the order of revisions on each page. Does each change of a key follow the one before: changes, in
//! partitions by the hash of their key, so that the history of every key can be put together in the processor's cache,
//! without a table of all keys.

use super::changes::KeyChanges;
use super::entry::RevisionEntry;
use super::page_order::PageOrder;
use crate::bbolt::Pgid;
use crate::bytes::{to_u64, to_usize};
use crate::protobuf::varint;

/// Newest instants told by the objects on one page, in seconds since 1970; 0 for none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct PageTimes {
    /// Newest `renewTime` of a Lease.
    pub(crate) lease_seconds: i64,
    /// Newest other time.
    pub(crate) content_seconds: i64,
}

/// The entries of all leaf pages that look like pages of bucket `key`.
#[derive(Debug, Default)]
pub(crate) struct EntryNotes {
    orders: Vec<u8>,
    changes: KeyChanges,
}

impl EntryNotes {
    /// Appends the entries of one page; the result finds their order again.
    pub(crate) fn push(&mut self, page: Pgid, times: PageTimes, entries: &[RevisionEntry]) -> u64 {
        let start = to_u64(self.orders.len());
        varint::push_signed(&mut self.orders, times.lease_seconds);
        varint::push_signed(&mut self.orders, times.content_seconds);
        PageOrder::push(&mut self.orders, entries);
        for entry in entries.iter().filter(|entry| entry.kind.is_change()) {
            self.changes.push(page, entry);
        }
        start
    }

    /// What is known of the page whose `count` entries were pushed at `start`; `None` when nothing was.
    pub(crate) fn page(&self, start: u64, count: u16) -> Option<NotedPage<'_>> {
        let mut rest = self.orders.get(to_usize(start)..)?;
        let lease_seconds = varint::take_signed(&mut rest)?;
        let content_seconds = varint::take_signed(&mut rest)?;
        Some(NotedPage {
            times: PageTimes {
                lease_seconds,
                content_seconds,
            },
            order: PageOrder::take(rest, count)?,
        })
    }

    /// Changes of keys.
    pub(super) fn changes(&self) -> &KeyChanges {
        &self.changes
    }
}

/// What is known of a page apart from the changes on it.
#[derive(Debug)]
pub(crate) struct NotedPage<'n> {
    /// Newest instants on it.
    pub(crate) times: PageTimes,
    /// The revisions on it.
    pub(crate) order: PageOrder<'n>,
}

#[cfg(test)]
mod tests {
    use super::{EntryNotes, PageTimes};
    use crate::bbolt::Pgid;
    use crate::etcd::page_order::{PageOrder, RevisionStep};
    use crate::etcd::{EntryKind, Revision, RevisionEntry};

    fn entries() -> [RevisionEntry; 5] {
        let revision = |main, sub| Revision { main, sub };
        let other = |kind, revision| RevisionEntry {
            revision,
            kind,
            create_revision: 0,
            version: 0,
            value_bytes: 0,
            class: 0,
            content: 0,
            ..RevisionEntry::PUT
        };
        [
            RevisionEntry::PUT,
            other(EntryKind::Tombstone, revision(901, 0)),
            other(EntryKind::Bump, revision(902, 0)),
            other(EntryKind::Defective, revision(0, 0)),
            RevisionEntry {
                revision: revision(i64::MAX, i64::MAX),
                key_hash: 1,
                create_revision: i64::MIN,
                ..RevisionEntry::PUT
            },
        ]
    }

    #[test]
    fn the_order_of_a_page_comes_back() {
        let times = PageTimes {
            lease_seconds: 1_730_516_400,
            content_seconds: -1,
        };
        let mut notes = EntryNotes::default();
        notes.push(Pgid(9), PageTimes::default(), &[RevisionEntry::PUT]);
        let start = notes.push(Pgid(7), times, &entries());
        let page = notes.page(start, 5).expect("was pushed");
        assert_eq!(page.times, times);
        assert_eq!(page.order.defective(), 1);
        assert_eq!(page.order.smallest(), Some(RevisionEntry::PUT.revision));
        let expected = entries().map(|entry| RevisionStep {
            revision: entry.revision,
            kind: if entry.kind == EntryKind::Tombstone {
                EntryKind::Put
            } else {
                entry.kind
            },
        });
        assert_eq!(steps_of(page.order), expected);
    }

    fn steps_of(order: PageOrder<'_>) -> Vec<RevisionStep> {
        match order {
            PageOrder::Dense { .. } => Vec::new(),
            PageOrder::Sparse(steps) => steps.collect(),
        }
    }
}
