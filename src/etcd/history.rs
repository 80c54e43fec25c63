//! The history of each key: does every change follow the one before.
//!
//! One heap of changes after the other is put in order by key and revision. That takes no more memory than the changes of
//! one heap need, and as many threads as there are.

use super::Compaction;
use super::groups::Groups;
use super::heap::{Change, HEAP_BITS};
use super::order::explain;
use super::record_defect::{DefectLog, Earliest, RecordDefect, RecordDefectKind};
use super::trail::Trail;
use crate::bbolt::PageSet;
use crate::bytes::to_usize;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Absent changes that are remembered until it is known whether unreadable entries explain them.
const MAX_UNEXPLAINED: usize = 1 << 16;

/// The newest change of one key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyState {
    /// Its main revision.
    pub main: i64,
    /// It is a deletion.
    pub is_tombstone: bool,
}

/// Hashes of keys.
pub type KeyHashes = HashSet<u64, foldhash::fast::RandomState>;

/// What the histories are judged by.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    pub(super) trail: &'t Trail,
    /// Leaf pages of bucket `key`; changes on others are stale.
    pub(super) pages: &'t PageSet,
    pub(super) compaction: Option<Compaction>,
    /// Hashes of keys whose newest change is asked for.
    pub(super) asked: &'t KeyHashes,
}

/// What the histories of some heaps have told.
#[derive(Debug)]
pub(super) struct Histories {
    pub(super) live_keys: u64,
    pub(super) live_by_class: Vec<u64>,
    pub(super) newest: HashMap<u64, KeyState>,
    pub(super) log: DefectLog,
    absent: Earliest,
}

/// Hands out each heap once.
#[derive(Debug, Default)]
pub(super) struct NextHeap(AtomicUsize);

impl Histories {
    /// Goes through heaps until none is left.
    pub(super) fn of_heaps(terms: &Terms<'_>, next: &NextHeap) -> Self {
        let mut reader = HeapReader::new(terms);
        loop {
            let heap = next.0.fetch_add(1, Ordering::Relaxed);
            if heap >= terms.trail.changes().len() {
                return reader.found;
            }
            reader.heap(heap);
        }
    }

    /// Adds what another thread has found.
    pub(super) fn join(&mut self, other: Self) {
        self.live_keys += other.live_keys;
        for (class, count) in other.live_by_class.iter().enumerate() {
            add(&mut self.live_by_class, class, *count);
        }
        self.newest.extend(other.newest);
        self.log.join(other.log);
        self.absent.join(other.absent);
    }

    /// Reports what is absent, unless unreadable entries explain it.
    pub(super) fn report_absent(&mut self, mut unreadable: u64) {
        let absent = std::mem::replace(&mut self.absent, Earliest::new(MAX_UNEXPLAINED));
        let undescribed = absent.undescribed();
        for defect in absent.into_sorted() {
            if !explain(&mut unreadable, absent_versions(defect.kind)) {
                self.log.report(defect.revision, defect.page, defect.kind);
            }
        }
        self.log.losses.count += undescribed.saturating_sub(unreadable);
    }
}

fn add(counts: &mut Vec<u64>, class: usize, more: u64) {
    if counts.len() <= class {
        counts.resize(class + 1, 0);
    }
    if let Some(count) = counts.get_mut(class) {
        *count += more;
    }
}

fn absent_versions(kind: RecordDefectKind) -> i64 {
    match kind {
        RecordDefectKind::VersionGap { version, previous } => version - previous - 1,
        _ => 1,
    }
}

/// Puts the histories of one heap together, in memory that is used again for the next.
struct HeapReader<'t> {
    terms: &'t Terms<'t>,
    /// Nothing above it has been removed; `i64::MAX` when it is not known.
    compact: i64,
    /// Changes of a heap, by the next bits of the hash: one drawer fits into the cache next to a core.
    drawers: Vec<Vec<Change>>,
    groups: Groups,
    found: Histories,
}

/// The drawer of a key is told by so many bits of its hash, below those that tell the heap.
const DRAWER_BITS: u32 = 6;
const DRAWERS: usize = 1 << DRAWER_BITS;
/// Room for so many changes stays in a drawer; keys that change often are not to fill one after the other.
const KEPT_CHANGES: usize = 1 << 10;

impl<'t> HeapReader<'t> {
    fn new(terms: &'t Terms<'t>) -> Self {
        Self {
            terms,
            compact: Compaction::floor(terms.compaction),
            drawers: vec![Vec::new(); DRAWERS],
            groups: Groups::default(),
            found: Histories {
                live_keys: 0,
                live_by_class: Vec::new(),
                newest: HashMap::new(),
                log: DefectLog::default(),
                absent: Earliest::new(MAX_UNEXPLAINED),
            },
        }
    }

