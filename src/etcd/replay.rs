//! All entries in the order of revisions, and the changes of each key: do they agree, and is none missing.
//!
//! Entries that vanished with a page show, even where the digest has been remade or is absent.

use super::compaction::Compaction;
use super::entry_notes::EntryNotes;
use super::history::{Histories, KeyHashes, KeyState, LiveValues, NextPartition, Terms};
use super::live_digest::LiveDigest;
use super::record_defect::RecordDefect;
use super::revision::Revision;
use super::revision_order::RevisionOrder;
use crate::bbolt::PageSet;
use std::collections::HashMap;
use std::thread::{Builder, ScopedJoinHandle};

/// What is to be replayed.
#[derive(Debug)]
pub(crate) struct History<'t> {
    /// Entries of all pages, stale ones among them.
    pub(crate) notes: &'t EntryNotes,
    /// Leaf pages of bucket `key`.
    pub(crate) pages: &'t PageSet,
    /// `None`: bucket `meta` does not tell.
    pub(crate) compaction: Option<Compaction>,
    /// Entries on these pages that are [`EntryKind::Defective`](super::EntryKind::Defective) or not in the notes at
    /// all.
    pub(crate) unreadable: u64,
    /// Hashes of keys whose newest change is wanted.
    pub(crate) asked: &'t KeyHashes,
}

/// What a history has told.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Keys whose newest change is no deletion.
    pub(crate) live_keys: u64,
    /// What is alive of each class.
    pub(crate) live_by_class: Vec<LiveValues>,
    /// What lives, in one number.
    pub(crate) live_digest: LiveDigest,
    /// The highest revision of any entry.
    pub(crate) newest: Option<Revision>,
    /// The newest change of each key asked for that has one.
    pub(crate) keys: HashMap<u64, KeyState>,
    /// The first of what was found, by revision.
    pub(crate) defects: Vec<RecordDefect>,
    /// Losses beyond those.
    pub(crate) undescribed_losses: u64,
    /// Contradictions beyond those.
    pub(crate) undescribed_contradictions: u64,
    /// Entries that could not be replayed.
    pub(crate) defective_entries: u64,
}

impl History<'_> {
    /// Replays it, on two threads where that is allowed. `in_order` hands over the entries of its pages in the order of
    /// revisions.
    pub(crate) fn replay(
        &self,
        is_shared: bool,
        in_order: impl FnOnce(&mut RevisionOrder),
    ) -> Replay {
        let terms = Terms {
            notes: self.notes,
            pages: self.pages,
            compaction: self.compaction,
            asked: self.asked,
        };
        let next = NextPartition::default();
        let mut order = RevisionOrder::new(self.compaction, self.unreadable);
        let histories = std::thread::scope(|scope| {
            let work = || Histories::of_partitions(&terms, &next);
            // Without a thread to be had, this one replays it all.
            let second = is_shared.then(|| Builder::new().spawn_scoped(scope, work).ok());
            in_order(&mut order);
            let mut histories = Histories::of_partitions(&terms, &next);
            match second.flatten().map(ScopedJoinHandle::join) {
                Some(Ok(others)) => histories.join(others),
                // What one half of the keys has to tell must not go missing in silence.
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => {}
            }
            histories
        });
        conclude(order, histories, self.unreadable)
    }
}

fn conclude(order: RevisionOrder, mut histories: Histories, unreadable: u64) -> Replay {
    histories.report_absent(unreadable);
    let mut log = order.log;
    log.join(histories.log);
    let undescribed_losses = log.losses.undescribed();
    let undescribed_contradictions = log.contradictions.undescribed();
    let mut defects = log.losses.into_sorted();
    defects.extend(log.contradictions.into_sorted());
    defects.sort_by_key(|defect| defect.revision);
    Replay {
        live_keys: histories.live_keys,
        live_by_class: histories.live_by_class,
        live_digest: histories.live_digest,
        newest: order.newest,
        keys: histories.newest,
        defects,
        undescribed_losses,
        undescribed_contradictions,
        defective_entries: order.defective_entries,
    }
}

#[cfg(test)]
mod tests {
    use super::{History, LiveValues, Replay};
    use crate::bbolt::{PageSet, Pgid};
    use crate::etcd::record_defect::RecordDefectKind;
    use crate::etcd::{
        Compaction, EntryKind, EntryNotes, KeyHashes, PageTimes, Revision, RevisionEntry,
    };

    const LIVE: Pgid = Pgid(5);
    const STALE: Pgid = Pgid(6);

    fn put(main: i64, key_hash: u64, create_revision: i64, version: i64) -> RevisionEntry {
        RevisionEntry {
            revision: Revision { main, sub: 0 },
            kind: EntryKind::Put,
            key_hash,
            create_revision,
            version,
            value_bytes: 100,
            class: 3,
            content: 0,
        }
    }

