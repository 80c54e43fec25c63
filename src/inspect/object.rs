//! One object of a snapshot: what its key and its entry tell.

use super::contents::Contents;
use crate::objects::{Place, Resource};
use crate::snapshot::StoredEntry;
use chrono::{DateTime, Utc};

/// What the key and the entry of an object tell.
#[derive(Clone, Debug)]
pub struct ObjectRow {
    /// The resource that it is of.
    pub resource: Resource,
    /// Where it lies.
    pub place: Place,
    /// Bytes of its value as it is stored.
    pub value_bytes: u64,
    /// Main revision of the change.
    pub revision: i64,
    /// Main revision of the creation; 0 for a deletion.
    pub create_revision: i64,
    /// How often it was written since; 0 for a deletion.
    pub version: i64,
    /// About when it was changed.
    pub changed_at: Option<DateTime<Utc>>,
}

impl ObjectRow {
    /// `None` for an entry that is no object's.
    pub(super) fn of(entry: &StoredEntry, contents: &Contents) -> Option<Self> {
        let place = Place::of(&entry.key)?;
        let resource = contents.resources.of(&place)?.clone();
        Some(Self {
            resource,
            place,
            value_bytes: entry.value_bytes,
            revision: entry.revision,
            create_revision: entry.create_revision,
            version: entry.version,
            changed_at: contents.timeline.at(entry.revision),
        })
    }
}
