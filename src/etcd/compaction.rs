//! How far compaction has come: what must be there, and what may be gone.

/// How far compaction has come, from bucket `meta`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Compaction {
    /// `scheduledCompactRev`.
    pub(crate) scheduled: Option<i64>,
    /// `finishedCompactRev`.
    pub(crate) finished: Option<i64>,
}

impl Compaction {
    /// The larger of both: nothing above it has been removed.
    pub(crate) fn revision(&self) -> Option<i64> {
        self.scheduled.max(self.finished)
    }

    /// The compaction that is scheduled and not finished, where it lies above the newest revision: etcd goes on from it
    /// when it starts. It does so for the sake of a crash in the midst of removing the newest entries.
    pub(crate) fn pending_above(&self, newest: i64) -> Option<i64> {
        self.scheduled
            .filter(|scheduled| *scheduled > newest && self.finished < Some(*scheduled))
    }

    /// Nothing above it has been removed. Where the compaction is not known, nobody can tell which entries must be
    /// there: `i64::MAX`.
    pub(super) fn floor(known: Option<Self>) -> i64 {
        known.map_or(i64::MAX, |known| known.revision().unwrap_or_default())
    }
}
