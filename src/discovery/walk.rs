//! What lies under a location and may be part of a backup, by listings and names alone.

use crate::foreign::{Foreign, ForeignKind};
use crate::monitor::Monitor;
use crate::names::BackupName;
use crate::parallel;
use crate::source::{Cause, LeftOut, Listed, Listing, ObjectId, ObjectIdentity, Store};
use std::ffi::OsStr;

/// An object that may be part of a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundObject {
    /// Where it was found; for a symbolic link the path of the link.
    pub id: ObjectId,
    /// What its name says; for a link with a name that says nothing, the name of its target.
    pub name: Option<BackupName>,
    /// What it looks like, links resolved.
    pub identity: ObjectIdentity,
}

/// Something that was not looked into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Where.
    pub id: ObjectId,
    /// Why: lower case, no final period, with the system's words where the system refused.
    pub reason: String,
    /// What it is, for programs and for advice.
    pub kind: SkippedKind,
    /// What to do about it, where that is more than the kind says.
    pub remedy: Option<String>,
    /// It should have been readable: the run is incomplete.
    pub is_error: bool,
}

impl Skipped {
    /// Something that is no backup, or that no backup can be read from.
    pub(crate) fn foreign(id: ObjectId, foreign: &Foreign) -> Self {
        Self {
            remedy: Some(foreign.remedy_for(&id.to_string())),
            id,
            reason: foreign.what.clone(),
            kind: SkippedKind::Foreign(foreign.kind),
            is_error: false,
        }
    }

    /// A backup may be in it that could not be read.
    pub fn may_hold_a_backup(&self) -> bool {
        matches!(self.kind, SkippedKind::Foreign(kind) if kind.may_hold_a_backup())
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        let usual = match self.kind {
            // Neither a user nor a disk of this machine: the store has said what it wants.
            SkippedKind::Unreadable if self.id.scheme().is_some() => {
                "do what the reason says, then run it again"
            }
            kind => kind.remedy(),
        };
        self.remedy.as_deref().unwrap_or(usual)
    }
}

/// What was not looked into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SkippedKind {
    /// The system refused, or the bytes broke off.
    Unreadable,
    /// A location that is not there.
    Missing,
    /// A symbolic link that leads nowhere.
    DeadLink,
    /// A pipe, a socket, a device, a kernel file system.
    NotAFile,
    /// Its name says that it is not to be believed.
    PutAside,
    /// In the archive of a store, out of reach until it is restored there.
    Archived,
    /// Named like a database, and no snapshot.
    NotABackup,
    /// Known to be something that no backup can be read from.
    Foreign(ForeignKind),
}

impl SkippedKind {
    /// The kebab-case name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::DeadLink => "dead-link",
            Self::NotAFile => "not-a-file",
            Self::PutAside => "put-aside",
            Self::Archived => "archived",
            Self::NotABackup => "not-a-backup",
            Self::Foreign(kind) => kind.as_str(),
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "run it as a user who may read it; an I/O error means a failing disk: take another copy"
            }
            Self::Missing => {
                "mount it, or correct the name; a remembered one is dropped with etcd-cat locations --drop"
            }
            Self::DeadLink => "bring back what it leads to, or remove the link",
            Self::NotAFile => "nothing: no backup can be kept in it",
            Self::PutAside => "name the file to have it judged: etcd-cat verify FILE",
            Self::Archived => {
                "have the store restore it (S3: restore-object, Azure: another tier), then read it"
            }
            Self::NotABackup | Self::Foreign(_) => {
                "nothing, if it belongs to another program; if it was a backup, name the file to have it judged"
            }
        }
    }
}

/// What lies under a location.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Walk {
    /// Objects, ascending by the bytes of their names.
    pub objects: Vec<FoundObject>,
    /// All that was left out, ascending by the bytes of its name.
    pub skipped: Vec<Skipped>,
    /// The monitor asked to stop; the lists hold what was found until then.
    pub is_interrupted: bool,
}

/// Lists what lies under `location`, or the one object that it is. Opens none of it.
pub fn walk(location: &ObjectId, store: &dyn Store, monitor: &dyn Monitor) -> Walk {
    Walk::from(store.list(location, monitor))
}

/// Lists what lies beside an object.
pub(crate) fn walk_beside(id: &ObjectId, store: &dyn Store, monitor: &dyn Monitor) -> Walk {
    Walk::from(store.list_beside(id, monitor))
}

impl From<Listing> for Walk {
    fn from(listing: Listing) -> Self {
        let names = parallel::map(&listing.objects, name_of);
        let objects = listing.objects.into_iter().zip(names);
        let mut objects: Vec<FoundObject> = objects
            .map(|(listed, name)| FoundObject {
                id: listed.id,
                name,
                identity: listed.identity,
            })
            .collect();
        let mut skipped: Vec<Skipped> = listing.left_out.into_iter().map(skipped).collect();
        // By bytes, not by parts: `a-b/x` before `a/x`, as a sorted listing shows it.
        objects.sort_by(|a, b| a.id.as_os_str().cmp(b.id.as_os_str()));
        skipped.sort_by(|a, b| a.id.as_os_str().cmp(b.id.as_os_str()));
        Self {
            objects,
            skipped,
            is_interrupted: listing.is_interrupted,
        }
    }
}

/// The name that tells more: the link's own, unless only the target's is that of a backup.
fn name_of(listed: &Listed) -> Option<BackupName> {
    let own = listed.id.file_name().and_then(BackupName::parse);
    let of_target = listed.target_name.as_deref().and_then(BackupName::parse);
    own.filter(|name| name.stamp.is_some())
        .or(of_target)
        .or(own)
}

fn skipped(left_out: LeftOut) -> Skipped {
    let (kind, is_error) = match left_out.cause {
        Cause::Refused(_) => (SkippedKind::Unreadable, true),
        Cause::LeadsNowhere => {
            let is_missed = left_out.id.file_name().is_some_and(is_of_backup);
            (SkippedKind::DeadLink, is_missed)
        }
        Cause::NoObject => (SkippedKind::NotAFile, false),
        Cause::Archived => (SkippedKind::Archived, false),
    };
    Skipped {
        id: left_out.id,
        reason: left_out.reason,
        kind,
        remedy: None,
        is_error,
    }
}

fn is_of_backup(name: &OsStr) -> bool {
    BackupName::parse(name).is_some()
}

#[cfg(test)]
mod tests;
