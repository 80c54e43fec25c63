//! The history of every key, replayed in the order of revisions: do the entries agree, and is none missing.
//!
//! Above the compaction revision etcd removes nothing, so every main revision has its entries, subs count from 0,
//! and each change of a key follows the one before. Entries that vanished with a page show, even where the digest
//! has been remade or is absent.

use super::newest::NewestEntries;
use super::revision::Revision;
use super::trail::{Entry, EntryKind, Trail, TrailPage};
use crate::bbolt::Pgid;

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

impl From<Entry> for KeyState {
    fn from(entry: Entry) -> Self {
        Self {
            main: entry.revision.main,
            create_revision: entry.create_revision,
            version: u32::try_from(entry.version).unwrap_or(u32::MAX),
            class: entry.class,
            is_tombstone: entry.kind == EntryKind::Tombstone,
        }
    }
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

/// The keys that one of several replays of the same history looks after: two cores share the work by key. The order of
/// revisions, which is nobody's key, belongs to the first lane.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Lane {
    index: u64,
    lanes: u64,
}

impl Lane {
    fn has(self, key_hash: u64) -> bool {
        // Neither the bits that choose a slot nor those that tag it.
        (key_hash >> 32) % self.lanes == self.index
    }

    fn is_first(self) -> bool {
        self.index == 0
    }
}

/// Live keys, in all and of each class.
#[derive(Debug, Default)]
struct Live {
    keys: u64,
    by_class: Vec<u64>,
}

impl Live {
    fn add(&mut self, class: u16) {
        let class = usize::from(class);
        if self.by_class.len() <= class {
            self.by_class.resize(class + 1, 0);
        }
        self.keys += 1;
        if let Some(count) = self.by_class.get_mut(class) {
            *count += 1;
        }
    }

    fn remove(&mut self, class: u16) {
        self.keys -= 1;
        if let Some(count) = self.by_class.get_mut(usize::from(class)) {
            *count -= 1;
        }
    }
}

/// The replay under way, and what it has learnt.
pub struct Replay<'t> {
    /// Nothing above it has been removed; `i64::MAX` when it is not known.
    compact: i64,
    finished: Option<i64>,
    lane: Lane,
    /// Of this lane, and of those joined to it.
    keys: Vec<NewestEntries<'t>>,
    live: Live,
    page: Vec<(u64, Entry)>,
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

impl std::fmt::Debug for Replay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replay({} live keys)", self.live.keys)
    }
}

