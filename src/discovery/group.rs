//! Which objects must be looked at together, by their names alone, so that both halves of a backup meet.

use super::checksums::{is_checksum_list, listed_by_name};
use super::walk::FoundObject;
use crate::digest::fnv1a_64;
use crate::names::NameKind;
use crate::source::ObjectId;
use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// Names of one backup differ by this much where its halves were named one after the other.
const TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// An archive that may belong to more snapshots than this in other directories goes to none: pairing by content, over all
/// of them, is for a run that reads all.
const MAX_PARTNERS: usize = 16;

/// Objects that are read by one worker, the small ones first: archives, then snapshots.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Group {
    /// The objects.
    pub objects: Vec<FoundObject>,
}

impl Group {
    fn has(&self, is_snapshot: bool) -> bool {
        let mut objects = self.objects.iter().filter(|object| !is_list(object));
        objects.any(|object| is_snapshot_name(object) == is_snapshot)
    }

    fn stamp(&self) -> Option<DateTime<Utc>> {
        self.objects.iter().find_map(stamp_of)
    }

    /// Bytes of all objects.
    pub fn bytes(&self) -> u64 {
        let sizes = self.objects.iter().map(|one| one.identity.size_bytes());
        sizes.fold(0, u64::saturating_add)
    }

    /// What is the same wherever the same listing is grouped.
    pub(crate) fn name(&self) -> Option<&ObjectId> {
        let mut objects = self.objects.iter();
        let snapshot = objects.find(|object| is_snapshot_name(object) && !is_list(object));
        snapshot.or(self.objects.first()).map(|object| &object.id)
    }
}

/// Groups what was found: in a directory by the stamp in the names, or all when there is one of each half; an archive alone
/// in its directory goes with the snapshots of its stamp that are nearest. It may be in several groups, a snapshot is in one.
pub fn groups(objects: Vec<FoundObject>) -> Vec<Group> {
    let mut directories: BTreeMap<OsString, Vec<FoundObject>> = BTreeMap::new();
    for object in objects {
        let directory = object.id.directory().unwrap_or_default().to_owned();
        directories.entry(directory).or_default().push(object);
    }
    let (with_snapshot, archives): (Vec<Group>, Vec<Group>) = directories
        .into_values()
        .flat_map(in_directory)
        .partition(|group| group.has(true));
    join_elsewhere(with_snapshot, archives)
}

/// The groups of one directory.
fn in_directory(objects: Vec<FoundObject>) -> Vec<Group> {
    let (lists, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_list);
    let mut groups = halves(objects);
    for group in &mut groups {
        let own = lists.iter().filter(|list| is_of(list, group));
        let own: Vec<FoundObject> = own.cloned().collect();
        group.objects.splice(0..0, own);
    }
    groups
}

/// A list of checksums: each group of its directory may be in it, unless it is named after another file.
fn is_list(object: &FoundObject) -> bool {
    object.id.file_name().is_some_and(is_checksum_list)
}

fn is_of(list: &FoundObject, group: &Group) -> bool {
    let listed = list.id.file_name().and_then(listed_by_name);
    listed.is_none_or(|listed| {
        let mut names = group.objects.iter().filter_map(|one| one.id.file_name());
        names.any(|name| name.as_bytes() == listed)
    })
}

/// The groups of one directory, without lists of checksums.
fn halves(objects: Vec<FoundObject>) -> Vec<Group> {
    let (snapshots, archives): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_snapshot_name);
    if snapshots.len() == 1 && archives.len() == 1 {
        let objects = archives.into_iter().chain(snapshots).collect();
        return vec![Group { objects }];
    }
    let (mut stamped, others): (Vec<_>, Vec<_>) = archives
        .into_iter()
        .chain(snapshots)
        .partition(|object| stamp_of(object).is_some());
    stamped.sort_by_key(stamp_of);
    let mut groups: Vec<Group> = Vec::new();
    for object in stamped {
        match groups
            .last_mut()
            .filter(|group| is_one_more(group, &object))
        {
            Some(group) => group.objects.push(object),
            None => groups.push(Group {
                objects: vec![object],
            }),
        }
    }
    for group in &mut groups {
        group.objects.sort_by_key(is_snapshot_name);
    }
    groups.extend(unstamped(others));
    groups
}

