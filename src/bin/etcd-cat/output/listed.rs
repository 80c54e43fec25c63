//! What is listed of a backup, and from where.

use chrono::{DateTime, Utc};
use etcd_cat::inspect::{Contents, KindRow, ObjectRow, VersionRow};

/// Where what is listed is from.
#[derive(Clone, Debug)]
pub(crate) struct SourceLine {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) taken_at: Option<DateTime<Utc>>,
    pub(crate) revision: Option<i64>,
    pub(crate) compact_revision: Option<i64>,
    pub(crate) size_bytes: u64,
    pub(crate) is_proven: bool,
}

impl SourceLine {
    pub(crate) fn of(contents: &Contents) -> Self {
        let snapshot = &contents.snapshot;
        Self {
            id: snapshot.computed.id(),
            path: super::text::path(&contents.id),
            taken_at: snapshot.taken_at(),
            revision: snapshot.status.revision,
            compact_revision: snapshot.compact_revision,
            size_bytes: snapshot.status.total_size.unwrap_or(snapshot.size_bytes),
            is_proven: contents.unproven.is_empty(),
        }
    }
}

/// What is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'l> {
    /// Every kind.
    Kinds(&'l [KindRow]),
    /// Objects of one kind.
    Objects(&'l [ObjectRow]),
    /// The largest objects, and those written most often.
    Sizes {
        largest: &'l [ObjectRow],
        most_written: &'l [ObjectRow],
    },
    /// Versions of objects.
    Versions(&'l [VersionRow]),
}

/// What is in a backup.
#[derive(Debug)]
pub(crate) struct ObjectList<'l> {
    pub(crate) source: SourceLine,
    pub(crate) listed: Listed<'l>,
}
