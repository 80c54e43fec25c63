//! Marks of completion: the job writes an empty file `COMPLETE` into the directory of a run last, and who prunes removes it first.

use super::place::KnownObject;
use crate::catalogue::CatalogueContents;
use crate::source::ObjectId;
use std::collections::{BTreeMap, BTreeSet};

const MARK: &str = "COMPLETE";

/// Is this the name of a mark?
pub(super) fn is_mark(id: &ObjectId) -> bool {
    id.file_name().is_some_and(|name| name == MARK)
}

/// Directories that have one, as this survey or the last one over them has seen it.
pub(super) fn complete_runs(
    files: &BTreeMap<ObjectId, KnownObject>,
    contents: &CatalogueContents,
) -> BTreeSet<ObjectId> {
    let seen = files
        .iter()
        .filter(|(id, file)| file.is_present && is_mark(id));
    let remembered = contents.files.iter();
    // Few are marks: that is asked first.
    let remembered = remembered
        .filter(|(id, record)| record.gone_at.is_none() && is_mark(id) && !files.contains_key(*id));
    let marks = seen.map(|(id, _)| id).chain(remembered.map(|(id, _)| id));
    marks.filter_map(ObjectId::parent).collect()
}