/// Of the same stamp, or the missing half named a little later.
fn is_one_more(group: &Group, object: &FoundObject) -> bool {
    let times = group.stamp().zip(stamp_of(object));
    let apart = times.map(|(first, one)| one.signed_duration_since(first));
    let is_missing = !group.has(is_snapshot_name(object));
    apart.is_some_and(|apart| apart == TimeDelta::zero() || (apart <= TOLERANCE && is_missing))
}

/// Names without a stamp: with an archive among them all of the directory, else each by itself.
fn unstamped(objects: Vec<FoundObject>) -> Vec<Group> {
    if objects.iter().all(is_snapshot_name) {
        let alone = |object| Group {
            objects: vec![object],
        };
        return objects.into_iter().map(alone).collect();
    }
    vec![Group { objects }]
}

/// Gives each archive to the nearest snapshots of its stamp that have none beside them.
fn join_elsewhere(mut groups: Vec<Group>, archives: Vec<Group>) -> Vec<Group> {
    let mut lonely: HashMap<DateTime<Utc>, Vec<usize>> = HashMap::new();
    for (index, group) in groups.iter().enumerate() {
        if let Some(stamp) = group.stamp().filter(|_| !group.has(false)) {
            lonely.entry(stamp).or_default().push(index);
        }
    }
    let mut alone = Vec::new();
    for archive in archives {
        let same_stamp = archive.stamp().and_then(|stamp| lonely.get(&stamp));
        let nearest = nearest(&archive, same_stamp.map_or(&[], Vec::as_slice), &groups);
        if nearest.is_empty() || nearest.len() > MAX_PARTNERS {
            alone.push(archive);
            continue;
        }
        for index in nearest {
            if let Some(group) = groups.get_mut(index) {
                group.objects.splice(0..0, archive.objects.iter().cloned());
            }
        }
    }
    groups.extend(alone);
    groups
}

fn nearest(archive: &Group, candidates: &[usize], groups: &[Group]) -> Vec<usize> {
    let Some(from) = archive.name() else {
        return Vec::new();
    };
    let ranked = candidates.iter().filter_map(|index| {
        let to = groups.get(*index)?.name()?;
        let shared = shared_directories(from, to);
        Some(((Reverse(shared), from.steps_to(to)), *index))
    });
    let ranked: Vec<_> = ranked.collect();
    let best = ranked.iter().map(|(rank, _)| *rank).min();
    let near = ranked.into_iter().filter(|(rank, _)| Some(*rank) == best);
    near.map(|(_, index)| index).collect()
}

/// How many directories have the same name on both ways, wherever: `keys/prod` and `data/prod` are of one cluster.
fn shared_directories(from: &ObjectId, to: &ObjectId) -> usize {
    let parts = |id: &ObjectId| -> BTreeSet<Vec<u8>> {
        let directory = id.directory().unwrap_or_default().as_bytes().to_vec();
        directory
            .split(|byte| *byte == b'/')
            .map(<[u8]>::to_vec)
            .collect()
    };
    parts(from).intersection(&parts(to)).count()
}

fn is_snapshot_name(object: &FoundObject) -> bool {
    let archive = [NameKind::Kuberesources, NameKind::Combined];
    object.name.is_none_or(|name| !archive.contains(&name.kind))
}

fn stamp_of(object: &FoundObject) -> Option<DateTime<Utc>> {
    Some(object.name?.stamp?.at())
}

