//! The remembered locations as they stand, and what of the records below them is of no use any more.

use super::recall::remembered;
use super::{SurveyError, SurveyOptions, recall, refresh};
use crate::backup::{Backup, Located};
use crate::catalogue::{Catalogue, Forget, SnapshotKey};
use crate::source::{ObjectId, Store as _, Stores};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A location as the catalogue knows it, and what is there now by attributes alone.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedLocation {
    /// Which one.
    pub id: ObjectId,
    /// When it was first named.
    pub first_seen_at: DateTime<Utc>,
    /// Backups of which a file is there.
    pub backups: usize,
    /// Backups that were there and of which no file is.
    pub gone: usize,
    /// What is wrong with it.
    pub state: LocationState,
}

/// How a remembered location stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LocationState {
    /// Something that is known is there.
    Ok,
    /// It is there, and no backup is known in it yet.
    NothingKnown,
    /// It is there, and nothing of what is known.
    NothingLeft,
    /// It lies on another file system than before, and nothing of what is known is there.
    OtherFileSystem,
    /// It is not there.
    Missing,
}

impl LocationState {
    /// The kebab-case name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NothingKnown => "nothing-known",
            Self::NothingLeft => "nothing-left",
            Self::OtherFileSystem => "other-file-system",
            Self::Missing => "missing",
        }
    }

    /// True where backups can be found.
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::NothingKnown)
    }
}

/// Every remembered location, ascending.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn locations(
    catalogue: &Catalogue,
    options: &SurveyOptions,
) -> Result<Vec<RememberedLocation>, SurveyError> {
    let presence = Presence::of(catalogue, &options.stores)?;
    let backups = recall(catalogue, options)?;
    let locations = catalogue.locations()?.into_iter().map(|(id, record)| {
        let (mut there, mut gone) = (0, 0);
        for backup in &backups {
            let mut here = backup
                .places()
                .into_iter()
                .filter(|one| id.contains(one))
                .peekable();
            if here.peek().is_none() {
                continue;
            }
            if here.any(|one| presence.is_there(one)) {
                there += 1;
            } else {
                gone += 1;
            }
        }
        let is_missing = id.as_path().is_some_and(|path| !path.exists());
        let file_system = options.stores.file_system(&id);
        let is_other = record
            .file_system
            .zip(file_system)
            .is_some_and(|(before, now)| now.is_other_than(&before));
        let state = match (there, gone) {
            _ if is_missing => LocationState::Missing,
            (0, _) if is_other => LocationState::OtherFileSystem,
            (0, 0) => LocationState::NothingKnown,
            (0, _) => LocationState::NothingLeft,
            _ => LocationState::Ok,
        };
        RememberedLocation {
            id,
            first_seen_at: record.first_seen_at,
            backups: there,
            gone,
            state,
        }
    });
    Ok(locations.collect())
}

/// Stops looking below a location. What is known of the backups there stays known.
///
/// # Errors
///
/// The catalogue cannot be read or written.
pub fn drop_location(catalogue: &Catalogue, location: &ObjectId) -> Result<bool, SurveyError> {
    let forget = Forget {
        locations: vec![location.clone()],
        ..Forget::default()
    };
    Ok(catalogue.forget(&forget)? > 0)
}

/// Records whose files are gone.
#[derive(Debug, Default)]
pub struct MissingRecords {
    /// Backups without a snapshot any more, or without the kuberesources that was all of them.
    pub backups: Vec<Backup>,
    /// Places of other backups' copies.
    pub copies: Vec<ObjectId>,
    /// Backups that are left alone: nothing at all is there where they lay, as when a mount is lost.
    pub spared: Vec<Backup>,
    forget: Forget,
}

/// Finds the records of files that somebody removed.
///
/// Where nothing of what is known is left, nothing is taken for removed: the place may just not be mounted.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn missing(
    catalogue: &Catalogue,
    options: &SurveyOptions,
) -> Result<MissingRecords, SurveyError> {
    let presence = Presence::of(catalogue, &options.stores)?;
    let mut found = MissingRecords::default();
    for backup in recall(catalogue, options)? {
        let gone = |half: bool| (!half).then_some(());
        let snapshot = backup.snapshot.as_ref();
        let archive = backup.kuberesources.as_ref();
        let is_snapshot_gone = snapshot.and_then(|half| gone(half.is_present)).is_some();
        let is_archive_gone = archive.and_then(|half| gone(half.is_present)).is_some();
        let is_gone = is_snapshot_gone || (snapshot.is_none() && is_archive_gone);
        if !is_gone {
            continue;
        }
        let places = snapshot.map_or_else(|| archive.map(places_of).unwrap_or_default(), places_of);
        if places.iter().any(|place| !presence.is_trusted(place)) {
            found.spared.push(backup);
            continue;
        }
        if let Some(half) = snapshot {
            found.forget.snapshots.push(SnapshotKey::of(&half.facts));
        }
        if let Some(half) = archive.filter(|_| is_archive_gone) {
            found.forget.kuberesources.push(half.facts.sha256);
        }
        found.backups.push(backup);
    }
    let dropped: BTreeSet<ObjectId> = found
        .backups
        .iter()
        .flat_map(Backup::places)
        .cloned()
        .collect();
    let spared: BTreeSet<ObjectId> = found
        .spared
        .iter()
        .flat_map(Backup::places)
        .cloned()
        .collect();
    let copies = presence.gone().filter(|place| {
        presence.is_trusted(place) && !dropped.contains(*place) && !spared.contains(*place)
    });
    found.copies = copies.cloned().collect();
    found.forget.paths.clone_from(&found.copies);
    Ok(found)
}

/// Drops what [`missing`] found; no file is touched.
///
/// # Errors
///
/// The catalogue cannot be written.
pub fn forget_missing(
    missing: &MissingRecords,
    catalogue: &Catalogue,
    stores: &Stores,
) -> Result<(), SurveyError> {
    catalogue.forget(&missing.forget)?;
    refresh(catalogue, stores)
}

fn places_of<T>(half: &Located<T>) -> Vec<&ObjectId> {
    half.places().collect()
}

/// Which of the known files are there.
struct Presence {
    files: BTreeMap<ObjectId, bool>,
    locations: Vec<ObjectId>,
}

impl Presence {
    fn of(catalogue: &Catalogue, stores: &Stores) -> Result<Self, SurveyError> {
        let contents = catalogue.load()?;
        let locations = contents.locations.keys().cloned().collect();
        let (known, _) = remembered(contents, stores);
        let files = known.files.into_iter();
        let files = files.filter(|(_, file)| !file.content.is_foreign());
        Ok(Self {
            files: files.map(|(id, file)| (id, file.is_present)).collect(),
            locations,
        })
    }

    fn is_there(&self, id: &ObjectId) -> bool {
        self.files.get(id) == Some(&true)
    }

    fn gone(&self) -> impl Iterator<Item = &ObjectId> {
        let files = self.files.iter();
        files.filter(|(_, is_there)| !**is_there).map(|(id, _)| id)
    }

    /// Is something else there, below the same location or else in the same directory?
    fn is_trusted(&self, id: &ObjectId) -> bool {
        let location = self.locations.iter().find(|location| location.contains(id));
        let around = location.cloned().or_else(|| id.parent());
        around.is_some_and(|around| {
            let mut files = self.files.iter();
            files.any(|(other, is_there)| *is_there && around.contains(other))
        })
    }
}
