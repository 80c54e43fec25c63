//! The history of every key, replayed in the order of revisions: do the entries agree, and is none missing.
//!
//! Above the compaction revision etcd removes nothing, so every main revision has its entries, subs count from 0,
//! and each change of a key follows the one before. Entries that vanished with a page show, even where the digest
//! has been remade or is absent.

use super::revision::Revision;
use super::trail::{Entry, EntryKind};
use crate::bbolt::Pgid;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Losses that are described one by one, and as many contradictions.
const MAX_DESCRIBED: u64 = 64;
/// First main revision of a store that was never compacted: etcd starts counting at 1, before the first change.
const FIRST_MAIN: i64 = 2;

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
}

/// The newest entry of one key.
#[derive(Clone, Copy, Debug)]
pub struct KeyState {
    /// Its main revision.
    pub main: i64,
    create_revision: i64,
    /// Saturated: a key is not changed four billion times between two compactions.
    version: u32,
    class: u16,
    /// The newest entry is a deletion.
    pub is_tombstone: bool,
}

/// Two entries that contradict each other, or entries that are not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordDefect {
    /// The entry where it shows.
    pub revision: Revision,
    /// The page of that entry; `None` at the end of the history.
    pub page: Option<Pgid>,
    /// What is wrong.
    pub kind: RecordDefectKind,
}

/// What can be wrong between entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordDefectKind {
    /// Main revisions are absent above the compaction revision.
    #[error("revisions {from} to {to} are gone")]
    RevisionGap {
        /// First absent one.
        from: i64,
        /// Last absent one.
        to: i64,
    },
    /// A transaction lacks changes.
    #[error("the transaction lacks change {expected}")]
    SubGap {
        /// The sub revision that should come here.
        expected: i64,
    },
    /// A later version of a key, and nothing it could have followed.
    #[error("version {version} of a key has no predecessor")]
    NoPredecessor {
        /// Version of the entry.
        version: i64,
    },
    /// Versions of one key between two entries are absent.
    #[error("version {version} of a key follows version {previous}")]
    VersionGap {
        /// Version of the entry.
        version: i64,
        /// Version of the entry before it.
        previous: u32,
    },
    /// A deletion of a key that does not exist.
    #[error("a deletion has no predecessor")]
    NothingDeleted,
    /// Version does not rise.
    #[error("version {version} of a key follows version {previous}")]
    VersionFalls {
        /// Version of the entry.
        version: i64,
        /// Version of the entry before it.
        previous: u32,
    },
    /// A key created anew that had not been deleted.
    #[error("a key is created again, and its deletion after revision {previous} is absent")]
    NotDeleted {
        /// Main revision of the entry before it.
        previous: i64,
    },
    /// Same key, not deleted in between, other `create_revision`.
    #[error("create_revision {found} of a key follows {previous} without a deletion")]
    CreateRevision {
        /// As stored.
        found: i64,
        /// Of the entry before it.
        previous: i64,
    },
    /// Compaction leaves one entry of each key.
    #[error("a second entry of a key below the compaction revision {compact_revision}")]
    Uncompacted {
        /// The finished compaction.
        compact_revision: i64,
    },
    /// One revision, twice: as a change and as a deletion.
    #[error("the revision occurs twice")]
    Repeated,
    /// An entry without a value that no restore wrote.
    #[error("the entry has no value, and lies above the compaction revision")]
    StrayBump,
}

impl RecordDefectKind {
    /// True when it proves that entries are gone; false when entries contradict each other.
    pub fn is_loss(&self) -> bool {
        matches!(
            self,
            Self::RevisionGap { .. }
                | Self::SubGap { .. }
                | Self::NoPredecessor { .. }
                | Self::VersionGap { .. }
                | Self::NotDeleted { .. }
                | Self::NothingDeleted
        )
    }
}

/// Key hashes are uniform already.
#[derive(Default)]
struct Passthrough(u64);

impl Hasher for Passthrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Entries that are there but cannot be read. Each of them may be what another one lacks; a gap that they explain is
/// not told a second time.
struct Unreadable {
    revisions: u64,
    versions: u64,
}

impl Unreadable {
    fn explain_revisions(&mut self, absent: i64) -> bool {
        take(&mut self.revisions, absent)
    }

