//! Reads one snapshot for what it holds, and the archives beside it for their keys.

use super::batch::hash_on;
use super::file::{Looked, OpenSnapshot, SnapshotRead, look, object_at, read_kuberesources};
use super::options::SurveyOptions;
use crate::discovery::{FoundObject, ObjectKind, walk, walk_beside};
use crate::kubernetes::encryption::KeyRing;
use crate::monitor::{Monitor, Silent};
use crate::names::{BackupName, NameKind};
use crate::snapshot::{self, EntryRequest, ReadError, SnapshotReading};
use crate::source::ObjectId;
use std::io::Read;

/// Archives beside a member that are told: more than any shop packs into one directory.
const MAX_BESIDE: usize = 10_000;

/// Why a snapshot could not be read to its end.
#[derive(Debug)]
pub(crate) enum EntriesError {
    /// There is no such object, or nothing in it that is a snapshot.
    NoSnapshot(String),
    /// Several snapshots lie below this location.
    Several(Vec<ObjectId>),
    /// The system refused.
    Unreadable {
        reason: String,
        offset: Option<u64>,
    },
    Interrupted,
}

/// The one snapshot at a location: a file, or what is alone of its kind below a directory.
pub(crate) fn find_snapshot(
    location: &ObjectId,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<(FoundObject, ObjectKind), EntriesError> {
    let location = &options.stores.resolve(location);
    let mut walked = walk(location, &options.stores, monitor);
    if location.archive().is_some()
        && let Some(object) = object_at(location, &options.stores, monitor)
    {
        walked.objects = vec![object];
    }
    if walked.is_interrupted {
        return Err(EntriesError::Interrupted);
    }
    let refused = walked
        .skipped
        .iter()
        .find(|skipped| skipped.id == *location);
    if let Some(refused) = refused {
        return Err(EntriesError::Unreadable {
            reason: refused.reason.clone(),
            offset: None,
        });
    }
    let is_named = |object: &FoundObject| object.id == *location;
    let mut found = Vec::new();
    let mut reason = "there is no snapshot in it".to_owned();
    for object in walked.objects {
        match look(&object, &options.stores, is_named(&object)) {
            Looked::As(ObjectKind::Kuberesources | ObjectKind::Combined) => {
                if is_named(&object) {
                    "it is an archive of static pod resources, not a snapshot"
                        .clone_into(&mut reason);
                }
            }
            Looked::As(ObjectKind::Archive) => {
                if is_named(&object) {
                    "it is a packed directory: name what is in it, as etcd-cat list shows it"
                        .clone_into(&mut reason);
                }
            }
            Looked::As(kind) => found.push((object, kind)),
            Looked::Refused(reason) if is_named(&object) => {
                return Err(EntriesError::Unreadable {
                    reason,
                    offset: None,
                });
            }
            Looked::Foreign(..) | Looked::Refused(_) => {}
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(EntriesError::NoSnapshot(reason)),
        (Some(last), false) => {
            let all = found.into_iter().chain([last]);
            Err(EntriesError::Several(
                all.map(|(object, _)| object.id).collect(),
            ))
        }
    }
}

/// Reads a snapshot to its end, as a survey does, and keeps the entries that are asked for.
pub(crate) fn read_entries(
    object: &FoundObject,
    kind: ObjectKind,
    request: &EntryRequest,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<SnapshotReading, EntriesError> {
    let bytes = object.identity.size_bytes();
    monitor.expect(1, bytes);
    monitor.begin(object.id.as_os_str(), bytes);
    let opened = OpenSnapshot::open(
        object,
        kind,
        &options.stores,
        &[],
        options.page_cache,
        monitor,
    );
    let (open, mut reader) = opened.map_err(failed)?;
    let read = snapshot::read_entries(&mut reader, request, hash_on(options), monitor);
    monitor.finish(object.id.as_os_str());
    match open.conclude_entries(read, request, monitor) {
        Ok(reading) => Ok(reading),
        Err(ReadError::Interrupted) => Err(EntriesError::Interrupted),
        Err(ReadError::Io { offset, source }) => Err(EntriesError::Unreadable {
            reason: source.to_string(),
            offset: Some(offset),
        }),
    }
}

fn failed(read: SnapshotRead) -> EntriesError {
    match read {
        SnapshotRead::Failed { reason, offset } => EntriesError::Unreadable { reason, offset },
        SnapshotRead::Facts(..) | SnapshotRead::Interrupted | SnapshotRead::IsNone(_) => {
            EntriesError::Interrupted
        }
    }
}

/// Archives at a location, or beside the file that it is; those with the stamp of `id` come first.
pub(crate) fn find_archives(
    location: &ObjectId,
    id: &ObjectId,
    options: &SurveyOptions,
) -> Vec<ObjectId> {
    let location = &options.stores.resolve(location);
    if location.archive().is_some() {
        return packed_archives(location, id, options);
    }
    let walked = if location == id {
        walk_beside(id, &options.stores, &Silent)
    } else {
        walk(location, &options.stores, &Silent)
    };
    let is_archive = |object: &FoundObject| {
        if object
            .name
            .is_some_and(|name| name.kind == NameKind::Snapshot)
        {
            return false;
        }
        let looked = look(object, &options.stores, false);
        matches!(
            looked,
            Looked::As(ObjectKind::Kuberesources | ObjectKind::Combined)
        )
    };
    let stamp = name_of(id).and_then(|name| name.stamp);
    let mut archives: Vec<FoundObject> = walked.objects.into_iter().filter(is_archive).collect();
    archives.sort_by_key(|object| object.name.and_then(|name| name.stamp) != stamp);
    archives.into_iter().map(|object| object.id).collect()
}

/// The same of a member of an archive, by the names of what lies beside it: each is read only when it is tried.
fn packed_archives(location: &ObjectId, id: &ObjectId, options: &SurveyOptions) -> Vec<ObjectId> {
    if location != id {
        return vec![location.clone()];
    }
    let Some((archive, _)) = id.archive() else {
        return Vec::new();
    };
    let mut archives = Vec::new();
    let mut take = |member: &ObjectId, _: &mut dyn Read| {
        let is_beside = member != id && member.parent() == id.parent();
        let name = name_of(member).filter(|_| is_beside && archives.len() < MAX_BESIDE);
        if name.is_some_and(|name| name.kind != NameKind::Snapshot) {
            archives.push(member.clone());
        }
    };
    // What cannot be read has no keys.
    let _ = options
        .stores
        .each_member(archive, options.page_cache, &mut take);
    let stamp = name_of(id).and_then(|name| name.stamp);
    archives.sort_by_key(|member| name_of(member).and_then(|name| name.stamp) != stamp);
    archives
}

fn name_of(id: &ObjectId) -> Option<BackupName> {
    id.file_name().and_then(BackupName::parse)
}

/// The keys in an archive; `None` when it holds none, or cannot be read.
pub(crate) fn key_ring(
    id: &ObjectId,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Option<KeyRing> {
    let read = read_kuberesources(id, &options.stores, &[], monitor);
    read.ok().and_then(|(_, ring)| ring)
}
