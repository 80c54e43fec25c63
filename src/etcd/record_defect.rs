//! What can be wrong between the entries of bucket `key`, and the list of what was found.

use super::revision::Revision;
use crate::bbolt::Pgid;
use crate::bytes::to_u64;

/// Losses that are described one by one, and as many contradictions.
const MAX_DESCRIBED: usize = 64;

/// Two entries that contradict each other, or entries that are not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RecordDefect {
    /// The entry where it shows.
    pub(crate) revision: Revision,
    /// The page of that entry.
    pub(crate) page: Pgid,
    /// What is wrong.
    pub(crate) kind: RecordDefectKind,
}

/// What can be wrong between entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RecordDefectKind {
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
        previous: i64,
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
        previous: i64,
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
    pub(crate) fn is_loss(&self) -> bool {
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

/// Defects of one sort: how many, and those at the lowest revisions, in whatever order they were found.
#[derive(Debug)]
pub(super) struct Earliest {
    pub(super) count: u64,
    limit: usize,
    defects: Vec<RecordDefect>,
}

impl Earliest {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            count: 0,
            limit,
            defects: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, defect: RecordDefect) {
        self.count += 1;
        self.defects.push(defect);
        self.trim(self.limit * 2);
    }

    pub(super) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.defects.extend(other.defects);
        self.trim(self.limit);
    }

    fn trim(&mut self, when_above: usize) {
        if self.defects.len() > when_above {
            self.defects.sort_by_key(|defect| defect.revision);
            self.defects.truncate(self.limit);
        }
    }

    /// By revision.
    pub(super) fn into_sorted(mut self) -> Vec<RecordDefect> {
        self.defects.sort_by_key(|defect| defect.revision);
        self.defects.truncate(self.limit);
        self.defects
    }

    /// How many are counted and not among those described.
    pub(super) fn undescribed(&self) -> u64 {
        self.count - to_u64(self.defects.len().min(self.limit))
    }
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct DefectLog {
    pub(super) losses: Earliest,
    pub(super) contradictions: Earliest,
}

impl Default for DefectLog {
    fn default() -> Self {
        Self {
            losses: Earliest::new(MAX_DESCRIBED),
            contradictions: Earliest::new(MAX_DESCRIBED),
        }
    }
}

impl DefectLog {
    pub(super) fn report(&mut self, revision: Revision, page: Pgid, kind: RecordDefectKind) {
        let defect = RecordDefect {
            revision,
            page,
            kind,
        };
        if kind.is_loss() {
            self.losses.push(defect);
        } else {
            self.contradictions.push(defect);
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.losses.join(other.losses);
        self.contradictions.join(other.contradictions);
    }
}

#[cfg(test)]
mod tests {
    use super::{DefectLog, RecordDefectKind};
    use crate::bbolt::Pgid;
    use crate::etcd::Revision;

    #[test]
    fn the_earliest_defects_are_described_and_all_are_counted() {
        let mut log = DefectLog::default();
        let mut second = DefectLog::default();
        for main in (0..1000).rev() {
            let log = if main % 2 == 0 { &mut log } else { &mut second };
            log.report(
                Revision { main, sub: 0 },
                Pgid(7),
                RecordDefectKind::NothingDeleted,
            );
        }
        log.join(second);
        assert_eq!((log.losses.count, log.contradictions.count), (1000, 0));
        assert_eq!(log.losses.undescribed(), 936);
        let mains: Vec<_> = log.losses.into_sorted();
        let mains: Vec<_> = mains.iter().map(|defect| defect.revision.main).collect();
        assert_eq!(mains, (0..64).collect::<Vec<_>>());
    }
}