    fn explain_version(&mut self, kind: RecordDefectKind) -> bool {
        let absent = match kind {
            RecordDefectKind::VersionGap { version, previous } => version - i64::from(previous) - 1,
            RecordDefectKind::NoPredecessor { .. }
            | RecordDefectKind::NotDeleted { .. }
            | RecordDefectKind::NothingDeleted => 1,
            _ => return false,
        };
        take(&mut self.versions, absent)
    }
}

/// Takes `wanted` from `left` if there is as much.
fn take(left: &mut u64, wanted: i64) -> bool {
    let rest = u64::try_from(wanted)
        .ok()
        .and_then(|wanted| left.checked_sub(wanted));
    if let Some(rest) = rest {
        *left = rest;
    }
    rest.is_some()
}

/// The replay under way, and what it has learnt.
pub struct Replay {
    /// Nothing above it has been removed; `i64::MAX` when it is not known.
    compact: i64,
    finished: Option<i64>,
    keys: HashMap<u64, KeyState, BuildHasherDefault<Passthrough>>,
    /// The last entry that can be relied upon.
    last: Option<Revision>,
    newest: Option<Revision>,
    unreadable: Unreadable,
    /// What was found, in the order of revisions.
    pub defects: Vec<RecordDefect>,
    /// Losses found.
    pub losses: u64,
    /// Contradictions found.
    pub contradictions: u64,
    /// Entries that could not be replayed.
    pub defective_entries: u64,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replay({} keys)", self.keys.len())
    }
}

impl Replay {
    /// Starts before the first entry.
    ///
    /// Where the compaction is not known, nobody can tell which entries must be there. `unreadable_entries` of the
    /// entries to come are [`EntryKind::Defective`] or cannot be handed over at all.
    pub fn new(compaction: Option<Compaction>, unreadable_entries: u64) -> Self {
        let compact = compaction.map_or(i64::MAX, |compaction| {
            compaction.revision().unwrap_or_default()
        });
        Self {
            compact,
            finished: compaction.and_then(|compaction| compaction.finished),
            keys: HashMap::default(),
            last: None,
            newest: None,
            unreadable: Unreadable {
                revisions: unreadable_entries,
                versions: unreadable_entries,
            },
            defects: Vec::new(),
            losses: 0,
            contradictions: 0,
            defective_entries: 0,
        }
    }

    /// Takes the next entry in the order of revisions.
    pub fn entry(&mut self, page: Pgid, entry: &Entry) {
        let (revision, compact) = (entry.revision, self.compact);
        self.newest = self.newest.max(Some(revision).filter(|at| at.main > 0));
        if entry.kind == EntryKind::Defective {
            self.defective_entries += 1;
            return;
        }
        if self.last == Some(revision) {
            self.report(page, entry, RecordDefectKind::Repeated);
        }
        // What stands behind a greater one is out of order, which its page tells.
        if self.last < Some(revision) {
            if revision.main > compact {
                self.check_density(page, revision);
            }
            self.last = Some(revision);
        }
        match entry.kind {
            EntryKind::Put => self.put(page, entry, compact),
            EntryKind::Tombstone => self.delete(page, entry, compact),
            // etcd takes it for an entry of the empty key, so compaction keeps it for ever: lawful at the compaction
            // revision that the restore set, and below any later one.
            EntryKind::Bump if revision.main > compact => {
                self.report(page, entry, RecordDefectKind::StrayBump);
            }
            EntryKind::Bump | EntryKind::Defective => {}
        }
    }

    /// Takes a revision above the compaction and greater than the last one: it must be the next one.
    fn check_density(&mut self, page: Pgid, revision: Revision) {
        let last = self.last.filter(|last| last.main > self.compact);
        if let Some(last) = last.filter(|last| last.main == revision.main) {
            // No overflow: both of these are smaller than a revision that exists.
            self.check_sub(page, revision, last.sub + 1);
            return;
        }
        let before = last.map_or(self.compact.max(FIRST_MAIN - 1), |last| last.main);
        let absent = revision.main - before - 1;
        if absent > 0 && !self.unreadable.explain_revisions(absent) {
            let gap = RecordDefectKind::RevisionGap {
                from: before + 1,
                to: revision.main - 1,
            };
            self.report_at(page, revision, gap);
        }
        self.check_sub(page, revision, 0);
    }

    fn check_sub(&mut self, page: Pgid, revision: Revision, expected: i64) {
        let absent = revision.sub - expected;
        if absent > 0 && !self.unreadable.explain_revisions(absent) {
            self.report_at(page, revision, RecordDefectKind::SubGap { expected });
        }
    }

