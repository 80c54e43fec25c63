//! The history of each key: does every change follow the one before.
//!
//! One partition of changes after the other is put in order by key and revision. That takes no more memory than the
//! changes of one partition need, and as many threads as there are.

use super::changes::{KeyChange, PARTITION_BITS};
use super::compaction::Compaction;
use super::entry_notes::EntryNotes;
use super::hash_groups::HashGroups;
use super::live_digest::LiveDigest;
use super::record_defect::{DefectLog, Earliest, RecordDefect, RecordDefectKind};
use super::revision::Revision;
use super::revision_order::explain;
use crate::bbolt::PageSet;
use crate::bytes::to_usize;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Absent changes that are remembered until it is known whether unreadable entries explain them.
const MAX_UNEXPLAINED: usize = 1 << 16;

/// The newest change of one key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KeyState {
    /// Its main revision.
    pub(crate) main: i64,
    /// It is a deletion.
    pub(crate) is_tombstone: bool,
}

/// The newest values of the live keys of one class.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct LiveValues {
    /// How many there are.
    pub(crate) keys: u64,
    /// Bytes of all of them.
    pub(crate) bytes: u64,
    /// Main revision of the newest.
    pub(crate) newest_main: i64,
}

impl LiveValues {
    fn join(&mut self, other: Self) {
        self.keys += other.keys;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.newest_main = self.newest_main.max(other.newest_main);
    }
}

/// Hashes of keys.
pub(crate) type KeyHashes = HashSet<u64, foldhash::fast::RandomState>;

/// What the histories are judged by.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    pub(super) notes: &'t EntryNotes,
    /// Leaf pages of bucket `key`; changes on others are stale.
    pub(super) pages: &'t PageSet,
    pub(super) compaction: Option<Compaction>,
    /// Hashes of keys whose newest change is asked for.
    pub(super) asked: &'t KeyHashes,
}

/// What the histories of some partitions have told.
#[derive(Debug)]
pub(super) struct Histories {
    pub(super) live_keys: u64,
    pub(super) live_digest: LiveDigest,
    pub(super) live_by_class: Vec<LiveValues>,
    pub(super) newest: HashMap<u64, KeyState>,
    pub(super) log: DefectLog,
    absent: Earliest,
}

/// Hands out each partition once.
#[derive(Debug, Default)]
pub(super) struct NextPartition(AtomicUsize);

impl Histories {
    /// Goes through partitions until none is left.
    pub(super) fn of_partitions(terms: &Terms<'_>, next: &NextPartition) -> Self {
        let mut replay = PartitionReplay::new(terms);
        loop {
            let partition = next.0.fetch_add(1, Ordering::Relaxed);
            if partition >= terms.notes.changes().len() {
                return replay.found;
            }
            replay.partition(partition);
        }
    }

    /// Adds what another thread has found.
    pub(super) fn join(&mut self, other: Self) {
        self.live_keys += other.live_keys;
        for (class, live) in other.live_by_class.iter().enumerate() {
            add(&mut self.live_by_class, class, *live);
        }
        self.live_digest.join(other.live_digest);
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

fn add(classes: &mut Vec<LiveValues>, class: usize, more: LiveValues) {
    if classes.len() <= class {
        classes.resize(class + 1, LiveValues::default());
    }
    if let Some(live) = classes.get_mut(class) {
        live.join(more);
    }
}

fn absent_versions(kind: RecordDefectKind) -> i64 {
    match kind {
        RecordDefectKind::VersionGap { version, previous } => version - previous - 1,
        _ => 1,
    }
}

/// Puts the histories of one partition together, in memory that is used again for the next.
struct PartitionReplay<'t> {
    terms: &'t Terms<'t>,
    /// Nothing above it has been removed; `i64::MAX` when it is not known.
    compact: i64,
    /// Changes of a partition, by the next bits of the hash: one sub-partition fits into the cache next to a core.
    subpartitions: Vec<Vec<KeyChange>>,
    groups: HashGroups,
    found: Histories,
}

/// The sub-partition of a key is told by so many bits of its hash, below those that tell the partition.
const SUBPARTITION_BITS: u32 = 6;
const SUBPARTITIONS: usize = 1 << SUBPARTITION_BITS;
/// Room for so many changes stays in a sub-partition; keys that change often are not to fill one after the other.
const KEPT_CHANGES: usize = 1 << 10;

impl<'t> PartitionReplay<'t> {
    fn new(terms: &'t Terms<'t>) -> Self {
        Self {
            terms,
            compact: Compaction::floor(terms.compaction),
            subpartitions: vec![Vec::new(); SUBPARTITIONS],
            groups: HashGroups::default(),
            found: Histories {
                live_keys: 0,
                live_by_class: Vec::new(),
                live_digest: LiveDigest::default(),
                newest: HashMap::new(),
                log: DefectLog::default(),
                absent: Earliest::new(MAX_UNEXPLAINED),
            },
        }
    }

