//! Entries of bucket `key` that were asked for, all of them on live pages.

use super::entry_keys::EntryKey;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use std::fmt;

/// What was asked for.
#[derive(Debug, Default)]
pub struct StoredEntries {
    /// By the hash of their keys, which is the same in each reading by one request; those of one key by revision.
    pub entries: Vec<StoredEntry>,
    /// When what happened.
    pub timeline: Timeline,
}

/// One version of a key.
pub struct StoredEntry {
    /// The storage key. That of an OAuth token is secret.
    pub key: EntryKey,
    /// Equal for equal keys of one request. Nothing to be told to anybody.
    pub key_hash: u64,
    /// Main revision of this change.
    pub revision: i64,
    /// The key was deleted; there is no value.
    pub is_deletion: bool,
    /// Main revision of the creation; 0 for a deletion.
    pub create_revision: i64,
    /// 1 at the creation, one more with each change; 0 for a deletion.
    pub version: i64,
    /// Bytes of the value as it is stored.
    pub value_bytes: u64,
    /// Equal for equal values of one request. Nothing to be told to anybody.
    pub digest: u64,
    /// Its value is one of those that were to be marked.
    pub is_marked: bool,
    /// The value as it is stored; `None` when it was not asked for, or there was no room for it.
    pub value: Option<Secret>,
}

impl fmt::Debug for StoredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            revision,
            value_bytes,
            ..
        } = self;
        write!(f, "StoredEntry(revision {revision}, {value_bytes} bytes)")
    }
}

/// Revisions and the times that objects of these revisions tell: leases are renewed every few seconds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Timeline {
    /// From this revision on it was this second or later; both ascend.
    points: Vec<(i64, i64)>,
}

impl Timeline {
    /// Adds what the objects from some revision on tell, in the order of revisions.
    pub(super) fn push(&mut self, revision: i64, seconds: i64) {
        if self
            .points
            .last()
            .is_none_or(|(_, latest)| *latest < seconds)
        {
            self.points.push((revision, seconds));
        }
    }

    /// About when a revision was made; `None` where nothing tells.
    pub fn at(&self, revision: i64) -> Option<DateTime<Utc>> {
        let later = self.points.partition_point(|(first, _)| *first <= revision);
        let (_, seconds) = self.points.get(later.checked_sub(1)?)?;
        DateTime::from_timestamp(*seconds, 0).filter(|_| *seconds > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    #[test]
    fn a_revision_is_as_old_as_its_neighbours_say() {
        let mut timeline = Timeline::default();
        for (revision, seconds) in [(2, 0), (10, 100), (20, 90), (30, 300)] {
            timeline.push(revision, seconds);
        }
        let seconds = |revision| timeline.at(revision).map(|at| at.timestamp());
        assert_eq!(seconds(1), None);
        assert_eq!(seconds(9), None);
        assert_eq!(seconds(10), Some(100));
        assert_eq!(seconds(29), Some(100));
        assert_eq!(seconds(1000), Some(300));
    }
}
