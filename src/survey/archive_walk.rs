//! An archive while it is read: what was asked of it, and what was met.

use super::hosted_keys::HostedKeys;
use super::member_checksums::MemberChecksums;
use super::prove::UnprovenSnapshots;
use super::recorded::{Digests, Sums};
use crate::discovery::FoundObject;
use crate::names::NameKind;
use crate::snapshot::SnapshotReading;
use crate::source::{Object, ObjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Members that are told of or kept: more than any shop packs into one file.
pub(super) const MAX_MEMBERS: usize = 10_000;

/// A member whose first reading is not the last.
pub(super) struct SuspectMember {
    pub(super) object: FoundObject,
    pub(super) first: SnapshotReading,
    /// Members of the same name in front of it.
    pub(super) position: u32,
}

/// What an archive is read once more for.
#[derive(Clone, Copy)]
pub(super) enum Again<'w> {
    /// The values of these snapshots.
    Values(&'w BTreeSet<ObjectId>),
    /// What happened to those that the walk begins with as suspects.
    Suspects,
    /// Digests of these files.
    Checksums(&'w BTreeSet<ObjectId>),
}

/// An archive while it is read.
pub(super) struct ArchiveWalk<'w> {
    pub(super) object: &'w FoundObject,
    /// `None` for a stream, which nobody can write to.
    pub(super) open: Option<&'w dyn Object>,
    /// It was read before, and is read for this alone.
    pub(super) again: Option<Again<'w>>,
    /// Members that were met, those of archives in it included, and how many of the same name.
    pub(super) met: BTreeMap<ObjectId, u32>,
    /// How many members were read.
    pub(super) read: usize,
    pub(super) waiting: UnprovenSnapshots,
    /// Read once, and to be read once more: only then can be proven what happened to them.
    pub(super) suspects: BTreeMap<ObjectId, SuspectMember>,
    /// What lists in it say of its files.
    pub(super) checksums: MemberChecksums,
    /// Digests of the archive itself, as far as somebody recorded some.
    pub(super) own: Option<Digests>,
    /// Keys of hosted control planes.
    pub(super) keys: HostedKeys,
    /// How many members were told of that are no backups.
    pub(super) told: usize,
    /// Static pod resources lie at its top: by itself it is a kuberesources, too.
    pub(super) is_kuberesources: bool,
    /// Why the rest of it was not seen.
    pub(super) broken: Option<String>,
}

impl<'w> ArchiveWalk<'w> {
    pub(super) fn new(
        object: &'w FoundObject,
        open: Option<&'w dyn Object>,
        again: Option<Again<'w>>,
    ) -> Self {
        Self {
            object,
            open,
            again,
            met: BTreeMap::new(),
            read: 0,
            waiting: Vec::new(),
            suspects: BTreeMap::new(),
            checksums: MemberChecksums::default(),
            own: None,
            keys: HostedKeys::default(),
            told: 0,
            is_kuberesources: object
                .name
                .is_some_and(|name| name.kind == NameKind::Combined),
            broken: None,
        }
    }

    /// All that it is read once more for was met.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.again, Some(Again::Suspects)) && self.suspects.is_empty()
    }

    /// Is this member one that it is read for? `position`: members of the same name in front of it.
    pub(super) fn wants(&self, id: &ObjectId, position: u32) -> bool {
        match self.again {
            None => true,
            Some(Again::Values(ids)) => ids.contains(id),
            Some(Again::Checksums(_)) => false,
            Some(Again::Suspects) => {
                let suspect = self.suspects.get(id);
                suspect.is_some_and(|suspect| suspect.position == position)
            }
        }
    }

    /// What of a file is to be computed as it passes by.
    pub(super) fn sums(&self, id: &ObjectId) -> Sums {
        match self.again {
            Some(Again::Checksums(ids)) if ids.contains(id) => self.checksums.sums(id),
            None => self.checksums.sums(id),
            Some(_) => Sums::default(),
        }
    }

    /// Of members of one name unpacking leaves the last.
    pub(super) fn forget_earlier(&mut self, id: &ObjectId) {
        self.waiting.retain(|(waiting, _, _)| waiting != id);
        self.suspects.remove(id);
    }
}

/// Whether the walk through an archive goes on.
pub(super) enum Walked {
    On,
    /// There is no sense in looking further.
    Enough,
}