impl<'t> Replay<'t> {
    /// Starts before the first entry; about `entries` of `trail` are to come.
    ///
    /// Where the compaction is not known, nobody can tell which entries must be there. `unreadable_entries` of the
    /// entries to come are [`EntryKind::Defective`] or cannot be handed over at all.
    pub fn new(
        trail: &'t Trail,
        entries: u64,
        compaction: Option<Compaction>,
        unreadable_entries: u64,
    ) -> Self {
        let compact = compaction.map_or(i64::MAX, |compaction| {
            compaction.revision().unwrap_or_default()
        });
        Self {
            compact,
            finished: compaction.and_then(|compaction| compaction.finished),
            lane: Lane { index: 0, lanes: 1 },
            keys: vec![NewestEntries::new(trail, entries)],
            live: Live::default(),
            page: Vec::new(),
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

    /// Two replays that each take all entries and look after half of the keys, to be [joined](Self::join) in the end.
    ///
    /// Only for a history whose every entry can be read: what is unreadable may explain a gap of any key.
    pub fn halves(trail: &'t Trail, entries: u64, compaction: Option<Compaction>) -> [Self; 2] {
        [0, 1].map(|index| {
            let half = Self::new(trail, entries / 2, compaction, 0);
            let lane = Lane { index, lanes: 2 };
            Self { lane, ..half }
        })
    }

    /// Adds what the other half has learnt.
    #[must_use]
    pub fn join(mut self, second: Self) -> Self {
        self.keys.extend(second.keys);
        self.live.keys += second.live.keys;
        let classes = self.live.by_class.len().max(second.live.by_class.len());
        self.live.by_class.resize(classes, 0);
        for (count, more) in self.live.by_class.iter_mut().zip(second.live.by_class) {
            *count += more;
        }
        self.losses += second.losses;
        self.contradictions += second.contradictions;
        self.defects.extend(second.defects);
        self.defects.sort_by_key(|defect| defect.revision);
        let (mut losses, mut contradictions) = (0, 0);
        self.defects.retain(|defect| {
            let count = if defect.kind.is_loss() {
                &mut losses
            } else {
                &mut contradictions
            };
            *count += 1;
            *count <= MAX_DESCRIBED
        });
        self
    }

    /// Takes the entries of the next page, sorted by revision unless they are.
    pub fn page(&mut self, id: Pgid, mut entries: TrailPage<'_>, is_ordered: bool) {
        let mut page = std::mem::take(&mut self.page);
        page.clear();
        page.extend(std::iter::from_fn(|| entries.next_at()));
        if !is_ordered {
            page.sort_by_key(|(_, entry)| entry.revision);
        }
        let lane = self.lane;
        if let Some(keys) = self.keys.first() {
            let own = page.iter().filter(|(_, entry)| lane.has(entry.key_hash));
            let glanced = own.fold(0, |all, (_, entry)| all ^ keys.glance(entry.key_hash));
            std::hint::black_box(glanced);
        }
        for (position, entry) in &page {
            self.entry(id, *position, entry);
        }
        self.page = page;
    }

    /// Takes the next entry in the order of revisions.
    fn entry(&mut self, page: Pgid, position: u64, entry: &Entry) {
        if self.lane.is_first() {
            self.place(page, entry);
        }
        if !self.lane.has(entry.key_hash) {
            return;
        }
        match entry.kind {
            EntryKind::Put => self.put(page, position, entry),
            EntryKind::Tombstone => self.delete(page, position, entry),
            EntryKind::Bump | EntryKind::Defective => {}
        }
    }

    /// Compares an entry's revision with those before.
    fn place(&mut self, page: Pgid, entry: &Entry) {
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
        // etcd takes it for an entry of the empty key, so compaction keeps it for ever: lawful at the compaction
        // revision that the restore set, and below any later one.
        if entry.kind == EntryKind::Bump && revision.main > compact {
            self.report(page, entry, RecordDefectKind::StrayBump);
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

    fn put(&mut self, page: Pgid, position: u64, entry: &Entry) {
        let previous = self.replace(position, entry);
        self.live.add(entry.class);
        if let Some(previous) = &previous {
            self.check_compacted(page, entry, previous);
        }
        let defect = put_defect(entry, previous.as_ref(), self.compact);
        if let Some(kind) = defect.filter(|kind| !self.unreadable.explain_version(*kind)) {
            self.report(page, entry, kind);
        }
    }

    fn delete(&mut self, page: Pgid, position: u64, entry: &Entry) {
        let previous = self.replace(position, entry);
        if let Some(previous) = &previous {
            self.check_compacted(page, entry, previous);
        }
        let was_live = previous.is_some_and(|previous| !previous.is_tombstone);
        let kind = RecordDefectKind::NothingDeleted;
        let is_told = entry.revision.main > self.compact;
        if !was_live && is_told && !self.unreadable.explain_version(kind) {
            self.report(page, entry, kind);
        }
    }

    /// Makes an entry the newest of its key; what was known of the key before.
    fn replace(&mut self, position: u64, entry: &Entry) -> Option<KeyState> {
        let keys = self.keys.first_mut()?;
        let previous = keys.replace(entry.key_hash, position).map(KeyState::from)?;
        if !previous.is_tombstone {
            self.live.remove(previous.class);
        }
        Some(previous)
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
    pub fn key(&self, key_hash: u64) -> Option<KeyState> {
        let entry = self.keys.iter().find_map(|keys| keys.get(key_hash));
        entry.map(KeyState::from)
    }

    /// Keys whose newest entry is no tombstone.
    pub fn live_keys(&self) -> u64 {
        self.live.keys
    }

    /// Live keys of each class below `classes`.
    pub fn live_by_class(&self, classes: usize) -> Vec<u64> {
        let mut counts = self.live.by_class.clone();
        counts.resize(classes, 0);
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
