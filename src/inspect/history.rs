//! Every version of the objects that were found, between compaction and the end.

use super::contents::Contents;
use super::error::ObjectError;
use super::object::ObjectRow;
use crate::objects::{Object, Value};
use crate::snapshot::StoredEntry;
use chrono::{DateTime, Utc};

/// One version of an object.
#[derive(Clone, Debug)]
pub struct VersionRow {
    /// What its entry tells.
    pub row: ObjectRow,
    /// It was deleted by this change.
    pub is_deletion: bool,
    /// When it was written; `None` where nothing tells.
    pub written_at: Option<DateTime<Utc>>,
    /// How that is known.
    pub source: Option<TimeSource>,
    /// Why its own word could not be read.
    pub error: Option<ObjectError>,
}

/// How the time of a change is known, best first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimeSource {
    /// Its newest entry in `managedFields`, or its creation.
    ManagedFields,
    /// It is a Lease, and was renewed then.
    Lease,
    /// Objects that were written about that time.
    Neighbours,
}

impl TimeSource {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ManagedFields => "managedFields",
            Self::Lease => "lease",
            Self::Neighbours => "neighbours",
        }
    }
}

/// Keeps the version that each object had at the first revision, and all later ones: a file may hold earlier ones that
/// etcd would not give any more.
pub(super) fn keep_history(entries: &mut Vec<StoredEntry>, first: i64) {
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        let is_earlier = |last: &StoredEntry| last.key == entry.key && entry.revision <= first;
        if kept.last().is_some_and(is_earlier) {
            kept.pop();
        }
        kept.push(entry);
    }
    kept.retain(|entry| !entry.is_deletion || entry.revision >= first);
    *entries = kept;
}

/// Of each object the version that it had at a revision.
pub(super) fn keep_revision(entries: &mut Vec<StoredEntry>, revision: i64) {
    entries.retain(|entry| entry.revision <= revision);
    let mut kept: Vec<StoredEntry> = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        if kept.last().is_some_and(|last| last.key == entry.key) {
            kept.pop();
        }
        kept.push(entry);
    }
    kept.retain(|entry| !entry.is_deletion);
    *entries = kept;
}

impl VersionRow {
    /// `None` for an entry that is no object's.
    pub(super) fn of(entry: &StoredEntry, contents: &Contents) -> Option<Self> {
        let row = ObjectRow::of(entry, contents)?;
        let object = (!entry.is_deletion).then(|| contents.object(entry));
        let told = match &object {
            Some(Ok(object)) => told_by(object),
            _ => None,
        };
        let (written_at, source) = match told {
            Some((at, source)) => (Some(at), Some(source)),
            None => (
                row.changed_at,
                row.changed_at.map(|_| TimeSource::Neighbours),
            ),
        };
        Some(Self {
            row,
            is_deletion: entry.is_deletion,
            written_at,
            source,
            error: object.and_then(Result::err),
        })
    }
}

/// When an object says that it was written last.
fn told_by(object: &Object) -> Option<(DateTime<Utc>, TimeSource)> {
    let instant = |value: &Value| {
        let text = value.as_text()?;
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(at.with_timezone(&Utc))
    };
    let renewed = object.fields.at(&["spec", "renewTime"]);
    if object.kind() == "Lease"
        && let Some(at) = renewed.and_then(instant)
    {
        return Some((at, TimeSource::Lease));
    }
    let fields = object.fields.at(&["metadata", "managedFields"]);
    let managers = fields.map_or(&[][..], Value::items).iter();
    let times = managers.filter_map(|manager| instant(manager.at(&["time"])?));
    let created = object.fields.at(&["metadata", "creationTimestamp"]);
    let newest = times.chain(created.and_then(instant)).max()?;
    Some((newest, TimeSource::ManagedFields))
}