    fn put(&mut self, page: Pgid, entry: &Entry, compact: i64) {
        let state = KeyState {
            main: entry.revision.main,
            create_revision: entry.create_revision,
            version: u32::try_from(entry.version).unwrap_or(u32::MAX),
            class: entry.class,
            is_tombstone: false,
        };
        let previous = self.keys.insert(entry.key_hash, state);
        if let Some(previous) = &previous {
            self.check_compacted(page, entry, previous);
        }
        let defect = put_defect(entry, previous.as_ref(), compact);
        if let Some(kind) = defect.filter(|kind| !self.unreadable.explain_version(*kind)) {
            self.report(page, entry, kind);
        }
    }

    fn delete(&mut self, page: Pgid, entry: &Entry, compact: i64) {
        let state = KeyState {
            main: entry.revision.main,
            create_revision: 0,
            version: 0,
            class: entry.class,
            is_tombstone: true,
        };
        let previous = self.keys.insert(entry.key_hash, state);
        if let Some(previous) = &previous {
            self.check_compacted(page, entry, previous);
        }
        let was_live = previous.is_some_and(|previous| !previous.is_tombstone);
        let kind = RecordDefectKind::NothingDeleted;
        if !was_live && entry.revision.main > compact && !self.unreadable.explain_version(kind) {
            self.report(page, entry, kind);
        }
    }

    fn check_compacted(&mut self, page: Pgid, entry: &Entry, previous: &KeyState) {
        let Some(compact_revision) = self.finished else {
            return;
        };
        if previous.main <= compact_revision && entry.revision.main <= compact_revision {
            self.report(
                page,
                entry,
                RecordDefectKind::Uncompacted { compact_revision },
            );
        }
    }

    fn report(&mut self, page: Pgid, entry: &Entry, kind: RecordDefectKind) {
        self.report_at(page, entry.revision, kind);
    }

    fn report_at(&mut self, page: Pgid, revision: Revision, kind: RecordDefectKind) {
        let count = if kind.is_loss() {
            &mut self.losses
        } else {
            &mut self.contradictions
        };
        *count += 1;
        if *count <= MAX_DESCRIBED {
            self.defects.push(RecordDefect {
                revision,
                page: Some(page),
                kind,
            });
        }
    }

    /// The highest revision of any entry.
    pub fn newest(&self) -> Option<Revision> {
        self.newest
    }

    /// The newest entry of a key.
    pub fn key(&self, key_hash: u64) -> Option<&KeyState> {
        self.keys.get(&key_hash)
    }

    /// Keys whose newest entry is no tombstone.
    pub fn live_keys(&self) -> u64 {
        crate::bytes::to_u64(
            self.keys
                .values()
                .filter(|state| !state.is_tombstone)
                .count(),
        )
    }

    /// Live keys of each class below `classes`.
    pub fn live_by_class(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        for state in self.keys.values().filter(|state| !state.is_tombstone) {
            if let Some(count) = counts.get_mut(usize::from(state.class)) {
                *count += 1;
            }
        }
        counts
    }
}

/// Does a put follow from what was known of the key?
fn put_defect(
    entry: &Entry,
    previous: Option<&KeyState>,
    compact: i64,
) -> Option<RecordDefectKind> {
    let version = entry.version;
    match previous.filter(|previous| !previous.is_tombstone) {
        None if version > 1 && entry.revision.main > compact => {
            Some(RecordDefectKind::NoPredecessor { version })
        }
        None => None,
        Some(previous) if previous.create_revision != entry.create_revision => {
            let (found, last) = (entry.create_revision, previous.create_revision);
            let kind = if found > previous.main {
                RecordDefectKind::NotDeleted {
                    previous: previous.main,
                }
            } else {
                RecordDefectKind::CreateRevision {
                    found,
                    previous: last,
                }
            };
            (entry.revision.main > compact).then_some(kind)
        }
        Some(previous) => {
            let last = previous.version;
            let expected = i64::from(last) + 1;
            if version < expected {
                Some(RecordDefectKind::VersionFalls {
                    version,
                    previous: last,
                })
            } else if version > expected && previous.main > compact {
                Some(RecordDefectKind::VersionGap {
                    version,
                    previous: last,
                })
            } else {
                None
            }
        }
    }
}