    /// Sorts the changes of a partition that lie on live pages into sub-partitions, and goes through these.
    fn partition(&mut self, partition: usize) {
        for change in self.terms.notes.changes().partition(partition) {
            if self.terms.pages.has(change.page)
                && let Some(changes) = self.subpartitions.get_mut(subpartition_of(change.key_hash))
            {
                changes.push(change);
            }
        }
        let mut subpartitions = std::mem::take(&mut self.subpartitions);
        for changes in subpartitions
            .iter_mut()
            .filter(|changes| !changes.is_empty())
        {
            self.subpartition(changes);
            changes.clear();
            changes.shrink_to(KEPT_CHANGES);
        }
        self.subpartitions = subpartitions;
    }

    /// Brings the changes of each key together.
    fn subpartition(&mut self, changes: &[KeyChange]) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.gather(changes.iter().map(hash_in_subpartition));
        for group in groups.iter_mut() {
            self.group(group, changes);
        }
        self.groups = groups;
    }

    /// Goes through the changes of one key, or of a few whose hashes begin alike.
    fn group(&mut self, group: &mut [u32], changes: &[KeyChange]) {
        let change = |index: &u32| changes.get(to_usize(*index));
        // A deletion stands behind a change of the same revision, as in the tree.
        let order = |change: &KeyChange| (change.key_hash, change.revision, change.is_tombstone);
        group.sort_unstable_by_key(|index| change(index).map(order));
        let key_hash = |index: &u32| change(index).map(|change| change.key_hash);
        for history in group.chunk_by(|left, right| key_hash(left) == key_hash(right)) {
            self.key(history.iter().filter_map(change));
        }
    }

    /// All changes of one key.
    fn key<'c>(&mut self, history: impl Iterator<Item = &'c KeyChange>) {
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
            let live = LiveValues {
                keys: 1,
                bytes: u64::from(newest.value_bytes),
                newest_main: newest.revision.main,
            };
            add(
                &mut self.found.live_by_class,
                usize::from(newest.class),
                live,
            );
            let Revision { main, sub } = newest.revision;
            self.found.live_digest.add([
                u64::from(newest.content),
                main.cast_unsigned(),
                sub.cast_unsigned(),
                newest.create_revision.cast_unsigned(),
                newest.version.cast_unsigned(),
            ]);
        }
        if self.terms.asked.contains(&newest.key_hash) {
            let state = KeyState {
                main: newest.revision.main,
                is_tombstone: newest.is_tombstone,
            };
            self.found.newest.insert(newest.key_hash, state);
        }
    }

    fn change(&mut self, change: &KeyChange, previous: Option<&KeyChange>) {
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

    fn check_compacted(&mut self, change: &KeyChange, previous: &KeyChange) {
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

fn subpartition_of(key_hash: u64) -> usize {
    to_usize((key_hash << PARTITION_BITS) >> (u64::BITS - SUBPARTITION_BITS))
}

/// What the hash of the key tells beyond its sub-partition.
fn hash_in_subpartition(change: &KeyChange) -> u64 {
    change.key_hash << (PARTITION_BITS + SUBPARTITION_BITS)
}

/// Does a put follow from what was known of the key, if it was alive?
fn put_defect(
    change: &KeyChange,
    previous: Option<&KeyChange>,
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
