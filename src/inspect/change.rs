//! One object that is not the same in both: what became of it, and what it stands for.

use super::object::ObjectRow;
use crate::objects::{Place, Resource};

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

/// Objects that stand for something outside of etcd, or open a door: a restore that loses them or brings them back leaves
/// them at odds with the world.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stake {
    /// Volumes, their claims and attachments: disks stay as they are.
    Volumes,
    /// Machines and nodes: they run, or are gone, whatever etcd says.
    Machines,
    /// Requests for certificates.
    CertificateRequests,
    /// Tokens of service accounts, as Secrets.
    ServiceAccountTokens,
    /// All other Secrets.
    Secrets,
}

impl Stake {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volumes => "volumes",
            Self::Machines => "machines",
            Self::CertificateRequests => "certificate-requests",
            Self::ServiceAccountTokens => "service-account-tokens",
            Self::Secrets => "secrets",
        }
    }

    pub(super) fn of(resource: &Resource) -> Option<Self> {
        match (&*resource.group, &*resource.plural) {
            ("", "persistentvolumes" | "persistentvolumeclaims")
            | ("storage.k8s.io", "volumeattachments") => Some(Self::Volumes),
            ("", "nodes") | ("machine.openshift.io", "machines" | "machinesets") => {
                Some(Self::Machines)
            }
            ("certificates.k8s.io", "certificatesigningrequests") => {
                Some(Self::CertificateRequests)
            }
            ("", "secrets") => Some(Self::Secrets),
            _ => None,
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