    fn deletion(main: i64, key_hash: u64) -> RevisionEntry {
        RevisionEntry {
            kind: EntryKind::Tombstone,
            value_bytes: 0,
            ..put(main, key_hash, 0, 0)
        }
    }

    /// Replays a store that was never compacted; a stale page holds what must not count.
    fn replay(entries: &[RevisionEntry], unreadable: u64, is_shared: bool) -> Replay {
        let mut notes = EntryNotes::default();
        notes.push(STALE, PageTimes::default(), &[put(1000, 7, 1000, 1)]);
        let start = notes.push(LIVE, PageTimes::default(), entries);
        let mut pages = PageSet::new(10);
        pages.add(LIVE);
        let asked: KeyHashes = entries.iter().map(|entry| entry.key_hash).collect();
        let history = History {
            notes: &notes,
            pages: &pages,
            compaction: Some(Compaction::default()),
            unreadable,
            asked: &asked,
        };
        let count = u16::try_from(entries.len()).expect("few entries");
        history.replay(is_shared, |order| {
            let page = notes.page(start, count).expect("was pushed");
            order.page(LIVE, page.order, true);
        })
    }

    fn kinds(replay: &Replay) -> Vec<RecordDefectKind> {
        replay.defects.iter().map(|defect| defect.kind).collect()
    }

    #[test]
    fn a_history_without_gaps_tells_what_is_alive() {
        // Hashes in which neither the first bits nor those that are sorted by tell keys apart.
        let (one, other, third) = (7, 8, u64::MAX);
        let entries = [
            put(2, one, 2, 1),
            put(3, other, 3, 1),
            put(4, one, 2, 2),
            put(5, third, 5, 1),
            deletion(6, third),
            put(7, third, 7, 1),
            deletion(8, other),
        ];
        for is_shared in [false, true] {
            let replay = replay(&entries, 0, is_shared);
            assert_eq!(kinds(&replay), []);
            assert_eq!(replay.live_keys, 2);
            let live = LiveValues {
                keys: 2,
                bytes: 200,
                newest_main: 7,
            };
            let none = LiveValues::default();
            assert_eq!(replay.live_by_class, [none, none, none, live]);
            assert_eq!(replay.newest, Some(Revision { main: 8, sub: 0 }));
            let state = |key| {
                let state = replay.keys.get(&key).expect("was asked for");
                (state.main, state.is_tombstone)
            };
            assert_eq!(
                (state(one), state(other), state(third)),
                ((4, false), (8, true), (7, false))
            );
        }
    }

    #[test]
    fn what_lives_is_one_number_whatever_was_compacted() {
        let content = |entry: RevisionEntry, content| RevisionEntry { content, ..entry };
        let whole = [
            put(2, 7, 2, 1),
            content(put(3, 8, 3, 1), 5),
            put(4, 9, 4, 1),
            deletion(5, 9),
            content(put(6, 7, 2, 2), 6),
        ];
        let [_, other, .., newest] = whole;
        let digest = |entries: &[RevisionEntry]| replay(entries, 9, false).live_digest;
        assert_eq!(digest(&whole), digest(&[other, newest]));
        assert_eq!(digest(&whole), replay(&whole, 9, true).live_digest);
        assert_ne!(digest(&whole), digest(&[newest]));
        assert_ne!(digest(&whole), digest(&[content(other, 4), newest]));
    }

    #[test]
    fn each_break_in_a_history_is_told_where_it_shows() {
        use RecordDefectKind as K;
        let told = |entries: &[RevisionEntry]| kinds(&replay(entries, 0, false));
        let no_predecessor = [K::NoPredecessor { version: 2 }];
        assert_eq!(told(&[put(2, 7, 1, 2)]), no_predecessor);
        let gap = [K::VersionGap {
            version: 3,
            previous: 1,
        }];
        assert_eq!(told(&[put(2, 7, 2, 1), put(3, 7, 2, 3)]), gap);
        let falls = [K::VersionFalls {
            version: 1,
            previous: 1,
        }];
        assert_eq!(told(&[put(2, 7, 2, 1), put(3, 7, 2, 1)]), falls);
        let not_deleted = [K::NotDeleted { previous: 2 }];
        assert_eq!(told(&[put(2, 7, 2, 1), put(3, 7, 3, 1)]), not_deleted);
        let other_creation = [K::CreateRevision {
            found: 1,
            previous: 2,
        }];
        assert_eq!(told(&[put(2, 7, 2, 1), put(3, 7, 1, 2)]), other_creation);
        assert_eq!(told(&[deletion(2, 7)]), [K::NothingDeleted]);
    }

    #[test]
    fn what_cannot_be_read_explains_what_is_absent() {
        let entries = [put(2, 7, 1, 2), deletion(3, 8)];
        assert_eq!(kinds(&replay(&entries, 2, false)), []);
        let told = replay(&entries, 1, false);
        assert_eq!(kinds(&told), [RecordDefectKind::NothingDeleted]);
    }
}
