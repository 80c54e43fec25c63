//! The entries of bucket `key` on live pages, replayed: what they tell together.

use super::entry_defect::DefectiveEntry;
use super::keyspace::{Keyspace, NOT_NOTED};
use super::reading::HashOn;
use super::small_buckets;
use super::stored_entries::Timeline;
use crate::bbolt::{Bucket, LeafObserver as _, LeafRef, PageSet, Pgid, Tree};
use crate::etcd::{EntryNotes, History, NotedPage, PageTimes, Replay, RevisionOrder};
use std::collections::HashSet;

/// Page id of an inline bucket.
const INLINE_PAGE: Pgid = Pgid(0);
/// Entries from which it pays to start a second thread.
const MIN_SHARED_ENTRIES: u64 = 50_000;

/// What the entries of bucket `key` tell together.
pub(super) struct KeyReplay {
    pub(super) replay: Replay,
    /// Newest instants told by objects on live pages.
    pub(super) times: PageTimes,
    /// Leaf pages of the bucket.
    pages: PageSet,
    /// Entries on live pages that are wrong by themselves.
    pub(super) defective: Vec<DefectiveEntry>,
    /// Live pages on which nothing looks like an entry of bucket `key`, and their number of elements.
    pub(super) foreign_pages: Vec<(Pgid, u16)>,
    /// When what happened; empty when no entry is asked for.
    pub(super) timeline: Timeline,
}

impl KeyReplay {
    /// Replays what `keyspace` has noted of the pages of `bucket`.
    pub(super) fn of(
        tree: &Tree<'_>,
        bucket: &Bucket<'_>,
        keyspace: &mut Keyspace,
        hash_on: HashOn,
    ) -> Self {
        let inline = inline_leaf(tree, bucket, keyspace);
        let leaves = &KeyLeaves {
            tree,
            bucket,
            inline,
            notes: &keyspace.notes,
        };
        let pages = leaves.pages();
        let replay = replay(leaves, &pages, keyspace, hash_on);
        let is_live = |entry: &&DefectiveEntry| pages.has(entry.page);
        let defective = keyspace.defective.iter().filter(is_live).copied().collect();
        let mut found = Self {
            replay,
            times: PageTimes::default(),
            pages,
            defective,
            foreign_pages: Vec::new(),
            timeline: Timeline::default(),
        };
        let has_timeline = keyspace.collector.is_some();
        for leaf in leaves.iter() {
            let times = leaves.noted_page(leaf).map(|page| page.times);
            found.look_at(leaf, times);
            if has_timeline && let Some(page) = leaves.noted_page(leaf) {
                found.follow(&page);
            }
        }
        found
    }

    /// Leaves come in the order of revisions.
    fn follow(&mut self, page: &NotedPage<'_>) {
        let seconds = page.times.lease_seconds.max(page.times.content_seconds);
        if let Some(first) = page.order.smallest() {
            self.timeline.push(first.main, seconds);
        }
    }

    fn look_at(&mut self, leaf: LeafRef, times: Option<PageTimes>) {
        let Some(times) = times else {
            if leaf.count > 0 {
                self.foreign_pages.push((leaf.page, leaf.count));
            }
            return;
        };
        let newest = &mut self.times;
        newest.lease_seconds = newest.lease_seconds.max(times.lease_seconds);
        newest.content_seconds = newest.content_seconds.max(times.content_seconds);
    }

    /// Does the tree reach this page, as one of the bucket's?
    pub(super) fn is_live_page(&self, page: Pgid) -> bool {
        self.pages.has(page)
    }

    /// Is this version of a key its newest one, and not only on stale pages?
    pub(super) fn is_live(&self, key_hash: u64, main: i64, pages: &[u64]) -> bool {
        let newest = self.replay.keys.get(&key_hash);
        let is_newest = newest.is_some_and(|state| state.main == main && !state.is_tombstone);
        is_newest && pages.iter().any(|&page| self.pages.has(Pgid(page)))
    }
}

