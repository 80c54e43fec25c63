//! Marks of completion: the job writes an empty file `COMPLETE` into the directory of a run last, and who prunes removes it first.

use super::knowledge::Knowledge;
use crate::source::ObjectId;
use std::collections::BTreeSet;

const MARK: &str = "COMPLETE";

/// Is this the name of a mark?
pub(super) fn is_mark(id: &ObjectId) -> bool {
    id.file_name().is_some_and(|name| name == MARK)
}

/// Directories that have one, as this survey or the last one over them has seen it.
pub(super) fn complete_runs(known: &Knowledge) -> BTreeSet<ObjectId> {
    let seen = known.files.iter().filter(|(_, file)| file.is_present);
    let remembered = known.contents.files.iter();
    let remembered = remembered
        .filter(|(id, record)| !known.files.contains_key(*id) && record.gone_at.is_none());
    let ids = seen.map(|(id, _)| id).chain(remembered.map(|(id, _)| id));
    ids.filter(|id| is_mark(id))
        .filter_map(ObjectId::parent)
        .collect()
}
