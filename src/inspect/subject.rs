//! What is looked into: one snapshot wherever it lies, and where its keys may be.

use crate::backup::{Backup, Located};
use crate::digest::Sha256Digest;
use crate::source::ObjectId;

/// One snapshot, and where its keys may be.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Where it lies; the next place is tried where one cannot be read.
    pub(super) places: Vec<ObjectId>,
    /// SHA-256 of its data, when a certain backup is meant.
    pub(super) digest: Option<Sha256Digest>,
    /// Archives that may hold its keys, the likeliest first.
    pub(super) archives: Vec<ObjectId>,
    /// Directories and files in which archives are searched.
    pub(super) key_locations: Vec<ObjectId>,
}

impl Subject {
    /// A backup of the catalogue; `None` when it has no snapshot. `known` are all backups there: another one's keys may
    /// open it, too.
    pub fn of_backup(backup: &Backup, known: &[Backup]) -> Option<Self> {
        let snapshot = backup.snapshot.as_ref()?;
        Some(Self {
            places: snapshot.places().cloned().collect(),
            digest: Some(snapshot.facts.computed),
            archives: archives(backup, known),
            key_locations: Vec::new(),
        })
    }

    /// A file, or the one snapshot below a directory. What is in `known` of it tells where its keys are.
    pub fn at(location: &ObjectId, known: &[Backup]) -> Self {
        let location = location.absolute();
        let lies_there = |backup: &&Backup| backup.places().contains(&location);
        let archives = match known.iter().find(lies_there) {
            Some(backup) => archives(backup, known),
            None => known.iter().flat_map(own_archives).collect(),
        };
        Self {
            places: vec![location],
            digest: None,
            archives,
            key_locations: Vec::new(),
        }
    }

    /// Searches keys there, too.
    #[must_use]
    pub fn with_keys(mut self, locations: &[ObjectId]) -> Self {
        let locations = locations.iter().map(ObjectId::absolute);
        self.key_locations.extend(locations);
        self
    }
}

/// The archive that belongs to a backup, and then all others of its cluster.
fn archives(backup: &Backup, known: &[Backup]) -> Vec<ObjectId> {
    let cluster = |backup: &Backup| {
        let snapshot = backup.snapshot.as_ref();
        snapshot.and_then(|half| half.facts.cluster.id.clone())
    };
    let own = cluster(backup);
    let others = known
        .iter()
        .filter(|other| own.is_none() || cluster(other).is_none() || cluster(other) == own);
    let mut archives: Vec<ObjectId> = own_archives(backup).collect();
    for archive in others.flat_map(own_archives) {
        if !archives.contains(&archive) {
            archives.push(archive);
        }
    }
    archives
}

fn own_archives(backup: &Backup) -> impl Iterator<Item = ObjectId> {
    let archive = backup.kuberesources.iter().filter(|half| half.is_present);
    archive.flat_map(Located::places).cloned()
}