/// The leaf pages of bucket `key`.
struct KeyLeaves<'t, 'n> {
    tree: &'t Tree<'n>,
    bucket: &'t Bucket<'n>,
    inline: Option<LeafRef>,
    notes: &'t EntryNotes,
}

impl KeyLeaves<'_, '_> {
    fn iter(&self) -> impl Iterator<Item = LeafRef> {
        self.tree.leaves(self.bucket).chain(self.inline)
    }

    fn pages(&self) -> PageSet {
        let mut pages = self.tree.leaf_pages(self.bucket);
        if let Some(inline) = self.inline {
            pages.add(inline.page);
        }
        pages
    }

    /// What was noted of a page; `None` when nothing on it looks like an entry.
    fn noted_page(&self, leaf: LeafRef) -> Option<NotedPage<'_>> {
        let start = leaf.tag.checked_sub(NOT_NOTED + 1)?;
        self.notes.page(start, leaf.count)
    }
}

/// The bucket of an etcd that has stored next to nothing is inline: the scan has not seen its entries.
fn inline_leaf(tree: &Tree<'_>, bucket: &Bucket<'_>, keyspace: &mut Keyspace) -> Option<LeafRef> {
    if tree.leaves(bucket).next().is_some() {
        return None;
    }
    let elements = tree.entries(bucket)?;
    let page = INLINE_PAGE;
    let count = u16::try_from(elements.len()).ok()?;
    let tag = keyspace.leaf(page, &elements).tag;
    Some(LeafRef { page, tag, count })
}

/// Entries of bucket `key` that are there but tell nothing that could be replayed.
fn unreadable_entries(leaves: &KeyLeaves<'_, '_>, keyspace: &Keyspace) -> u64 {
    let foreign = leaves.iter().filter(|leaf| leaf.tag == NOT_NOTED);
    let foreign: u64 = foreign.map(|leaf| u64::from(leaf.count)).sum();
    let pages: HashSet<u64> = keyspace
        .defective
        .iter()
        .map(|entry| entry.page.0)
        .collect();
    if pages.is_empty() {
        return foreign;
    }
    let live = leaves
        .iter()
        .filter(|leaf| pages.contains(&leaf.page.0))
        .filter_map(|leaf| leaves.noted_page(leaf));
    let defective = live.map(|page| page.order.defective());
    foreign + crate::bytes::to_u64(defective.sum::<usize>())
}

/// Leaf pages by their smallest revision, for a tree that has them in another order.
fn by_revision(leaves: &KeyLeaves<'_, '_>) -> Vec<LeafRef> {
    let mut sorted: Vec<LeafRef> = leaves.iter().collect();
    sorted.sort_by_cached_key(|leaf| leaves.noted_page(*leaf)?.order.smallest());
    sorted
}

/// Replays the history, on two cores where the hash has done with the second one.
fn replay(
    leaves: &KeyLeaves<'_, '_>,
    pages: &PageSet,
    keyspace: &Keyspace,
    hash_on: HashOn,
) -> Replay {
    let history = History {
        notes: leaves.notes,
        pages,
        compaction: small_buckets::compaction(leaves.tree),
        unreadable: unreadable_entries(leaves, keyspace),
        asked: &keyspace.asked(),
    };
    let entries = leaves.tree.count(leaves.bucket);
    let is_shared = hash_on == HashOn::OwnThread && entries >= MIN_SHARED_ENTRIES;
    history.replay(is_shared, |order| hand_over(leaves, order))
}

/// Hands all entries over by revision, whatever order the tree has them in: what is merely out of place is not gone.
fn hand_over(leaves: &KeyLeaves<'_, '_>, order: &mut RevisionOrder) {
    let is_ordered = leaves.tree.is_ordered();
    let mut hand_over = |leaf: LeafRef| {
        if let Some(page) = leaves.noted_page(leaf) {
            order.page(leaf.page, page.order, is_ordered);
        }
    };
    if is_ordered {
        leaves.iter().for_each(&mut hand_over);
    } else {
        by_revision(leaves).into_iter().for_each(hand_over);
    }
}
