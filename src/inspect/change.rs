//! What two do not have in common: each object that is not the same in both, and what could not be compared.

use super::contents::Contents;
use super::object::ObjectRow;
use super::stake::Stake;
use crate::objects::{Place, Resource};
use crate::oc::LiveTarget;

/// What became of an object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Change {
    /// Only the second backup has it.
    Added,
    /// Only the first one has it.
    Removed,
    /// Both have it, and not the same.
    Changed,
}

impl Change {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One object that is not the same in both.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// What became of it.
    pub change: Change,
    /// What it stands for outside of etcd.
    pub stake: Option<Stake>,
    /// The resource that it is of.
    pub resource: Resource,
    /// Where it lies.
    pub place: Place,
    /// As the first one has it.
    pub from: Option<Version>,
    /// As the second one has it.
    pub to: Option<Version>,
}

/// An object as one side has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version {
    /// Main revision of the change.
    pub revision: i64,
    /// Main revision of the creation; `None` where it is not told.
    pub create_revision: Option<i64>,
    /// Bytes of its value as it is stored; `None` where they are not told.
    pub value_bytes: Option<u64>,
}

impl Version {
    /// All that a live cluster tells.
    pub(super) fn live(revision: i64) -> Self {
        Self {
            revision,
            create_revision: None,
            value_bytes: None,
        }
    }
}

impl From<&ObjectRow> for Version {
    fn from(row: &ObjectRow) -> Self {
        Self {
            revision: row.revision,
            create_revision: Some(row.create_revision),
            value_bytes: Some(row.value_bytes),
        }
    }
}

impl ChangeRow {
    /// Whether it was deleted meanwhile and created anew under its name; `None` where nothing tells.
    pub fn is_recreated(&self) -> Option<bool> {
        let Some((from, to)) = self.from.zip(self.to) else {
            return Some(false);
        };
        let created = from.create_revision.zip(to.create_revision);
        created.map(|(from, to)| from != to)
    }
}

/// What a backup and another one, or the live cluster, do not have in common.
#[derive(Debug)]
pub struct Differences {
    /// The first.
    pub from: Contents,
    /// What it is compared with.
    pub to: Other,
    /// Whether both are of one cluster; `None` where nothing tells.
    pub is_same_cluster: Option<bool>,
    /// Objects by storage key; compared with a live cluster, by kind, namespace and name.
    pub changes: Vec<ChangeRow>,
    /// Kinds of the first that the live cluster did not give: what became of their objects is not known.
    pub not_compared: Vec<NotCompared>,
}

/// What a backup is compared with.
#[derive(Debug)]
pub enum Other {
    /// Another backup.
    Backup(Box<Contents>),
    /// The cluster as it is now.
    Live(LiveCluster),
}

/// The cluster that answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LiveCluster {
    /// What it says of itself; `None` when it is no OpenShift, or does not tell this user.
    pub target: Option<LiveTarget>,
    /// The newest revision among the objects that it gave.
    pub newest_revision: Option<i64>,
    /// The newest revision among the backup's objects of the same kinds.
    pub newest_in_backup: Option<i64>,
}

/// A kind of the backup that the live cluster did not give.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotCompared {
    /// Which.
    pub resource: Resource,
    /// Its objects in the backup.
    pub objects: u64,
    /// Why not.
    pub reason: String,
}