/// One of several parts of all groups.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    /// Which one, counted from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// True for the groups of this part: the same on every machine that sees the same listing.
    pub(crate) fn has(self, group: &Group) -> bool {
        let name = group.name().map(ObjectId::to_bytes).unwrap_or_default();
        fnv1a_64(&name).checked_rem(self.of.into()) == Some(self.index.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::BackupName;
    use crate::source::FileIdentity;
    use std::path::Path;

    fn grouped(names: &[&str]) -> Vec<Vec<String>> {
        let found = names.iter().map(|name| {
            let id = ObjectId::from(Path::new(name));
            FoundObject {
                name: id.file_name().and_then(BackupName::parse),
                id,
                identity: FileIdentity::default().into(),
            }
        });
        let groups = groups(found.collect()).into_iter();
        let names =
            groups.map(|group| group.objects.iter().map(|one| one.id.to_string()).collect());
        names.collect()
    }

    #[test]
    fn both_halves_of_a_stamp_are_one_group_in_their_directory() {
        let found = grouped(&[
            "/a/snapshot_2024-11-02_030000.db",
            "/a/static_kuberesources_2024-11-02_030000.tar.gz",
            "/a/snapshot_2024-11-03_030000.db",
            "/a/static_kuberesources_2024-11-03_030001.tar.gz",
            "/b/snapshot_2024-11-02_030000.db",
        ]);
        let expected = [
            vec![
                "/a/static_kuberesources_2024-11-02_030000.tar.gz",
                "/a/snapshot_2024-11-02_030000.db",
            ],
            vec![
                "/a/static_kuberesources_2024-11-03_030001.tar.gz",
                "/a/snapshot_2024-11-03_030000.db",
            ],
            vec!["/b/snapshot_2024-11-02_030000.db"],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_archive_in_another_directory_goes_with_the_nearest_snapshot_of_its_stamp() {
        let found = grouped(&[
            "/data/prod/snapshot_2024-11-02_030000.db",
            "/data/edge/snapshot_2024-11-02_030000.db",
            "/keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        ]);
        let with = found.iter().find(|group| group.len() == 2);
        assert!(
            with.is_some_and(|group| group.iter().all(|one| one.contains("prod"))),
            "{found:?}"
        );
        let found = grouped(&[
            "/data/1/snapshot_2024-11-02_030000.db",
            "/data/2/snapshot_2024-11-02_030000.db",
            "/keys/static_kuberesources_2024-11-02_030000.tar.gz",
        ]);
        // As near to both: with each of them.
        assert!(found.iter().all(|group| group.len() == 2), "{found:?}");
        let found = grouped(&[
            "/prod/data/snapshot_2024-11-02_030000.db",
            "/edge/data/snapshot_2024-11-02_030000.db",
            "/prod/keys/static_kuberesources_2024-11-02_030000.tar.gz",
        ]);
        let with = found.iter().find(|group| group.len() == 2);
        assert!(
            with.is_some_and(|group| group.iter().all(|one| one.starts_with("/prod"))),
            "{found:?}"
        );
        let orphan = grouped(&["/keys/static_kuberesources_2024-11-02_030000.tar.gz"]);
        assert_eq!(orphan.len(), 1);
    }

    #[test]
    fn recorded_checksums_go_with_what_they_are_of() {
        let found = grouped(&[
            "/a/SHA256SUMS",
            "/a/snapshot_2024-11-02_030000.db",
            "/a/snapshot_2024-11-02_030000.db.sha256",
            "/a/snapshot_2024-11-03_030000.db",
        ]);
        let expected = [
            vec![
                "/a/SHA256SUMS",
                "/a/snapshot_2024-11-02_030000.db.sha256",
                "/a/snapshot_2024-11-02_030000.db",
            ],
            vec!["/a/SHA256SUMS", "/a/snapshot_2024-11-03_030000.db"],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn fixed_names_in_a_directory_per_run_are_one_group() {
        let found = grouped(&[
            "/runs/1/snapshot.db",
            "/runs/1/static_kuberesources.tar.gz",
            "/runs/2/snapshot.db",
            "/hosted/1778410800.db",
            "/hosted/1778414400.db",
        ]);
        let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, 2, 1], "{found:?}");
    }
}
