//! Which of the places of one content is shown, and which are its copies.

use crate::backup::{Located, Shared};
use crate::catalogue::{Content, FileRecord};
use crate::names::{BackupName, Stamp};
use crate::snapshot::Snapshot;
use crate::source::{Custody, ObjectId, ObjectIdentity};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// A file and what is in it, as far as this survey knows.
#[derive(Clone, Debug)]
pub(super) struct KnownObject {
    pub(super) identity: ObjectIdentity,
    pub(super) content: Content,
    /// False when it is no longer on disk.
    pub(super) is_present: bool,
    /// How its store keeps it.
    pub(super) custody: Option<Custody>,
}

impl KnownObject {
    /// A file as the catalogue knows it.
    pub(super) fn of(record: &FileRecord, is_present: bool) -> Self {
        Self {
            identity: record.identity.clone(),
            content: record.content.clone(),
            is_present,
            custody: record.custody.as_deref().cloned(),
        }
    }
}

/// Where the other halves lie, by directory and the stamp in the name.
pub(super) struct Beside<'f> {
    files: &'f BTreeMap<ObjectId, KnownObject>,
    is_half: fn(&Content) -> bool,
    /// Only what lies at several places asks.
    halves: OnceCell<HashSet<PlaceOfRun<'f>>>,
}

impl<'f> Beside<'f> {
    /// Where snapshots lie.
    pub(super) fn snapshots(files: &'f BTreeMap<ObjectId, KnownObject>) -> Self {
        Self {
            files,
            is_half: |content| matches!(content, Content::Snapshot(_)),
            halves: OnceCell::new(),
        }
    }

    /// Where kuberesources lie.
    pub(super) fn archives(files: &'f BTreeMap<ObjectId, KnownObject>) -> Self {
        Self {
            files,
            is_half: |content| matches!(content, Content::Kuberesources(_)),
            halves: OnceCell::new(),
        }
    }

    fn has(&self, id: &ObjectId) -> bool {
        let halves = self.halves.get_or_init(|| {
            let files = self.files.iter();
            let halves = files.filter(|(_, file)| file.is_present && (self.is_half)(&file.content));
            halves.map(|(id, _)| place_of_run(id)).collect()
        });
        halves.contains(&place_of_run(id))
    }
}

/// Does each of these lie beside one of those, as halves of one run do?
pub(super) fn all_lie_beside<'i>(
    these: impl IntoIterator<Item = &'i ObjectId>,
    those: impl IntoIterator<Item = &'i ObjectId>,
) -> bool {
    let those: HashSet<PlaceOfRun<'_>> = those.into_iter().map(place_of_run).collect();
    let mut these = these.into_iter();
    these.all(|id| those.contains(&place_of_run(id)))
}

/// What both halves of a run have in common: the directory, and the stamp in the name.
type PlaceOfRun<'i> = (Option<&'i OsStr>, Option<Stamp>);

fn place_of_run(id: &ObjectId) -> PlaceOfRun<'_> {
    (id.directory(), stamp(id))
}

fn stamp(id: &ObjectId) -> Option<Stamp> {
    id.file_name().and_then(Stamp::find)
}

/// Joins the places of one content. Shown is one on disk, with the name that a producer gave it, outside of directories
/// whose names begin with a dot (snapshots of file systems, waste bins), beside its other half; then the first by path.
pub(super) fn locate<T>(
    facts: Shared<T>,
    mut places: Vec<(&ObjectId, &KnownObject)>,
    other_half: &Beside<'_>,
) -> Option<Located<T>> {
    let is_any_present = places.iter().any(|(_, entry)| entry.is_present);
    places.retain(|(_, entry)| entry.is_present == is_any_present);
    // With one place there is nothing to choose.
    if places.len() > 1 {
        places.sort_by_key(|(path, _)| *path);
        places.sort_by_cached_key(|(path, _)| {
            (
                !is_canonical(path),
                dot_directories(path),
                !other_half.has(path),
            )
        });
    }
    let ((path, entry), copies) = places.split_first()?;
    let mut copies: Vec<ObjectId> = copies.iter().map(|(path, _)| (*path).clone()).collect();
    copies.sort_unstable();
    Some(Located {
        facts,
        path: (*path).clone(),
        copies,
        modified_at: entry.identity.modified_at(),
        arrived_at: None,
        custody: BTreeMap::new(),
        is_present: is_any_present,
        is_packed: false,
    })
}

/// The same of a snapshot: rather one that is not packed.
pub(super) fn locate_snapshot(
    facts: Shared<Snapshot>,
    mut places: Vec<(&ObjectId, &KnownObject)>,
    archives: &Beside<'_>,
) -> Option<Located<Snapshot>> {
    let size_bytes = facts.size_bytes;
    let is_packed = |entry: &KnownObject| entry.identity.size_bytes() != size_bytes;
    let is_plain_present =
        |(_, entry): &(&ObjectId, &KnownObject)| entry.is_present && !is_packed(entry);
    let packed: Vec<(&ObjectId, &KnownObject)> = if places.iter().any(is_plain_present) {
        places
            .extract_if(.., |(_, entry)| is_packed(entry))
            .collect()
    } else {
        Vec::new()
    };
    let is_all_packed = places.iter().all(|(_, entry)| is_packed(entry));
    let mut located = locate(facts, places, archives)?;
    let packed = packed.into_iter().filter(|(_, entry)| entry.is_present);
    located.copies.extend(packed.map(|(path, _)| path.clone()));
    located.copies.sort_unstable();
    located.is_packed = is_all_packed;
    Some(located)
}

fn is_canonical(id: &ObjectId) -> bool {
    let name = id.file_name().and_then(BackupName::parse);
    name.is_some_and(|name| name.is_canonical)
}

/// How many of the directories above have names that begin with a dot.
fn dot_directories(id: &ObjectId) -> usize {
    let directory = id.directory().unwrap_or_default().as_bytes();
    let parts = directory.split(|byte| *byte == b'/');
    let is_dot = |part: &&[u8]| part.starts_with(b".") && *part != b"." && *part != b"..";
    parts.filter(is_dot).count()
}
