//! All entries in the order of revisions, and the changes of each key: do they agree, and is none missing.
//!
//! Entries that vanished with a page show, even where the digest has been remade or is absent.

use super::history::{Histories, KeyHashes, KeyState, NextHeap, Terms};
use super::order::Order;
use super::record_defect::RecordDefect;
use super::revision::Revision;
use super::trail::Trail;
use crate::bbolt::PageSet;
use std::collections::HashMap;

/// How far compaction has come, from bucket `meta`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Compaction {
    /// `scheduledCompactRev`.
    pub scheduled: Option<i64>,
    /// `finishedCompactRev`.
    pub finished: Option<i64>,
}

impl Compaction {
    /// The larger of both: nothing above it has been removed.
    pub fn revision(&self) -> Option<i64> {
        self.scheduled.max(self.finished)
    }

    /// Nothing above it has been removed. Where the compaction is not known, nobody can tell which entries must be
    /// there: `i64::MAX`.
    pub(super) fn floor(known: Option<Self>) -> i64 {
        known.map_or(i64::MAX, |known| known.revision().unwrap_or_default())
    }
}

/// What is to be replayed.
#[derive(Debug)]
pub struct History<'t> {
    /// Entries of all pages, stale ones among them.
    pub trail: &'t Trail,
    /// Leaf pages of bucket `key`.
    pub pages: &'t PageSet,
    /// `None`: bucket `meta` does not tell.
    pub compaction: Option<Compaction>,
    /// Entries on these pages that are [`EntryKind::Defective`](super::EntryKind::Defective) or not in the trail at all.
    pub unreadable: u64,
    /// Hashes of keys whose newest change is wanted.
    pub asked: &'t KeyHashes,
}

/// What a history has told.
#[derive(Debug)]
pub struct Replay {
    /// Keys whose newest change is no deletion.
    pub live_keys: u64,
    /// Live keys of each class.
    pub live_by_class: Vec<u64>,
    /// The highest revision of any entry.
    pub newest: Option<Revision>,
    /// The newest change of each key asked for that has one.
    pub keys: HashMap<u64, KeyState>,
    /// The first of what was found, by revision.
    pub defects: Vec<RecordDefect>,
    /// Entries that could not be replayed.
    pub defective_entries: u64,
}

impl History<'_> {
    /// Replays it, on two threads where that is allowed. `in_order` hands over the entries of its pages in the order of
    /// revisions.
    pub fn replay(&self, is_shared: bool, in_order: impl FnOnce(&mut Order)) -> Replay {
        let terms = Terms {
            trail: self.trail,
            pages: self.pages,
            compaction: self.compaction,
            asked: self.asked,
        };
        let next = NextHeap::default();
        let mut order = Order::new(self.compaction, self.unreadable);
        let histories = std::thread::scope(|scope| {
            let second = is_shared.then(|| scope.spawn(|| Histories::of_heaps(&terms, &next)));
            in_order(&mut order);
            let mut histories = Histories::of_heaps(&terms, &next);
            if let Some(Ok(others)) = second.map(std::thread::ScopedJoinHandle::join) {
                histories.join(others);
            }
            histories
        });
        conclude(order, histories, self.unreadable)
    }
}

fn conclude(order: Order, histories: Histories, unreadable: u64) -> Replay {
    let (live_keys, live_by_class) = (histories.live_keys, histories.live_by_class.clone());
    let keys = histories.newest.clone();
    let mut log = order.log;
    log.join(histories.into_log(unreadable));
    let mut defects = log.losses.into_sorted();
    defects.extend(log.contradictions.into_sorted());
    defects.sort_by_key(|defect| defect.revision);
    Replay {
        live_keys,
        live_by_class,
        newest: order.newest,
        keys,
        defects,
        defective_entries: order.defective_entries,
    }
}