    /// Sorts the changes of a heap that lie on live pages into drawers, and goes through these.
    fn heap(&mut self, heap: usize) {
        for change in self.terms.trail.changes().heap(heap) {
            if self.terms.pages.has(change.page)
                && let Some(drawer) = self.drawers.get_mut(drawer_of(change.key_hash))
            {
                drawer.push(change);
            }
        }
        let mut drawers = std::mem::take(&mut self.drawers);
        for drawer in drawers.iter_mut().filter(|drawer| !drawer.is_empty()) {
            self.drawer(drawer);
            drawer.clear();
            drawer.shrink_to(KEPT_CHANGES);
        }
        self.drawers = drawers;
    }

    /// Brings the changes of each key together.
    fn drawer(&mut self, changes: &[Change]) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.gather(changes.iter().map(hash_in_drawer));
        for group in groups.iter_mut() {
            self.group(group, changes);
        }
        self.groups = groups;
    }

    /// Goes through the changes of one key, or of a few whose hashes begin alike.
    fn group(&mut self, group: &mut [u32], changes: &[Change]) {
        let change = |index: &u32| changes.get(to_usize(*index));
        // A deletion stands behind a change of the same revision, as in the tree.
        let order = |change: &Change| (change.key_hash, change.revision, change.is_tombstone);
        group.sort_unstable_by_key(|index| change(index).map(order));
        let key_hash = |index: &u32| change(index).map(|change| change.key_hash);
        for history in group.chunk_by(|left, right| key_hash(left) == key_hash(right)) {
            self.key(history.iter().filter_map(change));
        }
    }

    /// All changes of one key.
    fn key<'c>(&mut self, history: impl Iterator<Item = &'c Change>) {
        let mut previous = None;
        for change in history {
            self.change(change, previous);
            previous = Some(change);
        }
        let Some(newest) = previous else {
            return;
        };
        if !newest.is_tombstone {
            self.found.live_keys += 1;
            add(&mut self.found.live_by_class, usize::from(newest.class), 1);
        }
        if self.terms.asked.contains(&newest.key_hash) {
            let state = KeyState {
                main: newest.revision.main,
                is_tombstone: newest.is_tombstone,
            };
            self.found.newest.insert(newest.key_hash, state);
        }
    }

    fn change(&mut self, change: &Change, previous: Option<&Change>) {
        if let Some(previous) = previous {
            self.check_compacted(change, previous);
        }
        let live = previous.filter(|previous| !previous.is_tombstone);
        let defect = if change.is_tombstone {
            let is_told = live.is_none() && change.revision.main > self.compact;
            is_told.then_some(RecordDefectKind::NothingDeleted)
        } else {
            put_defect(change, live, self.compact)
        };
        let Some(kind) = defect else {
            return;
        };
        let (revision, page) = (change.revision, change.page);
        if kind.is_loss() {
            self.found.absent.push(RecordDefect {
                revision,
                page,
                kind,
            });
        } else {
            self.found.log.report(revision, page, kind);
        }
    }

    fn check_compacted(&mut self, change: &Change, previous: &Change) {
        let finished = self
            .terms
            .compaction
            .and_then(|compaction| compaction.finished);
        let is_below = |compact_revision: &i64| {
            change.revision.main <= *compact_revision && previous.revision.main <= *compact_revision
        };
        if let Some(compact_revision) = finished.filter(is_below) {
            let kind = RecordDefectKind::Uncompacted { compact_revision };
            self.found.log.report(change.revision, change.page, kind);
        }
    }
}

fn drawer_of(key_hash: u64) -> usize {
    to_usize((key_hash << HEAP_BITS) >> (u64::BITS - DRAWER_BITS))
}

/// What the hash of the key tells beyond its drawer.
fn hash_in_drawer(change: &Change) -> u64 {
    change.key_hash << (HEAP_BITS + DRAWER_BITS)
}

/// Does a put follow from what was known of the key, if it was alive?
fn put_defect(
    change: &Change,
    previous: Option<&Change>,
    compact: i64,
) -> Option<RecordDefectKind> {
    let (version, main) = (change.version, change.revision.main);
    let Some(previous) = previous else {
        let is_told = version > 1 && main > compact;
        return is_told.then_some(RecordDefectKind::NoPredecessor { version });
    };
    if previous.create_revision != change.create_revision {
        let found = change.create_revision;
        let kind = if found > previous.revision.main {
            RecordDefectKind::NotDeleted {
                previous: previous.revision.main,
            }
        } else {
            RecordDefectKind::CreateRevision {
                found,
                previous: previous.create_revision,
            }
        };
        return (main > compact).then_some(kind);
    }
    let expected = previous.version.saturating_add(1);
    let previous_version = previous.version;
    if version < expected {
        Some(RecordDefectKind::VersionFalls {
            version,
            previous: previous_version,
        })
    } else if version > expected && previous.revision.main > compact {
        Some(RecordDefectKind::VersionGap {
            version,
            previous: previous_version,
        })
    } else {
        None
    }
}
