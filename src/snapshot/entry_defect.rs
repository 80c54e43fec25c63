//! What can be wrong with one entry of bucket `key`, looked at alone.

use crate::bbolt::Pgid;
use crate::etcd::{KeyValueDefect, Revision, RevisionKeyDefect};

/// An entry of a page that looks like one of bucket `key`, and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefectiveEntry {
    pub(super) page: Pgid,
    pub(super) index: usize,
    /// Its revision, if the key tells it.
    pub(super) revision: Option<Revision>,
    pub(super) defect: EntryDefect,
}

/// What can be wrong with an entry looked at alone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum EntryDefect {
    #[error("{0}")]
    Key(RevisionKeyDefect),
    #[error("{0}")]
    Value(KeyValueDefect),
    #[error("the value is a bucket")]
    Bucket,
}

impl EntryDefect {
    /// False when the entry decodes but contradicts itself.
    pub(super) fn is_undecodable(&self) -> bool {
        use KeyValueDefect as V;
        !matches!(
            self,
            Self::Value(
                V::ModRevision { .. } | V::CreateRevision { .. } | V::Version { .. } | V::Tombstone
            )
        )
    }
}
